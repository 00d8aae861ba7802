# A line reaches the drain of its app and no other; with no drain it goes nowhere.

import pytest

from lib import syslog


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_each_app_has_its_own_drains(gateway, receiver, workers):
    gw = gateway(workers=workers)
    sinks = {app: receiver() for app in ("shop", "blog", "Shop", "mail/x")}
    for app, sink in sinks.items():
        gw.add_drain(app, sink)
    lines = {app: syslog.numbered(app, 20) for app in sinks}
    gw.send([l for group in zip(*lines.values(), syslog.numbered("unknown", 20)) for l in group])
    for app, sink in sinks.items():
        assert sink.wait(20) == lines[app]


def test_two_drains_of_one_app_both_get_every_line(gateway, receiver, udp_receiver):
    gw, first, second = gateway(), receiver(), receiver()
    gw.add_drain("shop", first)
    gw.add_drain("shop", second, framing="octet-counting")
    gw.add_drain("shop", udp_receiver, protocol="udp")
    lines = syslog.numbered("shop", 100)
    gw.send(lines)
    assert first.wait(100) == second.wait(100) == udp_receiver.wait(100) == lines
    assert {l.framing for l in first.lines} == {"lf"}
    assert {l.framing for l in second.lines} == {"octet"}


def test_an_app_whose_drain_went_loses_its_lines_and_nothing_else(gateway, receiver):
    gw, shop, blog = gateway(), receiver(), receiver()
    url = gw.add_drain("shop", shop)
    gw.add_drain("blog", blog)
    gw.remove_drain("shop", url)
    gw.send([syslog.line("shop", "nobody wants it"), syslog.line("blog", "kept")])
    assert [syslog.parse(l).msg for l in blog.wait(1)] == [b"kept"]
    assert shop.lines == []
