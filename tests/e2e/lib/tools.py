"""The programs that people send logs with."""

import socket
import subprocess

TIMEOUT = 30


def run(*args, stdin=None, status=0):
    done = subprocess.run([str(a) for a in args], capture_output=True, timeout=TIMEOUT,
                          input=stdin if stdin is not None else b"")
    assert status is None or done.returncode == status, \
        (args, done.returncode, done.stdout, done.stderr)
    return done


def logger(*args):
    run("logger", "--socket-errors=on", *args)


def curl(*args):
    """Status, content type and body of one request."""
    done = run("curl", "-sS", "--max-time", TIMEOUT, "-w", "\n%{http_code} %{content_type}", *args)
    body, last = done.stdout.rsplit(b"\n", 1)
    status, _, content_type = last.decode().partition(" ")
    return int(status), content_type, body.decode()


def hostname():
    return socket.gethostname()
