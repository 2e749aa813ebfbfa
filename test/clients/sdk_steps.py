"""What the Python SDK tests do inside a client's own Python, the newest or the oldest one.

Run as `python sdk_steps.py STEP`; the server comes in the environment (QUIRE_URL, QUIRE_USER, QUIRE_PASSWORD,
QUIRE_CA_FILE). Each step is a function below, ends with an assertion error when something is not as it should be, and
calls the SDK as the published samples do.
"""

import hashlib
import os
import ssl
import sys
import time
import traceback
import urllib.error
import urllib.request
import uuid

AUTHORITY = os.environ["QUIRE_URL"].removeprefix("https://")
HOST, PORT = AUTHORITY.rsplit(":", 1)
USER = os.environ["QUIRE_USER"]
PASSWORD = os.environ["QUIRE_PASSWORD"]
CA_FILE = os.environ["QUIRE_CA_FILE"]


# --- the vAPI SDK ---------------------------------------------------------------------------------------------------


def connect(password=PASSWORD):
    import requests
    from vmware.vapi.vsphere.client import create_vsphere_client

    session = requests.session()
    session.verify = CA_FILE
    return create_vsphere_client(server=AUTHORITY, username=USER, password=password, session=session)


def library_spec(name, description=""):
    from com.vmware.content.library_client import StorageBacking
    from com.vmware.content_client import LibraryModel

    spec = LibraryModel()
    spec.name = name
    spec.description = description
    spec.type = LibraryModel.LibraryType.LOCAL
    spec.storage_backings = [StorageBacking(type=StorageBacking.Type.DATASTORE, datastore_id="datastore-11")]
    return spec


def new_library(client):
    return client.content.LocalLibrary.create(
        create_spec=library_spec(f"sdk-{uuid.uuid4().hex[:8]}"), client_token=str(uuid.uuid4())
    )


def new_item(client, library_id, name="item", item_type="iso"):
    from com.vmware.content.library_client import ItemModel

    spec = ItemModel()
    spec.name = name
    spec.description = "made by the SDK"
    spec.library_id = library_id
    spec.type = item_type
    return client.content.library.Item.create(create_spec=spec, client_token=str(uuid.uuid4()))


def new_update_session(client, item_id):
    from com.vmware.content.library.item_client import UpdateSessionModel

    return client.content.library.item.UpdateSession.create(
        create_spec=UpdateSessionModel(library_item_id=item_id), client_token=str(uuid.uuid4())
    )


def tls_context():
    return ssl.create_default_context(cafile=CA_FILE)


def post(uri, content):
    """The samples' upload: POST, no credentials, a content type that means nothing."""
    request = urllib.request.Request(
        uri,
        data=content,
        method="POST",
        headers={"Cache-Control": "no-cache", "Content-Length": str(len(content)), "Content-Type": "text/ovf"},
    )
    with urllib.request.urlopen(request, context=tls_context()) as response:
        assert response.status == 200, response.status


def push(client, session_id, name, content, checksum=None):
    file_service = client.content.library.item.updatesession.File
    spec = file_service.AddSpec(
        name=name, source_type=file_service.SourceType.PUSH, size=len(content), checksum_info=checksum
    )
    info = file_service.add(session_id, spec)
    assert info.status == "WAITING_FOR_TRANSFER" and info.upload_endpoint.uri.startswith("https://"), info
    post(info.upload_endpoint.uri, content)


def upload(client, item_id, files, remove_all=False):
    sessions = client.content.library.item.UpdateSession
    file_service = client.content.library.item.updatesession.File
    session_id = new_update_session(client, item_id)
    if remove_all:
        for entry in file_service.list(session_id):
            file_service.remove(session_id, entry.name)
    for name, content in files.items():
        push(client, session_id, name, content)
    sessions.complete(session_id)
    sessions.delete(session_id)


def download(client, item_id):
    from com.vmware.content.library.item.downloadsession_client import File as DownloadSessionFile
    from com.vmware.content.library.item_client import DownloadSessionModel

    sessions = client.content.library.item.DownloadSession
    file_service = client.content.library.item.downloadsession.File
    session_id = sessions.create(
        create_spec=DownloadSessionModel(library_item_id=item_id), client_token=str(uuid.uuid4())
    )
    contents = {}
    for entry in file_service.list(session_id):
        file_service.prepare(session_id, entry.name)
        deadline = time.monotonic() + 30
        while (info := file_service.get(session_id, entry.name)).status != DownloadSessionFile.PrepareStatus.PREPARED:
            assert time.monotonic() < deadline, f"{entry.name} is still {info.status}"
            time.sleep(1)
        with urllib.request.urlopen(info.download_endpoint.uri, context=tls_context()) as response:
            assert response.status == 200, response.status
            contents[entry.name] = response.read()
    sessions.delete(session_id)
    return contents


def raises(error, call, *arguments, **keywords):
    """Asserts that the call raises this error class, with its message decoded, and returns it."""
    try:
        result = call(*arguments, **keywords)
    except error as caught:
        assert caught.messages and caught.messages[0].default_message, f"no message in {caught}"
        return caught
    raise AssertionError(f"{error.__name__} expected, but the call answered {result!r}")


def sdk_wrong_password():
    from com.vmware.vapi.std.errors_client import Unauthenticated

    raises(Unauthenticated, connect, password="wrong")


def sdk_login_ends():
    from com.vmware.cis_client import Session
    from com.vmware.vapi.std.errors_client import Unauthenticated

    client = connect()
    client.content.Library.list()
    Session(client._stub_config).delete()
    raises(Unauthenticated, client.content.Library.list)


def sdk_session_info():
    from com.vmware.cis_client import Session

    client = connect()
    info = Session(client._stub_config).get()
    assert info.user.lower() == USER.lower(), info
    assert info.created_time <= info.last_accessed_time, info


def sdk_library_life():
    from com.vmware.content_client import Library
    from com.vmware.vapi.std.errors_client import NotFound

    client = connect()
    name = f"life-{uuid.uuid4().hex[:8]}"
    token = str(uuid.uuid4())
    local, every = client.content.LocalLibrary, client.content.Library
    library_id = local.create(create_spec=library_spec(name, "first words"), client_token=token)
    assert local.create(create_spec=library_spec(name, "first words"), client_token=token) == library_id
    assert library_id in local.list() and library_id in every.list()

    model = local.get(library_id)
    assert (model.id, model.name, model.description, model.type) == (library_id, name, "first words", "LOCAL"), model
    assert model.storage_backings[0].datastore_id == "datastore-11"
    assert model.publish_info.published is False and model.publish_info.authentication_method == "NONE"
    assert model.creation_time == model.last_modified_time
    assert model.version == "2" and model.server_guid
    assert every.get(library_id).name == name

    find = Library.FindSpec(name=name.upper())
    assert every.find(find) == [library_id]
    assert every.find(Library.FindSpec(name="there is none")) == []

    update = library_spec(f"{name}-b", "second words")
    local.update(library_id, update)
    changed = local.get(library_id)
    assert (changed.name, changed.description, changed.version) == (f"{name}-b", "second words", "3"), changed
    assert changed.last_modified_time >= changed.creation_time

    local.delete(library_id)
    assert library_id not in every.list()
    raises(NotFound, local.get, library_id)


def sdk_upload_and_download():
    from com.vmware.content.library.item_client import File

    client = connect()
    item_id = new_item(client, new_library(client), "boot")
    item = client.content.library.Item.get(item_id)
    assert (item.type, item.size, item.content_version, item.cached) == ("iso", 0, "1", True), item

    files = {"boot.iso": os.urandom(1_200_000), "empty.txt": b"", "with space é.bin": os.urandom(1000)}
    upload(client, item_id, files)
    item = client.content.library.Item.get(item_id)
    assert item.content_version == "2" and item.size == sum(map(len, files.values())), item
    listed = {entry.name: entry for entry in client.content.library.item.File.list(item_id)}
    assert sorted(listed) == sorted(files)
    for name, content in files.items():
        info = listed[name]
        assert (info.size, info.version, info.cached) == (len(content), "1", True), info
        algorithm = (info.checksum_info.algorithm or File.ChecksumAlgorithm.SHA1).lower()
        assert info.checksum_info.checksum.lower() == hashlib.new(algorithm, content).hexdigest(), info
    (storage,) = client.content.library.item.Storage.get(item_id, "boot.iso")
    assert storage.storage_uris and storage.storage_backing.datastore_id == "datastore-11", storage
    assert download(client, item_id) == files


def sdk_file_by_file():
    """An update session watched step by step."""
    from com.vmware.content.library.item_client import File

    client = connect()
    item_id = new_item(client, new_library(client))
    sessions = client.content.library.item.UpdateSession
    file_service = client.content.library.item.updatesession.File
    session_id = new_update_session(client, item_id)
    assert session_id in sessions.list(library_item_id=item_id)
    model = sessions.get(session_id)
    assert (model.state, model.library_item_id, model.client_progress) == ("ACTIVE", item_id, 0), model
    assert model.preview_info.state in ("UNAVAILABLE", "NOT_APPLICABLE"), model
    sessions.keep_alive(session_id, 40)
    later = sessions.get(session_id)
    assert later.client_progress == 40 and later.expiration_time >= model.expiration_time

    content = os.urandom(50_000)
    good = File.ChecksumInfo(
        algorithm=File.ChecksumAlgorithm.SHA512, checksum=hashlib.sha512(content).hexdigest().upper()
    )
    push(client, session_id, "a.bin", content, good)
    info = file_service.get(session_id, "a.bin")
    assert (info.status, info.size, info.bytes_transferred) == ("READY", 50_000, 50_000), info
    assert info.upload_endpoint.uri, info
    assert [entry.name for entry in file_service.list(session_id)] == ["a.bin"]
    assert client.content.library.item.File.list(item_id) == []
    result = file_service.validate(session_id)
    assert not result.has_errors and not result.missing_files and not result.invalid_files, result
    sessions.complete(session_id)
    model = sessions.get(session_id)
    assert model.state == "DONE" and model.preview_info is None and model.error_message is None, model
    assert file_service.get(session_id, "a.bin").upload_endpoint.uri
    sessions.delete(session_id)


def sdk_content_update():
    """The content update sample: all files taken out and new ones put in; then one of them replaced."""
    client = connect()
    items = client.content.library.Item
    item_id = new_item(client, new_library(client))
    first = {"disk.bin": os.urandom(10_000), "old.txt": b"old"}
    upload(client, item_id, first)
    before = items.get(item_id).content_version

    second = {"disk.bin": os.urandom(20_000), "new.txt": b"new"}
    upload(client, item_id, second, remove_all=True)
    middle = items.get(item_id).content_version
    assert middle > before
    assert download(client, item_id) == second

    upload(client, item_id, {"new.txt": b"newer"})
    after = items.get(item_id).content_version
    assert after > middle
    assert download(client, item_id) == {**second, "new.txt": b"newer"}


def sdk_copy_and_find():
    from com.vmware.content.library_client import Item, ItemModel

    client = connect()
    items = client.content.library.Item
    library_id, other_id = new_library(client), new_library(client)
    item_id = new_item(client, library_id, "golden")
    files = {"a.iso": os.urandom(5000)}
    upload(client, item_id, files)
    copy_id = items.copy(item_id, ItemModel(library_id=other_id, name="copy"), client_token=str(uuid.uuid4()))
    assert download(client, copy_id) == files
    assert items.list(other_id) == [copy_id]
    assert items.find(Item.FindSpec(library_id=library_id, name="GOLDEN")) == [item_id]
    items.update(item_id, ItemModel(name="silver", description="renamed"))
    assert items.get(item_id).name == "silver"
    items.delete(item_id)
    assert items.list(library_id) == []
    assert download(client, copy_id) == files


def sdk_ova():
    """The OVA sample: an archive pushed into an ovf item is unpacked; its preview is there before complete."""
    client = connect()
    item_id = new_item(client, new_library(client), "vm", "ovf")
    with open(os.environ["QUIRE_OVA"], "rb") as stream:
        content = stream.read()
    sessions = client.content.library.item.UpdateSession
    session_id = new_update_session(client, item_id)
    push(client, session_id, "vm.ova", content)
    preview = sessions.get(session_id).preview_info
    assert preview.state == "AVAILABLE" and preview.warnings == [], preview
    sessions.complete(session_id)
    sessions.delete(session_id)
    expected = {name: os.environ[f"QUIRE_OVA_{name}"] for name in os.environ["QUIRE_OVA_FILES"].split(",")}
    got = {name: hashlib.sha256(data).hexdigest() for name, data in download(client, item_id).items()}
    assert got == expected, got


def sdk_errors():
    from com.vmware.content.library.item_client import File
    from com.vmware.content.library_client import Item
    from com.vmware.vapi.std.errors_client import (
        AlreadyExists,
        InvalidArgument,
        NotAllowedInCurrentState,
        NotFound,
        ResourceBusy,
    )

    client = connect()
    content, item_service = client.content, client.content.library.item
    unknown = str(uuid.uuid4())
    raises(NotFound, content.Library.get, unknown)
    raises(NotFound, content.LocalLibrary.delete, unknown)
    raises(NotFound, content.library.Item.get, unknown)
    raises(NotFound, item_service.UpdateSession.get, unknown)
    raises(NotFound, item_service.DownloadSession.get, unknown)
    raises(NotFound, item_service.File.list, unknown)
    raises(InvalidArgument, content.library.Item.find, Item.FindSpec())
    raises(InvalidArgument, content.LocalLibrary.create, library_spec("x" * 81))
    raises(InvalidArgument, content.LocalLibrary.create, library_spec("named"), client_token="no uuid")

    library_id = new_library(client)
    item_id = new_item(client, library_id, "taken")
    raises(AlreadyExists, new_item, client, library_id, "taken")
    raises(NotFound, item_service.File.get, item_id, "nothing.iso")

    session_id = new_update_session(client, item_id)
    raises(ResourceBusy, new_update_session, client, item_id)
    raises(NotAllowedInCurrentState, item_service.UpdateSession.delete, session_id)
    raises(InvalidArgument, item_service.updatesession.File.get, session_id, "nothing.iso")
    file_service = item_service.updatesession.File
    file_service.add(session_id, file_service.AddSpec(name="late.iso", source_type=file_service.SourceType.PUSH))
    missing = raises(NotAllowedInCurrentState, item_service.UpdateSession.complete, session_id)
    assert "late.iso" in str(missing.messages), missing
    raises(InvalidArgument, item_service.UpdateSession.keep_alive, session_id, 101)

    wrong = File.ChecksumInfo(algorithm=File.ChecksumAlgorithm.SHA256, checksum="0" * 64)
    try:
        push(client, session_id, "wrong.iso", b"content", wrong)
        raise AssertionError("bytes with a wrong digest were taken")
    except urllib.error.HTTPError as caught:
        assert caught.code == 400, caught.code
    model = item_service.UpdateSession.get(session_id)
    assert model.state == "ERROR" and model.error_message.default_message, model
    raises(NotAllowedInCurrentState, item_service.UpdateSession.complete, session_id)
    item_service.UpdateSession.delete(session_id)
    assert content.library.Item.get(item_id).content_version == "1"
    new_update_session(client, item_id)


def sdk_inventory():
    """The library samples look their datastore up like this."""
    from com.vmware.vcenter_client import Datacenter, Datastore, Folder

    client = connect()
    found = client.vcenter.Datastore.list(Datastore.FilterSpec(names={"LocalDS_0"}))
    assert [one.datastore for one in found] == ["datastore-11"], found
    assert found[0].type == Datastore.Type.VMFS and found[0].free_space <= found[0].capacity
    assert client.vcenter.Datastore.get("datastore-11").accessible
    assert client.vcenter.Datastore.list(Datastore.FilterSpec(names={"nowhere"})) == []
    datacenters = client.vcenter.Datacenter.list(Datacenter.FilterSpec())
    assert [one.name for one in datacenters] == ["DC0"], datacenters
    folders = client.vcenter.Folder.list(Folder.FilterSpec(type=Folder.Type.DATASTORE))
    assert [one.folder for one in folders] == ["group-s5"], folders


def sdk_migration():
    """Needs the server's second storage, and a runtime that knows the operations of 9.1."""
    from com.vmware.cis_client import Tasks
    from com.vmware.content.library_client import StorageBacking
    from com.vmware.content_client import Library
    from com.vmware.vapi.std.errors_client import (
        AlreadyInDesiredState,
        InvalidElementType,
        NotAllowedInCurrentState,
        ResourceBusy,
    )

    client = connect()
    libraries = client.content.Library
    library_id = new_library(client)
    item_id = new_item(client, library_id)
    files = {"large.iso": os.urandom(3_000_001), "small.txt": b"small"}
    upload(client, item_id, files)

    def target(datastore):
        backing = StorageBacking(type=StorageBacking.Type.DATASTORE, datastore_id=datastore)
        return Library.MigrateSpec(storage_backings=[backing])

    raises(AlreadyInDesiredState, libraries.migrate, library_id, target("datastore-11"))
    libraries.migrate(library_id, target("datastore-12"))
    assert download(client, item_id) == files
    deadline = time.monotonic() + 60
    while True:
        tasks = Tasks(client._stub_factory._stub_config).list(Tasks.FilterSpec(operations={"migrate"}))
        mine = [info for info in tasks.values() if info.target.id == library_id]
        assert len(mine) == 1, tasks
        if mine[0].status == "SUCCEEDED":
            break
        assert mine[0].status in ("PENDING", "RUNNING", "BLOCKED") and time.monotonic() < deadline, mine[0]
        time.sleep(0.2)
    model = libraries.get(library_id)
    assert [backing.datastore_id for backing in model.storage_backings] == ["datastore-12"], model
    assert model.state_info.state == "ACTIVE", model
    assert download(client, item_id) == files

    libraries.enter_maintenance(library_id)
    assert libraries.get(library_id).state_info.state == "MAINTENANCE"
    raises(ResourceBusy, new_update_session, client, item_id)
    raises(NotAllowedInCurrentState, new_item, client, library_id, "new")
    assert download(client, item_id) == files
    libraries.exit_maintenance(library_id)
    to_published = Library.ConversionSpec(conversion_type=Library.ConversionSpec.ConversionType.TO_PUBLISHED_LIBRARY)
    raises(InvalidElementType, libraries.convert, library_id, to_published)

    usages = client.content.library.Usages
    usage = usages.add(library_id, usages.AddSpec(resource_urn="urn:vmomi:vm:vm-12"))
    assert [one.usage for one in usages.list(library_id).library_usage_list] == [usage]
    assert usages.get(library_id, usage).resource_urn == "urn:vmomi:vm:vm-12"
    raises(NotAllowedInCurrentState, libraries.delete, library_id)
    usages.remove(library_id, usage)
    usages.add(library_id, usages.AddSpec(resource_urn="urn:vmomi:vm:vm-13"))
    libraries.force_delete(library_id)


# --- pyVmomi --------------------------------------------------------------------------------------------------------


def vim_connect(password=PASSWORD):
    from pyVim.connect import SmartConnect

    return SmartConnect(host=HOST, port=int(PORT), user=USER, pwd=password, sslContext=tls_context())


def vim_login():
    from pyVim.connect import Disconnect
    from pyVmomi import vim

    instance = vim_connect()
    content = instance.RetrieveContent()
    assert content.about.apiType == "VirtualCenter"
    session = content.sessionManager.currentSession
    assert session.userName.lower() == USER.lower(), session
    assert instance.CurrentTime()
    Disconnect(instance)
    try:
        _ = content.rootFolder.name
    except vim.fault.NotAuthenticated:
        return
    raise AssertionError("still logged in after Logout")


def vim_wrong_password():
    from pyVmomi import vim

    try:
        vim_connect("wrong")
    except vim.fault.InvalidLogin:
        return
    raise AssertionError("logged in with a wrong password")


def vim_datastores():
    """How the samples and Ansible find a datastore's id by its name."""
    from pyVim.connect import Disconnect
    from pyVmomi import vim

    instance = vim_connect()
    content = instance.RetrieveContent()
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.Datastore], True)
    found = {datastore.name: datastore._moId for datastore in view.view}
    assert found == {"LocalDS_0": "datastore-11"}, found
    (datastore,) = view.view
    assert datastore.summary.name == "LocalDS_0" and datastore.summary.accessible, datastore.summary
    assert datastore.summary.capacity > 0
    view.Destroy()

    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    assert list(view.view) == []
    view.Destroy()

    (datacenter,) = content.rootFolder.childEntity
    assert datacenter.name == "DC0" and isinstance(datacenter, vim.Datacenter)
    assert datacenter.parent == content.rootFolder
    folder = datacenter.datastoreFolder
    assert [child.name for child in folder.childEntity] == ["LocalDS_0"]
    assert datastore.parent == folder and folder.parent == datacenter
    Disconnect(instance)


def vim_property_collector():
    from pyVim.connect import Disconnect
    from pyVmomi import vim, vmodl

    instance = vim_connect()
    content = instance.RetrieveContent()
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.ManagedEntity], True)
    collector = vmodl.query.PropertyCollector
    traversal = collector.TraversalSpec(name="walk", type=vim.view.ContainerView, path="view", skip=False)
    filters = collector.FilterSpec(
        objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[traversal])],
        propSet=[collector.PropertySpec(type=vim.Datastore, pathSet=["name", "summary.url"])],
    )
    result = content.propertyCollector.RetrievePropertiesEx([filters], collector.RetrieveOptions())
    (entry,) = result.objects
    values = {change.name: change.val for change in entry.propSet}
    assert values["name"] == "LocalDS_0" and values["summary.url"], values
    Disconnect(instance)


def vim_session_is_the_sdks_too():
    """One session table: the key of the SOAP login is good on the other wires."""
    import requests
    from pyVim.connect import Disconnect

    instance = vim_connect()
    key = instance.RetrieveContent().sessionManager.currentSession.key
    cookie = instance._stub.cookie.split(";")[0].split("=", 1)[1].strip('"')
    assert cookie == key
    answer = requests.get(f"https://{AUTHORITY}/api/session", headers={"vmware-api-session-id": cookie}, verify=CA_FILE)
    assert answer.status_code == 200, answer.text
    Disconnect(instance)
    answer = requests.get(f"https://{AUTHORITY}/api/session", headers={"vmware-api-session-id": cookie}, verify=CA_FILE)
    assert answer.status_code == 401, answer.text


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]]()
    except Exception:
        traceback.print_exc()
        sys.exit(1)
