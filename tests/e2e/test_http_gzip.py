# Bodies are compressed, or not, as the drain's option says.

import pytest

from lib import syslog, vendors


@pytest.mark.parametrize("gzip", ["true", "false"])
def test_gzip(gateway, http_receiver, ca, gzip):
    """The receiver takes both, and fails what is not what its header says."""
    https, intake = http_receiver(vendors.Logplex()), http_receiver(vendors.Datadog("KEY"))
    gw = gateway(ca_file=ca.file, batch_wait="50ms", datadog_endpoint=intake.url("/api/v2/logs"))
    gw.add_drain("shop", type="https", url=https.url(), gzip=gzip)
    gw.add_drain("shop", type="datadog", token="KEY", drain_region="eu", gzip=gzip)
    gw.send([syslog.line("shop", f"line {i} " + "x" * 500) for i in range(1000)])
    for sink in (https, intake):
        sink.wait(1000)
        assert sink.numbers == list(range(1000))
        wanted = "gzip" if gzip == "true" else None
        assert {r.headers.get("Content-Encoding") for r in sink.requests} == {wanted}
        compressed = sum(r.wire for r in sink.requests) < sum(len(r.body) for r in sink.requests) / 3
        assert compressed == (gzip == "true")
