# A gelf drain delivers GELF 1.1 over TCP and TLS, a NUL behind each message.

import pytest

from lib import address, receivers, syslog
from lib.gelf import GelfReceiver


@pytest.fixture
def graylog():
    made = []

    def make(**more):
        made.append(GelfReceiver(**more))
        return made[-1]

    yield make
    for r in made:
        r.stop()


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_lines(gateway, graylog, ca, protocol):
    host = address.fresh()
    context = receivers.tls_context(ca.issue(ips=[host])) if protocol == "tls" else None
    sink = graylog(host=host, tls=context)
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", type="gelf", host=host, port=str(sink.port), protocol=protocol)
    gw.send([syslog.line("shop", "hello world", host="db-3", pri=8 * 3 + 4)] +
            syslog.numbered("shop", 500))
    messages = sink.wait_messages(501)
    first = messages[0]
    assert first["short_message"] == "hello world" and first["host"] == "db-3"
    assert first["level"] == 4
    assert abs(first["timestamp"] - 1589447564.123456) < 0.001
    assert "shop" in [v for k, v in first.items() if k.startswith("_")]
    assert [m["short_message"] for m in messages[1:]] == [f"line {i}" for i in range(500)]
    gw.wait_delivered("shop", url, 501)
    assert gw.status("shop", url)["type"] == "gelf"


def test_any_byte_is_valid_json(gateway, graylog):
    sink = graylog()
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?framing=octet-counting"])
    gw.add_drain("shop", type="gelf", host=sink.host, port=str(sink.port), protocol="tcp")
    gw.send([syslog.line("shop", bytes(range(256)) + b"end")], framing=syslog.octet)
    message, = sink.wait_messages(1)
    text = message.get("full_message", message["short_message"])
    assert text.endswith("\ufffdend") and '"' in text and "\\" in text


def test_an_empty_message(gateway, graylog):
    """short_message must not be empty: Graylog throws such a message away."""
    sink = graylog()
    gw = gateway()
    gw.add_drain("shop", type="gelf", host=sink.host, port=str(sink.port), protocol="tcp")
    gw.send([syslog.line("shop", ""), syslog.line("shop", "behind it")])
    assert sink.wait_messages(2)[1]["short_message"] == "behind it"
