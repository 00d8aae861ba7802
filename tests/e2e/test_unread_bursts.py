# Receivers with large buffers acknowledge much that they never read.  A burst that is not
# read, and a receiver that stops with megabytes unread, are sent again as a whole; one that
# closes again and again still gets on, and what it reads twice is bounded.

import time

import pytest

from lib import syslog, wait

LARGE = 4 << 20  # SO_RCVBUF; the kernel doubles what it grants of it


def lines_of(first, count, size=200):
    head = len(syslog.line("shop", "line 0000000 "))
    return [syslog.line("shop", f"line {i:07} ".ljust(size - head + 13, "x"))
            for i in range(first, first + count)]


def check(sink, count):
    """Every line came; a repeat aside, in order."""
    numbers = syslog.numbers(sink.texts)
    assert sorted(set(numbers)) == list(range(count))
    assert syslog.firsts(numbers) == list(range(count))
    return len(numbers) - count


@pytest.mark.parametrize("quiet", [0, 1])
@pytest.mark.parametrize("framing", ["lf", "octet-counting"])
def test_a_burst_of_which_nothing_is_read(gateway, receiver, framing, quiet):
    """600 kB taken by the receiver's kernel, and closed over; then it closes every 1,000 lines."""
    gw, sink = gateway(), receiver(reading=False, rcvbuf=LARGE)
    url = gw.add_drain("shop", sink, framing=framing)
    gw.send(lines_of(0, 3000))
    gw.wait_delivered("shop", url, 3000)  # says TCP
    time.sleep(quiet)
    sink.stop()
    assert sink.texts == []
    sink.reading, sink.close_after = True, 1000
    sink.start()
    sink.wait_different(3000)
    # Two times the first thousand before care begins; then steps.
    assert check(sink, 3000) < 3 * 1000
    assert gw.status("shop", url)["delivered"]["lines"] == 3000


@pytest.mark.parametrize("reset", [False, True])
def test_a_receiver_that_stops_with_megabytes_unread(gateway, receiver, reset):
    gw = gateway(app_memory="16MiB")
    sink = receiver(rcvbuf=LARGE)
    url = gw.add_drain("shop", sink)
    with gw.connect() as s:
        s.sendall(syslog.lf(lines_of(0, 1000)))
        sink.wait(1000)
        sink.set_reading(False)
        for at in range(1000, 11000, 50):
            s.sendall(syslog.lf(lines_of(at, 50)))
            time.sleep(0.005)
    gw.wait_delivered("shop", url, 11000)
    assert len(sink.lines) == 1000
    sink.stop(reset=reset)
    sink.reading = True
    sink.start()
    sink.wait_different(11000)
    assert check(sink, 11000) <= 1000


def test_closed_again_and_again_under_load(gateway, receiver):
    """Steps grow to what the receiver takes: it gets on, and few of its lines are sent twice."""
    gw, sink = gateway(app_memory="16MiB"), receiver(close_after=300)
    gw.add_drain("shop", sink)
    with gw.connect() as s:
        for at in range(0, 6000, 50):
            s.sendall(syslog.lf(lines_of(at, 50)))
            time.sleep(0.02)
    sink.wait_different(6000, timeout=60)
    assert check(sink, 6000) < 6000


def test_resend_bytes_of_8_kib_bounds_duplicates(gateway, receiver):
    """A prompt receiver gets fewer than 50 lines twice each time that it closes.

    Few lines at a time: what comes while it sleeps it takes at once, and then forgets.
    """
    gw, sink = gateway(), receiver(close_after=300)
    url = gw.add_drain("shop", sink, resend_bytes="8KiB")
    with gw.connect() as s:
        for at in range(0, 1350, 5):
            s.sendall(syslog.lf(lines_of(at, 5)))
            time.sleep(0.02)
    sink.wait_different(1350)
    retries = gw.status("shop", url)["retries"]
    assert retries >= 4
    assert check(sink, 1350) < retries * 50


def test_a_prompt_receiver_that_restarts_gets_few_lines_twice(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    with gw.connect() as s:
        for at in range(0, 9000, 10):
            s.sendall(syslog.lf(lines_of(at, 10)))
            time.sleep(0.005)
            if at in (4000, 8000):
                sink.stop()
                sink.start()
    sink.wait_different(9000)
    # As much as its window is large each time, and 128 KiB at least; not all that was sent.
    assert 0 < check(sink, 9000) < 2 * 2500
    assert gw.status("shop", url)["retries"] >= 2


def test_care_is_not_taken_in_by_a_receiver_that_stops(gateway, receiver):
    """It stays connected and acknowledges, and reads nothing, again and again."""
    gw, sink = gateway(), receiver(close_after=300)
    url = gw.add_drain("shop", sink)
    sent = 0
    with gw.connect() as s:

        def send(count):
            nonlocal sent
            for _ in range(count // 20):
                s.sendall(syslog.lf(lines_of(sent, 20)))
                sent += 20
                time.sleep(0.01)

        send(1500)
        gw.wait_status("shop", url, lambda s: s["retries"] >= 4, "care")
        sink.wait_different(sent)
        for _ in range(4):
            sink.stop(reset=True)
            sink.reading, sink.close_after = False, 0
            sink.start()
            send(2000)
        sink.stop(reset=True)
        sink.reading = True
        sink.start()
        send(200)
    sink.wait_different(sent)
    check(sink, sent)
