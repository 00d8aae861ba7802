# Lines of apps that nobody knows are counted and logged once a name with what
# to do; catch-all gets them, copy-to gets every line.

import pytest

from lib import syslog, wait


def warnings(gw):
    return gw.find_log(msg="lines of an app that nobody knows")


def test_logged_once_a_name(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    for i in range(3):
        gw.send(syslog.numbered("ghost", 100) + syslog.numbered("spectre", 5) +
                [syslog.line("shop", f"line {i}")])
        sink.wait(i + 1)
    wait.until(lambda: len(warnings(gw)) >= 2, "two warnings")
    assert sorted(w["app"] for w in warnings(gw)) == ["ghost", "spectre"]
    assert "POST /v1/apps/NAME/log_drains" in warnings(gw)[0]["msg"]
    assert "catch-all" in warnings(gw)[0]["msg"]


def test_a_name_cannot_forge_a_log_line(gateway, receiver):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0?app=sd:a@32473:n"]), receiver()
    gw.add_drain("shop", sink)
    gw.send([syslog.line("x", "1", sd='[a@32473 n="evil level=error\x01msg=forged"]'),
             syslog.line("x", "2", sd='[a@32473 n="shop"]')], framing=syslog.octet)
    sink.wait(1)
    wait.until(lambda: warnings(gw), "a warning")
    assert not gw.find_log(msg="forged")


def test_ten_thousand_names_do_not_flood_the_log(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    gw.send([syslog.line(f"ghost-{i}", "x") for i in range(10000)] + [syslog.line("shop", "end")])
    sink.wait(1)
    wait.stays(lambda: len(warnings(gw)) <= 2000, lambda: f"{len(warnings(gw))} warnings", 0.5)


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_catch_all_and_copy_to(gateway, receiver, workers):
    gw = gateway(workers=workers, catch_all="strays", copy_to="archive")
    shop, strays, archive = receiver(), receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("strays", strays)
    gw.add_drain("archive", archive)
    mine, unknown = syslog.numbered("shop", 200), syslog.numbered("ghost", 200)
    nameless = syslog.numbered("-", 10)
    sent = [l for pair in zip(mine, unknown) for l in pair] + nameless
    gw.send(sent)
    assert shop.wait(200) == mine
    assert strays.wait(210) == unknown + nameless
    assert archive.wait(410) == sent


def test_copy_to_gets_lines_of_apps_without_drains(gateway, receiver):
    gw, archive = gateway(copy_to="archive"), receiver()
    gw.add_drain("archive", archive)
    gw.request("POST", "/v1/apps", {"app": {"name": "shop"}})
    lines = syslog.numbered("shop", 10) + syslog.numbered("archive", 10)
    gw.send(lines)
    assert archive.wait(20) == lines
    wait.stays(lambda: len(archive.lines) == 20, "a line came twice", 0.2)
