# Whatever bytes a line has, what goes out as JSON is valid JSON in UTF-8, and
# no neighbour in the batch suffers.

import random

import pytest

from lib import syslog, vendors

HOSTILE = [
    bytes(range(256)), b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xed\xa0\xbd\xed\xb8\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b'"\\/\b\f\n\r\t\x7f',
    "é ✓ 😀 \u2028\u2029\ufeff\uffff".encode(), b"\\u0000 \\ud800", b"]}" * 10, b"",
]


@pytest.mark.threaded
def test_every_json_type(gateway, http_receiver, ca):
    intake, tail = http_receiver(vendors.Datadog("KEY")), http_receiver(vendors.Logtail("KEY"))
    elk, nd = (http_receiver(vendors.LogstashJson(ndjson=n)) for n in (False, True))
    otlp = http_receiver(vendors.Otlp())
    gw = gateway(ca_file=ca.file, batch_wait="100ms", logtail_endpoint=tail.url(),
                 datadog_endpoint=intake.url("/api/v2/logs"),
                 listen=["syslog+tcp://127.0.0.1:0?framing=octet-counting"])
    gw.add_drain("shop", type="datadog", token="KEY", drain_region="eu")
    gw.add_drain("shop", type="logtail", token="KEY")
    gw.add_drain("shop", type="elk", url=elk.url(), format="json")
    gw.add_drain("shop", type="elk", url=nd.url(), format="ndjson")
    gw.add_drain("shop", type="otlp", url=otlp.url("/v1/logs"))

    rng = random.Random(7)
    texts = HOSTILE + [rng.randbytes(rng.randrange(1, 200)) for _ in range(300)]
    lines = []
    for i, text in enumerate(texts):
        lines += [syslog.line("shop", b"%d <" % i + text + b">"), syslog.line("shop", f"good {i}")]
    gw.send(lines, framing=syslog.octet)

    for sink in (intake, tail, elk, nd, otlp):
        messages = sink.wait(len(lines))
        assert messages[1::2] == [f"good {i}" for i in range(len(texts))]
        for i, (text, message) in enumerate(zip(texts, messages[::2])):
            assert message == f"{i} <" + text.decode("utf-8", "replace") + ">"


def test_headers_of_a_line(gateway, http_receiver, ca):
    """Fields that are no UTF-8, or end nothing where they stand in a URL, a header or JSON."""
    elk, lines = http_receiver(vendors.LogstashJson()), http_receiver(vendors.LogstashLine())
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    gw.add_drain("shop", type="elk", url=elk.url(), format="json")
    gw.add_drain("shop", type="elk", url=lines.url())
    odd = 'a"b\\c&d=e%0d%0a#f?g'
    gw.send([syslog.line("shop", "odd", host=odd, proc=odd)])
    elk.wait(1), lines.wait(1)
    document = elk.entries[0].fields
    assert document["host"] == {"name": odd} and document["proc"] == odd
    assert lines.entries[0].fields["hostname"] == odd
