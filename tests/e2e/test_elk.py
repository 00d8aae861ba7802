# An elk drain speaks to Logstash's http input: one request a line, as the
# platform does it, or with a format in batches of JSON documents.

import threading
import time

import pytest

from lib import http_receivers, syslog, vendors


@pytest.mark.threaded
def test_a_line(gateway, http_receiver, ca):
    """The message alone is the body; app and host are in the query, behind what the URL has."""
    logstash = http_receiver(vendors.LogstashLine("/in", {"a": "b c"}, "me:se:cr@t"))
    gw = gateway(ca_file=ca.file)
    url = logstash.url("/in?a=b%20c", user="me:se:cr%40t")
    assert gw.add_drain("shop", type="elk", url=url) == url
    gw.send([syslog.line("shop", "hello world", host="db-3")])
    assert logstash.wait(1) == ["hello world"]
    assert logstash.entries[0].fields == {"appname": "shop", "hostname": "db-3"}
    assert "Content-Encoding" not in logstash.requests[0].headers
    status = gw.wait_delivered("shop", url, 1)
    assert status["type"] == "elk" and status["last_error"] is None


def test_without_tls_and_without_a_query(gateway, http_receiver):
    logstash = http_receiver(vendors.LogstashLine(), tls=False)
    gw = gateway()
    gw.add_drain("shop", type="elk", url=logstash.url())
    gw.send([syslog.line("shop", "a=b&c", host="db/3?x=1#y")])
    assert logstash.wait(1) == ["a=b&c"]
    assert logstash.entries[0].fields == {"appname": "shop", "hostname": "db/3?x=1#y"}


def test_any_byte_of_a_message(gateway, http_receiver):
    logstash = http_receiver(vendors.LogstashLine(), tls=False)
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?framing=octet-counting"])
    gw.add_drain("shop", type="elk", url=logstash.url())
    message = bytes(range(1, 256)) * 2 + b"x"
    gw.send([syslog.line("shop", message)], framing=syslog.octet)
    assert logstash.wait(1)[0].encode("utf-8", "surrogateescape") == message


def test_eight_requests_are_on_their_way(gateway, http_receiver, ca):
    """With 50 ms an answer one request at a time would take 10 s."""
    logstash = http_receiver(vendors.LogstashLine())
    busy, most, lock = [0], [0], threading.Lock()

    def decide(_):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        return Counted(after=0.05)

    class Counted(http_receivers.Answer):
        async def give(self, transport, vendor):
            response = await super().give(transport, vendor)
            with lock:
                busy[0] -= 1
            return response

    logstash.decide = decide
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", type="elk", url=logstash.url())
    begin = time.monotonic()
    gw.send(syslog.numbered("shop", 200))
    logstash.wait(200)
    assert time.monotonic() - begin < 5
    assert sorted(logstash.numbers) == list(range(200))
    assert most[0] == 8 and logstash.connections <= 9
    gw.wait_delivered("shop", url, 200)


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_batches(gateway, http_receiver, ca, form):
    logstash = http_receiver(vendors.LogstashJson("/in", {"a": "b"}, "me:secret",
                                                  ndjson=form == "ndjson"))
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    own = logstash.url("/in?a=b", user="me:secret")
    assert gw.add_drain("shop", type="elk", url=own, format=form) == own + f"#format={form}"
    gw.send([syslog.line("shop", "hello world", host="db-3", pri=8 * 3 + 4)] +
            syslog.numbered("shop", 999))
    assert logstash.wait(1000)[0] == "hello world"
    assert logstash.messages[1:] == [f"line {i}" for i in range(999)]
    first = logstash.entries[0].fields
    assert vendors.rfc3339(first["@timestamp"]) == vendors.rfc3339(syslog.STAMP)
    assert first["app"] == "shop" and first["proc"] == "web-1"
    assert "db-3" in str(first["host"])
    assert "warn" in str(first["severity"]) or first["severity"] == 4
    assert len(logstash.requests) < 50
