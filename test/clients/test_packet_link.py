"""The lines between namespaces are as bad as they are said to be, and no better."""

import socket
import threading
import time

import pytest

from namespaces import Network, NotPermitted

SECONDS = 10
SO_RCVBUFFORCE = 33  # which Python has no name for


@pytest.fixture(scope="module")
def network():
    try:
        with Network(["here", "there"], seed=1) as made:
            yield made
    except NotPermitted as reason:
        pytest.skip(str(reason))


@pytest.fixture
def line(network):
    """Sets the lines of both directions for a test; as good as new for each."""

    def set_both(**changes):
        return network.between("here", "there", **changes)

    set_both(delay=0, loss=0, rate=0, queue=1 << 18, cut=False, lost=0, dropped=0, free_at=0, crawls_at=0)
    return set_both


def datagrams(network, name):
    with network[name].entered():
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((network[name].address, 0))
    opened.settimeout(SECONDS)
    opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 21)  # all that a test sends before it looks
    return opened


@pytest.fixture
def pair(network):
    """A socket at each end that the other one can send to."""
    with datagrams(network, "here") as here, datagrams(network, "there") as there:
        yield here, there


def arrived(receiver, sender, network, count):
    """Sends so many numbered datagrams of 1,000 bytes; the numbers that arrived before one that was sent last."""
    for number in range(count):
        sender.sendto(number.to_bytes(2, "big") + bytes(998), receiver.getsockname())
    network.between("here", "there", loss=0, cut=False)
    found = []
    last = (count).to_bytes(2, "big")
    sender.sendto(last, receiver.getsockname())
    while (data := receiver.recv(2000)) != last:
        found.append(int.from_bytes(data[:2], "big"))
    return found


def test_namespaces_are_apart(network):
    with network["there"].entered(), socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        socket.create_connection(address, SECONDS).close()
        with network["here"].entered(), pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, SECONDS)


def test_threads_begin_where_they_are_begun(network):
    found = []
    with network["there"].entered():
        thread = threading.Thread(target=lambda: found.append(socket.create_server((network["there"].address, 0))))
        thread.start()
    thread.join()
    found[0].close()


def test_a_good_line(network, line, pair):
    here, there = pair
    assert arrived(there, here, network, 300) == list(range(300))


def test_delay(line, pair):
    here, there = pair
    line(delay=0.1)
    begin = time.monotonic()
    here.sendto(b"there", there.getsockname())
    there.sendto(b"and back", there.recvfrom(100)[1])
    assert here.recv(100) == b"and back"
    assert 0.2 <= time.monotonic() - begin


def test_loss(network, line, pair):
    here, there = pair
    line(loss=0.5)
    assert 0 < len(arrived(there, here, network, 400)) < 400
    assert 100 < line()[0]["lost"] < 300


def test_loss_is_drawn_from_the_seed():
    def lost(seed):
        try:
            with Network(["here", "there"], seed) as network, datagrams(network, "here") as here:
                with datagrams(network, "there") as there:
                    network.between("here", "there", loss=0.5)
                    return arrived(there, here, network, 100)
        except NotPermitted as reason:
            pytest.skip(str(reason))

    first = lost("one")
    assert lost("one") == first != lost("other")


def test_a_cut_in_one_direction(network, line, pair):
    here, there = pair
    network.line("here", "there", cut=True)
    here.sendto(b"into the void", there.getsockname())
    there.sendto(b"over the other", here.getsockname())
    assert here.recv(100) == b"over the other"
    assert arrived(there, here, network, 0) == []
    assert line()[0]["lost"] == 1


def test_rate_and_queue(network, line, pair):
    here, there = pair
    line(rate=1_000_000, queue=100_000)
    begin = time.monotonic()
    found = arrived(there, here, network, 50)
    assert found == list(range(50)) and time.monotonic() - begin >= 0.04
    line(crawls_at=line()[0]["bytes"] + 10_000, queue=60_000)
    for _ in range(100):
        here.sendto(bytes(1000), there.getsockname())
    here.sendto(b"last", there.getsockname())
    dropped = line()[0]["dropped"]
    assert 0 < dropped < 60, "10 go at once, 60 wait, and perhaps a few have gone meanwhile"
