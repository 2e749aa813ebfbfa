"""The requests of terraform-provider-vsphere 2.16, replayed: configuration, data sources, a library and its items."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from ova_package import write_random
from rest_client import LegacyRest, Transfers
from soap_client import SoapClient

XSI = 'xmlns:XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance" XMLSchema-instance:type'
ANCESTORS = f"""
<propSet><type>ManagedEntity</type><pathSet>name</pathSet><pathSet>parent</pathSet></propSet>
<propSet><type>VirtualMachine</type><pathSet>parentVApp</pathSet></propSet>
<objectSet><obj type="{{kind}}">{{identifier}}</obj><skip>false</skip>
  <selectSet {XSI}="TraversalSpec"><name>traverseParent</name><type>ManagedEntity</type><path>parent</path>
    <skip>false</skip>
    <selectSet {XSI}="SelectionSpec"><name>traverseParent</name></selectSet></selectSet>
  <selectSet {XSI}="TraversalSpec"><type>VirtualMachine</type><path>parentVApp</path><skip>false</skip>
    <selectSet {XSI}="SelectionSpec"><name>traverseParent</name></selectSet></selectSet>
</objectSet>"""
CHILDREN = f"""
<propSet><type>Folder</type><pathSet>name</pathSet><pathSet>childType</pathSet></propSet>
<propSet><type>Datacenter</type><pathSet>name</pathSet></propSet>
<propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet>
<propSet><type>Datastore</type><pathSet>name</pathSet></propSet>
<objectSet><obj type="Folder">{{identifier}}</obj><skip>true</skip>
  <selectSet {XSI}="TraversalSpec"><type>Folder</type><path>childEntity</path><skip>false</skip></selectSet>
</objectSet>"""
PBM = """<PbmRetrieveServiceContent xmlns="urn:pbm"><_this type="PbmServiceInstance">ServiceInstance</_this>
</PbmRetrieveServiceContent>"""


class Provider:
    """A configured provider: a SOAP and a REST session."""

    def __init__(self, server):
        self.soap = SoapClient(server).log_in()
        about = self.soap.about
        # The provider panics on anything else.
        assert about["name"] == "VMware vCenter Server" and about["apiType"] == "VirtualCenter", about
        assert re.fullmatch(r"\d+\.\d+\.\d+", about["version"]) and about["build"].isdigit(), about
        self.rest = LegacyRest(server).log_in()
        self.transfers = Transfers(server)
        response = self.soap.send(
            PBM,
            path="/pbm",
            namespace="urn:pbm/9.1.0.0",
            header=f"<Header><vcSessionCookie>{self.soap.cookie}</vcSessionCookie></Header>",
        )
        assert response.status_code == 200, response.text
        content = ElementTree.fromstring(response.content)[-1][0]
        assert content.tag == "{urn:pbm}PbmRetrieveServiceContentResponse", response.text
        fields = {child.tag.removeprefix("{urn:pbm}") for child in content[0]}
        assert {
            "aboutInfo",
            "sessionManager",
            "capabilityMetadataManager",
            "profileManager",
            "complianceManager",
            "placementSolver",
        } <= fields, response.text

    def get_library(self, identifier):
        return self.rest.call("library.get", library_id=identifier)


@pytest.fixture
def provider(shared_server):
    return Provider(shared_server)


def text(values, name):
    return values[name].text


def test_data_sources(provider):
    soap = provider.soap
    root = soap.properties(ANCESTORS.format(kind="Folder", identifier="group-d1"))
    assert text(root["Folder", "group-d1"], "name") == "Datacenters" and "parent" not in root["Folder", "group-d1"]
    (datacenter,) = soap.properties(CHILDREN.format(identifier="group-d1")).items()
    (kind, identifier), values = datacenter
    assert (kind, text(values, "name")) == ("Datacenter", "DC0")

    folders = soap.properties(
        "<propSet><type>Datacenter</type><pathSet>name</pathSet><pathSet>vmFolder</pathSet><pathSet>hostFolder</pathSet>"
        "<pathSet>datastoreFolder</pathSet><pathSet>networkFolder</pathSet></propSet>"
        f'<objectSet><obj type="Datacenter">{identifier}</obj></objectSet>'
    )["Datacenter", identifier]
    folder = folders["datastoreFolder"].text
    datastores = soap.properties(CHILDREN.format(identifier=folder))
    assert {key: text(values, "name") for key, values in datastores.items()} == {
        ("Datastore", "datastore-11"): "LocalDS_0"
    }

    everything = soap.properties(
        "<propSet><type>Datastore</type><all>true</all></propSet>"
        '<objectSet><obj type="Datastore">datastore-11</obj></objectSet>'
    )["Datastore", "datastore-11"]
    summary = {child.tag.removeprefix("{urn:vim25}"): child.text for child in everything["summary"]}
    assert int(summary["capacity"]) >= int(summary["freeSpace"]) > 0, summary

    chain = soap.properties(ANCESTORS.format(kind="Datastore", identifier="datastore-11"))
    assert set(chain) == {
        ("Datastore", "datastore-11"),
        ("Folder", folder),
        ("Datacenter", identifier),
        ("Folder", "group-d1"),
    }
    assert chain["Datastore", "datastore-11"]["parent"].text == folder
    assert chain["Folder", folder]["parent"].text == identifier

    view, _ = soap.call(
        "CreateContainerView",
        ("ViewManager", "ViewManager"),
        '<container type="Folder">group-d1</container><type>VirtualMachine</type><recursive>true</recursive>',
    )
    view = view[0].text
    found = soap.properties(
        "<propSet><type>VirtualMachine</type><pathSet>name</pathSet></propSet>"
        f'<objectSet><obj type="ContainerView">{view}</obj><skip>true</skip><selectSet {XSI}="TraversalSpec">'
        "<type>ContainerView</type><path>view</path></selectSet></objectSet>"
    )
    assert found == {}
    soap.call("DestroyView", ("ContainerView", view))
    soap.call("CurrentTime", ("ServiceInstance", "ServiceInstance"))
    assert provider.rest.call("session.get").ok


def test_library_and_item(provider, tmp_path):
    rest = provider.rest
    library = rest.ok(
        "local_library.create",
        create_spec={
            "name": "images",
            "description": "",
            "type": "LOCAL",
            "storage_backings": [{"datastore_id": "datastore-11", "type": "DATASTORE"}],
        },
    )

    # A value that comes back different plans a replacement.
    model = provider.get_library(library).value
    assert (model["name"], model["description"], model["type"]) == ("images", "", "LOCAL")
    assert model["storage_backings"] == [{"datastore_id": "datastore-11", "type": "DATASTORE"}]
    assert "subscription_info" not in model

    image = write_random(tmp_path / "boot.iso", 700_000, seed="terraform")
    item = rest.ok(
        "item.create", create_spec={"name": "boot", "description": "a boot disk", "library_id": library, "type": "iso"}
    )
    session = rest.ok("update_session.create", create_spec={"library_item_id": item})
    info = rest.ok(
        "update_session.file.add",
        update_session_id=session,
        file_spec={"name": "boot.iso", "source_type": "PUSH", "size": image.stat().st_size},
    )
    with open(image, "rb") as stream:
        response = provider.transfers.put(
            info["upload_endpoint"]["uri"],
            stream,
            headers={
                "Content-Type": "application/octet-stream",
                "Vmware-Api-Session-Id": rest.session_id,
                "User-Agent": "Go-http-client/1.1",
            },
        )
    assert response.status_code in (200, 201)
    rest.ok("update_session.complete", update_session_id=session)

    # Complete has taken effect when it returns.
    model = rest.ok("item.get", library_item_id=item)
    assert (model["name"], model["description"], model["type"], model["library_id"]) == (
        "boot",
        "a boot disk",
        "iso",
        library,
    )
    assert model["content_version"] == "2" and model["size"] == image.stat().st_size
    assert item in rest.ok("item.find", spec={"library_id": library, "name": "boot"})
    assert library in rest.ok("library.list")

    rest.ok("local_library.delete", library_id=library)
    # "404 Not Found" is how the provider tells that something is gone.
    for operation, parameters in (("library.get", {"library_id": library}), ("item.get", {"library_item_id": item})):
        gone = rest.call(operation, **parameters)
        assert gone.status == 404 and gone.error_type == "NOT_FOUND", str(gone)
    response = rest.send("GET", f"/rest/com/vmware/content/library/id:{library}")
    assert response.reason == "Not Found"


@pytest.mark.parametrize("item_type", ["ovf", "iso", "ova", "vm-template", "anything", ""])
def test_item_type_comes_back_as_created(provider, item_type):
    rest = provider.rest
    library = rest.ok("local_library.create", create_spec={"name": "types"})
    item = rest.ok("item.create", create_spec={"name": "item", "library_id": library, "type": item_type})
    assert rest.ok("item.get", library_item_id=item).get("type", "") == item_type
    rest.ok("local_library.delete", library_id=library)


def test_complete_of_an_ended_session_does_no_harm(provider):
    """The provider completes sessions that are no longer active, and does not look at the answer."""
    rest = provider.rest
    library = rest.ok("local_library.create", create_spec={"name": "twice"})
    item = rest.ok("item.create", create_spec={"name": "item", "library_id": library})
    session = rest.ok("update_session.create", create_spec={"library_item_id": item})
    rest.ok("update_session.complete", update_session_id=session)
    before = json.dumps(rest.ok("item.get", library_item_id=item))
    assert not rest.call("update_session.complete", update_session_id=session).ok
    assert json.dumps(rest.ok("item.get", library_item_id=item)) == before
