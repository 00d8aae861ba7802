# A batch with an entry that the receiver will not have: that entry alone is
# dropped, counted and shown as the last dead letter; all others arrive, once.

import pytest

from lib import http_receivers, syslog, vendors


@pytest.fixture
def shop(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="100ms")
    url = gw.add_drain("shop", type="https", url=sink.url())
    return gw, url, sink


def everything_but(sink, gw, url, wanted, dropped):
    sink.wait(len(wanted))
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "empty")
    assert sink.messages == wanted, "all others, once, in order"
    assert status["dropped"]["refused"] == dropped
    assert status["delivered"]["lines"] == len(wanted)
    assert status["state"] in ("connected", "idle")
    return status


@pytest.mark.threaded
@pytest.mark.parametrize("code", [400, 422])
def test_one_bad_entry(shop, code):
    gw, url, sink = shop

    def decide(request):
        if "poison" in [e.message for e in request.lines]:
            return http_receivers.Answer(code, b'{"errors":["entry is bad"]}')
        return None

    sink.decide = decide
    lines = syslog.numbered("shop", 300)
    lines[123] = syslog.line("shop", "poison")
    gw.send(lines)
    wanted = [f"line {i}" for i in range(300) if i != 123]
    status = everything_but(sink, gw, url, wanted, 1)
    assert len(sink.requests) < 40, "found by halving"
    letter = status["last_dead_letter"]
    assert letter["status"] == code and "entry is bad" in letter["error"]
    assert letter["line"].endswith("poison")
    assert letter["line"].encode() == lines[123]


@pytest.mark.parametrize("places", [(0,), (299,), (0, 1, 298, 299), (10, 100, 200)])
def test_bad_entries_anywhere(shop, places):
    gw, url, sink = shop
    sink.decide = lambda request: 400 if "poison" in [e.message for e in request.lines] else None
    lines = syslog.numbered("shop", 300)
    for i in places:
        lines[i] = syslog.line("shop", "poison")
    gw.send(lines)
    everything_but(sink, gw, url, [f"line {i}" for i in range(300) if i not in places], len(places))


def test_among_lines_that_the_drain_does_not_want(gateway, http_receiver, ca):
    """Halves of a batch may have no line that is wanted."""
    sink = http_receiver(vendors.Logplex())
    sink.decide = lambda request: 400 if "poison" in [e.message for e in request.lines] else None
    gw = gateway(ca_file=ca.file, batch_wait="100ms")
    url = gw.add_drain("shop", type="https", url=sink.url(), exclude="line 1")
    lines = syslog.numbered("shop", 200)
    lines[150] = lines[20] = syslog.line("shop", "poison")
    gw.send(lines)
    wanted = [f"line {i}" for i in range(200) if i != 20 and not str(i).startswith("1")]
    everything_but(sink, gw, url, wanted, 2)
    assert gw.status("shop", url)["filtered"] == 200 - 2 - len(wanted)


def test_only_bad_entries(shop):
    """One after the other, with pauses: it might be the receiver."""
    gw, url, sink = shop
    sink.decide = lambda request: 400 if "poison" in [e.message for e in request.lines] else None
    gw.send([syslog.line("shop", "poison")] * 5)
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["refused"] == 5, "5 refused")
    assert status["waiting"]["memory"]["lines"] == 0 and status["delivered"]["lines"] == 0
    gw.send(syslog.numbered("shop", 3))
    assert sink.wait(3) == ["line 0", "line 1", "line 2"]
    assert gw.wait_delivered("shop", url, 3)["state"] in ("connected", "idle")


def test_batches_that_are_too_large(shop):
    """413 for more than 50 entries: smaller ones pass, nothing is dropped."""
    gw, url, sink = shop
    sink.decide = lambda request: 413 if len(request.lines) > 50 else None
    gw.send(syslog.numbered("shop", 1000))
    everything_but(sink, gw, url, [f"line {i}" for i in range(1000)], 0)
    assert len(sink.requests) < 200


def test_one_entry_that_is_too_large(shop):
    gw, url, sink = shop
    sink.decide = lambda request: 413 if len(request.body) > 20_000 else None
    long = syslog.line("shop", "long " + "x" * 30_000)
    gw.send(syslog.numbered("shop", 10) + [long] + syslog.numbered("shop", 10, first=10))
    status = everything_but(sink, gw, url, [f"line {i}" for i in range(20)], 1)
    letter = status["last_dead_letter"]
    assert letter["status"] == 413 and "long xxx" in letter["line"]
    assert len(letter["line"]) < 5_000, "its beginning will do"


def test_a_server_that_fails_in_between(shop):
    """Splitting survives answers that mean: not now."""
    gw, url, sink = shop
    turn = [0]

    def decide(request):
        turn[0] += 1
        if turn[0] == 4:
            return 503
        return 400 if "poison" in [e.message for e in request.lines] else None

    sink.decide = decide
    lines = syslog.numbered("shop", 100)
    lines[77] = syslog.line("shop", "poison")
    gw.send(lines)
    everything_but(sink, gw, url, [f"line {i}" for i in range(100) if i != 77], 1)
