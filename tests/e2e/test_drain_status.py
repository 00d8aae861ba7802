# ?status=true says how each drain fares, in words that tell what to do.

import re
import time

from lib import receivers, syslog

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
KEYS = ["app_id", "url", "type", "state", "delivered", "rate", "waiting", "dropped", "filtered",
        "cut", "old", "resent", "retries", "last_error", "last_dead_letter", "last_delivered",
        "connected_since"]


def test_idle_connected_and_counted(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    status = gw.status("shop", url)
    assert list(status) == KEYS
    assert status == {
        "app_id": status["app_id"], "url": url, "type": "syslog", "state": "idle",
        "delivered": {"lines": 0, "bytes": 0}, "rate": {"lines_per_minute": 0},
        "waiting": {"memory": {"lines": 0, "bytes": 0}, "spool": {"lines": 0, "bytes": 0},
                    "oldest_ms": None},
        "dropped": {"memory": 0, "rate": 0, "spool": 0, "age": 0, "damaged": 0, "too_long": 0,
                    "refused": 0},
        "filtered": 0, "cut": 0, "old": 0, "resent": 0, "retries": 0, "last_error": None, "last_dead_letter": None,
        "last_delivered": None, "connected_since": None}
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    status = gw.wait_delivered("shop", url, 10)
    assert status["state"] == "connected" and STAMP.fullmatch(status["connected_since"])
    assert status["delivered"]["lines"] == 10 and status["delivered"]["bytes"] >= 600
    assert status["rate"] == {"lines_per_minute": 10} and status["last_error"] is None
    assert STAMP.fullmatch(status["last_delivered"])


def test_refused(gateway):
    gw = gateway()
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send(syslog.numbered("shop", 3))
    status = gw.wait_status("shop", url, lambda s: s["state"] == "retrying", "retrying")
    assert status["last_error"]["error"] == "connection refused"
    assert STAMP.fullmatch(status["last_error"]["at"])
    assert status["waiting"]["memory"]["lines"] == 3 and status["retries"] >= 1
    time.sleep(0.2)
    assert gw.status("shop", url)["waiting"]["oldest_ms"] >= 200


def test_an_unknown_host(gateway):
    gw = gateway()
    url = gw.add_drain("shop", type="syslog", host="no-such-host.invalid", port="514")
    gw.send(syslog.numbered("shop", 1))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["state"] == "retrying"
    assert "no-such-host.invalid" in status["last_error"]["error"] or \
        "name" in status["last_error"]["error"].lower()


def test_closed_by_the_receiver(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 1))
    sink.wait(1)
    sink.close_connections()
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["last_error"]["error"] == "the receiver closed the connection"


def test_secrets_are_masked_when_asked_and_never_logged(gateway):
    gw = gateway()
    gw.add_drain("shop", type="logentries", token="very-secret")
    gw.add_drain("shop", type="elk", url="https://me:very-secret@127.0.0.1:9/")
    gw.send(syslog.numbered("shop", 3))
    _, body, _ = gw.request("GET", gw.path("shop") + "?redact=true&status=true")
    assert len(body) == 2 and "very-secret" not in str(body) and "***" in str(body)
    assert "very-secret" in str(gw.drains("shop"))
    gw.stop()
    assert "very-secret" not in gw.log_text()
