# 204 says that a request's lines are delivered or on disk: all of them arrive, whatever
# becomes of the gateway afterwards.

import itertools
import threading

import pytest

from lib import posts, syslog, wait

LISTEN = ["http://127.0.0.1:0"]
_firsts = itertools.count()


def status_of(process):
    out, err = process.communicate(timeout=90)
    return out.decode(), err.decode()


@pytest.mark.threaded
def test_twenty_thousand_lines_of_several_senders_arrive_once_each(gateway, receiver, tmp_path):
    gw = gateway(listen=LISTEN)
    sinks = [receiver(), receiver()]
    for i, sink in enumerate(sinks):
        gw.add_drain(f"app-{i}", sink)
    senders = []
    for i in range(20):
        file = tmp_path / f"body{i}"
        file.write_bytes(posts.numbered(2000, 2000 * (i // 2)))
        senders.append(posts.background(posts.url(gw, f"app-{i % 2}"), file))
    assert [status_of(s) for s in senders] == [("204", "")] * 20
    for sink in sinks:
        assert sorted(syslog.numbers(sink.wait(20000))) == list(range(20000))
        assert len(sink.lines) == 20000


class Sender(threading.Thread):
    """Posts bodies of 10 lines one after the other until it is told to end; what was answered
    204 is in .safe, and all statuses in .said."""

    def __init__(self, gw, first):
        super().__init__()
        self.url = posts.url(gw, "shop")
        self.next = first
        self.safe, self.said = [], []
        self.ends = threading.Event()
        self.start()

    def run(self):
        while not self.ends.is_set():
            status, _ = posts.curl(self.url, posts.numbered(10, self.next), status=None)
            self.said.append(status)
            if status == 204:
                self.safe += range(self.next, self.next + 10)
            self.next += 10

    def end(self):
        self.ends.set()
        self.join()


def senders(gw):
    """Of numbers that no others have."""
    return [Sender(gw, 1000000 * next(_firsts)) for _ in range(4)]


def check_all_safe_arrived(sink, many):
    safe = {n for s in many for n in s.safe}
    sent = {n for s in many for n in range(s.next - 10 * len(s.said), s.next)}
    wait.until(lambda: safe <= set(syslog.numbers(sink.texts)),
               lambda: f"{len(safe - set(syslog.numbers(sink.texts)))} of {len(safe)} lines")
    assert set(syslog.numbers(sink.texts)) <= sent


@pytest.mark.threaded
@pytest.mark.parametrize("receives", [True, False])
def test_kill_9(gateway, receiver, receives):
    gw = gateway(listen=LISTEN)
    sink = receiver()
    gw.add_drain("shop", sink)
    if not receives:
        sink.stop()
    many = []
    for _ in range(3):
        many += senders(gw)
        wait.until(lambda: sum(len(s.safe) for s in many[-4:]) >= 400, "400 lines that are safe")
        gw.kill()
        for s in many[-4:]:
            s.end()
        gw.start()
    if not receives:
        sink.start()
    check_all_safe_arrived(sink, many)
    assert not gw.find_log(msg="drain drops lines")


@pytest.mark.threaded
def test_a_stop(gateway, receiver):
    gw = gateway(listen=LISTEN)
    sink = receiver()
    gw.add_drain("shop", sink)
    many = senders(gw)
    wait.until(lambda: sum(len(s.safe) for s in many) >= 400, "400 lines that are safe")
    gw.stop()
    for s in many:
        s.end()
    # Refused, or not let in: never half of one.
    assert {status for s in many for status in s.said} <= {204, 503, 0}
    gw.start()
    check_all_safe_arrived(sink, many)


def test_lines_for_a_receiver_that_is_away_are_safe_on_disk(gateway, receiver):
    gw = gateway(listen=LISTEN, spool_after="1h")
    sink = receiver()
    gw.add_drain("shop", sink)
    sink.stop()
    assert posts.post(gw, "shop", posts.numbered(50000)) == (204, "")
    gw.kill()
    gw.start()
    sink.start()
    assert syslog.numbers(sink.wait(50000)) == list(range(50000))


def test_without_a_disk_lines_are_safe_when_they_are_delivered(gateway, receiver, tmp_path):
    gw = gateway(listen=LISTEN, spool_size=0)
    sink = receiver()
    gw.add_drain("shop", sink)
    assert posts.post(gw, "shop", posts.numbered(1000)) == (204, "")
    sink.wait(1000)
    sink.stop()
    file = tmp_path / "body"
    file.write_bytes(posts.numbered(10, 1000))
    waiting = posts.background(posts.url(gw, "shop"), file)
    try:
        wait.stays(lambda: waiting.poll() is None, "an answer came too early", 1.5)
        sink.start()
        assert status_of(waiting) == ("204", "")
        assert set(range(1000, 1010)) <= set(syslog.numbers(sink.wait_different(1010)))
    finally:
        waiting.kill()


def test_nothing_is_taken_while_the_disk_is_full(gateway, receiver, tmp_path):
    # No file may be over 16 MiB: the spool's is soon, as on a full disk.
    gw = gateway(listen=LISTEN, prefix=["prlimit", f"--fsize={16 << 20}"], workers=1)
    sink = receiver()
    gw.add_drain("shop", sink)
    sink.stop()
    waiting, full = [], lambda: gw.find_log(level="error", msg="spool cannot be written")
    try:
        while not full() and len(waiting) < 8:
            file = tmp_path / f"body{len(waiting)}"
            file.write_bytes((b"of %d " % len(waiting) + b"x" * 1000 + b"\n") * 4000)
            waiting.append(posts.background(posts.url(gw, "shop"), file))
            wait.until(lambda: waiting[-1].poll() is not None or full(), "an answer, or a full disk")
        assert full()
        refused = {"error": "lines cannot be written to disk now; nothing was taken, send it again"}
        assert wait.until(lambda: posts.post(gw, "shop", "x", "-m", 5, status=None)[1], "an answer") \
            == refused
        safe = len(waiting) - 1
        assert [w.poll() for w in waiting] == [0] * safe + [None]
    finally:
        for w in waiting:
            w.kill()
            w.communicate()
    # Once all was delivered there is room again; of what was not safe some may have been dropped.
    sink.start()
    wait.until(lambda: posts.post(gw, "shop", "last", "-m", 5, status=None)[0] == 204, "a 204")
    sink.wait_text(" last")
    came = [text.split(b" - - - ")[1].split()[1] for text in sink.texts if b" of " in text]
    assert [came.count(b"%d" % i) for i in range(safe)] == [4000] * safe


def test_a_client_that_goes_away_hurts_nobody(gateway, receiver):
    gw = gateway(listen=LISTEN, workers=1)
    sink = receiver()
    gw.add_drain("shop", sink)
    for i in range(50):
        with gw.connect() as s:
            body = posts.numbered(10, 10 * i)
            s.sendall(b"POST /v1/apps/shop/logs HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" %
                      len(body) + body[:len(body) - i % 2])
    assert posts.post(gw, "shop", "line 999") == (204, "")
    # Bodies that came whole came in whole; of the others nothing did.
    numbers = set(syslog.numbers(sink.wait(251)))
    assert numbers == {999} | {10 * i + k for i in range(0, 50, 2) for k in range(10)}
