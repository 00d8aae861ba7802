# A RELP client is answered for every line, in order, whatever its window and
# wherever its bytes fall; what is no RELP ends its connection and nothing else.

import socket
import ssl
import time

import pytest

from lib import relp, syslog, wait

URL = "relp://127.0.0.1:0"


@pytest.fixture
def shop(gateway, receiver):
    gw, sink = gateway(listen=[URL]), receiver()
    gw.add_drain("shop", sink)
    return gw, sink


@pytest.fixture
def client():
    made = []

    def make(gw, index=0, **more):
        made.append(relp.Client("127.0.0.1", gw.port(index), **more))
        return made[-1]

    yield make
    for c in made:
        c.abandon()


def test_the_server_offers_what_a_client_needs(shop, client):
    c = client(shop[0])
    (answer,) = c.answers
    assert (answer.txnr, answer.code, answer.text) == (1, 200, b"OK")
    offers = dict(o.split(b"=") for o in answer.data.split(b"\n"))
    assert offers[b"relp_version"] == b"0"
    assert offers[b"commands"] == b"syslog"
    assert offers[b"relp_software"].startswith(b"penstock,")


@pytest.mark.threaded
def test_lines_arrive_and_are_answered_in_order(shop, client):
    gw, sink = shop
    c, lines = client(gw), syslog.numbered("shop", 5000)
    c.lines(lines)
    c.wait()
    assert [a.txnr for a in c.answers] == list(range(1, 5002))
    assert {a.code for a in c.answers} == {200}
    assert sink.wait(5000) == lines
    c.close()
    assert c.hints == []


def test_more_than_a_window_may_be_under_way(shop, client):
    """The window is the client's: 20 of them are taken, and delivered, before it reads an answer."""
    gw, sink = shop
    c, count = client(gw), 20 * relp.WINDOW
    lines = syslog.numbered("shop", count)
    c.write(b"".join(relp.frame(i, b"syslog", l) for i, l in enumerate(lines, 2)), read=False)
    c.pending.update((i, b"") for i in range(2, count + 2))
    assert sink.wait(count) == lines
    assert len(c.answers) == 1
    c.wait()
    assert len(c.answers) == count + 1


def test_lines_of_a_client_that_reads_no_answers_hold_up_nobody(shop, client):
    gw, sink = shop
    lazy = client(gw, buffers=4096, timeout=0.5)
    lines = [syslog.line("other", "x")] * 1000
    frames = b"".join(relp.frame(i, b"syslog", l) for i, l in enumerate(lines, 2))
    sent = 0
    with pytest.raises(AssertionError, match="bytes are taken"):
        for _ in range(1000):
            lazy.write(frames, read=False)
            sent += 1
    assert sent > 0
    with client(gw) as c:
        c.lines(syslog.numbered("shop", 1000))
        c.wait()
    assert syslog.numbers(sink.wait(1000)) == list(range(1000))


def test_bytes_one_by_one(shop):
    gw, sink = shop
    lines = [syslog.line("shop", "one"), syslog.line("shop", "two\nlines"), syslog.line("shop", "")]
    data = relp.frame(1, b"open", relp.OFFERS) + b"".join(
        relp.frame(i, b"syslog", l) for i, l in enumerate(lines, 2)) + relp.frame(5, b"close")
    with socket.create_connection(("127.0.0.1", gw.port()), wait.PATIENCE) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            s.send(bytes([byte]))
        said = b""
        while more := s.recv(4096):
            said += more
    assert said.endswith(b"2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n5 rsp 6 200 OK\n")
    # The receiver's framing shows a line feed as #012.
    assert sink.wait(3) == [l.replace(b"\n", b"#012") for l in lines]


def test_unknown_commands_are_refused_and_nothing_else(shop, client):
    gw, sink = shop
    c = client(gw)
    c.command(b"eventlog", b"x")
    c.command(b"starttls")
    c.line(syslog.line("shop", "line 0"))
    c.wait()
    assert [(a.code, a.text) for a in c.answers[1:]] == [
        (500, b"unknown command"), (500, b"unknown command"), (200, b"OK")]
    assert syslog.numbers(sink.wait(1)) == [0]


def test_a_client_of_another_version_is_told_why(shop, client):
    c = client(shop[0], offers=b"commands=syslog")
    assert (c.answers[0].code, c.answers[0].text) == (500, b"no relp_version is offered")


@pytest.mark.parametrize("rubbish, reason", [
    (b"<14>1 - - shop - - - plain syslog\n", "does not begin with a number"),
    (b"33 <14>1 - - shop - - - octet counted", "a command is not 1 to 32 letters"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "does not begin with a number"),
    (b"3 syslog 5 too much\n", "no line feed"),
    (b"3 syslog 9999999999 x\n", "a data length is not 1 to 9 digits"),
    (b"0 syslog 1 x\n", "a line without a transaction number"),
])
def test_what_is_no_relp_ends_the_connection(shop, client, rubbish, reason):
    gw, sink = shop
    c, other = client(gw), client(gw)
    c.pending[2] = b""
    c.write(relp.frame(2, b"syslog", syslog.line("shop", "line 0")) + rubbish, read=False)
    c.end()
    assert [a.txnr for a in c.answers] == [1, 2]
    assert c.hints == [b"serverclose"]
    assert gw.find_log(msg="session closed", reason=reason, peer="127.0.0.1")
    other.line(syslog.line("shop", "line 1"))
    other.wait()
    assert syslog.numbers(sink.wait(2)) == [0, 1]


def test_a_long_line_is_cut_and_the_next_is_intact(gateway, receiver, client):
    gw, sink = gateway(listen=[URL], max_line="1KiB"), receiver()
    gw.add_drain("shop", sink)
    c = client(gw)
    head = syslog.line("shop", "")
    c.lines([head + b"x" * (3000 - len(head)), syslog.line("shop", "line 1")])
    c.lines([head + b"y" * 9_000_000, syslog.line("shop", "line 3")])
    c.wait()
    first, second, third, fourth = [syslog.parse(l) for l in sink.wait(4)]
    assert first.sd == b'[penstock@32473 cut="1976"]' and first.msg == b"x" * (1024 - len(head))
    assert third.sd == b'[penstock@32473 cut="%d"]' % (9_000_000 + len(head) - 1024)
    assert (second.msg, fourth.msg) == (b"line 1", b"line 3")


def test_rules_names_and_proxies_are_as_elsewhere(gateway, receiver, client):
    gw = gateway(listen=[URL + "?app=fixed:shop&hostname=peer", URL + "?app=hostname",
                         URL + "?proxy=127.0.0.1/32"])
    shop, web = receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("web-1", web)
    with client(gw, 0) as c:
        c.line(syslog.line("other", "one"))
        c.wait()
    with client(gw, 1) as c:
        c.line(syslog.line("other", "two"))
        c.wait()
    (one,), (two,) = shop.wait(1), web.wait(1)
    assert (syslog.parse(one).host, syslog.parse(one).msg) == (b"127.0.0.1", b"one")
    assert (syslog.parse(two).host, syslog.parse(two).msg) == (b"web-1", b"two")
    with socket.create_connection(("127.0.0.1", gw.port(2)), wait.PATIENCE) as s:
        s.sendall(b"PROXY TCP4 192.0.2.77 198.51.100.1 40000 2514\r\n" +
                  relp.frame(1, b"open", relp.OFFERS) +
                  relp.frame(2, b"syslog", syslog.line("shop", "three", host="-")))
        three = syslog.parse(shop.wait(2)[1])
    assert (three.host, three.msg) == (b"192.0.2.77", b"three")


def test_what_was_acknowledged_is_counted(shop, client):
    gw, _ = shop
    with client(gw) as c:
        c.lines(syslog.numbered("shop", 10))
        c.wait()
        with pytest.raises(relp.Closed):
            c.write(b"rubbish\n", read=False)
            c.until(lambda: False, "the server's end")
    _, text, _ = gw.request("GET", "/metrics")
    listener = f'{{listener="relp://127.0.0.1:{gw.port()}"}}'
    assert f"penstock_listener_lines_acknowledged_total{listener} 10\n".encode() in text
    assert f"penstock_listener_protocol_errors_total{listener} 1\n".encode() in text


def test_without_a_spool_answers_do_not_wait_for_quiet(gateway, receiver, client):
    """Lines of one app after the other, so that somebody new waits all the time."""
    gw, sink = gateway(listen=[URL], spool_size="0", workers=1), receiver()
    for i in range(150):
        gw.add_drain(f"app-{i}", sink)
    c = client(gw, window=1000)
    for i in range(150):
        c.line(syslog.line(f"app-{i}", "x"))
        time.sleep(0.003)
    assert len(c.answers) > 75
    c.wait()


@pytest.mark.threaded
def test_over_tls(gateway, receiver, client, ca):
    pair = ca.issue(names=["localhost"])
    gw = gateway(listen=["relps://127.0.0.1:0"], tls_cert=pair.cert, tls_key=pair.key)
    sink = receiver()
    gw.add_drain("shop", sink)
    c = client(gw, tls=ssl.create_default_context(cafile=str(ca.file)), name="localhost")
    lines = syslog.numbered("shop", 5000)
    c.lines(lines)
    c.close()
    assert [a.txnr for a in c.answers] == list(range(1, 5003))
    assert sink.wait(5000) == lines


def test_a_stop_answers_for_what_it_took_and_says_that_it_ends(shop, client):
    gw, sink = shop
    c, lines = client(gw), syslog.numbered("shop", 1000)
    c.lines(lines)
    gw.stop()
    c.end()
    answered = len(c.answers) - 1
    assert answered > 0 and c.hints == [b"serverclose"]
    assert syslog.numbers(sink.wait(answered)) == list(range(answered))
    assert len(sink.lines) == answered
