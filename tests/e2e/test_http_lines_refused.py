# Requests with lines that are refused: each says what is wrong and what to do, and of
# none a single line is taken.

import gzip
import json
import socket

import pytest

from lib import posts, syslog, wait

LISTEN = ["http://127.0.0.1:0"]
MIB = 1 << 20


@pytest.fixture
def shop(gateway, receiver):
    """The gateway, and a check that nothing came by now."""
    gw = gateway(listen=LISTEN)
    sink = receiver()
    gw.add_drain("shop", sink)
    yield gw
    # What is sent last comes last, if anything came before it.
    for _ in range(8):  # over all workers
        assert posts.post(gw, "shop", "last\n") == (204, "")
    assert {syslog.parse(l).msg for l in sink.wait(8)} == {b"last"}


def test_a_body_with_a_fault_is_not_taken_at_all(shop):
    good = b'{"message":"one"}\n' * 20000
    status, body = posts.post(shop, "shop", good + b'{"message":oops}\n',
                              kind="application/x-ndjson")
    assert status == 400 and body["error"].startswith("document 20001, in line 20001: not JSON: ")
    assert body["error"].endswith("; nothing was taken")
    status, body = posts.post(shop, "shop", '[{"message":"one"}', kind="application/json")
    assert (status, body) == (400, {"error": "the array of documents does not end; send all of it, "
                                             "with its ]; nothing was taken"})
    frame = b"15 <14>1 - h a p m"
    status, body = posts.post(shop, "shop", frame + frame + b"x", kind="application/logplex-1")
    assert status == 400 and body["error"].startswith("frame 3: no count; ")
    status, body = posts.post(shop, "shop", frame + frame, "-H", "Logplex-Msg-Count: 3",
                              kind="application/logplex-1")
    assert status == 400 and body["error"].startswith("Logplex-Msg-Count is 3 and the body has 2 ")


def test_a_compressed_body_that_is_not_whole_or_a_bomb(shop):
    coding = ("-H", "Content-Encoding: gzip")
    packed = gzip.compress(posts.numbered(50000))
    status, body = posts.post(shop, "shop", packed[:-20], *coding)
    assert status == 400 and body["error"].startswith("body is not whole; compress it again")
    status, body = posts.post(shop, "shop", "plain\n", *coding)
    assert status == 400 and body["error"].startswith("body is not gzip (RFC 1952); ")
    status, body = posts.post(shop, "shop", gzip.compress(b"0\n" * 4 * MIB), *coding)
    assert status == 413 and "200 times larger" in body["error"]
    status, body = posts.post(shop, "shop", gzip.compress(posts.numbered(1400000), 1), *coding)
    assert (status, body) == (413, {"error": "body too large; send at most 16777216 bytes in one "
                                             "request, decompressed; nothing was taken"})


def test_a_body_over_the_limit(shop):
    body = b"x" * (4 * MIB + 1)
    want = {"error": "body too large; send at most 4194304 bytes in one request"}
    assert posts.post(shop, "shop", body, status=None) == (413, want)
    # Chunked: nobody says beforehand how much it will be.
    assert posts.post(shop, "shop", body, "-H", "Transfer-Encoding: chunked",
                      status=None) == (413, want)
    status, answer = posts.post(shop, "shop", b"a\n" * (2 * MIB))
    assert status == 413 and "over 33554432 bytes as RFC 5424; send them in several" in answer["error"]
    status, answer = posts.post(shop, "shop", json.dumps({"message": "x" * MIB}),
                                kind="application/json")
    assert status == 413 and "is over 1048576 bytes; send shorter ones" in answer["error"]


def test_what_is_not_understood(shop):
    for kind in ("application/xml", "application/x-protobuf"):
        status, body = posts.post(shop, "shop", "x", kind=kind)
        assert (status, body) == (415, {
            "error": "unknown Content-Type; send text/plain, application/x-ndjson, "
                     "application/json or application/logplex-1"})
    # This is what curl -d says, and it takes the line ends out.
    status, body = posts.post(shop, "shop", "x", kind="application/x-www-form-urlencoded")
    assert status == 415 and "-H 'Content-Type: text/plain' --data-binary @FILE" in body["error"]
    status, body = posts.post(shop, "shop", "x", "-H", "Content-Encoding: zstd")
    assert (status, body) == (415, {"error": "unknown Content-Encoding; send gzip, or none"})


def test_paths_and_methods(shop):
    url = posts.url(shop, "shop")
    assert posts.curl(url, "x", "-X", "PUT") == (405, {
        "error": "method not allowed; this path takes POST"})
    assert posts.curl(url[:-1], "x") == (404, {
        "error": "not found; lines go to POST /v1/apps/NAME/logs"})
    assert posts.post(shop, "two words", "x")[0] == 404
    # What belongs to the admin API is not here.
    assert posts.curl(f"http://{shop.addresses[0]}/v1/apps", "x")[0] == 404
    with shop.connect() as s:
        s.sendall(b"HEAD /v1/apps/shop/logs HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := s.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 405 ") and b"\r\nAllow: POST\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_an_unknown_app_is_said_and_seen(shop):
    assert posts.post(shop, "wbe", "one\ntwo\n") == (404, {
        "resource": "app", "error": "not found; add a drain to it by the admin API, or create it "
                                    "with POST /v1/apps there"})
    unrouted = shop.request("GET", "/v1/unrouted")[1]["unrouted"]
    assert [(u["name"], u["lines"]) for u in unrouted] == [("wbe", 1)]
    assert wait.until(lambda: shop.find_log(msg="an app that nobody knows", app="wbe"), "its log")
    status, body, _ = shop.request("GET", "/v1/apps")
    assert [a["name"] for a in body["apps"]] == ["shop"]


def test_with_a_catch_all_its_lines_go_there(gateway, receiver):
    gw = gateway(listen=LISTEN, catch_all="strays")
    assert posts.post(gw, "wbe", "one")[0] == 404  # nobody knows the catch-all either
    sink = receiver()
    gw.add_drain("strays", sink)
    assert posts.post(gw, "wbe", "one\ntwo\n") == (204, "")
    assert [(m.app, m.msg) for m in map(syslog.parse, sink.wait(2))] == \
        [(b"wbe", b"one"), (b"wbe", b"two")]
    unrouted = gw.request("GET", "/v1/unrouted")[1]["unrouted"]
    assert [(u["name"], u["lines"]) for u in unrouted] == [("wbe", 3)]


@pytest.mark.threaded
def test_too_many_connections_are_told_so(gateway, receiver):
    gw = gateway(listen=LISTEN, workers=1)
    sink = receiver()
    gw.add_drain("shop", sink)
    open_ones = [gw.connect() for _ in range(1024)]
    try:
        def refused():
            return gw.request("GET", "/metrics")[1].decode()
        wait.until(lambda: f'open_connections{{listener="http://{gw.addresses[0]}"}} 1024' in
                   refused(), "1024 connections")
        status, body = posts.post(gw, "shop", "x", status=None)
        assert (status, body) == (503, {"error": "too many connections; try again in a moment"})
        (said,) = gw.find_log(msg="HTTP connections refused")
        assert said["allowed"] == "1024"
    finally:
        for s in open_ones:
            s.close()
    assert wait.until(lambda: posts.post(gw, "shop", "line 1", status=None)[0] == 204, "a 204")
    sink.wait(1)


def test_a_trickling_request_holds_up_nobody(gateway, receiver):
    gw = gateway(listen=LISTEN, workers=1)
    sink = receiver()
    gw.add_drain("shop", sink)
    with socket.create_connection(("127.0.0.1", gw.port())) as s:
        s.sendall(b"POST /v1/apps/shop/logs HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
        assert posts.post(gw, "shop", "line 1") == (204, "")
    assert [m for m in posts.messages(sink.wait(1))] == [b"line 1"]
