# penstockd --check-spool says what is in the spool, and brings lines back from
# one that a start had put aside: in front of those that came since, once, to
# the drain that they waited for.

import os
import re

import pytest

from lib import syslog, wait
from lib.gateway import run_daemon

LINES = 3000


def check_spool(gw):
    return run_daemon("--data-dir", gw.data, "--check-spool")


def backlog(gateway, receiver, **keys):
    """A gateway that has stopped, with lines on disk for a drain that is away."""
    gw = gateway(app_memory="64KiB", worker_memory="1MiB", stop_timeout="300ms", **keys)
    sink = receiver()
    url = gw.add_drain("shop", sink)
    sink.stop()
    send(gw, url, LINES)
    gw.stop()
    return gw, sink, url


def send(gw, url, count, first=0):
    gw.send([syslog.line("shop", f"line {first + i} " + "x" * 300) for i in range(count)])
    gw.wait_status("shop", url, lambda s: s["waiting"]["spool"]["lines"] >= count, "on disk")


def break_head(file):
    with open(file, "r+b") as f:
        f.write(b"\x55" * 8192)


def break_middle(file):
    """Every page of a tree, so that there is no way to the lines."""
    data = bytearray(file.read_bytes())
    for at in range(8192, len(data), 4096):
        number = int.from_bytes(data[at:at + 8], "little")
        if number == at // 4096 and data[at + 10] in (1, 2):
            data[at + 10] ^= 0x70
    file.write_bytes(data)


def test_a_sound_spool_is_said_to_be_one(gateway, receiver):
    gw, _, _ = backlog(gateway, receiver)
    for _ in range(2):
        status, text = check_spool(gw)
        assert status == 0, text
        assert f"{gw.data}/spool: sound" in text
        assert f"{LINES} lines of 1 apps" in text


def test_a_file_that_is_cut_while_the_gateway_runs(gateway, receiver):
    """It takes nothing more, and the log says that a restart begins a new one; that it does."""
    gw, _, _ = backlog(gateway, receiver)
    gw.start()
    os.truncate(gw.data / "spool/data.mdb", 64 * 1024)
    gw.send([syslog.line("shop", "one more")])
    fault = wait.until(lambda: gw.find_log(msg="spool cannot be written"), "a word on the damage")
    assert "was cut" in fault[0]["error"] and "restart penstockd" in fault[0]["remedy"]
    gw.stop()
    gw.start()
    assert gw.find_log(msg="THE SPOOL IS DAMAGED")
    gw.stop()
    status, text = check_spool(gw)
    assert status == 1 and "brought back" in text, text


def test_nothing_to_check_is_no_fault(gateway, tmp_path):
    status, text = run_daemon("--data-dir", tmp_path / "none", "--check-spool")
    assert status == 0 and "no such data-dir" in text
    assert not (tmp_path / "none").exists()
    (tmp_path / "empty").mkdir()
    status, text = run_daemon("--data-dir", tmp_path / "empty", "--check-spool")
    assert status == 0 and "there is none" in text


def test_the_gateway_must_be_stopped(gateway):
    gw = gateway()
    status, text = check_spool(gw)
    assert status == 1
    assert "another penstockd uses it; stop that one" in text


@pytest.mark.parametrize("damage", [break_head, break_middle])
def test_lines_come_back_in_front_of_those_that_came_since(gateway, receiver, damage):
    gw, sink, url = backlog(gateway, receiver)
    damage(gw.data / "spool/data.mdb")
    gw.start()
    [aside] = gw.data.glob("spool.damaged-*")
    assert gw.find_log(level="error", put_aside_as=str(aside))
    send(gw, url, 500, LINES)
    gw.stop()

    status, text = check_spool(gw)
    assert status == 0, text
    assert f"brought back: {LINES} lines of 1 apps" in text
    assert not list(gw.data.glob("spool.damaged-*"))
    [done] = gw.data.glob("spool.salvaged-*")
    assert done.name == aside.name.replace("damaged", "salvaged")
    status, text = check_spool(gw)
    assert status == 0 and f"{LINES + 500} lines of 1 apps" in text

    sink.start()
    gw.start()
    sink.wait(LINES + 500)
    gw.wait_delivered("shop", url, LINES + 500)
    assert syslog.numbers(sink.texts) == list(range(LINES + 500))


def test_a_damaged_spool_is_mended_in_one_run(gateway, receiver):
    """Before a start has seen it."""
    gw, sink, url = backlog(gateway, receiver)
    break_head(gw.data / "spool/data.mdb")
    status, text = check_spool(gw)
    assert status == 0, text
    assert "damaged" in text and f"brought back: {LINES} lines" in text
    sink.start()
    gw.start()
    sink.wait(LINES)
    gw.wait_delivered("shop", url, LINES)
    assert syslog.numbers(sink.texts) == list(range(LINES))


def test_what_is_lost_is_said(gateway, receiver):
    gw, sink, url = backlog(gateway, receiver)
    file = gw.data / "spool/data.mdb"
    data = bytearray(file.read_bytes())
    data[data.index(b"line 1500 ") + 20] ^= 1
    file.write_bytes(data)
    status, text = check_spool(gw)
    assert status == 1
    lost = int(re.search(r"lost: 1 damaged chunks, with (\d+) lines", text).group(1))
    assert 0 < lost < LINES
    assert f"{LINES - lost} lines of 1 apps" in text
    # The gateway passes over it.
    sink.start()
    gw.start()
    # One more says what is missing.
    sink.wait(LINES - lost + 1)
    numbers = syslog.numbers(t for t in sink.texts if syslog.parse(t).msg.startswith(b"line "))
    assert len(numbers) == LINES - lost and 1500 not in numbers
    gw.wait_delivered("shop", url, LINES - lost)


def test_lines_of_apps_that_are_gone_stay_away(gateway, receiver):
    gw, sink, url = backlog(gateway, receiver)
    break_head(gw.data / "spool/data.mdb")
    gw.start()
    gw.remove_drain("shop", url)
    gw.stop()
    status, text = check_spool(gw)
    assert "brought back: 0 lines" in text, text
    assert status == 0
