# POST .../log_drains/test sends one line through a connection of its own and
# says, within 5 s, which step worked and which failed; others are served meanwhile.

import re
import socket
import struct
import threading
import time

import pytest

from lib import address, receivers, syslog, wait
from lib.certs import CertificateAuthority


def ask(gw, url, app="shop"):
    """What the answer says of the test line."""
    began = time.monotonic()
    status, body, _ = gw.request("POST", gw.path(app) + "/test", {"url": url})
    assert time.monotonic() - began < 5
    assert status == 200, (status, body)
    assert list(body) == ["test"] and list(body["test"]) == ["url", "ok", "steps"]
    test = body["test"]
    assert test["url"] == url
    steps = test["steps"]
    assert all(list(s) == ["step", "ok", "ms", "detail"] and s["ms"] >= 0 for s in steps)
    # Up to the one that failed, which is the last.
    assert all(s["ok"] for s in steps[:-1]) and steps[-1]["ok"] == test["ok"]
    return test


def begin(gw, url, app="shop"):
    return gw.begin_request("POST", gw.path(app) + "/test", {"url": url})


def names(test):
    return [s["step"] for s in test["steps"]]


def fails(gw, url, step, detail):
    test = ask(gw, url)
    assert not test["ok"]
    last = test["steps"][-1]
    assert last["step"] == step and re.search(detail, last["detail"]), test
    return test


class Rude:
    """A receiver that does to each connection what it is told to."""

    def __init__(self, then):
        self.host = address.fresh()
        self.then = then
        self.conns = []
        self.listener = socket.socket()
        self.listener.bind((self.host, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.conns.append(conn)
            self.then(conn)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for conn in self.conns:
            conn.close()


@pytest.fixture
def rude():
    made = []

    def make(then):
        made.append(Rude(then))
        return made[-1]

    yield make
    for r in made:
        r.stop()


def test_tcp(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    test = ask(gw, url)
    assert test["ok"] and names(test) == ["resolve", "connect", "send", "answer"]
    details = [s["detail"] for s in test["steps"]]
    assert details[0] == sink.host and details[1] == f"{sink.host}:{sink.port}"
    assert re.fullmatch(r"\d+ bytes", details[2])
    assert details[3].startswith("acknowledged by TCP; the receiver stayed connected for 500 ms")
    line = syslog.parse(sink.wait(1)[0])
    assert (line.pri, line.app, line.proc, line.msgid) == (14, b"shop", b"penstock", b"test")
    assert line.msg.startswith(b"penstock test line: ")
    # Nothing of it is the drain's own.
    status = gw.status("shop", url)
    assert status["state"] == "idle" and status["delivered"] == {"lines": 0, "bytes": 0}
    wait.until(lambda: sink.open == 0, "the connection closed")


def test_the_drains_own_connection_is_left_alone(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink, min_severity="error")
    gw.send([syslog.line("shop", "line 0", pri=11)])
    sink.wait(1)
    assert ask(gw, url)["ok"]
    gw.send([syslog.line("shop", "line 1", pri=11)])
    sink.wait(3)
    # What a drain does not want it is tested with all the same.
    assert [b"test line" in t for t in sink.texts] == [False, True, False]
    assert [l.conn for l in sink.lines] == [1, 2, 1]
    assert gw.status("shop", url)["delivered"]["lines"] == 2


def test_tls(gateway, receiver, ca):
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])))
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, protocol="tls", token="KEY")
    test = ask(gw, url)
    assert test["ok"] and names(test) == ["resolve", "connect", "tls", "send", "answer"]
    assert test["steps"][2]["detail"] == f"TLSv1.3, the certificate is good for {host}"
    assert sink.wait(1)[0].startswith(b"KEY <14>1 ")


def test_a_drains_own_ca(gateway, receiver, tmp_path):
    host = address.fresh()
    own = CertificateAuthority(tmp_path / "own", "Own")
    sink = receiver(host=host, tls=receivers.tls_context(own.issue(ips=[host])))
    gw = gateway()
    without = gw.add_drain("shop", sink, protocol="tls")
    url = gw.add_drain("shop", sink, protocol="tls", ca=own.file.read_text())
    assert ask(gw, url)["ok"]
    fails(gw, without, "tls", "certificate signed by an unknown CA")


def test_udp(gateway, udp_receiver):
    gw = gateway()
    url = gw.add_drain("shop", udp_receiver, protocol="udp")
    test = ask(gw, url)
    assert test["ok"] and names(test) == ["resolve", "send", "answer"]
    assert "nothing can be concluded" in test["steps"][-1]["detail"]
    assert b"penstock test line: " in udp_receiver.wait(1)[0]


def test_udp_where_nobody_listens(gateway):
    gw = gateway()
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port), protocol="udp")
    fails(gw, url, "answer", "refused by ICMP")


def test_a_name_that_does_not_exist(gateway):
    gw = gateway()
    url = gw.add_drain("shop", type="syslog", host="no-such-host.invalid", port="514")
    test = fails(gw, url, "resolve", ".")
    assert names(test) == ["resolve"]


def test_where_a_drain_may_not_connect(gateway):
    gw = gateway()
    url = gw.add_drain("shop", type="syslog", host="169.254.169.254", port="514")
    fails(gw, url, "resolve", "169.254.169.254")


def test_refused(gateway):
    gw = gateway()
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port))
    test = fails(gw, url, "connect", f"^{host}:{port}: connection refused$")
    assert names(test) == ["resolve", "connect"]


def test_nobody_answers(gateway):
    """A full backlog drops what would connect, as a firewall does."""
    gw = gateway()
    with socket.socket() as listener:
        listener.bind((address.fresh(), 0))
        listener.listen(0)
        host, port = listener.getsockname()
        filling = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((host, port))
            filling.append(s)
        url = gw.add_drain("shop", type="syslog", host=host, port=str(port))
        fails(gw, url, "connect", "connection timed out after 4")
        for s in filling:
            s.close()


def test_an_unknown_ca(gateway, receiver, ca, tmp_path):
    host = address.fresh()
    stranger = CertificateAuthority(tmp_path / "stranger", "Stranger")
    sink = receiver(host=host, tls=receivers.tls_context(stranger.issue(ips=[host])))
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, protocol="tls")
    test = fails(gw, url, "tls", "certificate signed by an unknown CA")
    assert names(test) == ["resolve", "connect", "tls"] and sink.lines == []


def test_a_certificate_for_another_host(gateway, receiver, ca):
    sink = receiver(tls=receivers.tls_context(ca.issue(names=["logs.example.com"])))
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, protocol="tls")
    fails(gw, url, "tls", f"certificate is not for host {sink.host}")


def test_a_receiver_that_wants_a_certificate(gateway, receiver, ca):
    host = address.fresh()
    context = receivers.tls_context(ca.issue(ips=[host]))
    context.verify_mode = receivers.ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    sink = receiver(host=host, tls=context)
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, protocol="tls")
    # TLS 1.3 tells it after the handshake.
    test = ask(gw, url)
    assert not test["ok"] and "alert" in test["steps"][-1]["detail"], test
    pair = ca.issue(names=["client"])
    own = gw.add_drain("shop", sink, protocol="tls", client_cert=pair.cert.read_text(),
                       client_key=pair.key.read_text())
    assert ask(gw, own)["ok"]


def test_a_handshake_that_hangs(gateway, rude, ca):
    sink = rude(lambda conn: None)
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, protocol="tls")
    fails(gw, url, "tls", "TLS handshake timed out after 4")


def test_closed_at_once(gateway, rude):
    sink = rude(lambda conn: conn.close())
    gw = gateway()
    url = gw.add_drain("shop", sink)
    fails(gw, url, "answer", r"closed the connection|connection was lost|reset")


def test_closed_after_the_line(gateway, rude):
    def then(conn):
        conn.recv(1000)
        conn.sendall(b"530 who are\r\nyou?")
        conn.shutdown(socket.SHUT_WR)

    gw = gateway()
    url = gw.add_drain("shop", rude(then))
    fails(gw, url, "answer", r"^the receiver closed the connection \d+ ms after the line was sent, "
                             r"which TCP had acknowledged; it said: 530 who are  you\?$")


def test_reset_after_the_line(gateway, rude):
    def then(conn):
        conn.recv(1000)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()

    gw = gateway()
    url = gw.add_drain("shop", rude(then))
    fails(gw, url, "answer", "^the connection was lost .*reset")


def test_a_receiver_that_does_not_read(gateway, receiver):
    """Its TCP takes the line; that is all that can be seen."""
    gw, sink = gateway(), receiver(reading=False)
    url = gw.add_drain("shop", sink)
    test = ask(gw, url)
    assert test["ok"] and "cannot be seen" in test["steps"][-1]["detail"]


def test_others_are_served_meanwhile(gateway, rude, ca):
    gw, sink = gateway(ca_file=ca.file), rude(lambda conn: None)
    apps = ["shop", "bar", "inn", "den", "late"]
    urls = [gw.add_drain(app, sink, protocol="tls") for app in apps]
    waiting = [begin(gw, urls[0]) for _ in range(4)]
    wait.until(lambda: len(sink.conns) == 4, "4 connections", timeout=4)
    # One app leaves room for the others, until all room is taken.
    status, answer, _ = gw.request("POST", gw.path("shop") + "/test", {"url": urls[0]})
    assert status == 503 and "4 of one app" in answer["error"]
    waiting += [begin(gw, urls[i], apps[i]) for i in (1, 2, 3) for _ in range(4)]
    wait.until(lambda: len(sink.conns) == 16, "16 connections", timeout=4)
    status, answer, _ = gw.request("POST", gw.path("late") + "/test", {"url": urls[4]})
    assert status == 503 and "16 at a time" in answer["error"]
    for _ in range(20):
        began = time.monotonic()
        assert gw.request("GET", gw.path("shop"))[0] == 200
        assert time.monotonic() - began < 1
    # A client that goes away makes room for another.
    waiting.pop().close()
    time.sleep(0.2)
    waiting.append(begin(gw, urls[4], "late"))
    wait.until(lambda: len(sink.conns) == 17, "the connection of one more", timeout=4)
    for sock in waiting:
        assert b"TLS handshake timed out" in sock.recv(10000)
        sock.close()


def test_a_stop_does_not_wait_for_it(gateway, rude, ca):
    gw, sink = gateway(ca_file=ca.file), rude(lambda conn: None)
    url = gw.add_drain("shop", sink, protocol="tls")
    with begin(gw, url):
        wait.until(lambda: sink.conns, "the test's connection")
        began = time.monotonic()
        gw.stop()
        # A second for the admin API, and hardly any for the rest.
        assert time.monotonic() - began < 3.5


@pytest.mark.parametrize("target, body, status", [
    ("/test", {"url": "syslog://nobody:514"}, 404),
    ("/test?url=syslog%3A%2F%2Fnobody%3A514", None, 404),
    ("/test", {}, 400),
    ("/test", None, 400)])
def test_a_drain_that_is_not_there(gateway, receiver, target, body, status):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    assert gw.request("POST", gw.path("shop") + target, body)[0] == status
    time.sleep(0.1)
    assert sink.accepted == 0
