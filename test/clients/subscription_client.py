"""Subscribed libraries as tests see them: the operations on every wire, their tasks, and what is in them."""

import contextlib
import time

from push_session import sha256
from rest_client import (
    CONTENT,
    FIELD_STRUCTURES,
    OPERATIONS,
    OPTIONAL_PARAMETERS,
    PARAMETER_STRUCTURES,
    REQUIRED_FIELDS,
    Operation,
    Transfers,
)

PATIENCE = 90
SERVICE = CONTENT + "subscribed_library"
ITEM_SERVICE = CONTENT + "library.subscribed_item"
ENDED = ("SUCCEEDED", "FAILED")


def _register():
    """What rest_client calls operations and structures, for these services."""
    old, new = "/rest/com/vmware/content", "/api/content"

    def add(name, service, legacy, path, body=None, query=()):
        OPERATIONS[name] = Operation(service, name.rpartition(".")[2], legacy, path, body, query)

    libraries, own = f"{old}/subscribed-library", f"{new}/subscribed-library"
    name = "subscribed_library"
    add(f"{name}.list", SERVICE, f"GET {libraries}", f"GET {own}")
    add(f"{name}.create", SERVICE, f"POST {libraries}", f"POST {own}", "create_spec", ("client_token",))
    add(f"{name}.probe", SERVICE, f"POST {libraries}?~action=probe", f"POST {own}?action=probe")
    for operation, method in (("get", "GET"), ("update", "PATCH"), ("delete", "DELETE")):
        body = "update_spec" if operation == "update" else None
        one, here = f"{method} {libraries}/id:{{library_id}}", f"{method} {own}/{{library_id}}"
        add(f"{name}.{operation}", SERVICE, one, here, body)
    for operation in ("sync", "evict", "force_delete"):
        dashed = operation.replace("_", "-")
        # govc's way of forcing a delete, in the old form.
        method = "DELETE" if operation == "force_delete" else "POST"
        one = f"{method} {libraries}/id:{{library_id}}?~action={dashed}"
        add(f"{name}.{operation}", SERVICE, one, f"POST {own}/{{library_id}}?action={dashed}")
    for operation in ("sync", "evict"):
        one = f"POST {old}/library/subscribed-item/id:{{library_item_id}}?~action={operation}"
        here = f"POST {new}/library/subscribed-item/{{library_item_id}}?action={operation}"
        add(f"subscribed_item.{operation}", ITEM_SERVICE, one, here)

    service, libraries = CONTENT + "library.subscriptions", f"{new}/library/{{library}}/subscriptions"
    add("subscriptions.create", service, None, f"POST {libraries}", "spec", ("client_token",))
    add("subscriptions.list", service, None, f"GET {libraries}")
    for operation, method in (("get", "GET"), ("update", "PATCH"), ("delete", "DELETE")):
        body = "spec" if operation == "update" else None
        add(f"subscriptions.{operation}", service, None, f"{method} {libraries}/{{subscription}}", body)
    publish = "?action=publish"
    add("local_library.publish", CONTENT + "local_library", None, f"POST {new}/local-library/{{library_id}}{publish}")
    add("item.publish", CONTENT + "library.item", None, f"POST {new}/library/item/{{library_item_id}}{publish}")

    structure = "com.vmware.content.library.subscription_info"
    PARAMETER_STRUCTURES[SERVICE] = {
        "create_spec": "com.vmware.content.library_model",
        "update_spec": "com.vmware.content.library_model",
        "subscription_info": structure,
    }
    FIELD_STRUCTURES["subscription_info"] = structure
    REQUIRED_FIELDS[structure] = set()
    OPTIONAL_PARAMETERS.add("sync_optional_files")


_register()


def wait_for(what, call, good=bool, patience=PATIENCE):
    """The first value of `call` that is `good`."""
    end = time.monotonic() + patience
    while not good(value := call()):
        assert time.monotonic() < end, f"waited {patience} s for {what} in vain; the last was {value}"
        time.sleep(0.03)
    return value


def reason_of(task):
    """What a failed task tells people."""
    assert task["status"] == "FAILED" and task["error"]["messages"], task
    for message in task["error"]["messages"]:
        assert message["id"] and len(message["default_message"]) > 15, task
        assert "\n" not in message["default_message"] and len(message["default_message"]) < 3000, task
    return "\n".join(message["default_message"] for message in task["error"]["messages"])


def tasks_of(binding, target, target_type="com.vmware.content.Library", service=SERVICE, operation="sync"):
    """Id → task of all synchronizations of a library or item that are known, or of what else was done with it."""
    targets = [{"type": target_type, "id": target}]
    return binding.ok("tasks.list", filter_spec={"services": [service], "operations": [operation], "targets": targets})


@contextlib.contextmanager
def automatic_time(binding):
    """Meanwhile the time of automatic synchronizations comes, at once for libraries that were synchronized before:
    their next time is four hours ahead, which is farther than it can be with the shorter interval. None begin after."""
    hours = {"automatic_sync_start_hour": 0, "automatic_sync_stop_hour": 0}
    model = {"automatic_sync_enabled": True, "automatic_sync_refresh_interval": 1, **hours}
    binding.ok("configuration.update", model=model)
    try:
        yield
    finally:
        model = {"automatic_sync_enabled": False, "automatic_sync_refresh_interval": 240}
        binding.ok("configuration.update", model=model)


def download(binding, item):
    """Name → SHA-256 of an item's files through a download session, which fetches what is not cached first."""
    transfers = Transfers(binding.server)
    session = binding.ok("download_session.create", create_spec={"library_item_id": item})
    try:
        found = {}
        for listed in binding.ok("download_session.file.list", download_session_id=session):
            uri = prepared(binding, session, listed["name"])["download_endpoint"]["uri"]
            response = transfers.get(uri)
            assert response.status_code == 200, f"{listed['name']}: {response.status_code} {response.text}"
            found[listed["name"]] = sha256(response.content)
        return found
    finally:
        binding.call("download_session.delete", download_session_id=session)


def prepared(binding, session, file):
    """The file's entry in a download session once it can be read."""
    binding.ok("download_session.file.prepare", download_session_id=session, file_name=file)
    info = wait_for(
        f"{file} to be prepared",
        lambda: binding.ok("download_session.file.get", download_session_id=session, file_name=file),
        lambda one: one["status"] in ("PREPARED", "ERROR"),
    )
    assert info["status"] == "PREPARED", info
    return info


def content_of_library(binding, library):
    """Item id → name, description, type and digests of the files: of any library."""
    found = {}
    for item in binding.ok("item.list", library_id=library):
        model = binding.ok("item.get", library_item_id=item)
        found[item] = {
            "name": model["name"],
            "description": model["description"],
            "type": model["type"].replace("file", ""),
            "files": download(binding, item),
        }
    return found


def subscription_info(url, **changes):
    return {
        "authentication_method": "NONE",
        "automatic_sync_enabled": False,
        "on_demand": False,
        "subscription_url": url,
        **changes,
    }


class Subscription:
    """A subscribed library. The binding may be any; tasks are read on the new REST form, which `tasks` speaks."""

    def __init__(self, binding, url, name="subscribed", tasks=None, **changes):
        self.binding, self.reader = binding, tasks or binding
        spec = {"name": name, "type": "SUBSCRIBED", "subscription_info": subscription_info(url, **changes)}
        self.id = binding.ok("subscribed_library.create", create_spec=spec)

    @classmethod
    def of(cls, binding, library):
        """One that somebody else has made."""
        found = cls.__new__(cls)
        found.binding = found.reader = binding
        found.id = library
        return found

    def call(self, operation, **parameters):
        return self.binding.call(f"subscribed_library.{operation}", library_id=self.id, **parameters)

    def ok(self, operation, **parameters):
        return self.binding.ok(f"subscribed_library.{operation}", library_id=self.id, **parameters)

    def get(self):
        return self.ok("get")

    def info(self):
        return self.get()["subscription_info"]

    def update(self, **changes):
        return self.call("update", update_spec={"subscription_info": changes})

    # --- synchronizing

    def tasks(self):
        return tasks_of(self.reader, self.id)

    def quiet(self, patience=PATIENCE):
        """Waits until no synchronization runs; the tasks, the newest last."""
        tasks = wait_for(
            "synchronizations to end",
            self.tasks,
            lambda found: all(task["status"] in ENDED for task in found.values()),
            patience,
        )
        return sorted(tasks.values(), key=lambda task: task["start_time"])

    def first(self):
        """The task that create has begun, when it has ended; it must have succeeded."""
        (task,) = self.quiet()
        assert task["status"] == "SUCCEEDED", task
        assert (task["service"], task["operation"]) == (SERVICE, "sync"), task
        assert task["target"] == {"type": "com.vmware.content.Library", "id": self.id}, task
        return self

    def begin(self):
        """Asks for a synchronization when none runs; a function that tells the task as it is then."""
        self.quiet()
        known = set(self.tasks())
        answer = self.call("sync")
        assert answer.ok, str(answer)
        (new,) = set(wait_for("the task of the sync", self.tasks, lambda found: set(found) - known)) - known
        return lambda: self.reader.ok("tasks.get", task=new)

    def sync(self, patience=PATIENCE):
        """One synchronization, from the call to the end of its task, which is returned."""
        task = self.begin()
        return wait_for("the sync to end", task, lambda info: info["status"] in ENDED, patience)

    def synced(self, patience=PATIENCE):
        task = self.sync(patience)
        assert task["status"] == "SUCCEEDED", task
        return self

    def fails(self, patience=PATIENCE):
        """One synchronization that must fail; what its task tells."""
        return reason_of(self.sync(patience))

    def bring(self, item, force=True):
        """One synchronization of an item, with its content."""
        self.binding.ok("subscribed_item.sync", library_item_id=item, force_sync_content=force)
        tasks = wait_for(
            "the item's sync to end",
            lambda: tasks_of(self.reader, item, "com.vmware.content.library.Item", ITEM_SERVICE),
            lambda found: all(task["status"] in ENDED for task in found.values()),
        )
        return max(tasks.values(), key=lambda task: task["start_time"]) if tasks else None

    # --- what is here

    def models(self):
        """Publisher's item id → item model."""
        items = [self.binding.ok("item.get", library_item_id=one) for one in self.item_ids()]
        return {item["source_id"].removeprefix("urn:uuid:"): item for item in items}

    def item_ids(self):
        return self.binding.ok("item.list", library_id=self.id)

    def item(self, source):
        """The model of the item that the publisher knows under this id."""
        return self.models()[source]

    def named(self, name):
        (item,) = self.binding.ok("item.find", spec={"library_id": self.id, "name": name})
        return self.binding.ok("item.get", library_item_id=item)

    def names(self):
        return sorted(item["name"] for item in self.models().values())

    def files(self, item):
        """File name → entry of an item as it is listed."""
        return {file["name"]: file for file in self.binding.ok("item.file.list", library_item_id=item)}

    def content(self, source):
        return download(self.binding, self.item(source)["id"])

    def contents(self):
        """Publisher's item id → name, description, type and digests: to compare with what was published."""
        sources = {item["id"]: source for source, item in self.models().items()}
        return {sources[item]: told for item, told in content_of_library(self.binding, self.id).items()}

    def assert_is(self, expected):
        """Every item that is published is here, whole, cached and told of truly; and nothing else."""
        assert self.contents() == expected
        for item in self.models().values():
            files = self.files(item["id"])
            assert item["cached"] and all(file["cached"] for file in files.values()), (item, files)
            assert item["size"] == sum(file["size"] for file in files.values()), (item, files)
