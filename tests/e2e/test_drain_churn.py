# Drains come and go while lines flow.  After 201 the very next line reaches the
# new drain and none from before does; after 204 no later line reaches the
# removed one; drains that stay lose nothing.

import pytest

from lib import syslog, wait

pytestmark = pytest.mark.threaded


@pytest.mark.parametrize("workers", [1, 3])
def test_201_means_from_the_very_next_line_on(gateway, receiver, workers):
    gw, steady = gateway(workers=workers), receiver()
    sink = receiver(ports=40)
    gw.add_drain("shop", steady)
    with gw.connect() as s:
        for i in range(40):
            s.sendall(syslog.lf([syslog.line("shop", f"line {3 * i}")]))
            steady.wait(3 * i + 1)
            url = gw.add_drain("shop", type="syslog", host=sink.host, port=str(sink.ports[i]))
            s.sendall(syslog.lf([syslog.line("shop", f"line {3 * i + 1}")]))
            steady.wait(3 * i + 2)
            wait.until(lambda: len(sink.lines) > i, f"the line behind the 201 of drain {i}")
            gw.remove_drain("shop", url)
            s.sendall(syslog.lf([syslog.line("shop", f"line {3 * i + 2}")]))
            steady.wait(3 * i + 3)
    assert syslog.numbers(steady.texts) == list(range(120))
    # Each got just the one line between its 201 and its 204.
    assert [(l.port, syslog.parse(l.text).msg) for l in sink.lines] == \
        [(i, b"line %d" % (3 * i + 1)) for i in range(40)]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_new_app_gets_its_first_line(gateway, receiver, workers):
    gw, sink = gateway(workers=workers), receiver()
    with gw.connect() as s:
        for i in range(60):
            gw.add_drain(f"app-{i}", sink)
            s.sendall(syslog.lf([syslog.line(f"app-{i}", f"line {i}")]))
    assert sorted(syslog.numbers(sink.wait(60))) == list(range(60))


def test_apps_go_right_behind_their_last_lines(gateway, receiver):
    """Their receivers have taken all, which nobody has asked them yet."""
    gw, sink = gateway(resend_bytes=0), receiver()
    for i in range(20):
        gw.add_drain(f"app-{i}", sink)
        gw.send([syslog.line(f"app-{i}", f"line {i}")])
        sink.wait(i + 1)
        assert gw.request("DELETE", f"/v1/apps/app-{i}")[0] == 204
    # What has been idle for 2 s is looked at again.
    wait.stays(lambda: gw.process.poll() is None, gw.log_text, 2.5)
    gw.add_drain("shop", sink)
    gw.send([syslog.line("shop", "line 20")])
    assert syslog.numbers(sink.wait(21)) == list(range(21))


def test_under_load_the_others_lose_nothing(gateway, receiver):
    gw = gateway(workers=3)
    apps = [f"app-{i}" for i in range(6)]
    steady = {app: receiver() for app in apps}
    passing = receiver(ports=len(apps))
    for app, sink in steady.items():
        gw.add_drain(app, sink)
    rounds = 0
    sent = 0
    with gw.connect() as s:
        while rounds < 60:
            s.sendall(syslog.lf([syslog.line(app, f"line {n}") for n in range(sent, sent + 50)
                                 for app in apps]))
            sent += 50
            app = apps[rounds % len(apps)]
            url = gw.add_drain(app, type="syslog", host=passing.host,
                               port=str(passing.ports[rounds % len(apps)]))
            s.sendall(syslog.lf([syslog.line(app, f"line {n}") for n in range(sent, sent + 20)
                                 for app in apps]))
            sent += 20
            gw.remove_drain(app, url)
            rounds += 1
    for app, sink in steady.items():
        assert sink.wait(sent) == syslog.numbered(app, sent)
        assert len(gw.drains(app)) == 1
    # What the passing ones got was theirs, and in order.
    for line in passing.lines:
        assert syslog.parse(line.text).app.decode() == apps[line.port]


def test_an_app_removed_takes_its_drains_along(gateway, receiver):
    gw, shop, blog = gateway(), receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("blog", blog)
    gw.send([syslog.line("shop", "line 0")])
    shop.wait(1)
    assert gw.request("DELETE", "/v1/apps/shop")[0] == 204
    wait.until(lambda: shop.open == 0, "the drain's connection closed")
    gw.send([syslog.line("shop", "line 1"), syslog.line("blog", "line 2")])
    blog.wait(1)
    gw.add_drain("shop", shop)
    gw.send([syslog.line("shop", "line 3")])
    assert syslog.numbers(shop.wait(2)) == [0, 3]
