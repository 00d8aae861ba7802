# /metrics: Prometheus' own checker is content with it, its counters are what was
# sent and delivered, and only who may know all apps may read it.

import http.client
import pathlib
import re
import socket
import time

from lib import gateway as daemon
from lib import prometheus, receivers, syslog, wait

ODD = 'a"b\\c{},='


def raw(gw):
    status, body, _ = gw.request("GET", "/metrics", token=None)
    assert status == 200
    return body


def test_promtool_is_content(gateway, receiver, tmp_path):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0", "syslog+tcp://127.0.0.1:0?app=fixed:odd",
                         "syslog+udp://127.0.0.1:0", f"syslog+unix://{tmp_path}/a%22b%5Cc%0A%FF"])
    prometheus.check(raw(gw))
    sink = receiver()
    gw.add_drain("shop", sink)
    gw.add_drain(ODD, sink)
    host, port = receivers.refused()
    gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send(syslog.numbered("shop", 10) + syslog.numbered(ODD, 5))
    sink.wait(15)
    text = raw(gw)
    prometheus.check(text)
    families = prometheus.parse(text)
    assert prometheus.value(families, "penstock_app_lines_total", app=ODD) == 5
    assert prometheus.value(families, "penstock_app_lines_total", app="shop") == 10
    labels = [dict(k)["listener"] for k in families["penstock_listener_lines_total"].samples]
    assert len(set(labels)) == 4 and f'syslog+unix://{tmp_path}/a"b\\c\n\ufffd' in labels
    # Options are no part of it: they may be long, and they change.
    assert not any("?" in l for l in labels)


def test_counters_are_what_was_sent(gateway, receiver, ca):
    pair = ca.issue(ips=["127.0.0.1"])
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0",
                         "syslog+tls://127.0.0.1:0"],
                 max_line=2048, workers=2, tls_cert=pair.cert, tls_key=pair.key)
    tcp, udp, tls = (f"syslog+{kind}://{address}"
                     for kind, address in zip(("tcp", "udp", "tls"), gw.addresses))
    sink = receiver()
    url = gw.add_drain("shop", sink)
    gw.request("POST", "/v1/apps", {"app": {"name": "bare"}})
    lines = syslog.numbered("shop", 100) + [syslog.line("shop", "x" * 4000)]
    gw.send(lines + syslog.numbered("bare", 7) + syslog.numbered("ghost", 3))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(5):
            s.sendto(syslog.line("shop", f"datagram {i}"), ("127.0.0.1", gw.port(1)))
    with gw.connect(2) as s:
        s.sendall(b"this is no handshake\n")
        s.recv(100)
    gw.wait_delivered("shop", url, 106)

    def counted():
        f = prometheus.scrape(gw)
        return prometheus.total(f, "penstock_lines_in_total") == 116 and \
            prometheus.value(f, "penstock_listener_handshakes_failed_total", listener=tls) == 1 \
            and prometheus.total(f, "penstock_listener_open_connections") == 0 and f

    f = wait.until(counted, lambda: prometheus.scrape(gw)["penstock_lines_in_total"])
    assert prometheus.value(f, "penstock_listener_lines_total", listener=tcp) == 111
    assert prometheus.value(f, "penstock_listener_lines_total", listener=udp) == 5
    assert prometheus.value(f, "penstock_listener_lines_total", listener=tls) == 0
    assert prometheus.value(f, "penstock_listener_lines_cut_total", listener=tcp) == 1
    assert prometheus.value(f, "penstock_listener_connections_total", listener=tcp) == 1
    assert prometheus.value(f, "penstock_listener_connections_total", listener=udp) == 0
    sent = len(syslog.lf(lines + syslog.numbered("bare", 7) + syslog.numbered("ghost", 3)))
    assert prometheus.value(f, "penstock_listener_bytes_total", listener=tcp) == sent
    assert prometheus.total(f, "penstock_lines_unrouted_total") == 3
    assert prometheus.total(f, "penstock_lines_delivered_total") == 106
    assert prometheus.value(f, "penstock_app_lines_total", app="shop") == 106
    assert prometheus.value(f, "penstock_app_lines_total", app="bare") == 7
    assert prometheus.value(f, "penstock_app_no_drain_lines_total", app="bare") == 7
    assert prometheus.value(f, "penstock_app_no_drain_lines_total", app="shop") == 0
    assert prometheus.value(f, "penstock_app_drains", app="bare") == 0
    shop = {"app": "shop", "type": "syslog", "drain": "1"}
    status = gw.status("shop", url)
    assert prometheus.value(f, "penstock_drain_delivered_lines_total", **shop) == 106
    assert prometheus.value(f, "penstock_drain_delivered_bytes_total", **shop) == \
        status["delivered"]["bytes"]
    assert prometheus.value(f, "penstock_drain_state", **shop, state="connected") == 1
    assert prometheus.total(f, "penstock_drain_state", state="connected") == 1
    assert prometheus.total(f, "penstock_drain_state") == 1
    assert abs(prometheus.value(f, "process_start_time_seconds") - time.time()) < 120
    assert prometheus.value(f, "process_resident_memory_bytes") > 1 << 20
    assert prometheus.value(f, "process_open_fds") > 10


def test_a_drain_that_cannot_deliver(gateway):
    gw = gateway(app_memory="64KiB", resend_bytes="16KiB", resend_max="32KiB", spool_size="0")
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send(syslog.numbered("shop", 50))
    gw.wait_status("shop", url, lambda s: s["retries"] >= 1, "retrying")
    f = prometheus.scrape(gw)
    shop = {"app": "shop", "type": "syslog", "drain": "1"}
    assert prometheus.value(f, "penstock_drain_state", **shop, state="retrying") == 1
    assert prometheus.value(f, "penstock_drain_waiting_lines", **shop) == 50
    assert prometheus.value(f, "penstock_drain_retries_total", **shop) >= 1
    time.sleep(1.1)
    f = prometheus.scrape(gw)
    assert prometheus.value(f, "penstock_drain_oldest_waiting_seconds", **shop) >= 1.1
    # Over app-memory, and old: it loses lines, and says so in three places.
    for first in range(0, 3000, 500):
        gw.send(syslog.numbered("shop", 500, first=first))
    gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "dropped")
    f = prometheus.scrape(gw)
    dropped = prometheus.value(f, "penstock_drain_dropped_lines_total", **shop, reason="memory")
    assert dropped > 0
    assert dropped == prometheus.total(f, "penstock_lines_dropped_memory_total")
    assert dropped == prometheus.value(f, "penstock_app_dropped_lines_total", app="shop")
    # The drain goes; what its app lost, and what the gateway did, stays said.
    gw.remove_drain("shop", url)
    f = prometheus.scrape(gw)
    assert not any(("drain", "1") in k for k in f["penstock_drain_retries_total"].samples)
    assert prometheus.value(f, "penstock_app_dropped_lines_total", app="shop") >= dropped
    assert prometheus.total(f, "penstock_lines_dropped_memory_total") >= dropped
    assert prometheus.total(f, "penstock_lines_dropped_removed_total") > 0


def test_no_url_and_no_secret(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink, token="very-secret", protocol="tcp")
    gw.add_drain("shop", type="elk", url=f"http://me:very-secret@{sink.host}:{sink.port}/path")
    text = raw(gw)
    assert b"very-secret" not in text and sink.host.encode() not in text


def test_who_may_read_it(gateway, tmp_path):
    gw = gateway(admin=["http://127.0.0.1:0", f"unix://{tmp_path}/admin"])
    gw.request("POST", "/v1/apps", {"app": {"name": "shop"}})
    tokens = {}
    for name, more in (("one", {"app": "shop"}), ("all", {})):
        status, body, _ = gw.request("POST", "/v1/tokens", {"token": {"name": name, **more}})
        assert status == 201
        tokens[name] = body["token"]["token"]
    proxied = {"X-Forwarded-For": "192.0.2.1"}
    for token, headers, want in ((None, None, 200), (tokens["one"], None, 200),
                                 (None, proxied, 401), ("wrong", proxied, 401),
                                 (tokens["one"], proxied, 403), (tokens["all"], proxied, 200),
                                 ("operator", proxied, 200)):
        status, _, _ = gw.request("GET", "/metrics", token=token, headers=headers)
        assert status == want, (token, headers)
    status, body, _ = gw.request("HEAD", "/metrics", token=None)
    assert status == 200 and body == b""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f"{tmp_path}/admin")
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    prometheus.parse(answer.read())
    connection.close()


def test_the_docs_have_every_family(gateway):
    docs = (daemon.TOP / pathlib.Path("docs/metrics.md")).read_text()
    rows = {name: (kind, labels, text) for name, kind, labels, text in
            re.findall(r"^\| `([a-z_]+)` \| (\w+) \| ([^|]*) \| (.*) \|$", docs, re.MULTILINE)}
    families = prometheus.scrape(gateway())
    # A gateway without a spool says nothing of it.
    if "penstock_spool_bytes" not in families:
        rows = {name: row for name, row in rows.items() if not name.startswith("penstock_spool_")}
    assert set(rows) == set(families)
    for name, family in families.items():
        kind, labels, text = rows[name]
        assert (kind, text) == (family.type, family.help), name
        for sample in family.samples:
            assert re.findall(r"`(\w+)`", labels) == [l for l in
                                                      ("app", "type", "drain", "state", "reason",
                                                       "listener", "worker", "version")
                                                      if l in dict(sample)], name
