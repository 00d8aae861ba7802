# A million lines of a hundred apps, as fast as eight senders can: each arrives
# once, at its own app's drain, in order for each connection and app, whether
# one worker has all apps or three have them between them.

import json
import pathlib
import socket
import subprocess

import pytest

from lib import address, wait
from lib.gateway import PENSTOCKD

BENCH = pathlib.Path(PENSTOCKD).parent / "bench"
APPS = 100
LINES = 1_000_000
SECONDS = 100


@pytest.mark.parametrize("workers", [1, 3])
def test_arrive_complete_and_in_order(gateway, workers):
    gw = gateway(workers=workers)
    host = address.fresh()
    sink = subprocess.Popen(
        [BENCH / "sink", "--listen", f"{host}:5140", "--expect", str(LINES),
         "--quiet-ms", "5000", "--seconds", str(SECONDS)], stdout=subprocess.PIPE)
    try:
        wait_for(host)
        for i in range(APPS):
            gw.add_drain(f"app{i:05}", type="syslog", host=host, port="5140",
                         framing="octet-counting")
        subprocess.run(
            [BENCH / "flood", "--to", f"tcp://{gw.addresses[0]}", "--lines", str(LINES),
             "--apps", str(APPS), "--connections", "8", "--size", "200", "--framing", "octet",
             "--seconds", str(SECONDS)], check=True, stdout=subprocess.DEVNULL, timeout=SECONDS + 5)
        out, _ = sink.communicate(timeout=SECONDS + 5)
    finally:
        sink.kill()
        sink.wait()
    result = json.loads(out)
    assert result["delivered"] == LINES, result
    assert not any(result[fault] for fault in
                   ("missing", "duplicated", "reordered", "misrouted", "misparsed")), result


def wait_for(host):
    """The receiver listens: a connection without a line is nothing to it."""
    def listens():
        try:
            socket.create_connection((host, 5140), 1).close()
            return True
        except OSError:
            return False

    wait.until(listens, lambda: "the sink listens")
