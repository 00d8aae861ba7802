# 10,000 drains whose receivers are away: what waits for them is on disk, and the
# gateway stays small, takes lines and goes on delivering to others.

import concurrent.futures
import pathlib
import re

import pytest

from lib import receivers, syslog
from lib.gateway import SANITIZED

DRAINS = 2_000 if SANITIZED else 10_000
ROUNDS = 10
MIB = 1 << 20


def anonymous_bytes(gw):
    status = pathlib.Path(f"/proc/{gw.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) * 1024


def add_all(gw, host, port):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: gw.add_drain(f"app-{i}", type="syslog", host=host,
                                             port=str(port)), range(DRAINS)))


def send_round(sock, round_, size):
    filler = "x" * size
    for first in range(0, DRAINS, 500):
        sock.sendall(syslog.lf([syslog.line(f"app-{i}", f"line {round_} {filler}")
                                for i in range(first, min(first + 500, DRAINS))]))


@pytest.mark.timeout(600)
def test_they_fit_in_little_memory(gateway, receiver):
    gw, sink = gateway(workers=2, stop_timeout="1s"), receiver()
    host, port = receivers.refused()
    add_all(gw, host, port)
    url = gw.add_drain("healthy", sink)
    with gw.connect() as sock:
        for round_ in range(ROUNDS):
            send_round(sock, round_, 2000)
            sock.sendall(syslog.lf([syslog.line("healthy", f"line {round_}")]))
    assert syslog.numbers(sink.wait(ROUNDS)) == list(range(ROUNDS))
    # 200 MB in all, of which nothing was delivered.
    for i in (0, DRAINS // 2, DRAINS - 1):
        drain = gw.drains(f"app-{i}")[0]["url"]
        status = gw.wait_status(f"app-{i}", drain,
                                lambda s: s["waiting"]["spool"]["lines"] == ROUNDS, "on disk")
        assert status["dropped"]["memory"] == 0
    assert SANITIZED or anonymous_bytes(gw) < 300 * MIB, anonymous_bytes(gw) // MIB
    print("RssAnon", anonymous_bytes(gw) // MIB)
    assert gw.wait_delivered("healthy", url, ROUNDS)["retries"] == 0
