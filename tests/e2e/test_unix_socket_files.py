# A Unix listener takes the place of a socket that a killed daemon left, and of
# nothing else: not of a file, a link, nor of a socket on which someone listens.

import os
import socket

import pytest

from lib import syslog
from lib.gateway import run_daemon

KINDS = ["syslog+unix", "syslog+unixgram"]


def refused(tmp_path, *args):
    status, text = run_daemon("--data-dir", tmp_path / "refused", *args)
    assert status == 1, text
    return text


@pytest.mark.parametrize("kind", KINDS + ["admin"])
def test_a_file_is_refused_and_left_alone(tmp_path, kind):
    file = tmp_path / "notes"
    file.write_text("dear diary")
    before = file.stat()
    if kind == "admin":
        text = refused(tmp_path, "--admin", f"unix://{file}", "--listen", "syslog+tcp://127.0.0.1:0")
    else:
        text = refused(tmp_path, "--listen", f"{kind}://{file}", "--admin", "http://127.0.0.1:0")
    assert str(file) in text and ("admin:" if kind == "admin" else "listen:") in text
    after = file.stat()
    assert file.read_text() == "dear diary"
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == \
        (before.st_ino, before.st_mode, before.st_mtime_ns)


def test_a_link_is_refused_and_left_alone(tmp_path):
    """Not followed either: what it leads to may be another's."""
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "stale"))
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "stale")
    refused(tmp_path, "--listen", f"syslog+unix://{link}", "--admin", "http://127.0.0.1:0")
    assert link.is_symlink() and (tmp_path / "stale").is_socket()


@pytest.mark.parametrize("kind", KINDS)
def test_the_socket_of_a_killed_daemon_is_replaced(gateway, receiver, tmp_path, kind):
    sink = receiver()
    gw = gateway(listen=[f"{kind}://{tmp_path}/log"])
    gw.add_drain("shop", sink)
    gw.kill()
    stale = os.stat(tmp_path / "log").st_ino
    keep = tmp_path / "old"
    os.link(tmp_path / "log", keep)  # so that its number is not given to the new one
    gw.start()
    assert os.stat(tmp_path / "log").st_ino != stale
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "syslog+unix"
                       else socket.SOCK_DGRAM) as s:
        s.connect(str(tmp_path / "log"))
        s.sendall(syslog.lf([syslog.line("shop", "line 0")]))
    assert syslog.numbers(sink.wait(1)) == [0]


@pytest.mark.parametrize("kind", KINDS + ["admin"])
def test_a_second_daemon_leaves_a_live_socket_alone(gateway, tmp_path, kind):
    path = tmp_path / "socket"
    if kind == "admin":
        gw = gateway(admin=["http://127.0.0.1:0", f"unix://{path}"])
    else:
        gw = gateway(listen=[f"{kind}://{path}"])
    before = os.stat(path)
    if kind == "admin":
        text = refused(tmp_path, "--admin", f"unix://{path}", "--listen", "syslog+tcp://127.0.0.1:0")
    else:
        text = refused(tmp_path, "--listen", f"{kind}://{path}", "--admin", "http://127.0.0.1:0")
    assert "choose another path" in text
    after = os.stat(path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    for other in KINDS:  # it can not even ask a socket of the other kind whether it is alive
        refused(tmp_path, "--listen", f"{other}://{path}", "--admin", "http://127.0.0.1:0")
    assert os.stat(path).st_ino == before.st_ino
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "syslog+unixgram"
                       else socket.SOCK_STREAM) as s:
        s.connect(str(path))  # the first one answers there still
    assert gw.request("GET", "/healthz")[0] == 200
