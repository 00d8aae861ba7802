# A real web server in front of a receiver takes what HTTP drains send, over few
# connections; what it finds too large comes again in smaller pieces.

import re

import pytest

from lib import address, syslog, wait
from lib.nginx import NGINX, Nginx
from lib.vendors import octet_counted


@pytest.fixture
def nginx(tmp_path, ca):
    if NGINX is None:
        pytest.fail("nginx is missing: run script/bootstrap --tests")
    made = []

    def make(**more):
        host = address.fresh()
        made.append(Nginx(tmp_path / f"nginx{len(made)}", host, ca.issue(ips=[host]), **more))
        return made[-1]

    yield make
    for n in made:
        n.stop()


def numbers(requests):
    return [int(re.search(rb"- line (\d+)", frame).group(1)) for r in requests
            if r["status"] == "200" for frame in octet_counted(r["body"].encode())]


def logged(sink, lines):
    """The requests, once so many lines are in them: nginx writes its log behind its answer."""
    wait.until(lambda: len(numbers(sink.requests)) >= lines, "nginx has written its log")
    return sink.requests


def test_batches(nginx, gateway, ca):
    sink = nginx()
    gw = gateway(ca_file=ca.file, batch_wait="20ms")
    url = gw.add_drain("shop", type="https", url=sink.url)
    for at in range(0, 3000, 300):
        gw.send(syslog.numbered("shop", 300, first=at))
        gw.wait_delivered("shop", url, at + 300)
    requests = logged(sink, 3000)
    assert numbers(requests) == list(range(3000))
    assert {r["status"] for r in requests} == {"200"}
    assert sum(int(r["count"]) for r in requests) == 3000
    assert len({r["connection"] for r in requests}) <= 2
    assert gw.status("shop", url)["last_error"] is None


def test_too_large(nginx, gateway, ca):
    """nginx answers 413 before it has read the body, and closes."""
    sink = nginx(max_body="20k")
    gw = gateway(ca_file=ca.file, batch_wait="100ms")
    url = gw.add_drain("shop", type="https", url=sink.url)
    gw.send([syslog.line("shop", f"line {i} " + "x" * 400) for i in range(1000)])
    gw.wait_delivered("shop", url, 1000)
    requests = logged(sink, 1000)
    assert numbers(requests) == list(range(1000)), "once each"
    assert {r["status"] for r in requests} == {"200", "413"}
    assert gw.status("shop", url)["dropped"]["refused"] == 0
