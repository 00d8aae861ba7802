# copy-to: its app gets every line once, whoever's it is: of apps with drains and
# without, of the app itself, of no app, and of unknown ones.

import pytest

from lib import syslog, wait


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("catch_all", [None, "cron"])
def test_every_line_once(gateway, receiver, workers, catch_all):
    gw = gateway(workers=workers, copy_to="archive", catch_all=catch_all)
    apps = ["archive", "shop", "blog", "mail", "cron"]  # at home with different workers
    sinks = {app: receiver() for app in apps}
    for app, sink in sinks.items():
        gw.add_drain(app, sink)
    sent = [syslog.line(app, f"line {i}") for i in range(100)
            for app in apps + ["ghost", "-"]]
    gw.send(sent)
    assert sinks["archive"].wait(len(sent)) == sent
    for app in ("shop", "blog", "mail"):
        assert sinks[app].wait(100) == syslog.numbered(app, 100)
    sinks["cron"].wait(300 if catch_all else 100)
    wait.stays(lambda: len(sinks["archive"].lines) == len(sent), "a line came twice", 0.3)
    status = gw.status("archive")[0]
    assert status["delivered"]["lines"] == len(sent)


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_a_stalled_archive_holds_up_nobody(gateway, receiver, workers):
    gw = gateway(workers=workers, copy_to="archive", app_memory="128KiB", worker_memory="1MiB",
                 spool_size="0")
    archive, shop = receiver(reading=False, rcvbuf=4096), receiver()
    url = gw.add_drain("archive", archive)
    gw.add_drain("shop", shop)
    lines = [syslog.line("shop", f"line {i} " + "x" * 900) for i in range(10000)]
    gw.send(lines)
    assert shop.wait(10000) == lines
    gw.wait_status("archive", url, lambda s: s["dropped"]["memory"] > 0, "lines dropped")
