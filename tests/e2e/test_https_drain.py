# An https drain delivers batches of application/logplex-1, as Heroku's HTTPS
# drains do: octet-counted lines without structured data, counted in a header,
# under an id that a retry keeps.

import pytest

from lib import syslog, vendors


@pytest.mark.threaded
def test_lines(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex("/logs", "me:secret"))
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    url = gw.add_drain("shop", type="https", url=sink.url("/logs?x=1", user="me:secret"))
    gw.send([syslog.line("shop", "hello world", host="db-3", sd='[a b="c"]')] +
            syslog.numbered("shop", 1999))
    assert sink.wait(2000)[0] == "hello world"
    assert sink.messages[1:] == [f"line {i}" for i in range(1999)]
    assert sink.entries[0].fields == {
        "pri": 14, "stamp": syslog.STAMP.encode(), "host": b"db-3", "app": b"shop",
        "proc": b"web-1", "msgid": b"-"}
    ids = [r.headers["Logplex-Frame-Id"] for r in sink.requests]
    assert len(set(ids)) == len(ids) < 200
    assert len({r.headers["Logplex-Drain-Token"] for r in sink.requests}) == 1
    assert all(r.query == {"x": "1"} for r in sink.requests)
    gw.wait_delivered("shop", url, 2000)


def test_a_retry_has_the_same_id_and_the_same_body(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    gw.add_drain("shop", type="https", url=sink.url())
    sink.say(500, 503)
    gw.send(syslog.numbered("shop", 10))
    sink.wait_requests(1)
    gw.send(syslog.numbered("shop", 10, first=10))
    sink.wait(20)
    assert sink.numbers == list(range(20))
    first, second, third, *rest = sink.requests
    assert first.body == second.body == third.body
    ids = [r.headers["Logplex-Frame-Id"] for r in (first, second, third)]
    assert len(set(ids)) == 1
    assert not {r.headers["Logplex-Frame-Id"] for r in rest} & set(ids)


def test_two_drains_have_ids_and_tokens_of_their_own(gateway, http_receiver, ca):
    one, other = http_receiver(vendors.Logplex()), http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file)
    gw.add_drain("shop", type="https", url=one.url())
    gw.add_drain("shop", type="https", url=other.url())
    gw.send(syslog.numbered("shop", 1))
    one.wait(1), other.wait(1)
    for name in ("Logplex-Frame-Id", "Logplex-Drain-Token"):
        assert one.requests[0].headers[name] != other.requests[0].headers[name]


def test_a_line_with_line_feeds_stays_one(gateway, http_receiver):
    sink = http_receiver(vendors.Logplex(), tls=False)
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?framing=octet-counting"])
    gw.add_drain("shop", type="https", url=sink.url())
    gw.send([syslog.line("shop", "a\n12 <14>1 b")], framing=syslog.octet)
    assert sink.wait(1) == ["a\n12 <14>1 b"]
