"""A RELP client (rsyslog.com/doc/relp.html), and a sender that never gives up."""

import collections
import re
import select
import socket
import ssl
import time

from .wait import PATIENCE

WINDOW = 128  # librelp's
OFFERS = b"relp_version=0\nrelp_software=test\ncommands=syslog"

_HEADER = re.compile(rb"(\d{1,9}) ([a-zA-Z]{1,32}) (\d{1,9})([ \n])")
_RSP = re.compile(rb"(\d{3})(?: ([^\n]*))?(?:\n(.*))?", re.DOTALL)

Answer = collections.namedtuple("Answer", "txnr code text data")


class Closed(Exception):
    """The server has ended the connection, or said that it will."""


def frame(txnr, command, data=b""):
    return b"%d %s %d%s\n" % (txnr, command, len(data), b" " + data if data else b"")


class Client:
    """One session.  Answers must come in the order of the commands.

    tls: an ssl.SSLContext; name: the server's, for it.  offers None: no `open` is sent.
    buffers: bytes of the socket's, in place of what the kernel finds right.
    """

    def __init__(self, host, port, window=WINDOW, tls=None, name=None, source=None, offers=OFFERS,
                 timeout=PATIENCE, buffers=None):
        self.window = window
        self.timeout = timeout
        self.txnr = 0
        self.pending = collections.OrderedDict()  # txnr -> data, of what is not answered
        self.answers = []
        self.hints = []  # commands
        self.tail = b""
        self.closed = None  # why
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF) if buffers is not None else ():
                self.sock.setsockopt(socket.SOL_SOCKET, option, buffers)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.settimeout(timeout)
            if source is not None:
                self.sock.bind((source, 0))
            self.sock.connect((host, port))
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock, server_hostname=name or host)
            self.sock.setblocking(False)
            if offers is not None:
                self.command(b"open", offers)
                self.wait()
        except OSError:
            self.sock.close()
            raise
        except Closed:
            self.sock.close()
            raise

    # -- sending

    def command(self, command, data=b"", read=True):
        """Sends one; returns its number."""
        txnr = self.txnr = self.txnr % 999999999 + 1
        self.pending[txnr] = data
        self.write(frame(txnr, command, data), read)
        return txnr

    def line(self, line):
        """Sends a line as soon as the window has room."""
        self.read(0)
        self.until(lambda: len(self.pending) < self.window, "room in the window")
        return self.command(b"syslog", line)

    def lines(self, lines):
        """Sends them, as many at once as the window has room for."""
        lines = list(lines)
        while lines:
            self.read(0)
            self.until(lambda: len(self.pending) < self.window, "room in the window")
            room = self.window - len(self.pending)
            now, lines = lines[:room], lines[room:]
            out = []
            for l in now:
                self.txnr = self.txnr % 999999999 + 1
                self.pending[self.txnr] = l
                out.append(frame(self.txnr, b"syslog", l))
            self.write(b"".join(out))

    def write(self, data, read=True):
        """Bytes as they are.  Answers are read meanwhile, unless read is False."""
        data = memoryview(data)
        deadline = time.monotonic() + self.timeout
        while data:
            self._wait(True, deadline, "bytes are taken", read)
            try:
                data = data[self.sock.send(data):]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                pass
            except OSError as e:
                raise Closed(str(e)) from e
            if read:
                self.read(0)

    # -- answers

    def wait(self):
        """Until all is answered."""
        self.until(lambda: not self.pending, "answers")

    def until(self, condition, what):
        deadline = time.monotonic() + self.timeout
        while not condition():
            self._wait(False, deadline, what)
            try:
                self.read(0)
            except Closed:
                if not condition():
                    raise

    def _wait(self, writing, deadline, what, reading=True):
        left = deadline - time.monotonic()
        assert left > 0, f"not within {self.timeout} s: {what}; {len(self.pending)} unanswered"
        if not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0):
            select.select([self.sock] if reading else [], [self.sock] if writing else [], [], left)

    def read(self, timeout):
        """Takes what has come, or comes within that time."""
        if self.closed:
            raise Closed(self.closed)
        if timeout > 0:
            select.select([self.sock], [], [], timeout)
        while True:
            try:
                data = self.sock.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                return
            except OSError as e:
                self.closed = str(e)
            else:
                self.closed = None if data else "end of the connection"
                self._take(data)
            if self.closed:
                raise Closed(self.closed)

    def _take(self, data):
        self.tail += data
        at = 0
        while True:
            header = _HEADER.match(self.tail, at)
            if header is None:
                assert len(self.tail) - at < 64, f"no RELP: {self.tail[at:at + 100]!r}"
                break
            size, begin = int(header.group(3)), header.end()
            assert (size == 0) == (header.group(4) == b"\n"), f"no RELP: {header.group()!r}"
            end = begin + size + (1 if size else 0)
            if len(self.tail) < end:
                break
            assert self.tail[end - 1:end] == b"\n", f"no RELP: {self.tail[at:end]!r}"
            at = end
            self._frame(int(header.group(1)), header.group(2), self.tail[begin:begin + size])
        self.tail = self.tail[at:]

    def _frame(self, txnr, command, data):
        if txnr == 0:
            self.hints.append(command)
            if command == b"serverclose":
                self.closed = "serverclose"
            return
        assert command == b"rsp", command
        assert self.pending, f"an answer to nothing: {txnr}"
        first = next(iter(self.pending))
        assert txnr == first, f"{txnr} is answered before {first}"
        code, text, more = _RSP.fullmatch(data).groups()
        del self.pending[txnr]
        self.answers.append(Answer(txnr, int(code), text, more))

    # -- the end

    def close(self):
        """As a client should: `close`, and waits for its answer and for the server's end."""
        self.command(b"close", read=False)
        self.wait()
        self.end()

    def end(self):
        """Waits for the server's end, then closes; what it said last is in hints."""
        try:
            self.until(lambda: False, "the server's end")
        except Closed:
            pass
        self.abandon()

    def abandon(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.abandon()


class Sender:
    """Lines until all are answered, over as many sessions as it takes.

    connect() makes a Client, or fails with OSError, AssertionError or Closed.  What was not
    answered when a session ends goes out again first in the next, as omrelp does it.
    """

    def __init__(self, connect):
        self.connect = connect
        self.client = None
        self.waiting = collections.deque()  # not answered, of earlier sessions first
        self.sessions = 0

    def send(self, lines, timeout=PATIENCE):
        self.waiting.extend(lines)
        deadline = time.monotonic() + timeout
        while self.waiting:
            assert time.monotonic() < deadline, f"{len(self.waiting)} lines are not answered"
            self._session()

    def _session(self):
        try:
            if self.client is None:
                self.client = self.connect()
                self.sessions += 1
            self._send_some(list(self.waiting))
        except (OSError, Closed):
            if self.client is not None:
                self.client.abandon()
            self.client = None
            time.sleep(0.05)

    def _send_some(self, lines):
        before = len(self.client.answers)
        try:
            self.client.lines(lines)
            self.client.wait()
        finally:
            answers = self.client.answers[before:]
            assert all(a.code == 200 for a in answers), answers[-1]
            for _ in answers:
                self.waiting.popleft()

    def close(self):
        if self.client is not None:
            self.client.close()
        self.client = None
