# Our own https drain, which sends what Heroku's drains send, feeds another gateway's
# listener for lines over HTTP: every line arrives as it was, once.

import pytest

from lib import syslog


def message(frame):
    m = syslog.parse(frame)
    return m.pri, m.stamp, m.host, m.app, m.proc, m.msgid, m.msg


@pytest.mark.threaded
@pytest.mark.parametrize("gz", ["false", "true"])
def test_from_gateway_to_gateway(gateway, receiver, gz):
    inner = gateway(listen=["http://127.0.0.1:0"])
    sink = receiver()
    inner.add_drain("shop", sink)
    edge = gateway(listen=["syslog+tcp://127.0.0.1:0?framing=octet-counting"], batch_wait="50ms")
    lines = [syslog.line("shop", text, host="db-3", proc="web.1", pri=11) for text in
             ("plain", "- a dash", "[no=\"element\"]", "two\nrows\n12 <14>1 h", "caf\u00e9", " ", "x" * 5000)]
    lines += syslog.numbered("shop", 5000)
    url = edge.add_drain("shop", type="https", gzip=gz,
                         url=f"http://{inner.addresses[0]}/v1/apps/shop/logs")
    edge.send(lines, framing=syslog.octet)
    # LF in a message is escaped for this receiver alone.
    want = [(*message(l)[:-1], message(l)[-1].replace(b"\n", b"#012")) for l in lines]
    assert [message(l) for l in sink.wait(len(lines))] == want
    edge.wait_delivered("shop", url, len(lines))
    assert edge.status("shop", url)["dropped"]["refused"] == 0


@pytest.mark.threaded
def test_over_tls_with_a_certificate_for_the_app(gateway, receiver, ca):
    pair, mine = ca.issue(ips=["127.0.0.1"]), ca.issue(names=["shop"])
    inner = gateway(listen=["https://127.0.0.1:0?app=cert"], tls_cert=pair.cert, tls_key=pair.key,
                    tls_client_ca=ca.file)
    sink = receiver()
    inner.add_drain("shop", sink)
    edge = gateway(ca_file=ca.file)
    edge.add_drain("shop", type="https", client_cert=mine.cert.read_text(),
                   client_key=mine.key.read_text(),
                   url=f"https://{inner.addresses[0]}/v1/apps/shop/logs")
    other = edge.add_drain("other", type="https", client_cert=mine.cert.read_text(),
                           client_key=mine.key.read_text(),
                           url=f"https://{inner.addresses[0]}/v1/apps/other/logs")
    edge.send(syslog.numbered("shop", 2000) + syslog.numbered("other", 1))
    assert syslog.numbers(sink.wait(2000)) == list(range(2000))
    status = edge.wait_status("other", other, lambda s: s["last_error"], "an error")
    assert "403" in status["last_error"]["error"] and status["delivered"]["lines"] == 0


def test_lines_wait_at_the_edge_while_the_other_is_away(gateway, receiver):
    inner = gateway(listen=["http://127.0.0.1:0"])
    sink = receiver()
    inner.add_drain("shop", sink)
    inner.listen = [f"http://{inner.addresses[0]}"]
    edge = gateway(batch_wait="50ms")
    edge.add_drain("shop", type="https", url=f"{inner.listen[0]}/v1/apps/shop/logs")
    edge.send(syslog.numbered("shop", 100))
    sink.wait(100)
    inner.stop()
    edge.send(syslog.numbered("shop", 100, first=100))
    inner.start()
    assert syslog.firsts(syslog.numbers(sink.wait_different(200))) == list(range(200))


def test_a_drain_never_leads_back_to_its_own_gateway(gateway):
    gw = gateway(listen=["http://127.0.0.1:0", "syslog+tcp://127.0.0.1:0"])
    url = gw.add_drain("shop", type="https", url=f"http://{gw.addresses[0]}/v1/apps/shop/logs")
    gw.send(syslog.numbered("shop", 1), index=1)
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["delivered"]["lines"] == 0 and status["state"] in ("blocked", "retrying")
