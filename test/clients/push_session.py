"""An update session of a new item, to which a test pushes files step by step."""

import hashlib
import uuid

from rest_client import Transfers, download_item


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class PushSession:
    def __init__(self, binding, library, item_type="ovf", item=None):
        self.binding = binding
        self.transfers = Transfers(binding.server)
        self.item = item or binding.ok(
            "item.create", create_spec={"name": uuid.uuid4().hex, "library_id": library, "type": item_type}
        )
        self.session = binding.ok("update_session.create", create_spec={"library_item_id": self.item})

    def call(self, operation, **parameters):
        return self.binding.call(f"update_session.{operation}", update_session_id=self.session, **parameters)

    def ok(self, operation, **parameters):
        return self.binding.ok(f"update_session.{operation}", update_session_id=self.session, **parameters)

    def add(self, name, **spec):
        """Adds a file; returns where to send it."""
        info = self.ok("file.add", file_spec={"name": name, "source_type": "PUSH", **spec})
        return info["upload_endpoint"]["uri"]

    def push(self, name, content, **spec):
        """Adds a file and sends it; `content` is bytes, an open file, or an iterable (sent chunked)."""
        return self.transfers.put(self.add(name, **spec), content)

    def push_file(self, path):
        """Adds and sends a file as it is on disk; it must arrive."""
        with open(path, "rb") as content:
            response = self.push(path.name, content, size=path.stat().st_size)
        assert response.status_code == 200, f"{path.name}: {response.status_code} {response.text}"

    def model(self):
        return self.ok("get")

    def preview_warnings(self):
        """Type → ignored; None when there is no preview yet."""
        preview = self.model()["preview_info"]
        if preview["state"] != "AVAILABLE":
            return None
        return {warning["type"]: warning["ignored"] for warning in preview["warnings"]}

    def ignore(self, *types):
        self.ok("update", update_spec={"warning_behavior": [{"type": kind, "ignored": True} for kind in types]})

    def item_model(self):
        return self.binding.ok("item.get", library_item_id=self.item)

    def content(self):
        """Name → SHA-256 of what the item serves."""
        return {name: sha256(data) for name, data in download_item(self.binding, self.transfers, self.item).items()}

    def remove(self):
        """Deletes session and item, and with them all that they hold."""
        if self.model()["state"] == "ACTIVE":
            self.ok("cancel")
        self.ok("delete")
        self.binding.ok("item.delete", library_item_id=self.item)
