# A TLS receiver that demands a client certificate, of which we have none, refuses
# after the handshake when it speaks TLS 1.3: lines written by then are neither
# lost nor counted as delivered, and arrive once it demands none.

import ssl
import time

import pytest

from lib import address, receivers, syslog


def demanding(pair, ca, version):
    context = receivers.tls_context(pair)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.threaded
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_all_lines_arrive_later(gateway, receiver, ca, version):
    host = address.fresh()
    pair = ca.issue(ips=[host])
    gw = gateway(ca_file=ca.file)
    sink = receiver(host=host, tls=demanding(pair, ca, version))
    url = gw.add_drain("shop", sink, protocol="tls")
    count = 0
    for tries in range(1, 4):  # more lines while it is tried again
        gw.send(syslog.numbered("shop", 100, first=count))
        count += 100
        status = gw.wait_status("shop", url, lambda s: s["retries"] >= tries, "another try")
        assert status["delivered"] == {"lines": 0, "bytes": 0}
    status = gw.status("shop", url)
    assert status["state"] == "retrying" and "alert" in status["last_error"]["error"]
    assert sum(status["waiting"][where]["lines"] for where in ("memory", "spool")) == count and sink.lines == []

    sink.stop()
    sink.tls = receivers.tls_context(pair)
    sink.start()
    assert syslog.numbers(sink.wait(count)) == list(range(count))
    status = gw.wait_delivered("shop", url, count)
    assert status["delivered"]["lines"] == count
    assert not any(status["dropped"].values())
    time.sleep(0.3)
    assert len(sink.lines) == count
