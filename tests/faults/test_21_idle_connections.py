# 21. Many idle TLS connections cost little memory, and those that send are
# served as before.

import resource
import ssl

import pytest

from lib.gateway import SANITIZED

from faults.lib.rig import anonymous_bytes, times

IDLE = times(1000, 10000)
BYTES_EACH = 25000  # 250 MB for 10,000


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * IDLE + 1000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_tls_connections(rig, ca, many_files):
    pair = ca.issue(ips=[rig.host])
    sinks = rig.sink(), rig.sink()
    gw = rig.start(listen=[f"syslog+tls://{rig.host}:0"], tls_cert=pair.cert, tls_key=pair.key)
    for i, sink in enumerate(sinks):
        rig.drain(f"a{i}", sink)
    context = ssl.create_default_context(cafile=str(ca.file))
    rig.offer(["a0", "a1"], tls=context)
    rig.run(0.5)
    before = anonymous_bytes(gw.pid)
    crowd = []
    for _ in range(IDLE):
        sock = gw.connect()
        crowd.append(context.wrap_socket(sock, server_hostname=rig.host))
    rig.run(times(1, 30))
    used = anonymous_bytes(gw.pid) - before
    with rig.fault():
        for sock in crowd:
            sock.close()
    rig.run(0.5)
    rig.verdict(note=f"{used // IDLE} bytes a connection")
    assert SANITIZED or used <= IDLE * BYTES_EACH, f"{used // IDLE} bytes a connection"
