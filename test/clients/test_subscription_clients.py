"""Subscribed libraries through the clients that people have: govc, the Python SDKs, Ansible's collections."""

import json
import uuid
from pathlib import Path

import pytest
import test_python_sdk
from test_publication import create, fill, secret
from test_pull import serving
from test_subscription import quire_url, thumbprint_of

from ansible_client import Ansible
from govc_client import Govc
from http_source import make_certificate
from publisher import Publisher
from rest_client import NewRest
from subscription_client import Subscription, download, subscription_info, wait_for

CONTENT = b"c" * 70_001

@pytest.fixture(scope="module")
def subscriber(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subscriber")
    with serving(folder / "server", "--pull-allow", "127.0.0.0/8", "--pull-attempts", "2") as server:
        yield server


@pytest.fixture
def rest(subscriber):
    return NewRest(subscriber).log_in()


@pytest.fixture
def tool(subscriber, tmp_path):
    return Govc(subscriber, tmp_path / "govc-home")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"), "publisher")


@pytest.fixture(scope="module")
def password():
    return secret()


@pytest.fixture
def publisher(certificate, password):
    with Publisher(certificate=certificate, password=password) as opened:
        opened.add("one", {"a.bin": CONTENT})
        yield opened


@pytest.fixture
def name():
    return f"sub-{uuid.uuid4().hex[:8]}"


def model_of(rest, library, item="one"):
    """The item of that name, once there is one."""
    (found,) = wait_for(item, lambda: rest.ok("item.find", spec={"library_id": library, "name": item}))
    return rest.ok("item.get", library_item_id=found)


def digests(publisher, name="one"):
    (item,) = (told for told in publisher.expected().values() if told["name"] == name)
    return item["files"]


# ---- govc ----


def test_govc_subscribes(tool, rest, publisher, certificate, password, name, tmp_path):
    trust = ("-thumbprint", certificate.thumbprint())
    login = ("-sub-username", "vcsp", "-sub-password", password)
    library = tool.ok("library.create", "-sub", publisher.url, *login, *trust, "-sub-autosync=false", name).strip()
    wait_for("the content", lambda: model_of(rest, library)["cached"])
    (info,) = tool.json("library.info", name)
    assert (info["id"], info["type"]) == (library, "SUBSCRIBED")
    told = info["subscription_info"]
    assert told["subscription_url"] == publisher.url and told["automatic_sync_enabled"] is False
    assert password not in json.dumps(info)
    assert tool.ok("library.ls", f"{name}/*").splitlines() == [f"/{name}/one"]
    (tmp_path / "out").mkdir()
    tool.ok("library.export", f"{name}/one", tmp_path / "out")
    assert (tmp_path / "out" / "a.bin").read_bytes() == CONTENT

    publisher.add("two", {"b.bin": b"b"})
    tool.ok("library.sync", name)
    wait_for("the second item", lambda: model_of(rest, library, "two")["cached"])
    publisher.put(next(iter(publisher.items)), {"a.bin": b"new"})
    tool.ok("library.sync", f"{name}/one")
    item = model_of(rest, library)["id"]
    wait_for("the new content", lambda: download(rest, item) == digests(publisher))
    assert "NOT_ALLOWED_IN_CURRENT_STATE" in tool.fails("library.evict", name).upper()
    tool.fails("library.evict", f"{name}/one")
    tool.fails("library.import", name, tmp_path / "out" / "a.bin")

    tool.ok("library.update", "-n", f"{name}-b", name)
    tool.ok("library.rm", f"{name}-b")
    assert rest.call("subscribed_library.get", library_id=library).error_type == "NOT_FOUND"


def test_govc_on_demand(tool, rest, publisher, certificate, password, name):
    trust = ("-thumbprint", certificate.thumbprint(), "-sub-password", password)
    library = tool.ok("library.create", "-sub", publisher.url, *trust, "-sub-ondemand=true", name).strip()
    model = model_of(rest, library)
    assert (model["cached"], model["size"]) == (False, 0)
    tool.ok("library.sync", "-f", f"{name}/one")
    wait_for("the content", lambda: model_of(rest, library)["cached"])
    tool.ok("library.evict", f"{name}/one")
    assert not model_of(rest, library)["cached"]
    tool.ok("library.sync", "-f", f"{name}/one")
    wait_for("the content", lambda: model_of(rest, library)["cached"])
    tool.ok("library.evict", name)
    assert not model_of(rest, library)["cached"]
    tool.ok("library.rm", name)


def test_govc_is_told_why_not(tool, rest, publisher, certificate, password, name, tmp_path):
    other = make_certificate(tmp_path, "other").thumbprint()
    for arguments in (
        ("-thumbprint", other, "-sub-password", password),
        ("-thumbprint", certificate.thumbprint(), "-sub-password", "not the password"),
        ("-thumbprint", certificate.thumbprint()),
    ):
        told = tool.fails("library.create", "-sub", publisher.url, *arguments, name)
        assert password not in told and len(told) > 20
        assert rest.ok("library.find", spec={"name": name}) == []


@pytest.fixture
def subscriptions(tool, rest, name):
    """A published library and one that is subscribed to it, both of this server; with the id of the subscription."""
    source = create(rest, f"{name}-source")
    item = fill(rest, source, "one", {"a.bin": CONTENT})
    url = rest.ok("local_library.get", library_id=source)["publish_info"]["publish_url"]
    assert url == quire_url(rest, source)
    target = Subscription(rest, url, name=f"{name}-target", ssl_thumbprint=thumbprint_of(rest.server)).first()
    place = {"target": "USE_EXISTING", "subscribed_library": target.id, "location": "LOCAL"}
    subscription = rest.ok("subscriptions.create", library=source, spec={"subscribed_library": place})
    return source, item, target, subscription


def remove_subscription(tool, rest, name, source, subscription):
    """govc 0.55 sends the library's name where the subscription's identifier belongs, so nothing is found."""
    run = tool.run("library.subscriber.rm", f"{name}-source", subscription)
    assert run.code != 0 and "404" in run.stderr, str(run)
    rest.ok("subscriptions.delete", library=source, subscription=subscription)


def test_govc_subscribers(tool, rest, subscriptions, name):
    source, item, target, subscription = subscriptions
    assert subscription in tool.ok("library.subscriber.ls", f"{name}-source")
    (listed,) = tool.json("library.subscriber.ls", f"{name}-source")
    assert subscription in listed.values() and target.id in listed.values(), listed
    told = tool.ok("library.subscriber.info", f"{name}-source", subscription)
    assert target.id in told and "LOCAL" in told, told
    tool.ok("library.publish", f"{name}-source")
    wait_for("the sync", lambda: len(target.tasks()) >= 1)
    fill(rest, source, None, {"a.bin": b"new"}, item=item)
    tool.ok("library.publish", f"{name}-source", subscription)
    new = download(rest, item)
    wait_for("the new content", lambda: target.content(item) == new)
    fill(rest, source, None, {"a.bin": b"newer"}, item=item)
    tool.ok("library.publish", f"{name}-source/one")
    newest = download(rest, item)
    wait_for("the newest content", lambda: target.content(item) == newest)
    remove_subscription(tool, rest, name, source, subscription)
    assert rest.ok("subscriptions.list", library=source) == []
    assert target.names() == ["one"], "the subscribed library stays"


def test_govc_makes_a_subscriber(tool, rest, subscriptions, name):
    source, _, target, subscription = subscriptions
    remove_subscription(tool, rest, name, source, subscription)
    made = tool.ok("library.subscriber.create", f"{name}-source", f"{name}-target").strip()
    assert [one["subscription"] for one in rest.ok("subscriptions.list", library=source)] == [made]
    told = rest.ok("subscriptions.get", library=source, subscription=made)
    assert told["subscribed_library"] == target.id
    assert told["subscribed_library_placement"] == {"folder": "group-v3", "network": "network-7"}
    shown = tool.ok("library.subscriber.info", f"{name}-source", made)
    assert "/DC0/vm" in shown and "/DC0/network/VM Network" in shown, shown
    tool.fails("library.subscriber.create", f"{name}-source", f"{name}-target")


# ---- Python SDKs ----


@pytest.mark.parametrize("environment", test_python_sdk.ENVIRONMENTS)
@pytest.mark.parametrize("step", ["sdk_subscribe", "sdk_on_demand", "sdk_probe_and_refusals"])
def test_sdk(subscriber, publisher, certificate, password, environment, step, monkeypatch):
    monkeypatch.setattr(test_python_sdk, "STEPS", Path(__file__).with_name("sdk_subscription_steps.py"))
    test_python_sdk.run_step(
        environment,
        step,
        subscriber,
        QUIRE_PUBLISHER=publisher.url,
        QUIRE_VCSP_PASSWORD=password,
        QUIRE_VCSP_THUMBPRINT=certificate.thumbprint(),
        QUIRE_VCSP_SIZE=str(len(CONTENT)),
    )


# ---- Ansible ----


@pytest.fixture(scope="module")
def ansible(subscriber, tmp_path_factory):
    return Ansible(subscriber, tmp_path_factory.mktemp("ansible"))


def test_ansible(ansible, rest, publisher, certificate, password, name):
    wanted = {
        "name": name,
        "datastore": "LocalDS_0",
        "description": "first words",
        "subscription_url": publisher.url,
        "ssl_thumbprint": certificate.thumbprint(),
        "authentication_method": "BASIC",
        "authentication_password": password,
        "always_update_password": False,
    }
    made = ansible.ok("subscribed_content_library", **wanted)
    library = made["library"]["id"]
    assert made["changed"]
    told = rest.ok("subscribed_library.get", library_id=library)
    assert told["description"] == "first words"
    info = {"authentication_method": "BASIC", "automatic_sync_enabled": True, "user_name": "vcsp"}
    assert subscription_info(publisher.url, **info).items() <= told["subscription_info"].items(), told
    wait_for("the content", lambda: model_of(rest, library)["cached"])
    assert not ansible.ok("subscribed_content_library", **wanted)["changed"], "the second time there is nothing to do"
    changed = ansible.ok("subscribed_content_library", **{**wanted, "description": "other", "update_on_demand": True})
    assert changed["changed"]
    told = rest.ok("subscribed_library.get", library_id=library)
    assert (told["description"], told["subscription_info"]["on_demand"]) == ("other", True)
    wrong = {**wanted, "name": f"{name}-b", "ssl_thumbprint": "AA:" * 19 + "AA"}
    failed, result = ansible.run("subscribed_content_library", **wrong)
    assert failed and "thumbprint" in result["msg"] and password not in json.dumps(result["msg"]), result
    assert rest.ok("library.find", spec={"name": f"{name}-b"}) == []
    assert ansible.ok("subscribed_content_library", name=name, state="absent")["changed"]
    assert rest.ok("library.find", spec={"name": name}) == []


@pytest.mark.all_clients
def test_ansible_rest(subscriber, rest, publisher, certificate, password, name, tmp_path):
    collection = Ansible(subscriber, tmp_path / "home", "vmware.vmware_rest")
    info = subscription_info(
        publisher.url,
        on_demand=True,
        authentication_method="BASIC",
        user_name="vcsp",
        password=password,
        ssl_thumbprint=certificate.thumbprint(),
    )
    backing = [{"datastore_id": "datastore-11", "type": "DATASTORE"}]
    wanted = {"name": name, "type": "SUBSCRIBED", "subscription_info": info, "storage_backings": backing}
    made = collection.ok("content_subscribedlibrary", **wanted)
    library = made["id"]
    assert made["changed"]
    item = model_of(rest, library)
    assert not item["cached"] and download(rest, item["id"]) == digests(publisher)
    collection.ok("content_subscribedlibrary", library_id=library, name=name, state="evict")
    assert not model_of(rest, library)["cached"]
    publisher.add("two", {"b": b"b"})
    collection.ok("content_subscribedlibrary", library_id=library, name=name, state="sync")
    model_of(rest, library, "two")
    told = collection.ok("content_subscribedlibrary_info", library_id=library)["value"]
    assert told["name"] == name and "password" not in told["subscription_info"]
    assert library in {one["id"] for one in collection.ok("content_subscribedlibrary_info")["value"]}
    assert collection.ok("content_subscribedlibrary", library_id=library, state="absent")["changed"]
    assert rest.call("library.get", library_id=library).error_type == "NOT_FOUND"
