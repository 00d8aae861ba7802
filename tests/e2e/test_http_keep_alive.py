# Connections are kept and used again: many batches, one connection.

import pytest

from lib import syslog, vendors


@pytest.mark.parametrize("tls", [True, False])
def test_one_connection_for_many_batches(gateway, http_receiver, ca, tls):
    sink = http_receiver(vendors.Logplex(), tls=tls)
    gw = gateway(ca_file=ca.file, batch_wait="0")
    gw.add_drain("shop", type="https", url=sink.url())
    for i in range(30):
        gw.send(syslog.numbered("shop", 1, first=i))
        sink.wait(i + 1)
    assert len(sink.requests) == 30
    assert sink.connections <= 2
