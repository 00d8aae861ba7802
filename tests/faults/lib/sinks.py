"""Receivers for drains that log what they get, in order of arrival, and that misbehave on demand.

They are cheap: bytes are kept as they came and taken apart when somebody asks.  Each sink is one
receiver of one drain, so what arrives for the wrong app shows.  One thread a sink; a ProcessSink
is a process, which can be stopped and killed.
"""

import collections
import os
import pathlib
import random
import re
import selectors
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

if __name__ != "__main__":
    from lib import address, wait

_COUNT = re.compile(rb"[1-9][0-9]{0,6} ")
_PIECE = struct.Struct("<II")  # of a ProcessSink's log: connection, bytes that follow


class Frames:
    """Takes streams apart, each connection's for itself: octet counting or LF."""

    def __init__(self):
        self.tails = {}

    def split(self, conn, data):
        """The frames that are whole now."""
        data = self.tails.get(conn, b"") + data
        found = []
        at = 0
        while at < len(data):
            count = _COUNT.match(data, at)
            if count:
                end = count.end() + int(count.group())
                if end > len(data):
                    break
                found.append(data[count.end():end])
                at = end
                continue
            if data[at:at + 8].isdigit() and len(data) - at < 8:
                break  # perhaps half a count
            end = data.find(b"\n", at)
            if end < 0:
                break
            found.append(data[at:end])
            at = end + 1
        self.tails[conn] = data[at:]
        return found


class _Conn:
    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.handshaking = isinstance(sock, ssl.SSLSocket)
        self.lines = 0
        self.left = None  # bytes until it is reset


class Log:
    """What a sink has in common with all others: pieces (connection, bytes, time)."""

    def __init__(self):
        self.pieces = collections.deque()
        self.frames = Frames()

    def take(self):
        """(frame, time of arrival) of what came since the last call.  Of each piece only the first
        frame, which waited longest, has a time."""
        while self.pieces:
            conn, data, now = self.pieces.popleft()
            for frame in self.frames.split(conn, data):
                yield frame, now
                now = None


class Sink(Log):
    """TCP; TLS when tls is an SSLContext.

    rcvbuf: SO_RCVBUF, so that a receiver that does not read is felt soon.
    """

    def __init__(self, tls=None, host=None, port=0, rcvbuf=None):
        super().__init__()
        self.host = host or address.fresh()
        self.port = port
        self.tls = tls
        self.rcvbuf = rcvbuf
        self.reading = True
        self.handshakes = True   # False: TLS connections are accepted, and that is all
        self.rate = None         # bytes a second and connection
        self.close_lines = None  # each connection ends after so many lines
        self.reset_bytes = None  # (least, most): each connection is reset after so many bytes
        self.accepted = self.closed = 0
        self.errors = []         # of TLS handshakes
        self.conns = {}
        self.thread = None
        self.accept()

    # -- faults

    def refuse(self, reset=False):
        """Closes everything; connections are refused from now on."""
        if self.thread is None:
            return

        def job():
            self.selector.unregister(self.listener)
            self.listener.close()
            for conn in list(self.conns.values()):
                self._close(conn, reset)
            self.running = False

        self._do(job)
        self.thread.join(10)
        self.thread = None
        self.selector.close()
        self.waker.close()
        self.wake.close()

    def accept(self):
        """Listens (again), on the same port."""
        assert self.thread is None
        self.selector = selectors.DefaultSelector()
        self.waker, self.wake = socket.socketpair()
        self.selector.register(self.waker, selectors.EVENT_READ, None)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.rcvbuf:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rcvbuf)
        self.listener.bind((self.host, self.port))
        self.listener.listen(128)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.jobs = collections.deque()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    stop = refuse

    def read(self, reading, rate=None):
        """Whether it reads, and how many bytes a second at most."""
        def job():
            self.reading, self.rate = reading, rate
            for conn in self.conns.values():
                self._watch(conn)

        self._do(job)

    def handshake(self, handshakes):
        """Whether TLS connections get further than accept(); those that are open end."""
        def job():
            self.handshakes = handshakes
            for conn in list(self.conns.values()):
                self._close(conn)

        self._do(job)

    def close(self, reset=False):
        """FIN (or RST) on what is open; the listener stays."""
        self._do(lambda: [self._close(c, reset) for c in list(self.conns.values())])

    def close_each(self, lines):
        """Each connection ends after so many lines; what else was sent on it is forgotten."""
        self._do(lambda: setattr(self, "close_lines", lines))

    def reset_each(self, least, most):
        """Each connection is reset after so many bytes, wherever that is in a line."""
        def job():
            self.reset_bytes = (least, most) if most else None
            for conn in self.conns.values():
                conn.left = random.randint(least, most) if most else None

        self._do(job)

    @property
    def open(self):
        return len(self.conns)

    # -- the thread

    def _do(self, job):
        if self.thread is None:
            job()
            return
        done = threading.Event()
        self.jobs.append((job, done))
        self.wake.send(b"x")
        assert done.wait(20), "the sink's thread hangs"

    def _run(self):
        while self.running:
            for key, _ in self.selector.select(0 if self.rate else 1):
                if key.fileobj is self.waker:
                    self.waker.recv(100)
                elif key.fileobj is self.listener:
                    self._accept()
                elif key.data.number in self.conns:
                    self._read(key.data, 65536)
            while self.jobs:
                job, done = self.jobs.popleft()
                job()
                done.set()
            if self.rate and self.running:
                self._read_slowly()

    def _read_slowly(self):
        for conn in list(self.conns.values()):
            self._read(conn, max(self.rate // 10, 1))
        time.sleep(0.1)

    def _watch(self, conn):
        wanted = self.reading and not self.rate and (self.handshakes or not conn.handshaking)
        registered = conn.sock in self.selector.get_map()
        if wanted and not registered:
            self.selector.register(conn.sock, selectors.EVENT_READ, conn)
        elif registered and not wanted:
            self.selector.unregister(conn.sock)

    def _accept(self):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        self.accepted += 1
        if self.tls is not None:
            sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        conn = _Conn(sock, self.accepted)
        if self.reset_bytes:
            conn.left = random.randint(*self.reset_bytes)
        self.conns[conn.number] = conn
        self._watch(conn)

    def _close(self, conn, reset=False):
        if conn.sock in self.selector.get_map():
            self.selector.unregister(conn.sock)
        if reset:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.sock.close()
        del self.conns[conn.number]
        self.closed += 1

    def _read(self, conn, most):
        try:
            if conn.handshaking:
                conn.sock.do_handshake()
                conn.handshaking = False
            data = conn.sock.recv(most if conn.left is None else min(most, conn.left))
            while isinstance(conn.sock, ssl.SSLSocket) and conn.sock.pending():
                data += conn.sock.recv(65536)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        except OSError as e:
            if conn.handshaking:
                self.errors.append(str(e))
            self._close(conn)
            return
        if not data:
            self._close(conn)
            return
        self._keep(conn, data)

    def _keep(self, conn, data):
        if self.close_lines:
            ends = [m.end() for m in re.finditer(b"\n", data)]
            room = self.close_lines - conn.lines
            conn.lines += len(ends)
            if len(ends) >= room:
                data = data[:ends[room - 1]]
        self.pieces.append((conn.number, data, time.monotonic()))
        if self.close_lines and conn.lines >= self.close_lines:
            self._close(conn)
        elif conn.left is not None:
            conn.left -= len(data)
            if conn.left <= 0:
                self._close(conn, reset=True)


class UdpSink(Log):
    """Every datagram is a line."""

    def __init__(self, host=None):
        super().__init__()
        self.host = host or address.fresh()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((self.host, 0))
        self.sock.settimeout(0.2)
        self.port = self.sock.getsockname()[1]
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            try:
                data = self.sock.recv(65536)
            except OSError:
                continue
            self.pieces.append((0, data, time.monotonic()))

    def take(self):
        while self.pieces:
            _, data, now = self.pieces.popleft()
            yield data, now

    def stop(self):
        self.running = False
        self.thread.join(5)
        self.sock.close()


class HttpSink:
    """What an HTTP receiver (lib/http_receivers.py, vendors.Logplex) accepted, as RFC 5424."""

    def __init__(self, receiver):
        self.receiver = receiver
        self.at = 0

    def take(self):
        with self.receiver.lock:
            requests = self.receiver.accepted[self.at:]
        self.at += len(requests)
        for request in requests:
            now = request.at
            for message, fields in request.lines:
                yield b"<%d>1 %s %s %s %s %s - %s" % (
                    *fields.values(), message.encode("utf-8", "surrogateescape")), now
                now = None

    def stop(self):
        self.receiver.stop()


class ProcessSink(Log):
    """A receiver that is a process of its own, for SIGSTOP and SIGKILL.

    It logs what lies in its sockets before it takes it from there: killed between the two it has
    a line twice, and never loses one that its kernel would have kept for it.
    """

    def __init__(self, directory, host=None):
        super().__init__()
        directory.mkdir(parents=True, exist_ok=True)
        self.host = host or address.fresh()
        self.port = 0
        self.log = directory / f"sink-{self.host}"
        self.log.write_bytes(b"")
        self.file = open(self.log, "rb")
        self.starts = 0
        self.tail = b""
        self.process = None
        self.start()

    def start(self):
        assert self.process is None
        self.starts += 1
        self.process = subprocess.Popen(
            [sys.executable, str(pathlib.Path(__file__)), self.host, str(self.port), str(self.log),
             str(self.starts)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def freeze(self):
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def kill(self):
        """SIGKILL."""
        process, self.process = self.process, None
        process.kill()
        process.wait()
        process.stdout.close()

    def stop(self):
        if self.process is not None:
            self.kill()
        self.file.close()

    def take(self):
        data = self.tail + self.file.read()
        now = time.monotonic()
        at = 0
        while len(data) - at >= _PIECE.size:
            conn, size = _PIECE.unpack_from(data, at)
            if len(data) - at < _PIECE.size + size:
                break
            at += _PIECE.size
            self.pieces.append((conn, data[at:at + size], now))
            at += size
        self.tail = data[at:]
        return super().take()


def _serve(host, port, log, start):
    """The process of a ProcessSink: connections are numbered over all its starts."""
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    print(listener.getsockname()[1], flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    number = start * 1000000
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                sock, _ = listener.accept()
                number += 1
                selector.register(sock, selectors.EVENT_READ, number)
                continue
            try:
                data = key.fileobj.recv(65536, socket.MSG_PEEK)
                if data:
                    os.write(out, _PIECE.pack(key.data, len(data)) + data)
                    data = key.fileobj.recv(len(data))
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def nobody():
    """An address and a port where nobody listens, and nobody will."""
    host = address.fresh()
    with socket.socket() as s:
        s.bind((host, 0))
        return host, s.getsockname()[1]


def wait_open(sink, count=1):
    wait.until(lambda: sink.open >= count, f"{count} connections")


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
