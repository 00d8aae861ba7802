"""Receivers for drains, with the faults that real ones have.

One thread a receiver.  What came is in .lines, in order of arrival.
"""

import collections
import re
import selectors
import socket
import ssl
import struct
import threading
import time

from . import address
from .wait import PATIENCE, until

Line = collections.namedtuple("Line", "text framing port conn at")

_COUNT = re.compile(rb"[1-9][0-9]{0,6} ")


class _Conn:
    def __init__(self, sock, number, port):
        self.sock = sock
        self.number = number
        self.port = port
        self.tail = b""
        self.lines = 0
        self.handshaking = isinstance(sock, ssl.SSLSocket)


class Receiver:
    """Waiting for lines; what TCP and UDP receivers have in common."""

    def __init__(self):
        self.lines = []
        self.lock = threading.Lock()

    @property
    def texts(self):
        with self.lock:
            return [l.text for l in self.lines]

    def wait(self, count, timeout=PATIENCE):
        """The first lines, once there are so many."""
        until(lambda: len(self.lines) >= count,
                   lambda: f"{count} lines, {len(self.lines)} came; the last: "
                           f"{[t[:120] for t in self.texts[-3:]]}", timeout)
        return self.texts[:count]

    def wait_different(self, count, timeout=PATIENCE):
        """So many different lines, in order of first arrival: repeats do not count."""
        seen = {}
        state = {"at": 0}

        def enough():
            texts = self.texts
            for text in texts[state["at"]:]:
                seen.setdefault(text)
            state["at"] = len(texts)
            return len(seen) >= count

        until(enough, lambda: f"{count} different lines, {len(seen)} came", timeout)
        return list(seen)

    def wait_text(self, part, timeout=PATIENCE):
        """The first line that contains these bytes."""
        if isinstance(part, str):
            part = part.encode()
        return until(lambda: next((t for t in self.texts if part in t), None),
                          lambda: f"a line with {part!r}; came: {[t[:120] for t in self.texts[-5:]]}",
                          timeout)


class TcpReceiver(Receiver):
    """Listens on one or more ports of one address; TLS when tls is an SSLContext.

    close_after: closes each connection after so many lines, and forgets what
        it had read beyond them, as a program that crashes does.
    reading: False: connections are accepted and never read.
    rcvbuf: SO_RCVBUF, to make a receiver that does not read felt soon.
    """

    def __init__(self, ports=1, tls=None, close_after=0, reading=True, rcvbuf=None, host=None):
        super().__init__()
        self.host = host or address.fresh()
        self.tls = tls
        self.close_after = close_after
        self.reading = reading
        self.rcvbuf = rcvbuf
        self.accepted = 0
        self.closed = 0
        self.handshake_errors = []
        self.bytes = 0
        self.nports = ports
        self.ports = None
        self.thread = None
        self.conns = {}
        self.start()

    @property
    def port(self):
        return self.ports[0]

    @property
    def open(self):
        return len(self.conns)

    # -- starting and stopping, again and again on the same ports

    def start(self):
        assert self.thread is None
        self.selector = selectors.DefaultSelector()
        self.waker, self.wake = socket.socketpair()
        self.selector.register(self.waker, selectors.EVENT_READ, None)
        self.listeners = []
        wanted = self.ports or [0] * self.nports
        self.ports = []
        for index, port in enumerate(wanted):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.rcvbuf:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rcvbuf)
            listener.bind((self.host, port))
            listener.listen(128)
            listener.setblocking(False)
            self.listeners.append(listener)
            self.ports.append(listener.getsockname()[1])
            self.selector.register(listener, selectors.EVENT_READ, index)
        self.jobs = collections.deque()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self, reset=False):
        """Closes everything; connections are refused from now on.  reset: with RST."""
        if self.thread is None:
            return

        def job():
            for listener in self.listeners:
                listener.close()
            for conn in list(self.conns.values()):
                self._close(conn, reset)
            self.running = False

        self._do(job)
        self.thread.join(10)
        self.thread = None
        self.selector.close()
        self.waker.close()
        self.wake.close()

    def set_reading(self, reading):
        def job():
            self.reading = reading
            for conn in self.conns.values():
                registered = conn.sock in self.selector.get_map()
                if reading and not registered:
                    self.selector.register(conn.sock, selectors.EVENT_READ, conn)
                elif not reading and registered:
                    self.selector.unregister(conn.sock)

        self._do(job)

    def close_connections(self, reset=False):
        """FIN (or RST) on what is open; the listener stays."""
        self._do(lambda: [self._close(c, reset) for c in list(self.conns.values())])

    # -- the thread

    def _do(self, job):
        done = threading.Event()
        self.jobs.append((job, done))
        self.wake.send(b"x")
        assert done.wait(20), "the receiver's thread hangs"

    def _run(self):
        while self.running:
            for key, _ in self.selector.select(1):
                if key.fileobj is self.waker:
                    self.waker.recv(100)
                elif isinstance(key.data, int):
                    self._accept(key.fileobj, key.data)
                elif key.data.number in self.conns:
                    self._read(key.data)
            while self.jobs:
                job, done = self.jobs.popleft()
                job()
                done.set()

    def _accept(self, listener, index):
        for _ in range(64):
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setblocking(False)
            self.accepted += 1
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            conn = _Conn(sock, self.accepted, index)
            self.conns[conn.number] = conn
            if self.reading:
                self.selector.register(sock, selectors.EVENT_READ, conn)

    def _close(self, conn, reset=False):
        if conn.sock in self.selector.get_map():
            self.selector.unregister(conn.sock)
        if reset:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.sock.close()
        del self.conns[conn.number]
        self.closed += 1

    def _read(self, conn):
        try:
            if conn.handshaking:
                conn.sock.do_handshake()
                conn.handshaking = False
            data = conn.sock.recv(65536)
            while isinstance(conn.sock, ssl.SSLSocket) and conn.sock.pending():
                data += conn.sock.recv(65536)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        except OSError as e:
            if conn.handshaking:
                self.handshake_errors.append(str(e))
            self._close(conn)
            return
        if not data:
            self._close(conn)
            return
        self.bytes += len(data)
        self._take(conn, conn.tail + data)

    def _take(self, conn, data):
        found = []
        now = time.monotonic()
        at = 0
        full = False
        while at < len(data) and not full:
            count = _COUNT.match(data, at)
            if count:
                end = count.end() + int(count.group())
                if end > len(data):
                    break
                found.append(Line(data[count.end():end], "octet", conn.port, conn.number, now))
                at = end
            else:
                if data[at:at + 8].isdigit() and len(data) - at < 8:
                    break  # perhaps half a count
                end = data.find(b"\n", at)
                if end < 0:
                    break
                found.append(Line(data[at:end], "lf", conn.port, conn.number, now))
                at = end + 1
            full = bool(self.close_after) and conn.lines + len(found) >= self.close_after
        conn.tail = data[at:]
        conn.lines += len(found)
        with self.lock:
            self.lines.extend(found)
        if full:
            self._close(conn)


class UdpReceiver(Receiver):
    """Every datagram is a line."""

    def __init__(self):
        super().__init__()
        self.host = address.fresh()
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
            except (TimeoutError, OSError):
                continue
            with self.lock:
                self.lines.append(Line(data, "udp", 0, 0, time.monotonic()))

    def stop(self):
        self.running = False
        self.thread.join(5)
        self.sock.close()


def refused():
    """An address and a port where nobody listens, and nobody will."""
    host = address.fresh()
    with socket.socket() as s:
        s.bind((host, 0))
        return host, s.getsockname()[1]


def tls_context(pair, minimum=ssl.TLSVersion.TLSv1_2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = minimum
    context.load_cert_chain(pair.cert, pair.key)
    return context
