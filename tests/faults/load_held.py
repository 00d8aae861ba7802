"""How many lines a second penstock and the other routers hold: for some seconds all lines arrive,
once, nothing falls behind, and nobody slows the sender down.

Not one of script/test's: script/faults runs it.  Sender (bench/flood), router and receiver
(bench/sink) share the machine.
"""

import json
import subprocess
import types

import pytest

from faults.lib import peers, read_back, report
from lib import address
from lib.gateway import PENSTOCKD, Gateway

BENCH = read_back.TOOLS.parents[1] / "bench"
APPS, CONNECTIONS, SIZE, PORT = 10, 8, 200, 7000
SECONDS = 5
STEPS = [250, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 400000, 800000, 1600000]

# Router: (what makes it, the step to begin with).
ROUTERS = {
    "penstock": (None, 50000),
    "rsyslog": (peers.RsyslogInMemory, 5000),
    "rsyslog, each line to disk first": (peers.Rsyslog, 250),
    "syslog-ng": (peers.SyslogNg, 5000),
}


def held(start, rate, folder):
    """Whether a router that start() makes holds that rate; it is started afresh."""
    lines, host = rate * SECONDS, address.fresh()
    sink = subprocess.Popen(
        [BENCH / "sink", "--listen", f"{host}:{PORT}", "--ports", str(APPS), "--expect", str(lines),
         "--seconds", str(3 * SECONDS), "--quiet-ms", "3000"], stdout=subprocess.PIPE)
    router = None
    try:
        router = start(folder, host)
        flood = subprocess.run(
            [BENCH / "flood", "--to", f"{router.host}:{router.port()}", "--lines", str(lines),
             "--apps", str(APPS), "--connections", str(CONNECTIONS), "--size", str(SIZE), "--framing", "lf",
             "--rate", str(rate), "--seconds", str(3 * SECONDS)], stdout=subprocess.PIPE,
            timeout=60)
        sent = json.loads(flood.stdout)
        came = json.loads(sink.communicate(timeout=60)[0])
    finally:
        if router is not None:
            router.kill()
        sink.kill()
        sink.wait()
    return (flood.returncode == 0 and sent["seconds"] < 1.1 * SECONDS and came["missing"] == 0 and
            came["duplicated"] == came["misrouted"] == came["misparsed"] == 0 and
            came["seconds"] < 1.1 * SECONDS)


def start_penstock(folder, host):
    gw = Gateway(folder, workers=None).start()
    gw.host = "127.0.0.1"
    for i in range(APPS):
        gw.add_drain(f"app{i:05}", type="syslog", host=host, port=str(PORT + i))
    return gw


def start_peer(peer):
    def start(folder, host):
        router = peer(folder)
        for i in range(APPS):
            router.add_drain(f"app{i:05}", types.SimpleNamespace(host=host, port=PORT + i))
        return router.start()

    return start


@pytest.mark.parametrize("router", ROUTERS)
def test_load(tmp_path, router):
    peer, first = ROUTERS[router]
    if peer is not None and peer.why_not():
        pytest.skip(peer.why_not())
    best = 0
    for n, rate in enumerate(s for s in STEPS if s >= first):
        start = start_penstock if peer is None else start_peer(peer)
        # A machine that others use, too, may hiccup once.
        if not any(held(start, rate, tmp_path / f"{n}-{attempt}") for attempt in range(2)):
            break
        best = rate
    version = peer.version() if peer else subprocess.run(
        [PENSTOCKD, "--version"], capture_output=True, timeout=10).stdout.decode().strip()
    report.record_load(router, best, version, f"not {rate}" if best < rate else "")
    assert best > 0 or peer is not None
