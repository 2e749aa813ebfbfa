"""Files of few bytes: kept in the catalog, and files of the storage for whoever asks for their place there."""

import os
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from push_session import PushSession
from quire_server import QuireServer
from rest_client import NewRest, download_item

LIMIT = 4096  # --catalog-blob-bytes-max


@pytest.fixture
def server(tmp_path):
    running = QuireServer(tmp_path / "server").start()
    yield running
    running.stop()


def blob_files(server):
    return [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()]


def test_small_files_survive_a_kill_and_have_a_place_when_asked(server):
    binding = NewRest(server).log_in()
    contents = {"empty.txt": b"", "one.bin": b"\0", "limit.bin": os.urandom(LIMIT), "more.bin": os.urandom(LIMIT + 1)}
    library = binding.ok(
        "local_library.create",
        create_spec={
            "name": "images",
            "type": "LOCAL",
            "storage_backings": [{"type": "OTHER", "storage_uri": server.data_dir.as_uri()}],
        },
    )
    pushing = PushSession(binding, library, "other")
    for name, content in contents.items():
        assert pushing.push(name, content).status_code == 200
    pushing.ok("complete")
    server.kill()
    server.start()
    binding.log_in()
    assert len(blob_files(server)) == 1, "only the largest is a file"
    assert download_item(binding, pushing.transfers, pushing.item) == contents

    places = {}
    for stored in binding.ok("item.storage.list", library_item_id=pushing.item):
        (uri,) = stored["storage_uris"]
        places[stored["name"]] = Path(unquote(urlparse(uri).path))
    assert {name: path.read_bytes() for name, path in places.items()} == contents
    assert download_item(binding, pushing.transfers, pushing.item) == contents
    binding.ok("item.delete", library_item_id=pushing.item)
    assert blob_files(server) == []
