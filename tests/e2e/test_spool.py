# Lines that no drain has taken are on disk: they survive kill -9, a start goes
# on where each drain stood, and a backlog of many times app-memory comes back in order.

import re
import time

import pytest

from lib import syslog

APP_MEMORY = "64KiB"


def dead_drain(gw, receiver):
    """A drain whose receiver is away until it is started."""
    sink = receiver()
    url = gw.add_drain("shop", sink)
    sink.stop()
    return url, sink


def wait_on_disk(gw, url, lines):
    return gw.wait_status("shop", url, lambda s: s["waiting"]["spool"]["lines"] == lines, "on disk")


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_backlog_outlives_the_process(gateway, receiver, workers, how):
    gw = gateway(workers=workers, app_memory=APP_MEMORY, worker_memory="1MiB", stop_timeout="300ms")
    url, sink = dead_drain(gw, receiver)
    total = 6000  # 6 MB: more than memory may hold
    gw.send([syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(total)])
    wait_on_disk(gw, url, total)
    if how == "kill":
        gw.kill()
    else:
        gw.stop()
    gw.start()
    status = gw.status("shop", url)
    assert status["waiting"]["spool"]["lines"] == total and status["waiting"]["oldest_ms"] > 0
    sink.start()
    assert syslog.numbers(sink.wait(total)) == list(range(total))
    gw.send([syslog.line("shop", f"line {total}")])
    assert syslog.numbers(sink.wait(total + 1))[-1] == total
    status = gw.wait_delivered("shop", url, total + 1)
    assert not any(status["dropped"].values())


def test_what_was_delivered_does_not_come_again(gateway, receiver):
    gw, sink = gateway(), receiver()
    url = gw.add_drain("shop", sink)
    dead, _ = dead_drain(gw, receiver)  # so that the log is on disk
    gw.send(syslog.numbered("shop", 100))
    sink.wait(100)
    gw.wait_delivered("shop", url, 100)
    wait_on_disk(gw, dead, 100)
    gw.stop()
    gw.start()
    gw.send(syslog.numbered("shop", 10, 100))
    assert syslog.numbers(sink.wait(110)) == list(range(110))


def test_each_drain_goes_on_where_it_stood(gateway, receiver):
    gw, sink = gateway(), receiver()
    dead, late = dead_drain(gw, receiver)
    gw.send(syslog.numbered("shop", 50))
    wait_on_disk(gw, dead, 50)
    url = gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 50, 50))
    sink.wait(50)
    gw.wait_delivered("shop", url, 50)
    wait_on_disk(gw, dead, 100)
    gw.kill()
    gw.start()
    late.start()
    assert syslog.numbers(late.wait(100)) == list(range(100))
    assert set(syslog.numbers(sink.texts)) == set(range(50, 100))


def test_a_backlog_is_its_replacements_also_after_a_kill(gateway, receiver):
    """One replacement after the other, and the end right behind: no mark was told in between."""
    gw = gateway()
    first, _ = dead_drain(gw, receiver)
    gw.send(syslog.numbered("shop", 500))
    wait_on_disk(gw, first, 500)
    sinks = [receiver(), receiver()]
    for sink in sinks:
        sink.stop()
        status, body, _ = gw.request("POST", gw.path("shop"), {"replaces": first, "drain": {
            "type": "syslog", "host": sink.host, "port": str(sink.port)}})
        assert status == 201, body
        first = body["drain"]["url"]
    gw.kill()
    gw.start()
    sinks[1].start()
    assert syslog.numbers(sinks[1].wait(500)) == list(range(500))


def test_a_removed_app_leaves_nothing(gateway, receiver):
    gw = gateway()
    dead, _ = dead_drain(gw, receiver)
    gw.send(syslog.numbered("shop", 100))
    wait_on_disk(gw, dead, 100)
    app = gw.request("GET", "/v1/apps/shop")[1]["app"]
    assert gw.request("DELETE", f"/v1/apps/{app['name']}")[0] == 204
    gw.kill()
    gw.start()
    assert not gw.find_log(msg="lines are back from the spool")


@pytest.mark.threaded
def test_a_slow_receiver_is_fed_from_disk(gateway, receiver):
    gw = gateway(app_memory=APP_MEMORY, worker_memory="1MiB")
    sink = receiver(reading=False, rcvbuf=16384)
    url = gw.add_drain("shop", sink)
    total = 8000
    gw.send([syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(total)])
    gw.wait_status("shop", url, lambda s: s["waiting"]["spool"]["lines"] > total // 2, "on disk")
    sink.set_reading(True)
    assert syslog.numbers(sink.wait(total)) == list(range(total))
    status = gw.wait_delivered("shop", url, total)
    assert not any(status["dropped"].values())


@pytest.mark.parametrize("keys, reason, words", [
    ({"spool_cap": "1MiB"}, "spool", "spool full"),
    ({"spool_age": "1s"}, "age", "too old"),
])
def test_caps_drop_the_oldest_and_say_so(gateway, receiver, keys, reason, words):
    gw = gateway(app_memory=APP_MEMORY, **keys)
    url, sink = dead_drain(gw, receiver)
    total = 5000
    gw.send([syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(total)])
    status = gw.wait_status("shop", url, lambda s: s["dropped"][reason] > 0, "dropped")
    time.sleep(1)
    gw.send([syslog.line("shop", f"line {total}")])
    sink.start()
    sink.wait_text(f"line {total}")
    status = gw.status("shop", url)
    said = sum(int(m.group(1)) for t in sink.texts
               if (m := re.search(rb"Error: (\d+) lines dropped since .* \(" + words.encode(), t)))
    numbers = syslog.numbers([t for t in sink.texts if b" penstock drain " not in t])
    assert status["dropped"][reason] == said == total + 1 - len(numbers)
    assert numbers == list(range(total + 1 - len(numbers), total + 1))


@pytest.mark.parametrize("framing", ["lf", "octet-counting"])
def test_a_cut_spares_what_was_begun(gateway, receiver, framing):
    """A receiver that stops in the middle of a line is fed the rest of it, and goes on."""
    gw = gateway(app_memory=APP_MEMORY, spool_cap="1MiB")
    sink = receiver(reading=False, rcvbuf=16384)
    url = gw.add_drain("shop", sink, framing=framing)
    total = 10000
    gw.send([syslog.line("shop", f"line {i} " + "x" * 1000) for i in range(total)])
    gw.wait_status("shop", url, lambda s: s["dropped"]["spool"] > 0, "dropped")
    sink.set_reading(True)
    gw.wait_status("shop", url, lambda s: s["delivered"]["lines"] + s["dropped"]["spool"] == total,
                   "each line is read, or was dropped")
    # What is missing is said once a second at most.
    time.sleep(1.1)
    gw.send([syslog.line("shop", f"line {total}")])
    sink.wait_text(f"line {total}")
    status = gw.status("shop", url)
    notices = [t for t in sink.texts if b" penstock drain " in t]
    numbers = syslog.numbers([t for t in sink.texts if t not in notices])
    said = sum(int(m.group(1)) for t in notices
               if (m := re.search(rb"Error: (\d+) lines dropped since .* \(spool full\)", t)))
    assert numbers == sorted(set(numbers)), "order, and nothing twice"
    assert status["dropped"]["spool"] == said == total + 1 - len(numbers)


def test_without_a_spool_nothing_is_written(gateway, receiver):
    gw = gateway(spool_size="0", stop_timeout="100ms")
    url, _ = dead_drain(gw, receiver)
    gw.send(syslog.numbered("shop", 10))
    time.sleep(1.5)
    waiting = gw.status("shop", url)["waiting"]
    assert waiting["memory"]["lines"] == 10 and waiting["spool"]["lines"] == 0
    assert not (gw.data / "spool").exists()
