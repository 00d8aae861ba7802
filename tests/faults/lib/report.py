"""What the cases found out, as files, and the table that is made of them.

A case calls record() once for each way that it injects its fault (a variant),
whatever came out, before it asserts anything.  The files go to the folder in
PENSTOCK_FAULTS_RESULTS, which script/faults sets; without it nothing is written.
"""

import json
import os
import pathlib
import re

RESULTS = "PENSTOCK_FAULTS_RESULTS"

# Number: the fault, and what a gateway without any would do.
CASES = {
    1: ("a drain refuses connections", "backs off, keeps the lines, delivers all in order"),
    2: ("a drain's packets vanish", "gives up on the connect; other drains are as fast as before"),
    3: ("a receiver reads 1 kB/s", "bounded memory; what waits is on disk"),
    4: ("a reset within a frame", "whole frames again; none spliced"),
    5: ("the receiver closes an idle connection", "the next line is not lost"),
    6: ("a receiver stops, then is killed", "sends again what was not read; few duplicates"),
    7: ("a receiver accepts and never shakes hands", "gives up on the handshake, keeps the lines"),
    8: ("a drain's certificate is expired, of another host, revoked",
        "sends nothing, names the fault, tries again"),
    9: ("429, 500, no answer, garbage, endless headers",
        "honours Retry-After, gives up, tries again; 400 and 413 cost one entry, counted"),
    10: ("the name server is gone, then the name moves", "uses the old address, then follows"),
    11: ("a name turns into 127.0.0.1", "does not connect to it"),
    12: ("kill -9, over and over, under load", "no acknowledged line is lost; up in a second"),
    13: ("kill -9 during a change of drains", "the old or the new record, never half"),
    14: ("the disk is full", "slows its senders, goes on by itself"),
    15: ("the spool's map is full", "the same, and deleting works"),
    16: ("a flipped bit in a chunk on disk", "loses that chunk, counts it, says so"),
    17: ("the spool's file is cut or its head damaged",
         "puts it aside, says so loudly, starts; drains are all there"),
    18: ("power is cut", "opens; what was synced is there"),
    19: ("64 file descriptors", "does not spin; goes on when there are some"),
    20: ("little memory, and all drains are down", "stops reading; is not killed"),
    21: ("10,000 idle TLS connections", "250 MB at most; as fast as before"),
    22: ("connections come and go, half of a handshake each", "those that are there keep on"),
    23: ("frames byte by byte, nine-digit counts", "a deadline, bounded memory"),
    24: ("the clock jumps by an hour", "no timer notices"),
    25: ("certificates change, drains go, restarts, under load",
         "no line is lost, none goes to another app"),
}

ROUTERS = ("penstock", "rsyslog", "syslog-ng")


def record(case, router="penstock", variant="", *, passed, offered=None, expected=None, rate=None,
           lost_acked=None, lost=None, counted=None, duplicates=None, reordered=None,
           misrouted=None, altered=None, recovery=None, p99_ms=None, note=""):
    """One result.

    passed      whether this run is what the case asks for
    offered     lines sent;  rate  of them a second
    expected    lines that should have come, to all drains together
    lost_acked  lines that were acknowledged to the sender and never came
    lost        lines that were sent without being acknowledged and never came
    counted     what of these the router's own counters (or notices) say
    recovery    seconds from the end of the fault until nothing was behind
    p99_ms      from sending to receiving, of drains that the fault is not about
    note        in words, short: stands in the table
    """
    assert case in CASES and router in ROUTERS, (case, router)
    folder = os.environ.get(RESULTS)
    if not folder:
        return
    values = {k: v for k, v in locals().items() if k not in ("folder",) and v is not None}
    _write(folder, f"{case:02}-{router}-{variant}", values)


def record_load(router, lines, version, note=""):
    """How many lines a second it holds: none lost, none late, the sender not slowed down."""
    folder = os.environ.get(RESULTS)
    if folder:
        _write(folder, f"load-{router}", {"load": lines, "router": router, "version": version,
                                          "note": note})


def _write(folder, name, values):
    name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    path = pathlib.Path(folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n")
