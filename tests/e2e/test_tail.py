# GET /v1/apps/:app/tail: an app's lines live, as text, RFC 5424 or server-sent
# events, filtered; drains of the app, or none, make no difference to it.

import json
import re
import time

import pytest

from lib import syslog, tails, wait


@pytest.fixture
def tail():
    made = []

    def make(*args, **more):
        made.append(tails.Curl(*args, **more))
        return made[-1]

    yield make
    for t in made:
        t.stop()


def make_app(gw, name):
    status, body, _ = gw.request("POST", "/v1/apps", {"app": {"name": name}})
    assert status == 201
    return body["app"]["id"]


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_lines_appear_as_they_come(gateway, receiver, tail, workers):
    gw, sink = gateway(workers=workers), receiver()
    gw.add_drain("shop", sink)
    gw.send([syslog.line("shop", "before anybody looked")])
    sink.wait(1)
    t = tail(gw, "shop")
    assert t.status == 200
    assert "content-type: text/plain; charset=utf-8" in t.head.lower()
    assert "transfer-encoding: chunked" in t.head.lower()
    with gw.connect() as s:
        for i in range(5):
            s.sendall(syslog.lf([syslog.line("shop", f"line {i}"), syslog.line("ghost", "other")]))
            t.wait(b"line %d\n" % i)
    gw.send([syslog.line("shop", "without a process", proc="-")])
    t.wait(b"without a process\n")
    assert t.lines == [f"{syslog.STAMP} web-1 shop[web-1]: line {i}".encode() for i in range(5)] + \
        [f"{syslog.STAMP} web-1 shop: without a process".encode()]
    assert syslog.numbers(sink.wait(7)[1:6]) == list(range(5))


@pytest.mark.threaded
def test_an_app_without_drains(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    gw.send([syslog.line("shop", "nobody looks")])
    t, other = tail(gw, "shop"), tail(gw, "shop")
    gw.send(syslog.numbered("shop", 1000))
    t.wait(b"line 999\n")
    other.wait(b"line 999\n")
    assert t.lines == other.lines
    assert [int(l.rsplit(b" ", 1)[1]) for l in t.lines] == list(range(1000))
    # And again for who comes later, once nobody looked for a while.
    t.stop()
    other.stop()
    wait.until(lambda: len(gw.find_log(msg="tail closed")) == 2, "both are gone")
    gw.send([syslog.line("shop", "nobody looks")])
    t = tail(gw, "shop")
    gw.send([syslog.line("shop", "seen")])
    t.wait(b"seen\n")
    assert len(t.lines) == 1


def test_by_id_and_for_a_token_of_the_app(gateway, tail):
    gw = gateway()
    app_id = make_app(gw, "shop")
    make_app(gw, "blog")
    tokens = {app: gw.request("POST", "/v1/tokens", {"token": {"name": "t", "app": app}})[1]["token"]
              ["token"] for app in ("shop", "blog")}
    t = tail(gw, app_id, token=tokens["shop"])
    gw.send([syslog.line("shop", "hello")])
    t.wait(b"hello\n")
    for app in ("shop", "nobody"):
        status, body, _ = gw.request("GET", f"/v1/apps/{app}/tail", token=tokens["blog"])
        assert (status, body["code"]) == (403, "forbidden")
    assert gw.request("GET", "/v1/apps/shop/tail", token="wrong")[0] == 401
    assert gw.request("GET", "/v1/apps/nobody/tail")[:2] == \
        (404, {"resource": "app", "error": "not found"})
    assert gw.request("POST", "/v1/apps/shop/tail", {})[0] == 405
    assert gw.request("HEAD", "/v1/apps/shop/tail")[:2] == (200, b"")


def test_no_line_drives_a_terminal(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    text, raw = tail(gw, "shop"), tail(gw, "shop", "format=rfc5424")
    hostile = bytes(range(1, 256)).replace(b"\n", b"")
    gw.send([syslog.line("shop", b"A" + hostile + b"\xc2\x9b31m \xe2\x82\xac \xe0\x80\x9b end"),
             syslog.line("shop", b"\0\n\r\x1b[2J last")], framing=syslog.octet)
    for t in (text, raw):
        t.wait(b"last\n")
        assert len(t.lines) == 2
        for line in t.lines:
            assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)
            shown = line.decode(errors="ignore")
            assert not re.search("[\x80-\x9f]", shown)
        assert b"#033" in t.lines[0] and "€".encode() in t.lines[0] and b"\t" in t.lines[0]
        assert b"#302#23331m" in t.lines[0]
    assert text.lines[1].endswith(b"shop[web-1]: #000#012#015#033[2J last")
    assert raw.lines[1] == syslog.line("shop", b"#000#012#015#033[2J last")


def test_filters(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    everything = tail(gw, "shop")
    severe = tail(gw, "shop", "min_severity=warning")
    some = tail(gw, "shop", "match=two+words&match=%C3%A9t%C3%A9&exclude=noise&exclude=debug")
    gw.send([syslog.line("shop", "plain"), syslog.line("shop", "a warning", pri=12),
             syslog.line("shop", "an error", pri=11), syslog.line("shop", "a notice", pri=13),
             syslog.line("shop", "with two words in it"), syslog.line("shop", "en été, noise"),
             syslog.line("shop", "en été"), syslog.line("shop", "two  words"),
             syslog.line("shop", "end", pri=8), syslog.line("shop", "end of two words")])
    everything.wait(b"end of two words\n")
    severe.wait(b"end\n")
    some.wait(b"end of two words\n")
    assert len(everything.lines) == 10

    def messages(t):
        return [l.partition(b": ")[2].decode() for l in t.lines]

    assert messages(severe) == ["a warning", "an error", "end"]
    assert messages(some) == ["with two words in it", "en été", "end of two words"]


def test_what_is_wrong_is_named(gateway):
    gw = gateway()
    make_app(gw, "shop")
    for query, key in (("format=xml", "format"), ("min_severity=loud", "min_severity"),
                       ("match=%zz", "match"), ("exclude=" + "x" * 257, "exclude"),
                       ("match=a&" * 17, "match"), ("follow=1", "follow"), ("a%20b=1", "a%20b")):
        status, body, _ = gw.request("GET", f"/v1/apps/shop/tail?{query}")
        assert status == 422 and list(body["errors"]) == [key], (query, body)
    status, body, _ = gw.request("GET", "/v1/apps/shop/tail?format=xml&lines=3")
    assert status == 422 and sorted(body["errors"]) == ["format", "lines"]


@pytest.mark.parametrize("query,headers", [("format=sse", ()), ("", ("Accept: text/event-stream",))])
def test_server_sent_events(gateway, tail, query, headers):
    gw = gateway()
    make_app(gw, "shop")
    t = tail(gw, "shop", query, headers=headers)
    assert "content-type: text/event-stream" in t.head.lower()
    gw.send([syslog.line("shop", b"caf\xc3\xa9 \xff \"quoted\"\x1b \0\ttab", pri=165),
             syslog.line("shop", "last", proc="-", host="web-2")], framing=syslog.octet)
    t.wait(b'"last"}\n\n')
    (none, first), (_, last) = tails.events(t.body)
    assert none is None
    assert first == {"timestamp": syslog.STAMP, "hostname": "web-1", "app": "shop", "procid": "web-1",
                     "msgid": None, "severity": 5, "facility": 20,
                     "message": "café \ufffd \"quoted\"\x1b \0\ttab"}
    assert list(first) == ["timestamp", "hostname", "app", "procid", "msgid", "severity", "facility",
                           "message"]
    assert last["procid"] is None and last["hostname"] == "web-2"


def test_events_are_kept_alive(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    t, quiet = tail(gw, "shop", "format=sse"), tail(gw, "shop")
    start = time.monotonic()
    t.wait(b": keep-alive\n\n")
    assert 14 < time.monotonic() - start < 25
    assert t.body == b": keep-alive\n\n" and quiet.body == b""


@pytest.mark.threaded
def test_a_removed_app_ends_it(gateway, receiver, tail):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    text, event = tail(gw, "shop"), tail(gw, "shop", "format=sse")
    gw.send([syslog.line("shop", "hello")])
    text.wait(b"hello\n")
    event.wait(b'"hello"')
    assert gw.request("DELETE", "/v1/apps/shop")[0] == 204
    text.wait_end()
    event.wait_end()
    assert text.lines[-1] == b"-- the app was removed --"
    assert tails.events(event.body)[-1] == ("end", {"reason": "the app was removed"})


def test_a_removed_token_ends_it(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    one, other = (gw.request("POST", "/v1/tokens", {"token": {"name": n, "app": "shop"}})[1]["token"]
                  for n in ("one", "other"))
    ends, stays = tail(gw, "shop", token=one["token"]), tail(gw, "shop", token=other["token"])
    operators = tail(gw, "shop")
    assert gw.request("DELETE", f"/v1/tokens/{one['id']}")[0] == 204
    assert ends.wait_end().lines == [b"-- the token was removed --"]
    gw.send([syslog.line("shop", "hello")])
    stays.wait(b"hello\n")
    operators.wait(b"hello\n")
    # And a reader that is slow just then.
    reader = tails.Reader(gw, "shop", token=other["token"])
    gw.send([syslog.line("shop", "x" * 1000)] * 5000)
    assert gw.request("DELETE", f"/v1/tokens/{other['id']}")[0] == 204
    reader.read_until(b"-- the token was removed --\n")
    assert reader.read() == b""
    assert operators.process.poll() is None


@pytest.mark.threaded
def test_a_stop_ends_it(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    t = tail(gw, "shop")
    gw.send([syslog.line("shop", "hello")])
    t.wait(b"hello\n")
    start = time.monotonic()
    gw.stop()
    t.wait_end()
    assert time.monotonic() - start < 5


def test_http_1_0_gets_no_chunks(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    t = tail(gw, "shop", more=["--http1.0", "--raw"])
    assert "transfer-encoding" not in t.head.lower()
    gw.send([syslog.line("shop", "hello")])
    t.wait(b"shop[web-1]: hello\n")
    assert len(t.lines) == 1 and t.lines[0].startswith(syslog.STAMP.encode())


def test_too_many_are_refused_and_the_api_goes_on(gateway, tail):
    gw = gateway()
    make_app(gw, "shop")
    readers = [tails.Reader(gw, "shop") for _ in range(32)]
    status, body, headers = gw.request("GET", "/v1/apps/shop/tail")
    assert status == 503 and headers["Retry-After"] and json.dumps(body)
    # Places come free.
    readers.pop().stop()
    wait.until(lambda: gw.find_log(msg="tail closed"), "one is gone")
    readers.append(tails.Reader(gw, "shop"))
    # In all: half of the API's connections, so that it can still be called.
    for app in ("a", "b", "c"):
        make_app(gw, app)
        readers += [tails.Reader(gw, app) for _ in range(32)]
    make_app(gw, "d")
    assert gw.request("GET", "/v1/apps/d/tail")[0] == 503
    gw.send([syslog.line("shop", "hello"), syslog.line("c", "hello")])
    for r in readers[:32] + readers[-32:]:
        r.read_until(b"hello\n")
    assert gw.request("GET", "/v1/apps")[0] == 200
    for r in readers:
        r.stop()
    wait.until(lambda: len(gw.find_log(msg="tail closed")) == 129, "all are gone")
