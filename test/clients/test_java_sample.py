"""The Java SDK's library samples, replayed call by call: SOAP login whose session serves JSON-RPC, upload, download."""

import json
import os
import time

import pytest

from rest_client import JsonRpc, Transfers, decode
from soap_client import SoapClient

MODEL = "com.vmware.content.library.item.update_session_model"
UNSET = {"OPTIONAL": None}


@pytest.fixture
def java(shared_server):
    """The client factory: with an apiVersion of 8.0.3 or later, the SOAP session is the vAPI session."""
    soap = SoapClient(shared_server).log_in()
    assert tuple(map(int, soap.about["apiVersion"].split("."))) >= (8, 0, 3), soap.about
    client = JsonRpc(shared_server)
    client.session_id = soap.cookie
    yield client
    soap.call("Logout", ("SessionManager", "SessionManager"))
    assert client.call("library.list").error_type == "UNAUTHENTICATED"


def full_library_spec(name):
    """Java sends every field of a structure, the unset ones too."""
    backing = {
        "STRUCTURE": {
            "com.vmware.content.library.storage_backing": {
                "type": {"OPTIONAL": "DATASTORE"},
                "datastore_id": {"OPTIONAL": "datastore-11"},
                "storage_uri": UNSET,
            }
        }
    }
    return {
        "STRUCTURE": {
            "com.vmware.content.library_model": {
                "id": UNSET,
                "creation_time": UNSET,
                "description": {"OPTIONAL": "from Java"},
                "last_modified_time": UNSET,
                "last_sync_time": UNSET,
                "name": {"OPTIONAL": name},
                "storage_backings": {"OPTIONAL": [backing]},
                "type": {"OPTIONAL": "LOCAL"},
                "optimization_info": UNSET,
                "version": UNSET,
                "publish_info": UNSET,
                "subscription_info": UNSET,
                "server_guid": UNSET,
                "security_policy_id": UNSET,
                "unset_security_policy_id": UNSET,
                "state_info": UNSET,
                "a_field_of_a_later_release": UNSET,
            }
        }
    }


def invoke(java, service, operation, **fields):
    answer = java.invoke(f"com.vmware.content.{service}", operation, fields)
    assert answer.ok, str(answer)
    return answer.value


def test_upload_and_download(java, shared_server):
    transfers = Transfers(shared_server)
    library = invoke(java, "local_library", "create", client_token=UNSET, create_spec=full_library_spec("java"))
    item = java.ok("item.create", create_spec={"name": "item", "library_id": library, "type": "iso"})

    version = java.ok("item.get", library_item_id=item)["content_version"]
    spec = {
        "STRUCTURE": {
            MODEL: {
                "id": UNSET,
                "library_item_id": {"OPTIONAL": item},
                "library_item_content_version": {"OPTIONAL": version},
                "error_message": UNSET,
                "client_progress": UNSET,
                "state": UNSET,
                "expiration_time": UNSET,
                "preview_info": UNSET,
                "warning_behavior": UNSET,
            }
        }
    }
    session = invoke(java, "library.item.update_session", "create", client_token=UNSET, create_spec=spec)

    contents = {"first.iso": os.urandom(300_000), "second.bin": b""}
    for name, content in contents.items():
        java.ok("update_session.file.add", update_session_id=session, file_spec={"name": name, "source_type": "PUSH"})
        uri = java.ok("update_session.file.get", update_session_id=session, file_name=name)["upload_endpoint"]["uri"]
        response = transfers.put(uri, content, headers={"Content-Length": str(len(content))})
        assert response.status_code == 200, response.text
        info = java.ok("update_session.file.get", update_session_id=session, file_name=name)
        assert (info["status"], info["size"], info["bytes_transferred"]) == ("READY", len(content), len(content))
    for _ in range(2):
        result = java.ok("update_session.file.validate", update_session_id=session)
        assert result == {"has_errors": False, "missing_files": [], "invalid_files": []}
    assert java.ok("update_session.get", update_session_id=session)["state"] == "ACTIVE"
    java.ok("update_session.complete", update_session_id=session)
    java.ok("update_session.delete", update_session_id=session)

    session = java.ok("download_session.create", create_spec={"library_item_id": item})
    for entry in java.ok("download_session.file.list", download_session_id=session):
        java.ok(
            "download_session.file.prepare", download_session_id=session, file_name=entry["name"], endpoint_type="HTTPS"
        )
        end = time.monotonic() + 30
        while (info := java.ok("download_session.file.get", download_session_id=session, file_name=entry["name"]))[
            "status"
        ] != "PREPARED":
            assert time.monotonic() < end, info
        response = transfers.get(info["download_endpoint"]["uri"])
        assert response.status_code == 200 and response.content == contents[entry["name"]]
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Length"] == str(len(contents[entry["name"]]))
    java.ok("download_session.delete", download_session_id=session)


def test_missing_files_lead_to_cancel(java, package):
    """The sample cancels when validate reports missing files: a descriptor without its disk."""
    library = invoke(java, "local_library", "create", client_token=UNSET, create_spec=full_library_spec("java"))
    item = java.ok("item.create", create_spec={"name": "vm", "library_id": library, "type": "ovf"})
    session = java.ok("update_session.create", create_spec={"library_item_id": item})
    java.ok(
        "update_session.file.add",
        update_session_id=session,
        file_spec={"name": package.descriptor.name, "source_type": "PUSH"},
    )
    info = java.ok("update_session.file.get", update_session_id=session, file_name=package.descriptor.name)
    response = Transfers(java.server).put(info["upload_endpoint"]["uri"], package.descriptor.read_bytes())
    assert response.status_code == 200
    result = java.ok("update_session.file.validate", update_session_id=session)
    assert result["has_errors"] is True and result["missing_files"] == [package.disks[0].name], result
    refused = java.call("update_session.complete", update_session_id=session)
    assert refused.error_type == "NOT_ALLOWED_IN_CURRENT_STATE" and package.disks[0].name in refused.text, str(refused)
    java.ok("update_session.cancel", update_session_id=session)
    assert java.ok("update_session.get", update_session_id=session)["state"] == "CANCELED"
    assert java.ok("item.file.list", library_item_id=item) == []


def test_every_answer_is_wrapped(java):
    """Optional fields come wrapped, present or not; void is an explicit null; errors are named."""
    library = invoke(java, "local_library", "create", client_token=UNSET, create_spec=full_library_spec("java"))
    request = java.envelope("com.vmware.content.library", "get", {"library_id": library})
    body = java.send("POST", "/api", json.dumps(request), {"Content-Type": "application/json"}, session=False).json()
    fields = body["result"]["output"]["STRUCTURE"]["com.vmware.content.library_model"]
    assert all(list(value) == ["OPTIONAL"] for value in fields.values()), fields
    assert decode(fields["name"]) == "java"

    request = java.envelope("com.vmware.content.local_library", "delete", {"library_id": library})
    body = java.send("POST", "/api", json.dumps(request), {"Content-Type": "application/json"}, session=False).json()
    assert body == {"jsonrpc": "2.0", "id": request["id"], "result": {"output": None}}
