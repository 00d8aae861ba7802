# Receivers that close, crash or restart: lines go out again in their order, and
# none is lost.

import time

import pytest

from lib import syslog, wait


def check_order(frames, count):
    """Every line came; a repeat aside, in order: going back is allowed, skipping is not."""
    numbers = syslog.numbers(frames)
    assert sorted(set(numbers)) == list(range(count))
    assert syslog.firsts(numbers) == list(range(count))


def test_closed_after_every_line_paced(gateway, receiver):
    gw, sink = gateway(), receiver(close_after=1)
    gw.add_drain("shop", sink)
    with gw.connect() as s:
        for i in range(15):
            s.sendall(syslog.lf([syslog.line("shop", f"line {i}")]))
            sink.wait_text(f"line {i}")
    check_order(sink.texts, 15)


def test_closed_after_every_line_in_a_burst(gateway, receiver):
    gw, sink = gateway(), receiver(close_after=1)
    gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 30))
    sink.wait_different(30, timeout=80)
    check_order(sink.texts, 30)


def test_closed_while_idle(gateway, receiver):
    """A FIN between lines: the next line is not written into the dead connection."""
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    for i in range(5):
        gw.send([syslog.line("shop", f"line {i}")])
        sink.wait_text(f"line {i}")
        sink.close_connections()
        gw.wait_status("shop", url, lambda s: s["retries"] > i, "the FIN is seen")
    check_order(sink.texts, 5)


@pytest.mark.parametrize("reset", [False, True])
def test_killed_with_unread_data(gateway, receiver, reset):
    """The receiver's kernel acknowledged lines that the program never read."""
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 100))
    sink.wait(100)
    sink.set_reading(False)
    gw.send(syslog.numbered("shop", 500, first=100))
    gw.wait_delivered("shop", url, 600)  # says TCP
    sink.stop(reset=reset)
    assert len(sink.lines) == 100
    sink.reading = True
    sink.start()
    sink.wait_different(600)
    check_order(sink.texts, 600)
    assert gw.status("shop", url)["resent"] >= 500


def test_stopped_reading_with_more_than_the_blind_zone_unread(gateway, receiver):
    """Up to resend-max goes out again when the receiver had visibly stopped to read."""
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    sink.set_reading(False)
    lines = [syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(10, 710)]
    with gw.connect() as s:
        for at in range(0, 700, 20):
            s.sendall(syslog.lf(lines[at:at + 20]))
            time.sleep(0.005)
    time.sleep(1)
    sink.stop()
    sink.reading = True
    sink.start()
    sink.wait_different(710)
    check_order(sink.texts, 710)
    assert not any(gw.status("shop", url)["dropped"].values())


def test_resend_bytes_0_chooses_loss_over_duplicates(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink, resend_bytes="0")
    for i in range(5):
        gw.send(syslog.numbered("shop", 10, first=10 * i))
        sink.wait_text(f"line {10 * i + 9}")
        gw.wait_delivered("shop", url, 10 * i + 10)
        sink.close_connections(reset=True)
        gw.wait_status("shop", url, lambda s: s["retries"] > i, "the loss is seen")
    assert syslog.numbers(sink.texts) == list(range(50))
    assert gw.status("shop", url)["resent"] == 0


def test_a_receiver_that_was_away_gets_what_waited(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    sink.stop()
    gw.send(syslog.numbered("shop", 500, first=10))
    gw.wait_status("shop", url, lambda s: s["state"] == "retrying", "it is tried again")
    sink.start()
    sink.wait_different(510)
    check_order(sink.texts, 510)
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "empty")
    assert status["state"] == "connected" and not any(status["dropped"].values())


def test_a_receiver_that_talks_back_is_ignored(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    gw.send([syslog.line("shop", "line 0")])
    sink.wait(1)
    wait.until(lambda: sink.open == 1, "a connection")
    for conn in list(sink.conns.values()):
        conn.sock.send(b"220 hello, who is there?\r\n" * 1000)
    gw.send([syslog.line("shop", "line 1")])
    sink.wait(2)
    assert sink.accepted == 1 and syslog.numbers(sink.texts) == [0, 1]
