# A drain whose receiver stops reading is trimmed to app-memory: memory stays
# bounded, others see everything, its state counts what was lost, and a notice
# stands at the gap once it reads again.

import re

import pytest

from lib import syslog
from lib.gateway import SANITIZED

MIB = 1 << 20


@pytest.mark.threaded
def test_it_loses_its_oldest_lines_and_is_told(gateway, receiver):
    gw = gateway(app_memory="1MiB", worker_memory="4MiB", spool_size="0")
    healthy, same_app, stalled = receiver(), receiver(), receiver(reading=False, rcvbuf=16384)
    gw.add_drain("blog", healthy)
    gw.add_drain("shop", same_app)
    url = gw.add_drain("shop", stalled)
    before = gw.memory_bytes()

    total = 40000
    filler = "x" * 900
    with gw.connect() as s:  # 40 MB, far more than any memory it may take
        for at in range(0, total, 100):
            s.sendall(syslog.lf([syslog.line("shop", f"line {i} {filler}")
                                 for i in range(at, at + 100)] +
                                [syslog.line("blog", f"line {at // 100}")]))
    assert syslog.numbers(healthy.wait(total // 100)) == list(range(total // 100))
    assert syslog.numbers(same_app.wait(total)) == list(range(total))
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "lines dropped")
    assert status["state"] == "connected"
    assert SANITIZED or gw.memory_bytes() - before < 32 * MIB
    assert gw.find_log(level="warn", msg="drain drops lines", app="shop")

    stalled.set_reading(True)
    gw.send([syslog.line("shop", f"line {total} the end")])
    stalled.wait_text("the end")
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "empty")

    notices = [t for t in stalled.texts if b" penstock drain - - Error: " in t]
    assert notices
    said = 0
    for notice in notices:
        m = re.fullmatch(rb"<172>1 \S+ \S+ penstock drain - - Error: (\d+) lines dropped since "
                         rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(memory full\)", notice)
        assert m, notice
        said += int(m.group(1))
    numbers = syslog.numbers([t for t in stalled.texts if t not in notices])
    assert numbers == sorted(set(numbers)), "order, and nothing twice"
    # Every line came or was counted and told.
    assert len(numbers) + said == total + 1
    assert said == status["dropped"]["memory"]
    # A notice stands exactly at each gap.
    previous = -1
    for text in stalled.texts:
        if text in notices:
            previous = None
            continue
        number = syslog.numbers([text])[0]
        assert previous is None or number == previous + 1
        previous = number


def test_a_refused_drain_keeps_the_newest_app_memory(gateway, receiver):
    gw, sink = gateway(app_memory="256KiB", spool_size="0"), receiver()
    url = gw.add_drain("shop", sink)
    sink.stop()
    with gw.connect() as s:
        for at in range(0, 3000, 100):
            s.sendall(syslog.lf([syslog.line("shop", f"line {i} " + "x" * 900)
                                 for i in range(at, at + 100)]))
    # Old enough now to lag; it is looked at when a line comes.
    gw.wait_status("shop", url, lambda s: s["waiting"]["oldest_ms"] > 1000, "waiting for a second")
    gw.send([syslog.line("shop", "line 3000")])
    status = gw.wait_status(
        "shop", url, lambda s: s["dropped"]["memory"] > 0 and s["dropped"]["memory"] +
        s["waiting"]["memory"]["lines"] == 3001, "trimmed")
    assert 128 << 10 < status["waiting"]["memory"]["bytes"] <= 320 << 10
    sink.start()
    sink.wait_text("line 3000")
    lines = [t for t in sink.texts if b"Error: " not in t]
    assert syslog.numbers(lines) == list(range(3001 - len(lines), 3001))


def test_a_slow_reader_gets_everything_within_memory(gateway, receiver):
    """Slower than the sender for a while, but never over app-memory: nothing is lost."""
    gw, sink = gateway(app_memory="8MiB"), receiver(rcvbuf=16384)
    gw.add_drain("shop", sink)
    for round_ in range(3):
        sink.set_reading(False)
        gw.send([syslog.line("shop", f"line {i} " + "x" * 500)
                 for i in range(round_ * 3000, round_ * 3000 + 3000)])
        sink.set_reading(True)
        sink.wait((round_ + 1) * 3000)
    assert syslog.numbers(sink.texts) == list(range(9000))
