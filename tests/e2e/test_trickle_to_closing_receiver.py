# A receiver that closes after every line, under a steady trickle: new lines keep
# arriving all the while, and in the end every line has come, in order.

import time

import pytest

from lib import syslog

COUNT = 60


@pytest.mark.threaded
@pytest.mark.parametrize("close_after", [1, 3])
def test_it_keeps_getting_new_lines(gateway, receiver, close_after):
    gw, sink = gateway(), receiver(close_after=close_after)
    url = gw.add_drain("shop", sink)
    newest = []
    with gw.connect() as s:
        for i in range(COUNT):
            s.sendall(syslog.lf([syslog.line("shop", f"line {i}")]))
            time.sleep(0.04)
            if i % 20 == 19:
                newest.append(len(set(sink.texts)))
    # Each 0.8 s brought lines that had not come before.
    assert newest == sorted(set(newest)) and newest[0] > 0, newest
    sink.wait_different(COUNT)
    assert syslog.firsts(syslog.numbers(sink.texts)) == list(range(COUNT))
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "empty")
    assert not any(status["dropped"].values()) and status["retries"] > 0
