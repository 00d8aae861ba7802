# With mark=true a line carries its number in its app's log: a receiver drops what comes twice
# and sees what is missing, also with the script that docs/drains.md shows.

import pathlib
import re
import socket
import subprocess
import textwrap

import pytest

from lib import address, receivers, syslog, vendors, wait
from lib.gelf import GelfReceiver

TOP = pathlib.Path(__file__).resolve().parents[2]
MARK = re.compile(rb'\[penstock@32473 (?:cut="(\d+)" )?log="(\d+)" start="(\d+)" seq="(\d+)"\]')
DROPPED = re.compile(rb"Error: (\d+) lines dropped since")


def mark_of(frame):
    """Log, start and seq of a line."""
    found = MARK.search(syslog.parse(frame).sd)
    assert found, frame[:300]
    return tuple(int(n) for n in found.groups()[1:])


def once(lines, tmp_path):
    """What docs/drains.md's script passes on of these lines, and what it says."""
    docs = (TOP / "docs/drains.md").read_text()
    found = re.search(r"^    # once\.awk\n((?:    .*\n|\n)+)", docs, re.MULTILINE)
    script = tmp_path / "once.awk"
    script.write_text(textwrap.dedent(found.group(0)))
    done = subprocess.run(["awk", "-f", script], input=syslog.lf(lines), capture_output=True,
                          timeout=60, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done
    return done.stdout.splitlines(), done.stderr.decode().splitlines()


@pytest.mark.threaded
def test_repeats_are_dropped_by_their_number(gateway, receiver, tmp_path):
    """A receiver that breaks off gets lines twice; the script passes each on once."""
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink, framing="lf", mark=True)
    for i in range(5):
        gw.send(syslog.numbered("shop", 300, first=300 * i))
        sink.wait_different(300 * i + 300)
        gw.wait_delivered("shop", url, 300 * i + 300)
        sink.close_connections(reset=True)
        gw.wait_status("shop", url, lambda s: s["retries"] > i, "the loss is seen")
    sink.wait(1800)
    marks = {}
    for frame in sink.texts:
        assert marks.setdefault(mark_of(frame), frame) == frame
    assert [seq for _, _, seq in sorted(marks)] == list(range(1500))
    assert len(sink.lines) > len(marks)
    passed, said = once(sink.texts, tmp_path)
    assert syslog.numbers(passed) == list(range(1500)) and said == []


def test_what_was_dropped_is_a_gap(gateway, receiver, tmp_path):
    """A receiver that stands still for long loses lines: so many as the notice says are missing."""
    gw = gateway(app_memory="64KiB", spool_size="0")
    sink = receiver(reading=False, rcvbuf=4096)
    url = gw.add_drain("shop", sink, framing="lf", mark=True)
    lines = [syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(3000)]
    gw.send(lines)
    gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "lines are dropped")
    sink.set_reading(True)
    gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "all is sent")
    sink.wait_text("line 2999 ")
    dropped = gw.status("shop", url)["dropped"]["memory"]
    notices = [int(m.group(1)) for m in map(DROPPED.search, sink.texts) if m]
    assert sum(notices) == dropped
    passed, said = once(sink.texts, tmp_path)
    assert sum(int(line.split()[0]) for line in said) == dropped
    assert len(passed) == len(set(passed)) == 3000 - dropped + len(notices)
    # Notices stand in no log.
    assert all((DROPPED.search(t) is None) == (MARK.search(t) is not None) for t in sink.texts)


def test_all_drains_of_an_app_have_the_same_numbers(gateway, receiver, udp_receiver, tmp_path):
    gw = gateway(max_line=2048)
    plain, filtered, bare = receiver(), receiver(), receiver()
    gw.add_drain("shop", plain, framing="octet-counting", mark=True)
    gw.add_drain("shop", filtered, framing="lf", mark=True, exclude="line 3")
    gw.add_drain("shop", udp_receiver, protocol="udp", mark=True)
    gw.add_drain("shop", bare, framing="octet-counting")
    forged = '[penstock@32473 log="1" start="2" seq="3"]'
    lines = [syslog.line("shop", f"line {i}", sd=('[a b="c"]' if i % 2 else "-")) for i in range(40)]
    lines += [syslog.line("shop", "line 40 " + forged, sd=forged), syslog.line("shop", "x" * 4000)]
    gw.send(lines)
    got = plain.wait(42)
    assert [mark_of(f)[2] for f in got] == list(range(42))
    assert len({mark_of(f)[:2] for f in got}) == 1
    assert syslog.parse(got[1]).sd.startswith(b'[a b="c"][penstock@32473 log=')
    assert MARK.search(got[41]).group(1) == b"%d" % (len(lines[41]) - 2048)
    # Without its mark a line is what a drain without marks gets.
    whole = [MARK.sub(b"", f, 1) for f in got[:41]]
    assert [f.replace(b" -  line", b" - - line") for f in whole] == bare.wait(42)[:41]
    assert sorted(udp_receiver.wait(42), key=mark_of) == got
    # What a filter takes out is missing in the numbers.
    kept = filtered.wait(31)
    assert [mark_of(f)[2] for f in kept] == [i for i in range(42) if i != 3 and not 30 <= i < 40]
    passed, said = once(kept, tmp_path)
    assert passed == kept and [line.split()[0] for line in said] == ["1", "10"]


def test_a_start_of_the_gateway_is_a_beginning(gateway, receiver, tmp_path):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink, framing="lf", mark=True)
    gw.add_drain("blog", sink, framing="lf", mark=True)
    for count in (3, 2):
        before = len(sink.lines)
        gw.send(syslog.numbered("shop", count) + syslog.numbered("blog", count))
        sink.wait(before + 2 * count)
        gw.restart()
    marks = [mark_of(f) for f in sink.texts]
    assert len(set(marks)) == 10
    logs = {log for log, _, _ in marks}
    starts = sorted({start for _, start, _ in marks})
    assert len(logs) == 2 and len(starts) == 2
    for log in logs:
        assert [m[1:] for m in marks if m[0] == log] == \
            [(starts[0], 0), (starts[0], 1), (starts[0], 2), (starts[1], 0), (starts[1], 1)]
    assert once(sink.texts, tmp_path) == (sink.texts, [])


def test_what_waited_on_disk_keeps_its_numbers(gateway, receiver, tmp_path):
    gw, sink = gateway(spool_after="0s"), receiver()
    url = gw.add_drain("shop", sink, framing="lf", mark=True)
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    sink.stop()
    gw.send(syslog.numbered("shop", 200, first=10))
    gw.wait_status("shop", url, lambda s: s["waiting"]["spool"]["lines"] >= 200, "all on disk")
    gw.kill()
    sink.start()
    gw.start()
    gw.send(syslog.numbered("shop", 10, first=210))
    sink.wait_different(220)
    passed, said = once(sink.texts, tmp_path)
    assert syslog.numbers(passed) == list(range(220)) and said == []
    marks = sorted({mark_of(f) for f in sink.texts})
    assert [seq for _, _, seq in marks] == list(range(210)) + list(range(10))
    assert marks[0][1] < marks[-1][1]


def test_an_app_that_was_removed_does_not_give_its_numbers_to_the_next(gateway, receiver):
    gw, sink = gateway(), receiver()
    for _ in range(2):
        gw.add_drain("shop", sink, framing="lf", mark=True)
        before = len(sink.lines)
        gw.send(syslog.numbered("shop", 2))
        sink.wait(before + 2)
        assert gw.request("DELETE", "/v1/apps/shop")[0] == 204
    assert len({mark_of(f) for f in sink.texts}) == 4


VENDORS = {
    "datadog": (lambda: vendors.Datadog("key"), {"token": "key", "drain_region": "eu"}),
    "elk": (lambda: vendors.LogstashJson(), {"format": "json"}),
    "logtail": (lambda: vendors.Logtail("key"), {"token": "key"}),
    "otlp": (lambda: vendors.Otlp(), {}),
}


@pytest.mark.parametrize("drain_type", VENDORS)
def test_over_http(gateway, http_receiver, ca, drain_type):
    """Batches that are refused and split carry the numbers that they carried before."""
    vendor, params = VENDORS[drain_type]
    sink = http_receiver(vendor())
    sink.say(413, 503, 413)
    keys = {"datadog": {"datadog_endpoint": sink.url("/api/v2/logs")},
            "logtail": {"logtail_endpoint": sink.url("/")}}.get(drain_type, {})
    if not keys:
        params = {**params, "url": sink.url("/v1/logs" if drain_type == "otlp" else "/")}
    gw = gateway(ca_file=ca.file, batch_wait="50ms", **keys)
    url = gw.add_drain("shop", type=drain_type, mark=True, exclude="line 7", **params)
    gw.send(syslog.numbered("shop", 60))
    sink.wait(59)
    gw.wait_delivered("shop", url, 59)

    def number(entry):
        if drain_type != "otlp":
            return entry.fields["penstock"]["seq"]
        return int(entry.fields["attributes"]["penstock.seq"])

    assert [(e.message, number(e)) for e in sink.entries] == \
        [(f"line {i}", i) for i in range(60) if i != 7]


def test_over_gelf(gateway):
    sink = GelfReceiver()
    try:
        gw = gateway()
        gw.add_drain("shop", type="gelf", host=sink.host, port=str(sink.port), mark=True)
        gw.send(syslog.numbered("shop", 50))
        messages = sink.wait_messages(50)
    finally:
        sink.stop()
    assert [m["_penstock_seq"] for m in messages] == list(range(50))
    assert len({(m["_penstock_log"], m["_penstock_start"]) for m in messages}) == 1


def test_refused_where_there_is_no_place_for_it(gateway):
    gw = gateway()
    for params in ({"type": "elk", "url": "http://127.0.0.1:1/"},
                   {"type": "https", "url": "http://127.0.0.1:1/"},
                   {"type": "syslog", "host": "h", "port": 514, "format": "rfc3164"}):
        status, body, _ = gw.request("POST", gw.path("shop"), {"drain": {**params, "mark": True}})
        assert status == 422 and list(body["errors"]) == ["mark"], body
