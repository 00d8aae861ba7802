"""Tails of an app: curl -N as a real process, and a reader that can stop reading."""

import itertools
import json
import re
import socket
import subprocess
import time

from . import wait


def url(gw, app, query=""):
    return f"http://{gw.admin_address}/v1/apps/{app}/tail" + (f"?{query}" if query else "")


class Curl:
    """curl -N; what it wrote so far is in files."""

    def __init__(self, gw, app, query="", token=None, headers=(), more=()):
        name = f"tail{len(list(gw.dir.glob('tail*.body')))}"
        self.head_file, self.out = gw.dir / f"{name}.head", gw.dir / f"{name}.body"
        self.head_file.touch()
        command = ["curl", "-sS", "-N", "-D", str(self.head_file), "-u", ":" + (token or gw.token)]
        for header in headers:
            command += ["-H", header]
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen([*command, *more, url(gw, app, query)], stdout=out,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        # The head is there before any line: what is sent from now on is seen.
        wait.until(lambda: self.head.endswith("\r\n\r\n") or self.process.poll() is not None,
                   lambda: f"an answer: {self.head!r} {self.body!r}")

    @property
    def head(self):
        return self.head_file.read_bytes().decode()

    @property
    def status(self):
        return int(self.head.split()[1])

    @property
    def body(self):
        return self.out.read_bytes()

    @property
    def lines(self):
        """Whole lines so far."""
        return self.body.split(b"\n")[:-1]

    def wait(self, text):
        wait.until(lambda: text in self.body, lambda: f"{text!r} in {self.body[-2000:]!r}")
        return self

    def wait_end(self):
        """curl ends well: the answer was complete."""
        assert self.process.wait(wait.PATIENCE) == 0, self.out.read_bytes()[-500:]
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Reader:
    """A bare socket: reads only when told to.  HTTP/1.0, so that its body has no chunks."""

    def __init__(self, gw, app, query="", token=None, rcvbuf=4096):
        host, port = gw.admin_address.rsplit(":", 1)
        self.sock = socket.socket()
        self.sock.settimeout(wait.PATIENCE)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.connect((host, int(port)))
        auth = gw.authorization(token or gw.token)["Authorization"]
        self.sock.sendall(f"GET /v1/apps/{app}/tail?{query} HTTP/1.0\r\n"
                          f"Authorization: {auth}\r\n\r\n".encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.read()
        self.data = self.data.partition(b"\r\n\r\n")[2]

    def read(self):
        got = self.sock.recv(65536)
        self.data += got
        return got

    def read_until(self, text):
        while text not in self.data:
            assert self.read(), f"closed without {text!r}"
        return self.data

    def catch_up(self, send):
        """Reads until a line of send(n) is seen, n = 0, 1, ...: earlier ones may still be dropped.

        Returns how many were sent.
        """
        deadline = time.monotonic() + wait.PATIENCE
        self.sock.settimeout(0.3)
        for n in itertools.count():
            assert time.monotonic() < deadline, self.data[-500:]
            send(n)
            try:
                while b"the end\n" not in self.data[-4096:]:
                    assert self.read(), "closed"
                return n + 1
            except TimeoutError:
                pass

    def stop(self):
        self.sock.close()


def events(body):
    """Of server-sent events: (name, what its JSON says)."""
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        if block.startswith(":"):
            continue
        m = re.fullmatch(r"(?:event: (\w+)\n)?data: ([^\n]*)", block)
        assert m, block
        found.append((m.group(1), json.loads(m.group(2))))
    return found
