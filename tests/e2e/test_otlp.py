# An otlp drain delivers OTLP/HTTP logs in JSON, as the OpenTelemetry
# specification maps its messages.

import pytest

from lib import syslog, vendors


@pytest.mark.threaded
def test_lines(gateway, http_receiver, ca):
    collector = http_receiver(vendors.Otlp())
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    url = gw.add_drain("shop", type="otlp", url=collector.url("/v1/logs"))
    gw.send([syslog.line("shop", "hello world", host="db-3")] + syslog.numbered("shop", 999))
    assert collector.wait(1000)[0] == "hello world"
    assert collector.messages[1:] == [f"line {i}" for i in range(999)]
    first = collector.entries[0].fields
    assert first["timeUnixNano"] == "1589447564123456000"
    everything = {**first["resource"], **first["attributes"]}
    assert everything["service.name"] == "shop" and everything["host.name"] == "db-3"
    assert len(collector.requests) < 50
    gw.wait_delivered("shop", url, 1000)


def test_severities(gateway, http_receiver, ca):
    """The mapping of the logs data model's appendix: emerg is FATAL, debug DEBUG."""
    collector = http_receiver(vendors.Otlp())
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    gw.add_drain("shop", type="otlp", url=collector.url("/v1/logs"))
    gw.send([syslog.line("shop", f"line {s}", pri=8 + s) for s in range(8)])
    collector.wait(8)
    numbers = [e.fields["severityNumber"] for e in collector.entries]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] >= 21 and 17 <= numbers[3] <= 20 and 13 <= numbers[4] <= 16
    assert 9 <= numbers[6] <= 12 and 5 <= numbers[7] <= 8


def test_records_that_the_collector_says_it_threw_away(gateway, http_receiver, ca):
    """A partial success is a success: nothing goes out again, the loss is counted."""
    collector = http_receiver(vendors.Otlp())
    collector.vendor.accepted = (200, b'{"partialSuccess":{"rejectedLogRecords":"3",'
                                      b'"errorMessage":"no room"}}')
    gw = gateway(ca_file=ca.file, batch_wait="300ms")
    url = gw.add_drain("shop", type="otlp", url=collector.url("/v1/logs"))
    gw.send(syslog.numbered("shop", 10))
    collector.wait(10)
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "done")
    assert status["dropped"]["refused"] == 3 * len(collector.requests)
    assert len(collector.entries) == 10
