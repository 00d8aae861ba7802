# GET /v1/unrouted: the names that lines came for and that no app has, with how
# often, over all workers and kinds of listeners; what has an app is not in it.

import re
import socket
import time

import pytest

from lib import syslog, wait

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def unrouted(gw):
    status, body, _ = gw.request("GET", "/v1/unrouted")
    assert status == 200 and list(body) == ["unrouted", "others"]
    return body


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_counted_over_workers(gateway, receiver, workers):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0"], workers=workers)
    sink = receiver()
    gw.add_drain("shop", sink)
    assert unrouted(gw) == {"unrouted": [], "others": 0}
    for i in range(40):  # the kernel spreads connections over workers
        gw.send(syslog.numbered("ghost", 5) + syslog.numbered("spectre", 2) +
                syslog.numbered("-", 1) + [syslog.line("shop", f"line {i}")])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for line in syslog.numbered("spectre", 10):
            s.sendto(line, ("127.0.0.1", gw.port(1)))
    sink.wait(40)
    wait.until(lambda: sum(u["lines"] for u in unrouted(gw)["unrouted"]) == 330, "330 lines")
    body = unrouted(gw)
    assert [(u["name"], u["lines"]) for u in body["unrouted"]] == \
        [("ghost", 200), ("spectre", 90), ("", 40)]
    assert all(list(u) == ["name", "lines", "last"] and STAMP.fullmatch(u["last"])
               for u in body["unrouted"])
    assert body["others"] == 0


def test_the_last_time_moves(gateway):
    gw = gateway()
    stamps = []
    for i in range(2):
        gw.send([syslog.line("ghost", "x")])
        wait.until(lambda: [u["lines"] for u in unrouted(gw)["unrouted"]] == [i + 1], "counted")
        stamps.append(unrouted(gw)["unrouted"][0]["last"])
        time.sleep(0.01)
    assert stamps[0] < stamps[1]


def test_more_names_than_are_kept(gateway):
    gw = gateway(workers=1)
    gw.send([syslog.line(f"ghost-{i}", "x") for i in range(1500)] * 2)
    wait.until(lambda: sum(u["lines"] for u in unrouted(gw)["unrouted"]) +
               unrouted(gw)["others"] == 3000, "3000 lines")
    body = unrouted(gw)
    assert len(body["unrouted"]) == 1024 and body["others"] == 2 * (1500 - 1024)
    assert {u["lines"] for u in body["unrouted"]} == {2}


def test_an_app_that_comes_to_be_is_counted_no_more(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.send(syslog.numbered("shop", 3))
    wait.until(lambda: [u["lines"] for u in unrouted(gw)["unrouted"]] == [3], "counted")
    gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 5, first=3))
    assert syslog.numbers(sink.wait(5)) == list(range(3, 8))
    assert [u["lines"] for u in unrouted(gw)["unrouted"]] in ([], [3])


def test_lines_for_catch_all_are_named_too(gateway, receiver):
    gw, sink = gateway(catch_all="strays"), receiver()
    gw.add_drain("strays", sink)
    gw.send(syslog.numbered("ghost", 7))
    sink.wait(7)
    assert [(u["name"], u["lines"]) for u in unrouted(gw)["unrouted"]] == [("ghost", 7)]
