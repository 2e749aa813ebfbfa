"""What the Python SDK does with subscribed libraries, as sdk_steps.py does with others; run in the same way.

QUIRE_PUBLISHER is the URL of a published library with a password (QUIRE_VCSP_PASSWORD, QUIRE_VCSP_THUMBPRINT), which has
one item of the name "one" with a file "a.bin" of QUIRE_VCSP_SIZE bytes.
"""

import os
import sys
import time
import traceback
import uuid

from sdk_steps import connect, download, library_spec, new_library, raises

PATIENCE = 120  # what the published sample grants
URL = os.environ["QUIRE_PUBLISHER"]
VCSP_PASSWORD = os.environ["QUIRE_VCSP_PASSWORD"]
THUMBPRINT = os.environ["QUIRE_VCSP_THUMBPRINT"]
SIZE = int(os.environ["QUIRE_VCSP_SIZE"])


def subscription(on_demand=False, **changes):
    from com.vmware.content.library_client import SubscriptionInfo

    info = SubscriptionInfo()
    info.authentication_method = SubscriptionInfo.AuthenticationMethod.BASIC
    info.user_name = "vcsp"
    info.password = VCSP_PASSWORD
    info.subscription_url = URL
    info.ssl_thumbprint = THUMBPRINT
    info.automatic_sync_enabled = False
    info.on_demand = on_demand
    for name, value in changes.items():
        setattr(info, name, value)
    return info


def subscribe(client, info):
    from com.vmware.content_client import LibraryModel

    spec = library_spec(f"sdk-{uuid.uuid4().hex[:8]}")
    spec.type = LibraryModel.LibraryType.SUBSCRIBED
    spec.subscription_info = info
    return client.content.SubscribedLibrary.create(create_spec=spec, client_token=str(uuid.uuid4()))


def wait_for(what, call):
    """The first true value."""
    deadline = time.monotonic() + PATIENCE
    while not (value := call()):
        assert time.monotonic() < deadline, f"waited for {what} in vain"
        time.sleep(0.2)
    return value


def only_item(client, library_id):
    def look():
        items = client.content.library.Item.list(library_id)
        return client.content.library.Item.get(items[0]) if items else None

    return wait_for("the item", look)


def sdk_subscribe():
    client = connect()
    library_id = subscribe(client, subscription())
    service = client.content.SubscribedLibrary
    assert library_id in service.list()
    model = service.get(library_id)
    assert model.type == "SUBSCRIBED" and model.subscription_info.subscription_url == URL, model
    assert model.subscription_info.ssl_thumbprint == THUMBPRINT and model.subscription_info.password is None, model
    item = only_item(client, library_id)
    item = wait_for("its content", lambda: (one := client.content.library.Item.get(item.id)).cached and one)
    assert (item.name, item.size) == ("one", SIZE) and item.source_id and item.last_sync_time, item
    assert len(download(client, item.id)["a.bin"]) == SIZE
    before = model.last_sync_time
    service.sync(library_id)
    wait_for("the sync", lambda: service.get(library_id).last_sync_time > before)
    service.delete(library_id)
    assert library_id not in service.list()


def sdk_on_demand():
    from com.vmware.vapi.std.errors_client import InvalidElementType, NotAllowedInCurrentState

    client = connect()
    library_id = subscribe(client, subscription(on_demand=True))
    item = only_item(client, library_id)
    assert (item.cached, item.size) == (False, 0), item
    items = client.content.library.SubscribedItem
    items.sync(item.id, force_sync_content=True)
    get = client.content.library.Item.get
    wait_for("its content", lambda: get(item.id).cached)
    assert get(item.id).size == SIZE
    items.evict(item.id)
    assert (get(item.id).cached, get(item.id).size) == (False, 0)
    items.sync(item.id, True)
    wait_for("its content again", lambda: get(item.id).cached)
    client.content.SubscribedLibrary.evict(library_id)
    assert get(item.id).cached is False
    raises(InvalidElementType, client.content.library.Item.delete, item.id)
    raises(InvalidElementType, client.content.SubscribedLibrary.sync, new_library(client))
    whole = subscribe(client, subscription())
    raises(NotAllowedInCurrentState, client.content.SubscribedLibrary.evict, whole)
    for library in (library_id, whole):
        client.content.SubscribedLibrary.delete(library)


def sdk_probe_and_refusals():
    from com.vmware.vapi.std.errors_client import ConcurrentChange, ResourceInaccessible

    client = connect()
    service = client.content.SubscribedLibrary
    good = service.probe(subscription())
    assert (good.status, good.error_messages, good.ssl_thumbprint) == ("SUCCESS", [], THUMBPRINT), good
    stranger = service.probe(subscription(ssl_thumbprint=None))
    assert (stranger.status, stranger.ssl_thumbprint) == ("CERTIFICATE_ERROR", THUMBPRINT), stranger
    assert stranger.error_messages[0].default_message
    assert service.probe(subscription(password="not the password")).status == "INVALID_CREDENTIALS"
    assert service.probe(subscription(subscription_url="nonsense")).status == "INVALID_URL"
    before = set(client.content.Library.list())
    raises(ResourceInaccessible, subscribe, client, subscription(ssl_thumbprint=None))
    raises(ResourceInaccessible, subscribe, client, subscription(password="not the password"))
    assert set(client.content.Library.list()) == before
    library_id = subscribe(client, subscription())
    update = library_spec("renamed by the SDK")
    update.version = service.get(library_id).version
    service.update(library_id, update)
    raises(ConcurrentChange, service.update, library_id, update)
    assert service.get(library_id).name == "renamed by the SDK"
    service.delete(library_id)


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]]()
    except Exception:
        traceback.print_exc()
        sys.exit(1)
