# A datadog drain delivers what Datadog documents for its logs intake (v2), over
# TLS: batches of JSON, compressed, within the limits of a request and an entry.

import pytest

from lib import syslog, vendors, wait

TOKEN = "5af97be7-34e5-47b6-a016-8d0001228ffb"


@pytest.fixture
def shop(gateway, http_receiver, ca):
    """A gateway with a drain of the app shop, its URL, the intake."""
    intake = http_receiver(vendors.Datadog(TOKEN), host="127.0.0.1")

    def make(**keys):
        endpoint = intake.url("/api/v2/logs", host="localhost")
        gw = gateway(ca_file=ca.file, datadog_endpoint=endpoint, **{"batch_wait": "50ms", **keys})
        url = gw.add_drain("shop", type="datadog", token=TOKEN, drain_region="eu")
        return gw, url, intake

    return make


@pytest.mark.threaded
def test_a_line(shop):
    gw, url, intake = shop()
    now = syslog.stamp()
    gw.send([syslog.line("shop", "hello world", host="db-3", proc="web-1", stamp=now)])
    assert intake.wait(1) == ["hello world"]
    entry = intake.entries[0].fields
    assert vendors.rfc3339(entry.pop("timestamp")) == vendors.rfc3339(now)
    assert entry == {"message": "hello world", "service": "shop", "hostname": "db-3",
                     "ddsource": "syslog", "ddtags": "app:shop,container:web-1",
                     "status": "info"}
    assert intake.requests[0].headers["Content-Encoding"] == "gzip"
    status = gw.wait_delivered("shop", url, 1)
    assert status["state"] in ("connected", "idle") and status["last_error"] is None


def test_severity_becomes_status(shop):
    gw, _, intake = shop()
    gw.send([syslog.line("shop", f"line {s}", pri=8 + s, stamp=syslog.stamp()) for s in range(8)])
    intake.wait(8)
    found = [e.fields["status"] for e in intake.entries]
    wanted = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"]
    assert [f.startswith(w) for f, w in zip(found, wanted)] == [True] * 8, found


def test_old_lines_go_without_a_time(shop):
    """Datadog takes no line that is over 18 hours old."""
    gw, url, intake = shop()
    young, old = syslog.stamp(hours_ago=16), syslog.stamp(hours_ago=19)
    gw.send([syslog.line("shop", "young", stamp=young), syslog.line("shop", "old", stamp=old)])
    intake.wait(2)
    fields = {e.message: e.fields for e in intake.entries}
    assert vendors.rfc3339(fields["young"]["timestamp"]) == vendors.rfc3339(young)
    assert "original_timestamp" not in fields["young"] and "timestamp" not in fields["old"]
    assert vendors.rfc3339(fields["old"]["original_timestamp"]) == vendors.rfc3339(old)
    assert gw.wait_delivered("shop", url, 2)["old"] == 1


def test_a_line_without_a_time(shop):
    gw, _, intake = shop()
    gw.send([syslog.line("shop", "timeless", stamp="-")])
    intake.wait(1)
    assert "original_timestamp" not in intake.entries[0].fields


def test_a_line_over_a_megabyte_is_cut(shop):
    gw, url, intake = shop(max_line="1MiB", app_memory="8MiB", worker_memory="32MiB")
    long = "long " + "x" * 1_040_000
    gw.send([syslog.line("shop", "line 0"), syslog.line("shop", long), syslog.line("shop", "line 1")])
    first, cut, last = intake.wait(3)
    assert (first, last) == ("line 0", "line 1")
    assert len(cut) > 900_000 and cut.startswith("long xxx")
    assert "cut" in str(intake.entries[1].fields).replace("x", ""), "no mark"
    assert gw.wait_delivered("shop", url, 3)["cut"] == 1


@pytest.mark.threaded
def test_a_burst_makes_few_large_batches(shop):
    """1,000 entries at most, which the intake checks."""
    gw, url, intake = shop()
    gw.send(syslog.numbered("shop", 5000))
    intake.wait(5000)
    assert intake.numbers == list(range(5000))
    assert len(intake.requests) <= 30
    assert max(len(r.lines) for r in intake.requests) > 500
    gw.wait_delivered("shop", url, 5000)


def test_large_lines_stay_within_five_megabytes(shop):
    gw, _, intake = shop(app_memory="32MiB", worker_memory="64MiB")
    gw.send([syslog.line("shop", f"line {i} " + '"' * 40_000) for i in range(200)])
    intake.wait(200)
    assert intake.numbers == list(range(200))
    assert 3 <= len(intake.requests) <= 60


def test_the_site_is_in_the_endpoint(gateway, http_receiver, ca):
    class Intake(vendors.Datadog):
        accepted = (202, b"{}")

        def lines(self, http, body, wire):
            assert http.path == "/us5.datadoghq.com/api/v2/logs", http.path
            return [vendors.Entry(e["message"], e) for e in vendors.strict_json(body)]

    intake = http_receiver(Intake(TOKEN))
    gw = gateway(ca_file=ca.file, datadog_endpoint=intake.url("/%s/api/v2/logs"))
    gw.add_drain("shop", type="datadog", token=TOKEN, drain_region="us5")
    gw.send(syslog.numbered("shop", 1))
    intake.wait(1)


def test_a_wrong_key(shop):
    """403: nothing is dropped, and the state says what to do."""
    gw, url, intake = shop()
    intake.decide = lambda request: 403
    gw.send(syslog.numbered("shop", 10))
    status = gw.wait_status("shop", url, lambda s: s["state"] == "blocked", "blocked")
    assert "HTTP 403" in status["last_error"]["error"]
    assert status["waiting"]["memory"]["lines"] == 10
    wait.stays(lambda: len(intake.requests) <= 2, "probed slowly", 2)
