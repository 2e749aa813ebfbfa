"""Two Quires that tell each other what was published (`--peer`), and what becomes of it when one cannot."""

import contextlib
import json
import uuid

import pytest
from test_publication import create, fill, secret
from test_subscription import quire_url, thumbprint_of

from quire_server import QuireServer
from sites import Site
from subscription_client import (
    ENDED,
    Subscription,
    automatic_time,
    content_of_library,
    reason_of,
    tasks_of,
    wait_for,
)

CONTENT = b"c" * 70_001
PUBLISHING = "com.vmware.content.local_library"


class Peer(Site):
    def __init__(self, folder, *flags):
        super().__init__(QuireServer(folder, flags=["--pull-allow", "127.0.0.0/8", *flags]))

    def knows(self, other, token, trusts=True):
        """From the next start on it has this token of the other one, and may trust its certificate."""
        flags, authority = self.server.flags, other.server.authority
        file = self.server.folder / f"{uuid.uuid4()}.token"
        file.write_text(token + "\n")
        file.chmod(0o600)
        with contextlib.suppress(ValueError):
            at = flags.index("--peer")
            del flags[at : at + 2]
        flags += ["--peer", f"{authority}={file}"]
        if trusts and "--pull-trust" not in flags:
            flags += ["--pull-trust", f"{authority}={thumbprint_of(other.server)}"]

    def new_token(self, **bounds):
        """Of its administrator: the secret, and what takes it back."""
        told = self.tokens("POST", "", {"name": uuid.uuid4().hex, **bounds})
        return told["secret"], lambda: self.tokens("DELETE", "/" + told["token"])

    def tokens(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body else None
        text = json.dumps(body) if body else None
        answer = self.rest.send(method, "/api/quire/access/tokens" + path, text, headers)
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.text else None


class Publication:
    """A published library, and its subscriptions at another Quire."""

    def __init__(self, publisher, subscriber, **publish_info):
        self.publisher, self.subscriber = publisher, subscriber
        self.rest = publisher.rest
        self.name = uuid.uuid4().hex
        self.library = create(self.rest, self.name, **publish_info)
        self.item = fill(self.rest, self.library, "one", {"a.bin": CONTENT})
        self.url = quire_url(self.rest, self.library)

    def followed(self, **changes):
        """A subscribed library there that looks for nothing by itself."""
        trust = {"ssl_thumbprint": thumbprint_of(self.publisher.server)}
        return Subscription(self.subscriber.rest, self.url, name=f"copy of {self.name}", **trust, **changes).first()

    def spec(self, existing=None, new=None, datastore="datastore-11", **server):
        wanted = {"location": "REMOTE", "vcenter": {**self.where(), **server}}
        if existing:
            return {"subscribed_library": {"target": "USE_EXISTING", "subscribed_library": existing, **wanted}}
        library = {
            "name": new,
            "storage_backings": [{"type": "DATASTORE", "datastore_id": datastore}],
            "automatic_sync_enabled": False,
            "on_demand": False,
        }
        return {"subscribed_library": {"target": "CREATE_NEW", "new_subscribed_library": library, **wanted}}

    def where(self):
        return {"hostname": self.subscriber.server.host, "https_port": self.subscriber.server.port}

    def try_to_subscribe(self, client_token=None, **wanted):
        token = {"client_token": client_token} if client_token else {}
        return self.rest.call("subscriptions.create", library=self.library, spec=self.spec(**wanted), **token)

    def subscribe(self, **wanted):
        answer = self.try_to_subscribe(**wanted)
        assert answer.ok, str(answer)
        return answer.value

    def told_of(self, subscription):
        return self.rest.ok("subscriptions.get", library=self.library, subscription=subscription)

    def change(self):
        fill(self.rest, self.library, None, {"a.bin": CONTENT + uuid.uuid4().bytes}, item=self.item)

    def content(self):
        return content_of_library(self.rest, self.library)

    def publish(self, *subscriptions):
        """Tells of it; a function that tells the task that does."""
        known = self.tasks()
        spec = {"subscriptions": [{"subscription": one} for one in subscriptions]} if subscriptions else {}
        self.rest.ok("local_library.publish", library_id=self.library, **spec)
        (new,) = set(self.tasks()) - set(known)
        return lambda: self.rest.ok("tasks.get", task=new)

    def tasks(self):
        return tasks_of(self.rest, self.library, service=PUBLISHING, operation="publish")

    def arrives_at(self, copy):
        """Without anybody asking there; these copies look for nothing by themselves."""
        expected = self.content()
        wait_for("the copy to follow", copy.contents, lambda contents: contents == expected)


def ended(task):
    return wait_for("the task to end", task, lambda info: info["status"] in ENDED)


def succeeds(task):
    info = ended(task)
    assert info["status"] == "SUCCEEDED", info


def why(answer, error_type):
    assert not answer.ok and answer.error_type == error_type, str(answer)
    return answer.messages[0]["default_message"]


@contextlib.contextmanager
def peers(folder, *flags):
    """Two that have a token of each other."""
    with contextlib.ExitStack() as stack:
        found = []
        for name in ("one", "other"):
            found.append(Peer(folder / name, *flags))
            stack.callback(found[-1].close)
        for site, other in (found, found[::-1]):
            site.knows(other, other.new_token()[0])
        for site in found:
            site.server.restart()
        try:
            yield found
        except BaseException:
            for site in found:
                print(site.server.log())
            raise


@pytest.fixture(scope="module")
def friends(tmp_path_factory):
    with peers(tmp_path_factory.mktemp("friends"), "--task-attempts", "100") as found:
        yield found


@pytest.fixture(params=["one to the other", "the other way"])
def publication(request, friends):
    one, other = friends
    return Publication(one, other) if request.param == "one to the other" else Publication(other, one)


# ---- as it should be ----


def test_an_existing_library_is_told_at_once(publication):
    copy = publication.followed()
    subscription = publication.subscribe(existing=copy.id)
    told = publication.told_of(subscription)
    assert told["subscribed_library"] == copy.id and told["subscribed_library_location"] == "REMOTE", told
    assert told["subscribed_library_name"] == copy.get()["name"], told
    server = told["subscribed_library_vcenter"]
    assert server == {**publication.where(), "server_guid": copy.get()["server_guid"]}
    (listed,) = publication.rest.ok("subscriptions.list", library=publication.library)
    assert (listed["subscription"], listed["subscribed_library_vcenter_hostname"]) == (subscription, server["hostname"])
    publication.change()
    succeeds(publication.publish())
    publication.arrives_at(copy)
    publication.change()
    succeeds(publication.publish(subscription))
    publication.arrives_at(copy)


def test_a_single_item(publication):
    copy = publication.followed()
    publication.subscribe(existing=copy.id)
    publication.change()
    publication.rest.ok("item.publish", library_item_id=publication.item, force_sync_content=True)
    publication.arrives_at(copy)


def test_a_new_library_is_made_there(publication):
    name = f"made for {publication.name}"
    subscription = publication.subscribe(new=name)
    made = publication.told_of(subscription)
    assert made["subscribed_library_name"] == name
    copy = Subscription.of(publication.subscriber.rest, made["subscribed_library"])
    told = copy.get()
    assert told["name"] == name and told["type"] == "SUBSCRIBED"
    info = told["subscription_info"]
    assert info["subscription_url"] == publication.url and info["automatic_sync_enabled"] is False, info
    assert info["source_info"] == {"source_library": publication.library, "subscription": subscription}
    publication.arrives_at(copy)
    publication.change()
    succeeds(publication.publish())
    publication.arrives_at(copy)
    publication.rest.ok("subscriptions.delete", library=publication.library, subscription=subscription)
    assert copy.get()["name"] == name, "the subscribed library stays"


def test_a_repeated_creation_makes_one_library(publication):
    token, name = str(uuid.uuid4()), f"made once for {publication.name}"
    first, second = (publication.try_to_subscribe(new=name, client_token=token) for _ in range(2))
    assert first.ok and first.value == second.value, (str(first), str(second))
    assert len(publication.subscriber.rest.ok("library.find", spec={"name": name})) == 1
    assert len(publication.rest.ok("subscriptions.list", library=publication.library)) == 1


def test_a_library_with_a_password(friends):
    password = secret()
    publication = Publication(*friends, authentication_method="BASIC", password=password)
    assert "USE_EXISTING" in why(publication.try_to_subscribe(new="never"), "INVALID_ARGUMENT")
    copy = publication.followed(authentication_method="BASIC", user_name="vcsp", password=password)
    publication.subscribe(existing=copy.id)
    publication.change()
    succeeds(publication.publish())
    publication.arrives_at(copy)


# ---- as it should not ----


def test_what_cannot_be_subscribed(publication):
    copy = publication.followed()
    another = Publication(publication.publisher, publication.subscriber)
    assert copy.id in why(publication.try_to_subscribe(existing=copy.id + "x"), "NOT_FOUND")
    assert publication.url in why(another.try_to_subscribe(existing=copy.id), "INVALID_ARGUMENT")
    nowhere = publication.try_to_subscribe(new="never", datastore="datastore-99")
    assert "datastore-99" in why(nowhere, "INVALID_ARGUMENT")
    local = create(publication.subscriber.rest)
    assert "local library" in why(publication.try_to_subscribe(existing=local), "INVALID_ARGUMENT")
    for server in ({"hostname": "127.0.0.2"}, {"https_port": 1}):
        assert "--peer" in why(publication.try_to_subscribe(existing=copy.id, **server), "RESOURCE_INACCESSIBLE")
    publication.subscribe(existing=copy.id)
    why(publication.try_to_subscribe(existing=copy.id), "ALREADY_EXISTS")


def test_who_is_away_is_told_later(publication):
    """Also when the publisher is started anew meanwhile."""
    copy = publication.followed()
    publication.subscribe(existing=copy.id)
    publication.subscriber.kill()
    publication.change()
    task = publication.publish()
    publication.publisher.kill()
    publication.publisher.back()
    assert task()["status"] not in ENDED
    publication.subscriber.back()
    succeeds(task)
    publication.arrives_at(copy)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """They try twice."""
    with peers(tmp_path_factory.mktemp("impatient"), "--task-attempts", "2") as found:
        yield found


def restarted_with(publication, token, **trust):
    publication.publisher.knows(publication.subscriber, token, **trust)
    publication.publisher.server.restart()


def is_not_told(publication, copy):
    """Why not."""
    publication.change()
    reason = reason_of(ended(publication.publish()))
    assert copy.get()["name"] in reason, reason
    assert publication.subscriber.server.authority in reason, reason
    return reason


def test_who_stays_away_polls_later(impatient):
    publication = Publication(*impatient)
    restarted_with(publication, publication.subscriber.new_token()[0])
    copy = publication.followed()
    publication.subscribe(existing=copy.id)
    name = copy.get()["name"]
    publication.subscriber.kill()
    publication.change()
    reason = reason_of(ended(publication.publish()))
    assert name in reason and publication.subscriber.server.authority in reason, reason
    answer = publication.try_to_subscribe(existing=copy.id)
    assert publication.subscriber.server.authority in why(answer, "RESOURCE_INACCESSIBLE")
    publication.subscriber.back()
    assert copy.contents() != publication.content()
    assert copy.update(automatic_sync_enabled=True).ok
    with automatic_time(copy.binding):
        wait_for("the copy to follow", copy.contents, lambda contents: contents == publication.content())
    publication.change()
    succeeds(publication.publish())
    publication.arrives_at(copy)


def test_a_token_that_was_taken_back(impatient):
    publication = Publication(*impatient)
    token, take_back = publication.subscriber.new_token()
    restarted_with(publication, token)
    copy = publication.followed()
    publication.subscribe(existing=copy.id)
    take_back()
    reason = is_not_told(publication, copy)
    assert "token" in reason and token not in reason, reason
    assert "token" in why(publication.try_to_subscribe(existing=copy.id), "RESOURCE_INACCESSIBLE")
    assert "token" in why(publication.try_to_subscribe(new="never"), "RESOURCE_INACCESSIBLE")
    restarted_with(publication, publication.subscriber.new_token()[0])
    succeeds(publication.publish())
    publication.arrives_at(copy)


def test_a_token_that_may_read_only(impatient):
    publication = Publication(*impatient)
    restarted_with(publication, publication.subscriber.new_token(privileges=["System.Read"])[0])
    copy = publication.followed()
    publication.subscribe(existing=copy.id)
    assert "ContentLibrary.SyncLibrary" in is_not_told(publication, copy)
    reason = why(publication.try_to_subscribe(new="never"), "RESOURCE_INACCESSIBLE")
    assert "ContentLibrary.CreateSubscribedLibrary" in reason, reason
    assert publication.subscriber.rest.ok("library.find", spec={"name": "never"}) == []


def test_a_certificate_that_is_not_trusted(tmp_path):
    with contextlib.ExitStack() as stack:
        one, other = (stack.enter_context(contextlib.closing(Peer(tmp_path / name))) for name in ("one", "other"))
        publication = Publication(one, other)
        restarted_with(publication, other.new_token()[0], trusts=False)
        copy = publication.followed()
        reason = why(publication.try_to_subscribe(existing=copy.id), "RESOURCE_INACCESSIBLE")
        assert "certificate" in reason, reason
