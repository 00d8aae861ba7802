# Drains outlive the process, however it ends; a stop delivers what was read.

import signal

import pytest

from lib import receivers, syslog


@pytest.mark.threaded
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_drains_and_ids_are_kept(gateway, receiver, how):
    gw, shop, blog = gateway(), receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("shop", type="datadog", token="T", drain_region="eu")
    gw.add_drain("shop", shop, framing="octet-counting")
    gw.add_drain("blog", blog)
    gone = gw.add_drain("blog", shop)
    gw.remove_drain("blog", gone)
    token = gw.token
    before = gw.drains("shop"), gw.drains("blog")
    for i in range(3):
        getattr(gw, how)()
        gw.start()
        assert gw.token == token
        assert (gw.drains("shop"), gw.drains("blog")) == before
        gw.send([syslog.line("shop", f"line {i}"), syslog.line("blog", f"line {i}")])
        shop.wait_text(f"line {i}")
        blog.wait_text(f"line {i}")
    assert {syslog.parse(t).app for t in blog.texts} == {b"blog"}
    assert {syslog.parse(t).app for t in shop.texts} == {b"shop"}


def test_an_answered_add_survives_kill_9(gateway, receiver):
    gw = gateway()
    for i in range(10):
        gw.add_drain(f"app-{i}", type="syslog", host="h", port=str(1000 + i))
        gw.kill()
        gw.start()
        for j in range(i + 1):
            assert [d["url"] for d in gw.drains(f"app-{j}")] == [f"syslog://h:{1000 + j}"]


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_sigterm_delivers_what_was_sent(gateway, receiver, workers):
    gw, sinks = gateway(workers=workers, stop_timeout="20s"), {}
    for i in range(5):
        sinks[f"app-{i}"] = receiver()
        gw.add_drain(f"app-{i}", sinks[f"app-{i}"])
    lines = {app: syslog.numbered(app, 2000) for app in sinks}
    gw.send([l for group in zip(*lines.values()) for l in group])
    gw.stop()  # at once: most of it lies in the socket still
    for app, sink in sinks.items():
        assert sink.wait(2000) == lines[app]


def test_sigterm_reads_open_connections_and_partial_lines(gateway, receiver):
    gw, sink = gateway(stop_timeout="20s"), receiver()
    gw.add_drain("shop", sink)
    with gw.connect() as s:
        s.sendall(syslog.lf(syslog.numbered("shop", 5000)) + syslog.line("shop", "line 5000"))
        gw.stop()
        assert syslog.numbers(sink.wait(5001)) == list(range(5001))


def test_sigterm_does_not_wait_for_dead_drains_longer_than_stop_timeout(gateway):
    gw = gateway(stop_timeout="1s", spool_size="0")
    host, port = receivers.refused()
    gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send(syslog.numbered("shop", 10))
    gw.wait_status("shop", gw.drains("shop")[0]["url"],
                   lambda s: s["waiting"]["memory"]["lines"] == 10, "10 lines wait")
    gw.stop()
    assert gw.find_log(msg="stopped with lines", lines_abandoned="10")


def test_sigint_is_a_stop_too(gateway, receiver):
    gw = gateway()
    gw.signal(signal.SIGINT)
    gw.finish()


def test_unix_sockets_of_a_killed_process_are_taken_over(gateway, receiver, tmp_path):
    sink = receiver()
    gw = gateway(listen=[f"syslog+unix://{tmp_path}/log"], admin=[
        "http://127.0.0.1:0", f"unix://{tmp_path}/admin"])
    gw.add_drain("shop", sink)
    gw.kill()
    gw.start()
    gw.send([syslog.line("shop", "line 0")])
    sink.wait(1)
    gw.stop()
    assert not (tmp_path / "log").exists() and not (tmp_path / "admin").exists()
