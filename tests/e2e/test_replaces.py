# "replaces" swaps a drain for another while lines flow: what the old one had
# not delivered and all that comes goes to the new one, in order, none is lost.

import threading
import time

import pytest

from lib import address, receivers, syslog, vendors, wait


def replace(gw, old, receiver=None, app="shop", **params):
    """The new drain's URL."""
    if receiver is not None:
        params = {"type": "syslog", "host": receiver.host, "port": str(receiver.port), **params}
    status, body, _ = gw.request("POST", gw.path(app), {"drain": params, "replaces": old})
    assert status == 201, (status, body)
    return body["drain"]["url"]


def numbers(texts):
    assert not [t for t in texts if b" lines dropped since " in t]
    return syslog.numbers([t.removeprefix(b"OLD ").removeprefix(b"NEW ") for t in texts])


class Flow:
    """A sender that does not stop while drains are swapped; no faster than any receiver reads, or
    lines would be dropped for that."""

    def __init__(self, gw, app="shop", batch=20):
        self.gw, self.app, self.batch = gw, app, batch
        self.sent = 0
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with self.gw.connect() as s:
            while self.running:
                s.sendall(syslog.lf(syslog.numbered(self.app, self.batch, first=self.sent)))
                self.sent += self.batch
                time.sleep(0.003)
            # In the same connection: others have no order with it.
            s.sendall(syslog.lf([syslog.line(self.app, f"line {self.sent} the end")]))
            self.sent += 1

    def pass_by(self, count):
        """So many more lines have been sent."""
        target = self.sent + count
        wait.until(lambda: self.sent >= target, f"{count} more lines sent")

    def stop(self):
        """How many lines were sent; the last one says "the end"."""
        self.running = False
        self.thread.join(wait.PATIENCE)
        assert not self.thread.is_alive()
        return self.sent


def check_handed_over(before, after, total):
    """Each receiver saw its lines in order; both together all of them."""
    old, new = syslog.firsts(before), syslog.firsts(after)
    assert old == sorted(old) and new == sorted(new)
    assert set(old) | set(new) == set(range(total))
    # The new one goes on where the old one stood.
    assert new == list(range(new[0], total)), "a gap"
    assert old == list(range(len(old))), "a gap in what the old one got"


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_a_token_rotated_under_load(gateway, receiver, ca, workers):
    """The same receiver, known by another token from a line in the middle on."""
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])))
    gw, other = gateway(ca_file=ca.file, workers=workers), receiver()
    steady = gw.add_drain("shop", other)
    old = gw.add_drain("shop", sink, token="OLD")
    flow = Flow(gw)
    flow.pass_by(2000)
    new = replace(gw, old, sink, token="NEW")
    assert new == f"syslog://:NEW@{host}:{sink.port}"
    assert [d["url"] for d in gw.drains("shop")] == [steady, new]
    flow.pass_by(2000)
    total = flow.stop()
    sink.wait_text("the end", timeout=60)
    other.wait(total, timeout=60)
    texts = sink.texts
    check_handed_over(numbers([t for t in texts if t.startswith(b"OLD ")]),
                      numbers([t for t in texts if t.startswith(b"NEW ")]), total)
    # The other drain of the app saw nothing of it.
    assert syslog.numbers(other.texts) == list(range(total))
    gw.wait_status("shop", new, lambda s: s["waiting"]["memory"]["lines"] == 0, "nothing waits")


@pytest.mark.threaded
def test_many_swaps_under_load(gateway, receiver):
    gw, sinks = gateway(workers=3), [receiver(), receiver()]
    url = gw.add_drain("shop", sinks[0])
    flow = Flow(gw)
    for i in range(1, 31):
        flow.pass_by(200)
        url = replace(gw, url, sinks[i % 2])
        assert [d["url"] for d in gw.drains("shop")] == [url]
    total = flow.stop()
    wait.until(lambda: len({*numbers(sinks[0].texts), *numbers(sinks[1].texts)}) == total,
               lambda: f"{total} lines, {[len(s.lines) for s in sinks]} came", timeout=60)
    # In each connection in order.
    for sink in sinks:
        by_conn = {}
        for line in sink.lines:
            by_conn.setdefault(line.conn, []).append(syslog.numbers([line.text])[0])
        for got in by_conn.values():
            assert got == sorted(got)


def test_the_old_receiver_is_dead(gateway, receiver):
    """What waited for it, and what it may not have read, goes to the new one."""
    gw, old, new = gateway(), receiver(), receiver()
    url = gw.add_drain("shop", old)
    gw.send(syslog.numbered("shop", 100))
    old.wait(100)
    gw.wait_delivered("shop", url, 100)
    old.stop(reset=True)
    gw.send(syslog.numbered("shop", 400, first=100))
    gw.wait_status("shop", url, lambda s: s["state"] == "retrying" and
                   s["waiting"]["memory"]["lines"] >= 400, "waiting lines")
    new_url = replace(gw, url, new)
    new.wait_text("line 499")
    got = numbers(new.texts)
    assert got == list(range(got[0], 500)) and got[0] <= 100
    # It is tried at once, not when the old one's turn would have come.
    status = gw.wait_delivered("shop", new_url, len(got))
    assert status["retries"] == 0 and status["last_error"] is None


def test_the_old_receiver_has_stopped_reading(gateway, receiver):
    """Its TCP acknowledged what it never read: the last of that goes to the new one too, as after
    a lost connection."""
    gw, old, new = gateway(), receiver(reading=False, rcvbuf=16384), receiver()
    url = gw.add_drain("shop", old)
    lines = [syslog.line("shop", f"line {i} " + "x" * 500) for i in range(1500)]
    gw.send(lines)
    # Its window is closed by now, and a while ago.
    status = gw.wait_status("shop", url, lambda s: s["waiting"]["oldest_ms"] and
                            s["waiting"]["oldest_ms"] > 800, "lines that wait")
    assert status["delivered"]["lines"] > 0
    replace(gw, url, new)
    new.wait_text("line 1499 ")
    got = numbers(new.texts)
    assert got == list(range(got[0], 1500))
    # resend-bytes is 128 KiB.
    assert got[0] <= max(0, status["delivered"]["lines"] - (120 << 10) // len(lines[1000]))


def test_the_old_receiver_refused_us(gateway, receiver, ca):
    """A certificate that it does not take is replaced by one that it does: the URL shows no more
    than that, and not a line is lost."""
    host = address.fresh()
    context = receivers.tls_context(ca.issue(ips=[host]))
    context.verify_mode = receivers.ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    sink = receiver(host=host, tls=context)
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, protocol="tls")
    gw.send(syslog.numbered("shop", 200))
    gw.wait_status("shop", url, lambda s: s["retries"] >= 1, "a refusal")
    pair = ca.issue(names=["client"])
    new = replace(gw, url, sink, protocol="tls", client_cert=pair.cert.read_text(),
                  client_key=pair.key.read_text())
    assert new != url
    assert numbers(sink.wait(200)) == list(range(200))


def test_a_new_key_under_the_same_url(gateway, receiver, ca):
    """What the URL does not show may differ; what does not differ at all is there already."""
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])))
    gw = gateway(ca_file=ca.file)
    params = {"type": "elk", "url": "http://127.0.0.1:9/"}
    url = gw.add_drain("blog", **params)
    status, body, _ = gw.request("POST", gw.path("blog"), {"drain": params, "replaces": url})
    assert (status, body) == (422, {"errors": {"url": ["already exists"]}})
    first, second = ca.issue(names=["client"]), ca.issue(names=["client"])
    old = gw.add_drain("shop", sink, protocol="tls", client_cert=first.cert.read_text(),
                       client_key=first.key.read_text())
    same = {"protocol": "tls", "client_cert": first.cert.read_text()}
    status, body, _ = gw.request("POST", gw.path("shop"), {"replaces": old, "drain": {
        "type": "syslog", "host": host, "port": str(sink.port), **same,
        "client_key": first.key.read_text()}})
    assert (status, body) == (422, {"errors": {"url": ["already exists"]}})
    new = replace(gw, old, sink, protocol="tls", client_cert=second.cert.read_text(),
                  client_key=second.key.read_text())
    assert [d["url"] for d in gw.drains("shop")] == [new]
    gw.send(syslog.numbered("shop", 3))
    assert numbers(sink.wait(3)) == [0, 1, 2]


@pytest.mark.threaded
def test_a_lagging_drain(gateway, receiver):
    """The new one is told of the lines that the old one lost, and gets the rest."""
    gw = gateway(app_memory="256KiB", spool_size="0")
    old, new = receiver(reading=False, rcvbuf=16384), receiver()
    url = gw.add_drain("shop", old)
    total = 8000
    gw.send([syslog.line("shop", f"line {i} " + "x" * 500) for i in range(total)])
    gw.wait_status("shop", url, lambda s: s["waiting"]["oldest_ms"] and
                   s["waiting"]["oldest_ms"] > 1000, "lines that wait")
    gw.send([syslog.line("shop", f"line {total}")])
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "lines dropped")
    replace(gw, url, new)
    gw.send([syslog.line("shop", f"line {total + 1} the end")])
    new.wait_text("the end")
    notices = [t for t in new.texts if b" penstock drain - - Error: " in t]
    got = numbers([t for t in new.texts if t not in notices])
    said = sum(int(t.split(b"Error: ")[1].split()[0]) for t in notices)
    assert got == sorted(set(got)) and got[-1] == total + 1
    # What is missing is what was said.
    assert said == status["dropped"]["memory"] == got[-1] - got[0] + 1 - len(got)


@pytest.mark.parametrize("protocol", ["tls", "udp"])
def test_to_another_protocol_and_back(gateway, receiver, udp_receiver, ca, protocol):
    host = address.fresh()
    sinks = {"tcp": receiver(), "udp": udp_receiver,
             "tls": receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])))}
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sinks["tcp"])
    gw.send(syslog.numbered("shop", 10))
    sinks["tcp"].wait(10)
    gw.wait_delivered("shop", url, 10)
    url = replace(gw, url, sinks[protocol], protocol=protocol)
    gw.send(syslog.numbered("shop", 10, first=10))
    assert numbers(sinks[protocol].wait(10)) == list(range(10, 20))
    gw.wait_delivered("shop", url, 10)
    # A TLS connection so young could still be refused: its lines may come again.
    url = replace(gw, url, sinks["tcp"])
    gw.send(syslog.numbered("shop", 10, first=20))
    sinks["tcp"].wait_text("line 29")
    got = syslog.firsts(numbers(sinks["tcp"].texts))
    assert set(got) >= {*range(10), *range(20, 30)} and got == sorted(got)
    if protocol == "udp":
        assert len(sinks["tcp"].lines) == 20


def test_from_a_stream_to_http_and_back(gateway, receiver, http_receiver, ca):
    old, new, last = receiver(), http_receiver(vendors.Logplex()), receiver()
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    url = gw.add_drain("shop", old)
    flow = Flow(gw, batch=5)
    flow.pass_by(500)
    url = replace(gw, url, type="https", url=new.url())
    flow.pass_by(500)
    wait.until(lambda: len(new.entries) > 200, "lines over HTTP")
    url = replace(gw, url, last)
    flow.pass_by(500)
    total = flow.stop()
    last.wait_text("the end", timeout=60)
    lists = [syslog.firsts(n) for n in (numbers(old.texts), new.numbers, numbers(last.texts))]
    for got in lists:
        assert got == list(range(got[0], got[-1] + 1)), "a gap"
    assert lists[0][0] == 0 and lists[2][-1] == total - 1
    assert lists[1][0] <= lists[0][-1] + 1 and lists[2][0] <= lists[1][-1] + 1


def test_an_http_receiver_that_refuses(gateway, http_receiver, ca):
    """A key that is not good any more: what waits behind the refusal goes out with the new one."""
    sink = http_receiver(vendors.Logplex())
    sink.decide = lambda request: None if request.query.get("key") == "NEW" else 403
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    url = gw.add_drain("shop", type="https", url=sink.url("/?key=OLD"))
    gw.send(syslog.numbered("shop", 300))
    gw.wait_status("shop", url, lambda s: s["state"] == "blocked", "blocked")
    gw.send(syslog.numbered("shop", 300, first=300))
    replace(gw, url, type="https", url=sink.url("/?key=NEW"))
    sink.wait(600)
    assert sink.numbers == list(range(600))


def test_it_is_there_after_a_restart(gateway, receiver):
    gw, old, new = gateway(), receiver(), receiver()
    gw.add_drain("shop", old)
    kept = gw.add_drain("shop", type="syslog", host=new.host, port="9")
    url = replace(gw, gw.drains("shop")[0]["url"], new)
    before = gw.drains("shop")
    assert [d["url"] for d in before] == [kept, url]
    gw.restart()
    assert gw.drains("shop") == before
    gw.send(syslog.numbered("shop", 10))
    assert numbers(new.wait(10)) == list(range(10))
    assert old.accepted == 0


def test_what_it_may_not_do(gateway, receiver):
    """Nothing was changed, and the old drain goes on in its connection."""
    gw, sink, other = gateway(), receiver(), receiver()
    url, second = gw.add_drain("shop", sink), gw.add_drain("shop", other)
    gw.add_drain("blog", type="syslog", host=sink.host, port="9")
    gw.send(syslog.numbered("shop", 5))
    sink.wait(5)
    new = {"type": "syslog", "host": sink.host, "port": "8"}

    def refuse(drain, replaces, errors, app="shop"):
        status, body, _ = gw.request("POST", gw.path(app), {"drain": drain, "replaces": replaces})
        assert (status, body) == (422, {"errors": errors})

    unknown = {"replaces": ["is not a drain of this app"]}
    refuse(new, url + "0", unknown)
    refuse(new, f"syslog://{sink.host}:9", unknown)  # another app's
    refuse(new, url, unknown, app="nobody")
    refuse({**new, "port": str(sink.port)}, url, {"url": ["already exists"]})
    refuse({**new, "host": other.host, "port": str(other.port)}, url, {"url": ["already exists"]})
    refuse({**new, "port": "0"}, url, {"port": ["must be a number from 1 to 65535"]})
    assert [d["url"] for d in gw.drains("shop")] == [url, second]
    assert gw.request("GET", gw.path("nobody"))[0] == 404
    gw.send(syslog.numbered("shop", 5, first=5))
    assert numbers(sink.wait(10)) == list(range(10))
    assert sink.accepted == 1
