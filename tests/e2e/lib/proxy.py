"""A tiny HTTP proxy that knows CONNECT and nothing else."""

import re
import socket
import threading

from . import address

_CONNECT = re.compile(rb"CONNECT (\S+):(\d+) HTTP/1\.1\r\n")


class ConnectProxy:
    """targets: "HOST:PORT" of each CONNECT.  connect: leads them all to this (host, port).
    refuse: the status it answers CONNECT with instead.
    """

    def __init__(self, connect=None, refuse=None):
        self.connect = connect
        self.refuse = refuse
        self.targets = []
        self.others = []
        self.sockets = []
        self.host = address.fresh()
        self.listener = socket.socket()
        self.listener.bind((self.host, 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self):
        # A thread in accept() is only woken by shutdown().
        for sock in [self.listener, *self.sockets]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                more = sock.recv(4096)
                if not more:
                    return
                head += more
            request = _CONNECT.match(head)
            if not request:
                self.others.append(head)
                sock.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            host, port = request.group(1).decode(), int(request.group(2))
            self.targets.append(f"{host}:{port}")
            if self.refuse:
                sock.sendall(b"HTTP/1.1 %d Refused\r\nContent-Length: 0\r\n\r\n" % self.refuse)
                return
            far = socket.create_connection(self.connect or (host.strip("[]"), port), 10)
            self.sockets.append(far)
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(far, sock), daemon=True)
            back.start()
            _pump(sock, far)
        except OSError:
            pass
        finally:
            sock.close()


def _pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
