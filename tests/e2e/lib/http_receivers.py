"""HTTP receivers for drains: aiohttp's server, with TLS, that checks what a vendor documents
(lib/vendors.py) and answers as it is told.

One thread a receiver.  A request that breaks the vendor's rules is a fault: it is answered with
400 and fails the test at its end.
"""

import asyncio
import collections
import gzip
import ssl
import threading
import time

from aiohttp import web

from . import address
from .wait import PATIENCE, until

# lines: what the vendor found in the body.  wire: the size of the body as it came.
Request = collections.namedtuple("Request", "method path query headers body wire lines conn at")


class Answer:
    """A status, after some seconds.  None: what the vendor answers when all is well."""

    def __init__(self, status=None, body=None, after=0, headers=None):
        self.status = status
        self.body = body
        self.after = after
        self.headers = headers or {}

    async def give(self, transport, vendor):
        await asyncio.sleep(self.after)
        if self.status is None:
            self.status, self.body = vendor.accepted
        body = self.body if self.body is not None else f"status {self.status}\n".encode()
        return web.Response(status=self.status, body=body, headers=self.headers)

    def accepts(self):
        return self.status is not None and 200 <= self.status < 300


class Held(Answer):
    """An answer that waits until release() is called."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.released = threading.Event()

    def release(self):
        self.released.set()

    async def give(self, transport, vendor):
        while not self.released.is_set():
            await asyncio.sleep(0.005)
        return await super().give(transport, vendor)


class Hostile(Answer):
    """Bytes that are no answer; told(transport) writes them."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    def accepts(self):
        return False

    async def give(self, transport, vendor):
        await self.told(transport)
        transport.abort()
        return web.Response()

    @staticmethod
    async def _endless(transport, piece, pause=0.0):
        while not transport.is_closing():
            if transport.get_write_buffer_size() < 1 << 20:
                transport.write(piece)
            await asyncio.sleep(pause)


def hang():
    async def told(transport):
        while not transport.is_closing():
            await asyncio.sleep(0.05)

    return Hostile(told)


def close_at_once():
    async def told(_):
        pass

    return Hostile(told)


def close_in_the_middle():
    async def told(transport):
        transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf an ans")
        await asyncio.sleep(0.05)

    return Hostile(told)


def close_in_the_headers():
    async def told(transport):
        transport.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        await asyncio.sleep(0.05)

    return Hostile(told)


def garbage():
    async def told(transport):
        transport.write(b"\x00\x01\x02 SSH-2.0-OpenSSH_9.2\r\n\xff\xff" * 40)
        await asyncio.sleep(0.05)

    return Hostile(told)


def trickle():
    """A byte a second."""
    async def told(transport):
        transport.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        await Hostile._endless(transport, b"s", 1.0)

    return Hostile(told)


def trickled_body():
    async def told(transport):
        transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        await Hostile._endless(transport, b"s", 1.0)

    return Hostile(told)


def endless_headers():
    async def told(transport):
        transport.write(b"HTTP/1.1 200 OK\r\n")
        await Hostile._endless(transport, b"X-More: " + b"x" * 4000 + b"\r\n")

    return Hostile(told)


def endless_header_line():
    async def told(transport):
        transport.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        await Hostile._endless(transport, b"x" * 4000)

    return Hostile(told)


def endless_body(status=500):
    async def told(transport):
        transport.write(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        await Hostile._endless(transport, b"1000\r\n" + b"x" * 4096 + b"\r\n")

    return Hostile(told)


def endless_continues():
    async def told(transport):
        await Hostile._endless(transport, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    return Hostile(told)


def raw(answer, accepted=True):
    """These bytes, and the end of the connection."""
    async def told(transport):
        transport.write(answer)
        await asyncio.sleep(0.05)

    said = Hostile(told)
    said.accepts = lambda: accepted
    return said


class HttpReceiver:
    """vendor: from lib/vendors.py.  pair: its certificate, for TLS.  client_ca: the CA file that
    clients' certificates must be from.

    decide: called with each Request, returns an Answer, a status, or None for the vendor's own
    answer to a request that is right.  say(...) puts answers in front of that, one a request.
    """

    def __init__(self, vendor, host=None, pair=None, client_ca=None):
        self.vendor = vendor
        self.host = host or address.fresh()
        self.tls = None
        if pair is not None:
            self.set_certificate(pair, client_ca)
        self.decide = lambda request: None
        self.script = collections.deque()
        self.requests = []
        self.accepted = []
        self.faults = []
        self.lock = threading.Lock()
        self.connections = 0
        self.protocols = []
        self.port = 0
        self.thread = None
        self.start()

    def set_certificate(self, pair, client_ca=None):
        """For the connections that are made from now on (after a restart)."""
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(pair.cert, pair.key)
        if client_ca is not None:
            self.tls.verify_mode = ssl.CERT_REQUIRED
            self.tls.load_verify_locations(client_ca)

    def url(self, path="/", host=None, user=None):
        scheme = "https" if self.tls else "http"
        user = f"{user}@" if user else ""
        return f"{scheme}://{user}{host or self.host}:{self.port}{path}"

    # -- starting and stopping, again and again on the same port

    def start(self):
        assert self.thread is None
        started = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(20), "an HTTP receiver that does not start"

    def stop(self):
        if self.thread is None:
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)
        self.thread = None

    def close_connections(self):
        def job():
            for protocol in self.protocols:
                if protocol.transport is not None:
                    protocol.transport.abort()

        self.loop.call_soon_threadsafe(job)

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(self._listen())
        started.set()
        self.loop.run_forever()
        server.close()
        for protocol in self.protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _listen(self):
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.loop.set_exception_handler(lambda loop, context: None)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()

        def accept():
            self.connections += 1
            self.protocols.append(runner.server())
            return self.protocols[-1]

        server = await self.loop.create_server(accept, self.host, self.port, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    # -- requests

    async def _handle(self, http):
        transport = http.transport
        wire = await http.read()
        fault = None
        lines = []
        body = wire
        try:
            if "Content-Encoding" in http.headers:
                assert http.headers["Content-Encoding"] == "gzip", http.headers
                body = gzip.decompress(wire)
            lines = self.vendor.lines(http, body, len(wire))
        except Exception as e:  # whatever the checks stumble over is the request's fault
            # Not the exception's name: the gateway logs this, and "Assertion" is a crash there.
            name = "" if isinstance(e, AssertionError) else type(e).__name__
            fault = f"{name} {e}; {http.path} {dict(http.headers)} {body[:300]!r}"
        request = Request(http.method, http.path, dict(http.query), http.headers.copy(), body,
                          len(wire), lines, self.protocols.index(http.protocol), time.monotonic())
        with self.lock:
            self.requests.append(request)
            if fault:
                self.faults.append(fault)
        if fault:
            return web.Response(status=400, text=fault[:200])
        return await self._answer(request, transport)

    async def _answer(self, request, transport):
        answer = self.script.popleft() if self.script else self.decide(request)
        if not isinstance(answer, Answer):
            answer = Answer(answer)
        response = await answer.give(transport, self.vendor)
        if answer.accepts():
            with self.lock:
                self.accepted.append(request)
        return response

    # -- what came

    def say(self, *answers):
        """The answers to the next requests, one each."""
        self.script.extend(answers)

    @property
    def entries(self):
        """All that was accepted, in order of the answers."""
        with self.lock:
            return [line for request in self.accepted for line in request.lines]

    @property
    def messages(self):
        return [e.message for e in self.entries]

    @property
    def numbers(self):
        """Of lines "line N ...", accepted, in order."""
        return [int(m.split()[1]) for m in self.messages]

    def wait(self, count, timeout=PATIENCE):
        """The first messages, once so many were accepted."""
        until(lambda: len(self.entries) >= count,
              lambda: f"{count} lines, {len(self.entries)} came in {len(self.requests)} requests; "
                      f"faults: {self.faults[:2]}", timeout)
        return self.messages[:count]

    def wait_requests(self, count, timeout=PATIENCE):
        until(lambda: len(self.requests) >= count,
              lambda: f"{count} requests, {len(self.requests)} came; faults: {self.faults[:2]}",
              timeout)
        return self.requests[:count]


