"""A GELF input over TCP: messages end with a NUL."""

import time

from .receivers import Line, TcpReceiver
from .vendors import gelf


class GelfReceiver(TcpReceiver):
    def _take(self, conn, data):
        *frames, conn.tail = data.split(b"\0")
        now = time.monotonic()
        with self.lock:
            self.lines.extend(Line(f, "nul", conn.port, conn.number, now) for f in frames)

    def wait_messages(self, count):
        """Checked, as dictionaries."""
        return [gelf(text) for text in self.wait(count)]
