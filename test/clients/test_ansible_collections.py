"""Ansible's further collections, unmodified: the content modules of community.vmware and vmware.vmware_rest."""

import uuid

import pytest

from ansible_client import Ansible
from rest_client import LegacyRest, Transfers, upload_item

pytestmark = pytest.mark.all_clients


@pytest.fixture(scope="module")
def rest(shared_server):
    return LegacyRest(shared_server).log_in()


@pytest.fixture(scope="module")
def community(shared_server, tmp_path_factory):
    return Ansible(shared_server, tmp_path_factory.mktemp("ansible-community"), "community.vmware")


@pytest.fixture(scope="module")
def vmware_rest(shared_server, tmp_path_factory):
    return Ansible(shared_server, tmp_path_factory.mktemp("ansible-rest"), "vmware.vmware_rest")


@pytest.fixture
def name():
    return uuid.uuid4().hex[:12]


def test_community_library_life(community, rest, name):
    wanted = {"library_name": name, "datastore_name": "LocalDS_0"}
    made = community.ok("vmware_content_library_manager", **wanted, library_description="first words")
    assert made["changed"]
    library = made["content_library_info"]["library_id"]
    assert rest.ok("library.get", library_id=library)["description"] == "first words"

    assert library in community.ok("vmware_content_library_info")["content_libs"]
    (told,) = community.ok("vmware_content_library_info", library_id=library)["content_lib_details"]
    assert (told["library_name"], told["library_type"]) == (name, "LOCAL")
    assert not told["library_publish_info"]["published"]
    assert "not found" in community.fails("vmware_content_library_info", library_id=str(uuid.uuid4()))

    changed = community.ok("vmware_content_library_manager", library_name=name, library_description="second words")
    assert changed["changed"]
    assert rest.ok("library.get", library_id=library)["description"] == "second words"

    assert community.ok("vmware_content_library_manager", library_name=name, state="absent")["changed"]
    assert rest.call("library.get", library_id=library).error_type == "NOT_FOUND"
    assert not community.ok("vmware_content_library_manager", library_name=name, state="absent")["changed"]


def test_community_needs_a_known_datastore(community, rest, name):
    told = community.fails("vmware_content_library_manager", library_name=name, datastore_name="nowhere")
    assert "nowhere" in told
    assert not rest.ok("library.find", spec={"name": name})


def test_community_tags(community, name):
    made = community.ok("vmware_category", category_name=name, category_cardinality="single")
    category = made["category_results"]["category_id"]
    made = community.ok("vmware_tag", tag_name=f"{name} a", tag_description="first words", category_id=category)
    assert made["changed"]
    assert not community.ok("vmware_tag", tag_name=f"{name} a", tag_description="first words", category_id=category)[
        "changed"
    ]
    told = {tag["tag_name"]: tag for tag in community.ok("vmware_tag_info")["tag_info"]}
    assert told[f"{name} a"]["tag_description"] == "first words"
    assert community.ok("vmware_tag", tag_name=f"{name} a", category_id=category, state="absent")["changed"]
    assert community.ok("vmware_category", category_name=name, state="absent")["changed"]


def test_rest_library_life(vmware_rest, rest, name):
    backing = [{"datastore_id": "datastore-11", "type": "DATASTORE"}]
    wanted = {"name": name, "type": "LOCAL", "storage_backings": backing}
    made = vmware_rest.ok("content_locallibrary", **wanted, description="first words")
    assert made["changed"]
    library = made["id"]
    assert rest.ok("library.get", library_id=library)["description"] == "first words"
    again = vmware_rest.ok("content_locallibrary", **wanted, description="first words")
    assert not again["changed"] and again["id"] == library

    told = vmware_rest.ok("content_locallibrary_info", library_id=library)
    assert told["value"]["name"] == name
    assert library in {one["id"] for one in vmware_rest.ok("content_locallibrary_info")["value"]}
    assert library in {one["id"] for one in vmware_rest.ok("content_library_info")["value"]}
    assert vmware_rest.ok("content_subscribedlibrary_info")["value"] == []

    changed = vmware_rest.ok("content_locallibrary", library_id=library, description="second words", type="LOCAL")
    assert changed["changed"]
    assert rest.ok("library.get", library_id=library)["description"] == "second words"

    assert vmware_rest.ok("content_locallibrary", library_id=library, state="absent")["changed"]
    assert rest.call("library.get", library_id=library).error_type == "NOT_FOUND"


def test_rest_items_are_told(vmware_rest, rest, name):
    library = rest.ok("local_library.create", create_spec={"name": name, "type": "LOCAL"})
    item = upload_item(rest, Transfers(rest.server), library, "boot", {"boot.iso": b"bytes"}, "iso")
    told = vmware_rest.ok("content_library_item_info", library_id=library, library_item_id=item)
    assert (told["value"]["name"], told["value"]["size"]) == ("boot", 5)
    # Not a whole library's: the module puts the identifier of each item behind the query of the list (4.11.0).


def test_rest_configuration(vmware_rest):
    before = vmware_rest.ok("content_configuration_info")["value"]
    hour = (before["automatic_sync_start_hour"] + 1) % 24
    changed = vmware_rest.ok("content_configuration", automatic_sync_start_hour=hour)
    assert changed["changed"]
    assert vmware_rest.ok("content_configuration_info")["value"]["automatic_sync_start_hour"] == hour
    assert not vmware_rest.ok("content_configuration", automatic_sync_start_hour=hour)["changed"]
