# Lines in the bodies of HTTP requests, as curl sends them, in every format that
# is taken, reach their app's drains, whichever worker takes the request.

import gzip
import json

import pytest

from lib import posts, syslog, tools, wait

LISTEN = ["http://127.0.0.1:0"]


@pytest.fixture
def shop(gateway, receiver):
    gw = gateway(listen=LISTEN)
    sink = receiver()
    gw.add_drain("shop", sink)
    return gw, sink


@pytest.mark.threaded
def test_text_is_a_line_each(shop):
    gw, sink = shop
    assert posts.post(gw, "shop", "one\r\n\ntwo \xe9\nthree") == (204, "")
    first, *rest = (syslog.parse(l) for l in sink.wait(3))
    assert (first.pri, first.host, first.app, first.proc, first.msgid, first.sd, first.msg) == \
        (14, b"127.0.0.1", b"shop", b"-", b"-", b"-", b"one")
    assert [m.msg for m in rest] == ["two \xe9".encode(), b"three"]


def test_without_a_type_it_is_text_and_rfc_5424_in_it_is_kept(shop):
    gw, sink = shop
    line = syslog.line("other", "of its own", sd='[a b="c"]')
    assert posts.post(gw, "shop", b"plain\n" + line + b"\n", kind=None) == (204, "")
    plain, own = sink.wait(2)
    assert syslog.parse(plain).msg == b"plain" and own == line


def test_a_compressed_body(shop):
    gw, sink = shop
    body = gzip.compress(posts.numbered(5000))
    assert posts.post(gw, "shop", body, "-H", "Content-Encoding: gzip") == (204, "")
    assert syslog.numbers(sink.wait(5000)) == list(range(5000))


def test_documents_a_line_each(shop):
    gw, sink = shop
    documents = [
        {"message": "hello", "level": "warn", "timestamp": "2020-05-14T09:12:44.123456Z",
         "host": "web-1", "pid": 7},
        {"log": "by Fluent Bit", "date": 1589447564.5},
        {"message": "more", "user": 5},
    ]
    body = "".join(json.dumps(d) + "\n" for d in documents)
    assert posts.post(gw, "shop", body, kind="application/x-ndjson") == (204, "")
    lines = sink.wait(3)
    assert lines[0] == b"<12>1 2020-05-14T09:12:44.123456Z web-1 shop 7 - - hello"
    assert lines[1] == b"<14>1 2020-05-14T09:12:44.500000Z 127.0.0.1 shop - - - by Fluent Bit"
    assert json.loads(syslog.parse(lines[2]).msg) == documents[2]


def test_an_array_of_documents(shop):
    gw, sink = shop
    body = json.dumps([{"message": f"line {i}"} for i in range(1000)], indent=2)
    assert posts.post(gw, "shop", body, kind="application/json") == (204, "")
    assert syslog.numbers(sink.wait(1000)) == list(range(1000))
    assert posts.post(gw, "shop", '{"message":"line 1000"}', kind="application/json")[0] == 204
    assert syslog.numbers(sink.wait(1001))[-1] == 1000


# The body of an HTTPS drain, as its documentation shows it.
LOGPLEX = (b"83 <40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed from starting to up\n"
           b"119 <40>1 2012-11-30T06:45:26+00:00 host app web.3 - Starting process with command "
           b"`bundle exec rackup config.ru -p 24405`\n")


def test_frames_as_logplex_sends_them(shop):
    gw, sink = shop
    headers = ("-H", "Logplex-Msg-Count: 2", "-H", "Logplex-Frame-Id: 09C557EAFCFB6CF2740EE62F62971098",
               "-H", "Logplex-Drain-Token: d.fc6b856b-3332-4546-93de-7d0ee272c3bd",
               "-H", "User-Agent: Logplex/v49", "-u", "user:password")
    assert posts.post(gw, "shop", LOGPLEX, *headers, kind="application/logplex-1") == (204, "")
    assert sink.wait(2) == [
        b"<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - State changed from starting to up",
        b"<40>1 2012-11-30T06:45:26+00:00 host app web.3 - - Starting process with command "
        b"`bundle exec rackup config.ru -p 24405`"]


def test_an_app_may_be_named_by_its_id(shop):
    gw, sink = shop
    app = gw.request("GET", "/v1/apps/shop")[1]["app"]["id"]
    for _ in range(4):  # over both workers
        assert posts.post(gw, app, "line 1") == (204, "")
    assert {syslog.parse(l).app for l in sink.wait(4)} == {b"shop"}
    wrong = app[:-1] + ("0" if app[-1] != "0" else "1")
    for unknown in (wrong, app.upper() if app.upper() != app else wrong, "0" * 24, "f" * 24):
        assert posts.post(gw, unknown, "x")[0] == 404, unknown


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_apps_at_home_anywhere(gateway, receiver, workers):
    gw = gateway(listen=LISTEN, workers=workers)
    sinks = {f"app-{i}": receiver() for i in range(6)}
    for app, sink in sinks.items():
        gw.add_drain(app, sink)
    for turn in range(6):  # each request is a connection, which the kernel gives to some worker
        for app in sinks:
            assert posts.post(gw, app, posts.numbered(50, 50 * turn)) == (204, "")
    for app, sink in sinks.items():
        assert sorted(syslog.numbers(sink.wait(300))) == list(range(300))
        assert {syslog.parse(l).app for l in sink.texts} == {app.encode()}


def test_an_expectation_is_answered_before_the_body(shop):
    gw, sink = shop
    # curl waits for 100 with bodies over 1 MiB, for a second: then it sends all the same.
    done = tools.run("curl", "-sSv", "--expect100-timeout", 25, "--max-time", 20, "-H",
                     "Content-Type: text/plain", "--data-binary", "@-", posts.url(gw, "shop"),
                     stdin=posts.numbered(150000))
    said = done.stderr.decode()
    assert "Expect: 100-continue" in said and "HTTP/1.1 100 Continue" in said
    assert "HTTP/1.1 204 No Content" in said
    assert syslog.numbers(sink.wait(150000)) == list(range(150000))


def test_one_connection_for_many_requests(shop):
    gw, sink = shop
    # --next keeps the connection; curl says how many it had to make.
    args = []
    for i in range(20):
        args += ["-sS", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n", "-H",
                 "Content-Type: text/plain", "--data-binary", f"line {i}", posts.url(gw, "shop"),
                 "--next"]
    done = tools.run("curl", *args[:-1])
    assert done.stdout.decode().split("\n")[:-1] == ["204 1"] + ["204 0"] * 19
    assert syslog.numbers(sink.wait(20)) == list(range(20))


@pytest.mark.parametrize("option,host", [("keep", b"db"), ("peer", b"127.0.0.1"), ("edge", b"edge")])
def test_the_listener_may_decide_the_hostname(gateway, receiver, option, host):
    gw = gateway(listen=[f"http://127.0.0.1:0?hostname={option}"])
    sink = receiver()
    gw.add_drain("shop", sink)
    posts.post(gw, "shop", '{"msg":"a","host":"db"}', kind="application/json")
    posts.post(gw, "shop", syslog.line("shop", "b", host="db"))
    assert [syslog.parse(l).host for l in sink.wait(2)] == [host, host]


def test_a_load_balancer_may_introduce_the_sender(gateway, receiver):
    gw = gateway(listen=["http://127.0.0.1:0?proxy=127.0.0.1"])
    sink = receiver()
    gw.add_drain("shop", sink)
    assert posts.post(gw, "shop", "one", "--haproxy-protocol") == (204, "")
    with gw.connect() as s:
        s.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"
                  b"POST /v1/apps/shop/logs HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo")
        assert s.recv(100).startswith(b"HTTP/1.1 204 ")
    assert [syslog.parse(l).host for l in sink.wait(2)] == [b"127.0.0.1", b"192.0.2.7"]


def test_all_lines_go_to_the_archive_too(gateway, receiver):
    gw = gateway(listen=LISTEN, copy_to="archive")
    sink, archive = receiver(), receiver()
    gw.add_drain("shop", sink)
    gw.add_drain("archive", archive)
    assert posts.post(gw, "shop", posts.numbered(10)) == (204, "")
    assert sink.wait(10) == archive.wait(10)


def test_listeners_count_requests_and_lines(shop):
    gw, sink = shop
    posts.post(gw, "shop", posts.numbered(10))
    posts.post(gw, "shop", b"x" * 70000 + b"\n")
    posts.post(gw, "shop", "x", kind="application/xml")
    sink.wait(11)

    def metrics():
        text = gw.request("GET", "/metrics")[1].decode()
        return {name[len("penstock_listener_"):]: int(value) for name, value in
                (l.replace('{listener="http://' + gw.addresses[0] + '"}', "").split(" ")
                 for l in text.splitlines() if l.startswith("penstock_listener_"))}

    # That the client closed is seen a moment later.
    wait.until(lambda: metrics()["open_connections"] == 0, metrics)
    values = metrics()
    assert values["connections_total"] == 3
    assert values["requests_total"] == 3 and values["requests_refused_total"] == 1
    assert values["lines_total"] == 11 and values["lines_cut_total"] == 1
    assert values["lines_acknowledged_total"] == 11
    assert values["bytes_total"] == len(posts.numbered(10)) + 70001 + 1
