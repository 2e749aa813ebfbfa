"""The requests of PowerCLI, which cannot be had here, replayed (wire-protocols.md §3.8): the cmdlets of its SDK
modules, which are generated from the OpenAPI description, and what `Get-CisService` and `dcli` ask for first."""

import json

import pytest
import requests

from rest_client import JsonRpc, LegacyRest, NewRest

AGENT = "VMware.PowerCLI/13.3 (replay) PowerShell/7.4"


class Cmdlets:
    """`New-vSphereServerConfiguration`, `Invoke-CreateSession`, `Set-vSphereServerConfigurationApiKey`, and calls."""

    def __init__(self, server):
        self.server = server
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(server.ca_file)
        self.http.headers.update({"User-Agent": AGENT, "Accept": "application/json"})
        created = self.http.post(f"{server.url}/api/session", auth=(server.user, server.password), timeout=60)
        assert created.status_code == 201, created.text
        self.http.headers["vmware-api-session-id"] = created.json()

    def invoke(self, method, path, status, body=None, **query):
        answer = self.http.request(method, f"{self.server.url}/api{path}", json=body, params=query, timeout=60)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture
def cmdlets(shared_server):
    return Cmdlets(shared_server)


def test_a_library_and_an_item_by_cmdlets(cmdlets):
    backing = {"type": "DATASTORE", "datastore_id": cmdlets.invoke("GET", "/vcenter/datastore", 200)[0]["datastore"]}
    # Initialize-LibraryModel leaves members that are not given out; Invoke-CreateContentLocalLibrary.
    library = cmdlets.invoke(
        "POST", "/content/local-library", 201, {"name": "PowerCLI", "type": "LOCAL", "storage_backings": [backing]}
    )
    assert library in cmdlets.invoke("GET", "/content/library", 200)
    assert cmdlets.invoke("GET", f"/content/library/{library}", 200)["name"] == "PowerCLI"

    item = cmdlets.invoke(
        "POST", "/content/library/item", 201, {"name": "boot", "library_id": library, "type": "iso"}
    )
    session = cmdlets.invoke("POST", "/content/library/item/update-session", 201, {"library_item_id": item})
    added = cmdlets.invoke(
        "POST",
        f"/content/library/item/update-session/{session}/file",
        201,
        {"name": "boot.iso", "source_type": "PUSH"},
    )
    # Invoke-WebRequest -Method Put -InFile, without a token.
    sent = requests.put(
        added["upload_endpoint"]["uri"],
        data=b"bytes of an image",
        headers={"User-Agent": AGENT},
        verify=str(cmdlets.server.ca_file),
        timeout=60,
    )
    assert sent.status_code == 200
    path = f"/content/library/item/update-session/{session}"
    assert cmdlets.invoke("POST", path, 204, action="complete") is None
    assert cmdlets.invoke("GET", path, 200)["state"] == "DONE"
    cmdlets.invoke("DELETE", path, 204)

    # Invoke-CreateLibraryItemDownloadSession
    session = cmdlets.invoke("POST", "/content/library/item/download-session", 201, {"library_item_id": item})
    path = f"/content/library/item/download-session/{session}"
    prepared = cmdlets.invoke("POST", f"{path}/file", 200, {"file_name": "boot.iso"}, action="prepare")
    got = requests.get(prepared["download_endpoint"]["uri"], verify=str(cmdlets.server.ca_file), timeout=60)
    assert got.content == b"bytes of an image"
    cmdlets.invoke("DELETE", path, 204)
    cmdlets.invoke("DELETE", f"/content/library/item/{item}", 204)
    cmdlets.invoke("DELETE", f"/content/local-library/{library}", 204)
    cmdlets.invoke("DELETE", "/session", 204)


def test_the_version_is_told_on_every_wire(shared_server, cmdlets):
    told = cmdlets.invoke("GET", "/appliance/system/version", 200)
    assert set(told) == {"version", "product", "build", "type", "summary", "releasedate", "install_time"}
    assert told["product"] == "VMware vCenter Server" and told["build"].isdigit()
    by_rpc = JsonRpc(shared_server).log_in().invoke("com.vmware.appliance.system.version", "get", {})
    assert by_rpc.value == told
    legacy = LegacyRest(shared_server).log_in().send("GET", "/rest/appliance/system/version")
    assert legacy.json() == {"value": told}
    assert NewRest(shared_server).send("GET", "/api/appliance/system/version").status_code == 401


# What is asked of a server that describes itself. This one does not; clients learn it from the answer for operations
# that are not there, with a login and without.
METADATA = [
    ("com.vmware.vapi.std.introspection.service", "list"),
    ("com.vmware.vapi.std.introspection.provider", "get"),
    ("com.vmware.vapi.metadata.metamodel.component", "list"),
    ("com.vmware.vapi.metadata.metamodel.service", "get"),
    ("com.vmware.vapi.metadata.cli.command", "list"),
    ("com.vmware.vapi.metadata.authentication.component", "list"),
    ("com.vmware.vapi.metadata.privilege.component", "list"),
]


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize(("service", "operation"), METADATA)
def test_metadata_is_not_there_by_json_rpc(shared_server, service, operation, logged_in):
    client = JsonRpc(shared_server)
    if logged_in:
        client.log_in()
    answer = client.invoke(service, operation, {})
    assert (answer.status, answer.error_type) == (200, "OPERATION_NOT_FOUND"), answer
    assert answer.headers["vapi-error"] == "com.vmware.vapi.std.errors.operation_not_found"
    assert f"{service}.{operation}" in answer.messages[0]["default_message"]


@pytest.mark.parametrize("logged_in", [False, True])
@pytest.mark.parametrize(
    "path", ["metadata/metamodel/component", "metadata/metamodel/service/x", "metadata/cli/command", "std/introspection"]
)
def test_metadata_is_not_there_by_rest(shared_server, path, logged_in):
    for binding, place in ((LegacyRest, "/rest/com/vmware/vapi/"), (NewRest, "/api/vapi/")):
        client = binding(shared_server)
        if logged_in:
            client.log_in()
        response = client.send("GET", place + path)
        assert response.status_code == 404, response.text
        assert "operation_not_found" in json.dumps(response.json()).lower()
