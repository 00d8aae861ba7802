"""Senders at a fixed rate that know what they offered and what was acknowledged.

The n-th line of a sender is for its apps by turns.  One thread a sender; it offers lines while it
is connected, goes on by itself after a lost connection, and never waits for one that is away.
"""

import bisect
import http.client
import re
import select
import socket
import threading
import time

from . import line

TICK = 0.02           # seconds between two writes
LINES_AT_ONCE = 2000  # at most

# How long a sender that sends again may take to get the last acknowledgement.
FINISH_SECONDS = 30


def lf(frames):
    return b"".join(f + b"\n" for f in frames)


def octet(frames):
    return b"".join(b"%d %s" % (len(f), f) for f in frames)


class Sender:
    """rate: lines a second, in all.  connect: makes a connection, or fails with OSError."""

    acknowledged = False  # whether it is told; then it sends again what it was not told of

    def __init__(self, name, apps, rate, connect):
        assert len(set(apps)) == len(apps)
        self.name = name
        self.apps = list(apps)
        self.rate = rate
        self.connect = connect
        self.made = 0            # lines that were offered
        self.times = ([0], [0])  # the first line of each write, and when that was
        self.blocked = 0.0       # seconds, the longest that a write took
        self.losses = 0          # of connections, also of those that were never made
        self.connection = None
        self.running = self.abandoned = False
        self.thread = None

    # -- what was sent

    def count(self, app, upto):
        """How many of the first lines are an app's."""
        if app not in self.apps:
            return 0
        n = len(self.apps)
        return (upto + n - 1 - self.apps.index(app)) // n

    def offered(self, app):
        return self.count(app, self.made)

    def acked(self, app):
        """How many of an app's first lines are acknowledged."""
        return 0

    def done(self):
        """All is acknowledged that will ever be."""
        return True

    def sent_at(self, app, seq):
        """When a line was offered."""
        n = seq * len(self.apps) + self.apps.index(app)
        return self.times[1][bisect.bisect_right(self.times[0], n) - 1]

    def frame(self, n):
        apps = self.apps
        return line.frame(apps[n % len(apps)].encode(), self.name.encode(), n // len(apps))

    def burst(self, lines):
        """Offers so many lines at once, from the caller's thread; not while it runs by itself."""
        assert self.thread is None
        assert self._turn(self.made + lines), f"the sender {self.name} is not connected"

    # -- the thread

    def start(self):
        assert self.thread is None
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """No more lines; returns when all that will be acknowledged is."""
        if self.thread is None:
            return
        self.running = False
        self.thread.join(FINISH_SECONDS + 60)
        assert not self.thread.is_alive(), f"the sender {self.name} hangs"
        self.thread = None
        self.hang_up()

    def abandon(self):
        """After a test that failed: its thread ends when it can, nobody waits for it."""
        self.running = False
        self.abandoned = True

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _run(self):
        begin, before = time.monotonic(), self.made
        while self.running:
            due = before + int((time.monotonic() - begin) * self.rate)
            if due > self.made or not self.done():
                if not self._turn(due):
                    begin, before = time.monotonic(), self.made  # nothing was due meanwhile
            time.sleep(TICK)
        end = time.monotonic() + FINISH_SECONDS
        while not self.done() and not self.abandoned and time.monotonic() < end:
            self._turn(self.made)
            time.sleep(TICK)

    def _turn(self, due):
        """Offers the lines up to due.  False: there is no connection."""
        try:
            if self.connection is None:
                self.connection = self.connect()
                self.connected()
            while True:
                first, self.made = self.made, min(due, self.made + LINES_AT_ONCE)
                now = time.monotonic()
                if self.made > first:
                    self.times[0].append(first)
                    self.times[1].append(now)
                self.send(first, self.made)
                self.blocked = max(self.blocked, time.monotonic() - now)
                if self.made >= due:
                    return True
        except (OSError, http.client.HTTPException):
            self.losses += 1
            self.hang_up()
            return False

    def connected(self):
        """There is a new connection."""

    def send(self, first, end):
        """These lines are new."""
        raise NotImplementedError


class StreamSender(Sender):
    """TCP, TLS, Unix stream sockets: nothing is ever acknowledged."""

    def __init__(self, *args, framing=lf):
        super().__init__(*args)
        self.framing = framing

    def send(self, first, end):
        if end > first:
            self.connection.sendall(self.framing([self.frame(n) for n in range(first, end)]))


class DatagramSender(Sender):
    """A datagram a line."""

    def send(self, first, end):
        for n in range(first, end):
            self.connection.send(self.frame(n))


class HttpSender(Sender):
    """POST /v1/apps/APP/logs.  204 acknowledges a body; after anything else it goes out again.

    connect: makes an http.client connection.
    """

    acknowledged = True

    def __init__(self, *args, headers=None):
        super().__init__(*args)
        self.headers = {"Content-Type": "application/logplex-1", **(headers or {})}
        self.safe = dict.fromkeys(self.apps, 0)
        self.refusals = []  # (status, Retry-After)

    def acked(self, app):
        return self.safe.get(app, 0)

    def done(self):
        return all(self.safe[app] == self.offered(app) for app in self.apps)

    def send(self, first, end):
        for app in self.apps:
            begin = self.safe[app]
            stop = min(self.offered(app), begin + LINES_AT_ONCE)
            if begin == stop:
                continue
            body = octet(line.logplex(app.encode(), self.name.encode(), seq)
                         for seq in range(begin, stop))
            self.connection.request("POST", f"/v1/apps/{app}/logs", body, self.headers)
            answer = self.connection.getresponse()
            answer.read()
            if answer.status == 204:
                self.safe[app] = stop
            else:
                self.refusals.append((answer.status, answer.headers.get("Retry-After")))


class RelpSender(Sender):
    """RELP as rsyslog's omrelp speaks it: a window of 128, what is unanswered goes out again."""

    acknowledged = True
    WINDOW = 128
    _ANSWER = re.compile(rb"(\d+) (\w+) (\d+)[ \n]")

    def __init__(self, *args):
        super().__init__(*args)
        self.safe = 0   # the first lines that are answered
        self.sent = 0   # on this connection, or before it

    def acked(self, app):
        return self.count(app, self.safe)

    def done(self):
        return self.safe == self.made

    def connected(self):
        self.buffer = b""
        self.answered = set()
        offers = b"relp_version=0\nrelp_software=test\ncommands=syslog"
        self.connection.sendall(b"1 open %d %s\n" % (len(offers), offers))
        self.first_number = 2 - self.safe  # line n has the number n + first_number
        self.sent = self.safe
        self.opened = False
        while not self.opened:
            self._answers(5)

    def send(self, first, end):
        until = time.monotonic() + 1
        while True:
            room = min(self.safe + self.WINDOW, end)
            if self.sent < room:
                self.connection.sendall(b"".join(
                    b"%d syslog %d %s\n" % (n + self.first_number, len(f), f)
                    for n, f in ((n, self.frame(n)) for n in range(self.sent, room))))
                self.sent = room
            if self.sent == end or time.monotonic() > until:
                self._answers(0)
                return
            self._answers(0.05)

    def _answers(self, timeout):
        """What is answered by now, or within that time."""
        if not select.select([self.connection], [], [], timeout)[0]:
            return
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("closed by the gateway")
        self.buffer += data
        while (m := self._ANSWER.match(self.buffer)) is not None:
            end = m.end() + int(m.group(3))
            if m.group(3) != b"0" and len(self.buffer) <= end:
                return
            self._answer(int(m.group(1)), m.group(2), self.buffer[m.end():end])
            self.buffer = self.buffer[end:].removeprefix(b"\n")
        while self.safe in self.answered:
            self.answered.remove(self.safe)
            self.safe += 1

    def _answer(self, number, command, data):
        if command != b"rsp" or not data.startswith(b"200"):
            raise ConnectionError(f"answered {command!r} {data!r}")
        if number == 1:
            self.opened = True
        else:
            self.answered.add(number - self.first_number)


# -- what they connect to

def tcp(host, port, tls=None, name=None, source=None):
    def connect():
        sock = socket.create_connection((host, port), 10,
                                        source_address=(source, 0) if source else None)
        sock.settimeout(60)
        return tls.wrap_socket(sock, server_hostname=name or host) if tls else sock

    return connect


def udp(host, port):
    def connect():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect((host, port))
        return sock

    return connect


def http_to(host, port):
    def connect():
        connection = http.client.HTTPConnection(host, port, timeout=60)
        connection.connect()
        return connection

    return connect
