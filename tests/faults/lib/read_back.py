"""What is in a data-dir, as ../read_back.c says it."""

import collections
import pathlib
import subprocess

from lib.gateway import PENSTOCKD

TOOLS = pathlib.Path(PENSTOCKD).parent / "tests/faults"


def tool(name):
    path = TOOLS / name
    assert path.exists(), f"{path} is not there: build the target faults_tools"
    return path


class Found:
    """One data-dir."""

    def __init__(self):
        self.faults = []  # of store or spool, in words
        self.apps = {}    # name -> serial
        self.drains = {}  # URL -> id
        self.logs = {}    # serial -> (head, end)
        self.marks = {}   # (serial, drain's id) -> sequence
        self.chunks = collections.defaultdict(list)  # serial -> [(sequence, lines, what it holds)]
        self.holes = 0


class ReadBack:
    """parse: makes of a chunk's bytes what chunks hold; asked once for each chunk."""

    def __init__(self, parse):
        self.parse = parse
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def _begin(self):
        self.known = {}
        self.process = subprocess.Popen([tool("read_back")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _end(self):
        process, self.process = self.process, None
        if process is not None:
            process.stdin.close()
            process.stdout.close()
            process.wait(20)

    def read(self, folder):
        """Found; None: it died of it."""
        if self.process is None:
            self._begin()
        found = Found()
        self.process.stdin.write(f"{folder}\n".encode())
        self.process.stdin.flush()
        while True:
            words = self.process.stdout.readline().split()
            if not words:
                self._end()
                return None
            kind, words = words[0], words[1:]
            if kind == b"end":
                return found
            getattr(self, "_" + kind.decode())(found, words)

    @staticmethod
    def _store(found, words):
        if words[0] != b"0":
            found.faults.append(b"store: " + b" ".join(words[1:]))

    @staticmethod
    def _spool(found, words):
        if words[0] != b"0":
            found.faults.append(b"spool: " + b" ".join(words[1:]))

    @staticmethod
    def _app(found, words):
        found.apps[words[0].decode()] = int(words[1])

    @staticmethod
    def _drain(found, words):
        found.drains[words[2].decode()] = int(words[1])

    @staticmethod
    def _log(found, words):
        found.logs[int(words[0])] = (int(words[1]), int(words[2]))

    @staticmethod
    def _mark(found, words):
        found.marks[int(words[0]), int(words[1])] = int(words[2])

    @staticmethod
    def _hole(found, _):
        found.holes += 1

    def _chunk(self, found, words):
        app, seq, lines, size = int(words[0]), int(words[1]), int(words[2]), int(words[4])
        if size:
            self.known[words[3]] = self.parse(self.process.stdout.read(size))
        found.chunks[app].append((seq, lines, self.known[words[3]]))


def frames(data):
    """Of a chunk's bytes."""
    found, at = [], 0
    while at < len(data):
        end = data.index(b" ", at)
        size = int(data[at:end])
        assert end + 1 + size <= len(data), "half a frame at a chunk's end"
        found.append(data[end + 1:end + 1 + size])
        at = end + 1 + size
    return found
