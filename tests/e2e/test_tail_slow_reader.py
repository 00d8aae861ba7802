# Somebody looks at an app's lines and does not read: what is too much is
# dropped and said, memory stays bounded, and neither the sender nor the app's
# drains notice.

import re

import pytest

from lib import syslog, tails, wait
from lib.gateway import SANITIZED

MIB = 1 << 20


def send_many(gw, total, size=900):
    filler = "x" * size
    with gw.connect() as s:
        for at in range(0, total, 100):
            s.sendall(syslog.lf([syslog.line("shop", f"line {i} {filler}")
                                 for i in range(at, min(at + 100, total))]))


def account(lines, number):
    """Numbers of the lines shown, and how many were said to be missing; each gap exactly there."""
    shown, said, expected = [], 0, 0
    for line in lines:
        m = re.search(rb"(?:^-- |- - )(\d+) lines? dropped: this reader is too slow", line)
        if m:
            said += int(m.group(1))
            expected += int(m.group(1))
            continue
        i = number(line)
        assert i == expected, (i, expected)
        shown.append(i)
        expected = i + 1
    return shown, said


@pytest.mark.threaded
@pytest.mark.parametrize("query", ["", "format=rfc5424"])
def test_it_is_told_what_it_missed(gateway, receiver, query):
    gw, sink = gateway(worker_memory="2MiB", spool_size="0"), receiver()
    gw.add_drain("shop", sink)
    reader = tails.Reader(gw, "shop", query)
    before = gw.memory_bytes()
    total = 40000
    send_many(gw, total)  # 40 MB
    assert syslog.numbers(sink.wait(total)) == list(range(total))
    url = gw.drains("shop")[0]["url"]
    status = gw.wait_delivered("shop", url, total)
    assert status["dropped"]["memory"] == 0 and status["retries"] == 0
    # On a busy machine the drain's own lines fill worker-memory and a mailbox of the same size.
    assert SANITIZED or gw.memory_bytes() - before < 20 * MIB
    assert not gw.find_log(msg="drain drops lines")

    total += reader.catch_up(lambda n: gw.send([syslog.line("shop", f"line {total + n} the end")]))
    shown, said = account(reader.data.split(b"\n")[:-1],
                          lambda l: int(re.search(rb" line (\d+)", l).group(1)))
    assert said > 0 and len(shown) + said == total
    reader.stop()


def test_it_is_told_even_if_no_line_follows(gateway):
    gw = gateway()
    assert gw.request("POST", "/v1/apps", {"app": {"name": "shop"}})[0] == 201
    reader = tails.Reader(gw, "shop", "format=sse")
    total = 10000
    send_many(gw, total)
    seen, dropped = 0, 0
    while seen + dropped < total:
        assert reader.read()
        events = tails.events(reader.data[:reader.data.rindex(b"\n\n") + 2]
                              if b"\n\n" in reader.data else b"")
        seen = sum(1 for name, _ in events if name is None)
        dropped = sum(e["lines"] for name, e in events if name == "dropped")
    assert dropped > 0 and seen + dropped == total
    reader.stop()


def test_a_filter_counts_only_what_it_passes(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    reader = tails.Reader(gw, "shop", "match=wanted")
    total = 8000
    with gw.connect() as s:
        for at in range(0, total, 100):
            s.sendall(syslog.lf([
                syslog.line("shop", (f"wanted line {i} " if i % 2 else "other ") + "x" * 1000)
                for i in range(at, at + 100)]))
    sink.wait(total)
    more = reader.catch_up(lambda n: gw.send([syslog.line("shop", "wanted line the end")]))
    lines = reader.data.split(b"\n")[:-1]
    said = sum(int(l.split()[1]) for l in lines if l.startswith(b"-- "))
    assert said > 0
    assert said + sum(1 for l in lines if not l.startswith(b"-- ")) == total // 2 + more
    reader.stop()


@pytest.mark.threaded
def test_readers_come_and_go_under_load(gateway, receiver):
    gw, sink = gateway(workers=3, worker_memory="2MiB"), receiver()
    gw.add_drain("shop", sink)
    total, readers = 0, []
    for round_ in range(8):
        readers += [tails.Reader(gw, "shop", q) for q in ("", "format=sse", "min_severity=err")]
        gw.send([syslog.line("shop", f"line {i} " + "x" * 500)
                 for i in range(total, total + 3000)])
        total += 3000
        for r in readers[::2]:
            r.stop()
        readers = readers[1::2]
    sink.wait(total)
    assert sorted(syslog.numbers(sink.texts)) == list(range(total))
    for r in readers:
        r.stop()
    wait.until(lambda: len(gw.find_log(msg="tail closed")) == len(gw.find_log(msg="tail opened")),
               "all are gone")
