"""Objects of every kind on a server that is to be explored, so that generated calls meet what exists.

`kept` are there for all operations. What an operation destroys or changes for good it takes from `spent`, or from what
is for that operation alone (`own`): whatever it does, the others still meet theirs.
"""

import hashlib
import secrets
import ssl
import time
import uuid
from collections import defaultdict

import requests
from http_source import make_certificate
from ova_package import make_package
from publisher import Fault, Publisher
from quire_server import QuireServer

LIBRARY = "com.vmware.content.Library"
ITEM = "com.vmware.content.library.Item"
FILE = "com.vmware.content.library.item.File"
UPDATE_SESSION = "com.vmware.content.library.item.UpdateSession"
DOWNLOAD_SESSION = "com.vmware.content.library.item.DownloadSession"
SUBSCRIPTION = "com.vmware.content.library.Subscriptions"
USAGE = "com.vmware.content.library.Usages"
CERTIFICATE = "com.vmware.content.TrustedCertificate"
POLICY = "com.vmware.content.SecurityPolicy"
CATEGORY = "com.vmware.cis.tagging.Category"
TAG = "com.vmware.cis.tagging.Tag"
TASK = "com.vmware.cis.task"
ROLE = "com.quire.access.Role"
USER = "com.quire.access.User"
GROUP = "com.quire.access.Group"
TOKEN = "com.quire.access.Token"
WEBHOOK = "com.quire.Webhook"
# Everybody who has logged in may read these, as golden/access_walk_test.cpp has it: no secrets.
PUBLIC = {CATEGORY, TAG, ROLE, POLICY, CERTIFICATE, "Datastore", "Datacenter", "Folder"}

SERVER_FLAGS = (
    *("--pull-allow", "127.0.0.0/8", "--webhook-allow", "127.0.0.0/8"),
    *("--pull-attempts", "1", "--webhook-attempts", "1", "--pull-stall-timeout", "1h"),
    *("--storage", "LocalDS_0", "--storage", "LocalDS_1"),
    *("--update-session-timeout", "24h", "--download-session-timeout", "24h"),
    *("--tasks-max", "200", "--webhooks-max", "100000", "--api-tokens-of-user-max", "100000"),
)
DOMAIN = "vsphere.local"
FILE_NAME = "content.bin"
PENDING_FILE = "pending.bin"
FEW, MANY = 4, 24


def start_server(folder):
    """A server that may subscribe to itself."""
    server = QuireServer(folder, flags=SERVER_FLAGS).start()
    certificate = ssl.PEM_cert_to_DER_cert(server.ca_file.read_text())
    server.flags += ["--pull-trust", f"{server.host}={hashlib.sha256(certificate).hexdigest()}"]
    return server.restart()


class Api:
    """New REST, in a login of its own."""

    def __init__(self, server, user, password):
        self.server = server
        answer = requests.post(
            f"{server.url}/api/session", auth=(user, password), verify=str(server.ca_file), timeout=60
        )
        assert answer.status_code == 201, answer.text
        self.token = answer.json()

    def answer(self, method, path, body=None):
        return requests.request(
            method,
            f"{self.server.url}/api/{path}",
            json=body,
            headers={"vmware-api-session-id": self.token},
            verify=str(self.server.ca_file),
            timeout=60,
        )

    def call(self, method, path, body=None):
        answer = self.answer(method, path, body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None

    def put(self, url, content):
        answer = requests.put(url, data=content, verify=str(self.server.ca_file), timeout=60)
        assert answer.ok, f"PUT {url}: {answer.status_code} {answer.text}"


class Objects:
    """Made by `api` as an administrator; names of what is not public contain `mark`."""

    def __init__(self, api, folder):
        self.api = api
        self.mark = "confidential-" + secrets.token_hex(8)
        self.kept, self.spent, self.own = defaultdict(list), defaultdict(list), {}
        self.secrets = {}  # text → what it is
        self._numbers = iter(range(1, 10**6))
        self.publisher = Publisher().open()
        self.stalled = Publisher().open()
        for name in ("one", "two"):
            self.publisher.add(self.name(name), {FILE_NAME: b"published"})
        self.stalled.fault(self.stalled.index_path, Fault(stall_after=10))
        self.datastores = [each["datastore"] for each in api.call("GET", "vcenter/datastore")]
        self._make_libraries()
        self._make_items(folder)
        self._make_update_sessions()
        self._make_download_sessions()
        self._make_subscriptions_and_usages()
        self._make_tags()
        self._make_access()
        self._make_certificates(folder)
        self._make_webhooks()
        self._make_quotas()
        self._find_the_rest()

    def close(self):
        self.publisher.close()
        self.stalled.close()

    def name(self, what):
        return f"{self.mark}-{what}-{next(self._numbers)}"

    def of(self, kind):
        return [*self.kept[kind], *self.spent[kind]]

    def learn_secrets(self):
        """All that nobody without rights may read."""
        for stock in (self.kept, self.spent):
            for kind, identifiers in stock.items():
                if kind not in PUBLIC and kind != FILE:
                    self.secrets |= dict.fromkeys(identifiers, kind)
        for (operation, place), values in self.own.items():
            if place.startswith(("path.", "body.")):
                self.secrets |= {value: f"{place} of {operation}" for value in values if _is_identifier(value)}
        return self.secrets

    # --- libraries and what is in them ---------------------------------------------------------------------------

    def _local_library(self, what, published=True):
        spec = {"name": self.name(what), "description": self.mark, "type": "LOCAL"}
        if published:
            spec["publish_info"] = {"published": True, "authentication_method": "NONE"}
        return self.api.call("POST", "content/local-library", spec)

    def _subscribed_library(self, what, publisher, on_demand=True):
        info = {
            "subscription_url": publisher.url,
            "authentication_method": "NONE",
            "automatic_sync_enabled": False,
            "on_demand": on_demand,
        }
        spec = {"name": self.name(what), "type": "SUBSCRIBED", "subscription_info": info}
        return self.api.call("POST", "content/subscribed-library", spec)

    def _make_libraries(self):
        local = [self._local_library("local") for _ in range(FEW)]
        subscribed = [self._subscribed_library("subscribed", self.publisher) for _ in range(FEW)]
        spent_local = [self._local_library("spent") for _ in range(MANY)]
        spent_subscribed = [self._subscribed_library("spent", self.publisher) for _ in range(MANY)]
        converted = [self._subscribed_library("converted", self.publisher, on_demand=False) for _ in range(MANY)]
        for library in (*subscribed, *converted):
            self.api.call("POST", f"content/subscribed-library/{library}?action=sync")
        self.kept[LIBRARY] = [*local, *subscribed]
        self.spent[LIBRARY] = [*spent_local, *spent_subscribed]
        self.local, self.subscribed = local, subscribed
        self.give("com.vmware.content.local_library", "path.library_id", local, spent_local)
        self.give("com.vmware.content.subscribed_library", "path.library_id", subscribed, spent_subscribed)
        self.give("com.quire.subscribed_library", "path.library_id", subscribed, spent_subscribed)
        self.own["com.vmware.content.library.convert", "path.library_id"] = converted
        # What is changed is no longer good for all: unpublished, or not on demand.
        changed_local = [self._local_library("changed") for _ in range(FEW)]
        changed_subscribed = [self._subscribed_library("changed", self.publisher) for _ in range(FEW)]
        for service, libraries in (
            ("library", changed_local),
            ("local_library", changed_local),
            ("subscribed_library", changed_subscribed),
        ):
            self.own[f"com.vmware.content.{service}.update", "path.library_id"] = libraries
        maintained = [self._local_library("maintained") for _ in range(MANY)]
        for action in ("enter_maintenance", "exit_maintenance"):
            self.own[f"com.vmware.content.library.{action}", "path.library_id"] = maintained
        migrate = "com.vmware.content.library.migrate"
        self.own[migrate, "path.library_id"] = [self._local_library("moved") for _ in range(MANY)]
        self.own[migrate, "body.storage_backings[*].datastore_id"] = self.datastores[1:]
        for operation in ("create", "probe"):
            place = "body.subscription_info.subscription_url"
            self.own[f"com.vmware.content.subscribed_library.{operation}", place] = [self.publisher.url]
        for operation in ("item.create", "item.copy"):  # what is in a subscribed library comes from its publisher
            self.own[f"com.vmware.content.library.{operation}", "body.library_id"] = local
        # The index stalls for good, so there is always a task to cancel.
        for _ in range(MANY):
            library = self._subscribed_library("stalled", self.stalled)
            self.api.call("POST", f"content/subscribed-library/{library}?action=sync")

    def _item(self, library, what, item_type=""):
        spec = {"library_id": library, "name": self.name(what), "description": self.mark, "type": item_type}
        return self.api.call("POST", "content/library/item", spec)

    def _update_session(self, item):
        return self.api.call("POST", "content/library/item/update-session", {"library_item_id": item})

    def _fill(self, item, files):
        session = self._update_session(item)
        for name, content in files.items():
            spec = {"name": name, "source_type": "PUSH"}
            info = self.api.call("POST", f"content/library/item/update-session/{session}/file", spec)
            self.api.put(info["upload_endpoint"]["uri"], content)
        self.api.call("POST", f"content/library/item/update-session/{session}?action=complete")
        return session

    def _make_items(self, folder):
        self.kept[ITEM] = [self._item(self.local[0], "item") for _ in range(FEW)]
        for item in self.kept[ITEM]:
            self._fill(item, {FILE_NAME: b"content"})
        self.spent[ITEM] = [self._item(self.local[0], "spent") for _ in range(MANY)]
        self.kept[FILE] = [FILE_NAME]
        package = make_package(folder / "package", disk_bytes=(), manifest=None)  # without disks, which need qemu-img
        virtual_machine = self._item(self.local[0], "ovf", "ovf")
        self._fill(virtual_machine, {package.descriptor.name: package.descriptor.read_bytes()})
        self.own["com.quire.items.package", "path.library_item_id"] = [virtual_machine]
        self.own["com.vmware.vcenter.ovf.library_item.filter", "path.ovf_library_item_id"] = [virtual_machine]
        self.own["com.vmware.content.library.item.file.get", "path.name"] = [FILE_NAME]
        self.own["com.vmware.content.library.item.changes.get", "path.version"] = ["1", "2", "3"]

    def _make_update_sessions(self):
        base = "content/library/item/update-session"

        def session(what, *files):
            made = self._update_session(self._item(self.local[1], what))
            for name in files:
                self.api.call("POST", f"{base}/{made}/file", {"name": name, "source_type": "PUSH"})
            return made

        removed = [f"removed-{number}.bin" for number in range(MANY)]
        self.kept[UPDATE_SESSION] = [session("session", PENDING_FILE, *removed) for _ in range(FEW)]
        service = "com.vmware.content.library.item.update_session"
        for operation in ("complete", "cancel", "fail"):
            self.own[f"{service}.{operation}", "path.update_session_id"] = [session(operation) for _ in range(MANY)]
        # An item has one session at a time.
        self.own[f"{service}.create", "body.library_item_id"] = [
            self._item(self.local[1], "changed") for _ in range(4 * MANY)
        ]
        ended = [session("ended") for _ in range(MANY)]
        for each in ended:
            self.api.call("POST", f"{base}/{each}?action=cancel")
        self.own[f"{service}.delete", "path.update_session_id"] = ended
        files = "com.vmware.content.library.item.updatesession.file"
        self.own[f"{files}.validate", "path.update_session_id"] = [session("validated")]
        self.own[f"{files}.get", "path.file_name"] = [PENDING_FILE]
        self.own[f"{files}.remove", "path.file_name"] = removed
        self.own[f"{files}.add", "body.name"] = [PENDING_FILE, "more.iso", "more.vmdk"]
        self.own[f"{files}.add", "body.source_endpoint.uri"] = [
            self.publisher.origin + self.publisher.path_of(item, FILE_NAME) for item in self.publisher.items
        ]

    def _make_download_sessions(self):
        def session():
            body = {"library_item_id": self.kept[ITEM][0]}
            return self.api.call("POST", "content/library/item/download-session", body)

        self.kept[DOWNLOAD_SESSION] = [session() for _ in range(FEW)]
        service = "com.vmware.content.library.item.download_session"
        for operation in ("cancel", "fail", "delete"):
            self.own[f"{service}.{operation}", "path.download_session_id"] = [session() for _ in range(MANY)]

    def _make_subscriptions_and_usages(self):
        library = self._local_library("used")
        spec = {
            "subscribed_library": {
                "target": "CREATE_NEW",
                "location": "LOCAL",
                "new_subscribed_library": {
                    "name": self.name("subscriber"),
                    "storage_backings": [{"type": "DATASTORE", "datastore_id": self.datastores[0]}],
                    "automatic_sync_enabled": False,
                    "on_demand": True,
                },
            }
        }
        for name, kind in (("subscriptions", SUBSCRIPTION), ("usages", USAGE)):
            for stock, size in ((self.kept, FEW), (self.spent, MANY)):
                for _ in range(size):
                    body = spec if kind == SUBSCRIPTION else {"resource_urn": f"urn:vmomi:vm:{uuid.uuid4()}"}
                    stock[kind].append(self.api.call("POST", f"content/library/{library}/{name}", body))
            self.own[f"com.vmware.content.library.{name}.*", "path.library"] = [library]
        place = "body.subscribed_library.new_subscribed_library.name"
        names = [self.name("subscriber") for _ in range(900)]
        self.own["com.vmware.content.library.subscriptions.create", place] = names
        urns = [f"urn:vmomi:vm:{uuid.uuid4()}" for _ in range(900)]
        self.own["com.vmware.content.library.usages.add", "body.resource_urn"] = urns

    # --- the rest ------------------------------------------------------------------------------------------------

    def _make_tags(self):
        def category():
            spec = {
                "name": f"public-{uuid.uuid4()}",
                "description": "",
                "cardinality": "MULTIPLE",
                "associable_types": [],
            }
            return self.api.call("POST", "cis/tagging/category", spec)

        def tag(of):
            spec = {"name": f"public-{uuid.uuid4()}", "description": "", "category_id": of}
            return self.api.call("POST", "cis/tagging/tag", spec)

        self.kept[CATEGORY] = [category() for _ in range(FEW)]
        self.spent[CATEGORY] = [category() for _ in range(MANY)]
        # A changed one may no longer be for the objects that its tags are put on.
        self.own["com.vmware.cis.tagging.category.update", "path.category_id"] = [category() for _ in range(FEW)]
        self.kept[TAG] = [tag(self.kept[CATEGORY][0]) for _ in range(FEW)]
        self.spent[TAG] = [tag(self.kept[CATEGORY][0]) for _ in range(MANY)]

    def _make_access(self):
        def role():
            spec = {"name": f"public-{uuid.uuid4()}", "privileges": ["System.Read"]}
            return self.api.call("POST", "quire/access/roles", spec)

        def principal(kind):
            name = f"{self.name(kind)}@{DOMAIN}"
            spec = {"name": name, "description": self.mark}
            if kind == "users":
                spec["password"] = f"{self.mark}-password"
            self.api.call("POST", f"quire/access/{kind}", spec)
            return name

        def permit(name):
            spec = {"principal": name, "type": "USER", "role": self.kept[ROLE][0]}
            self.api.call("PUT", "quire/access/permissions", spec)
            self.api.call("PUT", "quire/access/permissions", {**spec, "library_id": self.local[0]})

        self.kept[ROLE], self.spent[ROLE] = [[role() for _ in range(size)] for size in (FEW, MANY)]
        self.kept[USER], self.spent[USER] = [[principal("users") for _ in range(size)] for size in (FEW, MANY)]
        self.kept[GROUP], self.spent[GROUP] = [[principal("groups") for _ in range(size)] for size in (FEW, MANY)]
        permitted = [principal("users") for _ in range(MANY)]
        for name in permitted:
            permit(name)
        access = "com.quire.access"
        self.own[f"{access}.permissions.delete", "query.principal"] = permitted
        self.own[f"{access}.permissions.list", "query.principal"] = permitted
        self.own[f"{access}.permissions.set", "body.principal"] = self.kept[USER]
        for operation in ("users.update", "users.set_password"):
            self.own[f"{access}.{operation}", "path.user"] = self.kept[USER]
        for operation in ("groups.create", "groups.update"):
            self.own[f"{access}.{operation}", "body.members[*]"] = self.kept[USER]
        for operation in ("users.create", "groups.create"):
            self.own[f"{access}.{operation}", "body.name"] = [f"{self.name('made')}@{DOMAIN}" for _ in range(900)]
        tokens = [
            self.api.call("POST", "quire/access/tokens", {"name": self.name("token")}) for _ in range(FEW + MANY)
        ]
        self.secrets |= {token["secret"]: "the secret of an API token" for token in tokens}
        identifiers = [token["token"] for token in tokens]
        self.kept[TOKEN], self.spent[TOKEN] = identifiers[:FEW], identifiers[FEW:]

    def _make_certificates(self, folder):
        texts = [make_certificate(folder, f"root-{n}", address=None).pem for n in range(FEW + 11 * MANY)]
        made = [
            self.api.call("POST", "content/trusted-certificates", {"cert_text": text}) for text in texts[: FEW + MANY]
        ]
        self.kept[CERTIFICATE], self.spent[CERTIFICATE] = made[:FEW], made[FEW:]
        self.own["com.vmware.content.trusted_certificates.create", "body.cert_text"] = texts[FEW + MANY :]

    def _make_webhooks(self):
        def webhook():
            spec = {"url": self.publisher.origin + "/" + self.name("hook"), "secret": f"{self.mark}-of-a-webhook"}
            return self.api.call("POST", "quire/webhooks", spec)

        self.kept[WEBHOOK] = [webhook() for _ in range(FEW)]
        self.spent[WEBHOOK] = [webhook() for _ in range(MANY)]
        for operation in ("create", "update"):
            self.own[f"com.quire.webhooks.{operation}", "body.url"] = [self.publisher.origin + "/hook"]

    def _make_quotas(self):
        """A quota may keep others from doing anything, so these have libraries and users of their own."""
        limited = [self._local_library("limited") for _ in range(FEW)]
        users = self.kept[USER]
        for library in limited:
            self.api.call("PUT", f"quire/quota/libraries/{library}", {"items": 10})
        for user in users:
            self.api.call("PUT", f"quire/quota/users/{user}", {"items": 10})
        self.own["com.quire.quota.libraries.*", "path.library"] = limited
        self.own["com.quire.quota.users.*", "path.user"] = users

    def _find_the_rest(self):
        call = self.api.call
        tasks = call("POST", "cis/tasks?action=list", {})
        self.kept[TASK] = list(tasks)
        self.own["com.vmware.cis.tasks.cancel", "path.task"] = [
            task for task, info in tasks.items() if info["status"] in ("PENDING", "RUNNING")
        ]
        self.kept["Datastore"] = self.datastores
        self.kept["Datacenter"] = [each["datacenter"] for each in call("GET", "vcenter/datacenter")]
        self.kept["Folder"] = [each["folder"] for each in call("GET", "vcenter/folder")]
        self.kept[POLICY] = [each["policy"] for each in call("GET", "content/security-policies")]

        def items_of(library):
            return call("GET", f"content/library/item?library_id={library}")

        def is_whole(library, cached):
            items = items_of(library)
            return len(items) == len(self.publisher.items) and all(
                call("GET", f"content/library/item/{item}")["cached"] or not cached for item in items
            )

        converted = self.own["com.vmware.content.library.convert", "path.library_id"]
        wait_for(lambda: all(is_whole(library, False) for library in self.subscribed))
        wait_for(lambda: all(is_whole(library, True) for library in converted))
        items = [item for library in self.subscribed for item in items_of(library)]
        self.own["com.vmware.content.library.subscribed_item.*", "path.library_item_id"] = items

        # The publisher takes no events, so a webhook soon has some that were not delivered.
        def undelivered():
            deliveries = call("GET", f"quire/webhooks/{self.kept[WEBHOOK][0]}/deliveries")
            return [each["event"] for each in deliveries if each["state"] == "DEAD"]

        redeliver = "com.quire.webhooks.deliveries.redeliver"
        self.own[redeliver, "body.event"] = wait_for(undelivered)
        self.own[redeliver, "path.webhook"] = self.kept[WEBHOOK][:1]

    def give(self, service, place, kept, spent):
        """All operations of the service get these; those that destroy, of `spent`."""
        self.own[f"{service}.*", place] = kept
        for operation in ("delete", "force_delete"):
            self.own[f"{service}.{operation}", place] = spent


def wait_for(call):
    """The first value of `call` that is true."""
    end = time.monotonic() + 120
    while not (value := call()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return value


def _is_identifier(value):
    try:
        uuid.UUID(str(value).partition(":")[0])
    except ValueError:
        return False
    return True
