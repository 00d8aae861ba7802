# What a drain wants: from a severity on, with one of some words, without others,
# so many lines a second.  Skipped lines cost others nothing, and are counted.

import re

import pytest

from lib import syslog, vendors


def texts(sink):
    return [syslog.parse(t).msg.decode() for t in sink.texts]


@pytest.mark.threaded
def test_min_severity(gateway, receiver):
    gw, all_of_them, warnings = gateway(), receiver(), receiver()
    gw.add_drain("shop", all_of_them)
    url = gw.add_drain("shop", warnings, min_severity="warning")
    assert "min_severity=warning" in url
    gw.send([syslog.line("shop", f"line {i}", pri=8 * 16 + i % 8) for i in range(80)])
    all_of_them.wait(80)
    assert syslog.numbers(warnings.wait(50)) == [i for i in range(80) if i % 8 <= 4]
    status = gw.wait_delivered("shop", url, 50)
    assert status["filtered"] == 30 and status["waiting"]["memory"]["lines"] == 0
    assert status["dropped"] == dict.fromkeys(status["dropped"], 0)


def test_match_and_exclude(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink, match=["GET ", "POST "], exclude=["/healthz", "/metrics"])
    gw.send([syslog.line("shop", t) for t in
             ("GET /", "get /", "GET /healthz", "POST /metrics", "POST /x", "PUT /x", "xGET y",
              "GET", "end GET ")])
    sink.wait(4)
    gw.wait_delivered("shop", url, 4)
    assert texts(sink) == ["GET /", "POST /x", "xGET y", "end GET "]
    assert gw.status("shop", url)["filtered"] == 5


def test_only_the_message_is_looked_at(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink, match="web-1")
    gw.send([syslog.line("shop", "no"), syslog.line("shop", "from web-1")])
    sink.wait(1)
    assert texts(sink) == ["from web-1"]


def test_over_http(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    url = gw.add_drain("shop", type="https", url=sink.url(), min_severity="error", exclude="7")
    gw.send([syslog.line("shop", f"line {i}", pri=8 + i % 8) for i in range(400)])
    wanted = [i for i in range(400) if i % 8 <= 3 and "7" not in str(i)]
    sink.wait(len(wanted))
    assert sink.numbers == wanted
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "done")
    assert status["filtered"] == 400 - len(wanted)


def test_nothing_but_unwanted_lines(gateway, http_receiver, receiver, ca):
    """No connection is made for them, and they do not wait."""
    sink, stream = http_receiver(vendors.Logplex()), receiver()
    gw = gateway(ca_file=ca.file, batch_wait="0")
    urls = [gw.add_drain("shop", type="https", url=sink.url(), match="nothing has this"),
            gw.add_drain("shop", stream, match="nothing has this")]
    gw.send(syslog.numbered("shop", 5000))
    for url in urls:
        gw.wait_status("shop", url, lambda s: s["filtered"] == 5000, "filtered")
        status = gw.status("shop", url)
        assert status["waiting"]["memory"]["lines"] == 0 and status["state"] == "idle"
    assert sink.connections == 0 and stream.accepted == 0


@pytest.mark.threaded
@pytest.mark.parametrize("kind", ["stream", "http"])
def test_rate(gateway, receiver, http_receiver, ca, kind):
    """The excess is counted, and said in the stream; another drain has everything."""
    healthy = receiver()
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    gw.add_drain("shop", healthy)
    if kind == "stream":
        sink = receiver()
        url = gw.add_drain("shop", sink, rate="100")
    else:
        sink = http_receiver(vendors.Logplex())
        url = gw.add_drain("shop", type="https", url=sink.url(), rate="100")
    assert "rate=100" in url
    gw.send(syslog.numbered("shop", 3000))
    healthy.wait(3000)
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["rate"] > 0 and
                            s["waiting"]["memory"]["lines"] == 0, "excess dropped")
    assert 2000 < status["dropped"]["rate"] <= 2900
    # A line that is within the rate again brings the word of those that were not.
    said = []
    for i in range(3000, 3100):
        gw.send(syslog.numbered("shop", 1, first=i))
        messages = texts(sink) if kind == "stream" else sink.messages
        said = [m for m in messages if m.startswith("Error: ")]
        if sum(int(m.split()[1]) for m in said) == gw.status("shop", url)["dropped"]["rate"]:
            break
    assert said and all(re.fullmatch(
        r"Error: \d+ lines dropped since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(over its rate\)", m)
        for m in said), said
    numbers = [int(m.split()[1]) for m in messages if m not in said]
    assert numbers == sorted(set(numbers)) and numbers[0] == 0
    assert len(numbers) <= 1000
