#!/usr/bin/env python3
"""The measuring tools against each other, without a router between them.

    tests/bench_tools.py FOLDER_OF_THE_TOOLS [unittest arguments]
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest

TOOLS = pathlib.Path()
# An address of this run's own: others may run at the same time.
HOST = f"127.{os.getpid() >> 16 & 127}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
PORT = 27500
FAULTS = ("missing", "duplicated", "reordered", "misrouted", "misparsed")


def listening(port):
    wanted = f"{int.from_bytes(socket.inet_aton(HOST), 'little'):08X}:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(f[1] == wanted and f[3] == "0A" for f in map(str.split, table))


class Tools(unittest.TestCase):
    def sink(self, *options, ports=1):
        """A sink that listens; result() waits for what it says."""
        sink = subprocess.Popen(
            [TOOLS / "sink", "--listen", f"{HOST}:{PORT}", "--ports", str(ports),
             "--seconds", "20", "--quiet-ms", "500", *map(str, options)],
            stdout=subprocess.PIPE)
        self.addCleanup(sink.stdout.close)
        self.addCleanup(sink.wait)
        self.addCleanup(sink.kill)
        deadline = time.monotonic() + 10
        while not listening(PORT + ports - 1):
            self.assertLess(time.monotonic(), deadline, "the sink does not listen")
            time.sleep(0.01)
        return sink

    def result(self, sink):
        return json.loads(sink.communicate(timeout=30)[0])

    def flood(self, *options, to=f"{HOST}:{PORT}", status=0):
        done = subprocess.run([TOOLS / "flood", "--to", to, "--seconds", "20",
                               *map(str, options)], stdout=subprocess.PIPE, timeout=40)
        self.assertEqual(done.returncode, status)
        return json.loads(done.stdout)

    def assert_whole(self, result, lines):
        self.assertEqual(result["delivered"], lines, result)
        self.assertEqual([result[fault] for fault in FAULTS], [0] * len(FAULTS), result)


class Lines(Tools):
    def test_all_arrive_in_every_form(self):
        for form in (("--framing", "lf"), ("--framing", "octet"), ("--format", "3164"),
                     ("--size", "1024"), ("--stamp",)):
            with self.subTest(form=form):
                sink = self.sink("--expect", 3000)
                sent = self.flood("--lines", 3000, "--connections", 7, *form)
                self.assertEqual(sent["lines"], 3000)
                self.assert_whole(self.result(sink), 3000)

    def test_many_apps_on_one_connection_are_misrouted(self):
        sink = self.sink("--expect", 100)
        self.flood("--lines", 100, "--apps", 4)
        self.assertEqual(self.result(sink)["misrouted"], 75)

    def test_an_altered_line_is_noticed(self):
        """What flood sends, with one byte of it changed, or cut off."""
        with socket.create_server((HOST, PORT + 1)) as server:
            server.settimeout(10)
            flood = subprocess.Popen([TOOLS / "flood", "--to", f"{HOST}:{PORT + 1}", "--lines", "1",
                                      "--framing", "lf"], stdout=subprocess.DEVNULL)
            with server.accept()[0] as sender:
                line = sender.makefile("rb").readline()
            self.assertEqual(flood.wait(10), 0)
        changed = line.replace(b"brown", b"brawn")
        self.assertNotEqual(changed, line)
        sink = self.sink("--expect", 1)
        with socket.create_connection((HOST, PORT)) as sender:
            sender.sendall(changed + line[:-2] + b"\n" + line[:-1] + b"x\n" + line)
        result = self.result(sink)
        self.assertEqual((result["lines"], result["misparsed"], result["delivered"]), (4, 3, 1))


class Latency(Tools):
    def test_stamped_lines_tell_how_long_they_took(self):
        sink = self.sink("--expect", 500)
        sent = self.flood("--lines", 500, "--stamp", "--rate", 1000, "--connections", 3)
        self.assertAlmostEqual(sent["seconds"], 0.5, delta=0.25)
        result = self.result(sink)
        self.assert_whole(result, 500)
        latency = result["latency_ms"]
        self.assertEqual(latency["n"], 500)
        self.assertGreater(latency["p50"], 0)
        self.assertLess(latency["p50"], 100)
        self.assertLessEqual(latency["p50"], latency["p99"])
        self.assertLessEqual(latency["p99"], latency["max"])

    def test_others_tell_nothing(self):
        sink = self.sink("--expect", 10)
        self.flood("--lines", 10)
        self.assertNotIn("latency_ms", self.result(sink))


if __name__ == "__main__":
    TOOLS = pathlib.Path(sys.argv.pop(1))
    unittest.main()
