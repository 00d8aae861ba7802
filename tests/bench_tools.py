#!/usr/bin/env python3
"""The measuring tools against each other, without a router between them.

    tests/bench_tools.py FOLDER_OF_THE_TOOLS [unittest arguments]
"""
import gzip
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

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
        said = json.loads(sink.communicate(timeout=30)[0])
        self.assertEqual(sink.returncode, 0)
        return said

    def flood(self, *options, to=f"{HOST}:{PORT}", status=0):
        done = subprocess.run([TOOLS / "flood", "--to", to, "--seconds", "20",
                               *map(str, options)], stdout=subprocess.PIPE, timeout=40)
        self.assertEqual(done.returncode, status)
        return json.loads(done.stdout)

    def lines(self, *options):
        """What flood sends over a connection."""
        with socket.create_server((HOST, PORT + 1)) as server:
            server.settimeout(10)
            flood = subprocess.Popen(
                [TOOLS / "flood", "--to", f"{HOST}:{PORT + 1}", "--framing", "lf",
                 *map(str, options)], stdout=subprocess.DEVNULL)
            with server.accept()[0] as sender:
                lines = sender.makefile("rb").readlines()
            self.assertEqual(flood.wait(10), 0)
        return lines

    def assert_whole(self, result, lines):
        self.assertEqual(result["delivered"], lines, result)
        self.assertEqual([result[fault] for fault in FAULTS], [0] * len(FAULTS), result)


class Lines(Tools):
    def test_all_arrive_in_every_form(self):
        for form in (("--framing", "lf"), ("--framing", "octet"), ("--format", "3164"),
                     ("--size", "1024"), ("--size", "mixed"), ("--stamp",)):
            with self.subTest(form=form):
                sink = self.sink("--expect", 3000)
                sent = self.flood("--lines", 3000, "--connections", 7, *form)
                self.assertEqual(sent["lines"], 3000)
                self.assert_whole(self.result(sink), 3000)

    def test_mixed_lines_look_real_and_are_the_same_each_time(self):
        lines = self.lines("--lines", 5000, "--size", "mixed")
        sizes = [len(line) - 1 for line in lines]
        self.assertTrue(200 < sum(sizes) / len(sizes) < 300, sum(sizes) / len(sizes))
        self.assertTrue(0.01 < sum(size > 1024 for size in sizes) / len(sizes) < 0.05)
        self.assertGreater(len(set(sizes)), 100)
        self.assertFalse(set(b"".join(lines)) & set(b'"\\\t\r'), "these need escapes in JSON")
        again = self.lines("--lines", 5000, "--size", "mixed")
        self.assertEqual([line.partition(b" app=")[2] for line in lines],
                         [line.partition(b" app=")[2] for line in again])

    def test_many_apps_on_one_connection_are_misrouted(self):
        sink = self.sink("--expect", 100)
        self.flood("--lines", 100, "--apps", 4)
        self.assertEqual(self.result(sink)["misrouted"], 75)

    def test_an_altered_line_is_noticed(self):
        """What flood sends, with one byte of it changed, or cut off."""
        line, = self.lines("--lines", 1)
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


class Relp(Tools):
    def serve(self, server, seen):
        """Answers only when nothing more comes: so the window shows."""
        with server.accept()[0] as peer:
            data, waiting = b"", []
            peer.settimeout(0.2)
            while b" close " not in data:
                try:
                    data += peer.recv(65536)
                except TimeoutError:
                    seen["most"] = max(seen["most"], len(waiting))
                    peer.sendall(b"".join(b"%s rsp 6 200 OK\n" % number for number in waiting))
                    waiting = []
                while data and b" close " not in data:
                    number, command, length, rest = data.split(b" ", 3)
                    if len(rest) <= int(length):
                        break
                    assert rest[int(length):int(length) + 1] == b"\n", rest
                    seen[command.decode()] += 1
                    waiting.append(number)
                    data = rest[int(length) + 1:]
            peer.sendall(data.split()[0] + b" rsp 6 200 OK\n")

    def test_answers_are_counted_and_the_window_is_kept(self):
        seen = {"open": 0, "syslog": 0, "most": 0}
        with socket.create_server((HOST, PORT + 2)) as server:
            server.settimeout(10)
            thread = threading.Thread(target=self.serve, args=(server, seen))
            thread.start()
            sent = self.flood("--lines", 300, to=f"relp://{HOST}:{PORT + 2}")
            thread.join(10)
        self.assertEqual((sent["lines"], sent["acknowledged"], sent["refused"]), (300, 300, 0))
        self.assertEqual(seen, {"open": 1, "syslog": 300, "most": 128})


class Posts(Tools):
    def receive(self, posts, statuses):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.append((self.path, body))
                self.send_response(statuses[(len(posts) - 1) % len(statuses)])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        server = HTTPServer((HOST, PORT + 3), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever).start()

    def test_each_body_has_lines_of_one_app(self):
        posts = []
        self.receive(posts, [204])
        sent = self.flood("--lines", 250, "--apps", 2, "--batch", 40, to=f"http://{HOST}:{PORT + 3}")
        self.assertEqual((sent["lines"], sent["acknowledged"]), (250, 250))
        self.assertEqual([body.count(b"\n") for _, body in posts], [40] * 6 + [10])
        lines = [line for _, body in posts for line in body.splitlines()]
        self.assertEqual(len(set(lines)), 250)
        for path, body in posts:
            self.assertEqual(body.count(f" app={path.split('/')[3]} ".encode()),
                             body.count(b"\n"))

    def test_what_is_refused_does_not_count_as_acknowledged(self):
        self.receive([], [204, 503])
        sent = self.flood("--lines", 400, to=f"http://{HOST}:{PORT + 3}", status=1)
        self.assertEqual((sent["acknowledged"], sent["refused"]), (200, 200))


class Held(Tools):
    def test_connections_stay_open(self):
        sink = self.sink("--expect", 20, "--quiet-ms", 5000, "--seconds", 5)
        started = time.monotonic()
        # The sink ends 100 ms after the last line, and with it the connections.
        sent = self.flood("--lines", 20, "--connections", 50, "--hold", 1)
        self.assertGreaterEqual(time.monotonic() - started, 1)
        self.assertEqual((sent["lines"], sent["connections"], sent["closed_by_receiver"]),
                         (20, 50, 50))
        self.assertEqual(self.result(sink)["connections"], 50)

    def test_over_tls_without_a_line(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-days", "2",
                        "-keyout", f"{folder}/key", "-out", f"{folder}/cert"],
                       check=True, capture_output=True, timeout=20)
        sink = self.sink("--tls", "--cert", f"{folder}/cert", "--key", f"{folder}/key")
        sent = self.flood("--lines", 0, "--connections", 200, "--hold", 1, to=f"tls://{HOST}:{PORT}")
        self.assertEqual((sent["connections"], sent["closed_by_receiver"]), (200, 0))
        sink.terminate()
        self.assertEqual(self.result(sink)["connections"], 200)


class Requests(Tools):
    def post(self, body, **headers):
        peer = http.client.HTTPConnection(HOST, PORT, timeout=10)
        self.addCleanup(peer.close)
        peer.request("POST", "/api/v2/logs", body, headers)
        return peer.getresponse().status

    def body(self, lines):
        """As for Datadog; the messages begin behind the header."""
        return json.dumps([{"message": line.decode().split(" - - ")[1].strip(), "service": "app"}
                           for line in lines]).encode()

    def test_lines_are_found_in_bodies(self):
        lines = self.lines("--lines", 300, "--stamp")
        sink = self.sink("--expect", 300, "--http")
        self.assertEqual(self.post(self.body(lines[:100])), 202)
        self.assertEqual(self.post(gzip.compress(self.body(lines[100:])),
                                   **{"Content-Encoding": "gzip"}), 202)
        result = self.result(sink)
        self.assert_whole(result, 300)
        self.assertEqual(result["latency_ms"]["n"], 300)

    def test_faults_are_those_of_lines_over_tcp(self):
        lines = self.lines("--lines", 20, "--apps", 2)
        sink = self.sink("--expect", 20, "--http")
        self.post(self.body(lines[::2]))
        self.post(self.body(lines[:3]))  # two again, and one of another app
        self.post(self.body(lines[3::2]).replace(b"brown", b"brawn", 1))
        self.post(b"no gzip", **{"Content-Encoding": "gzip"})
        result = self.result(sink)
        self.assertEqual((result["delivered"], result["missing"], result["duplicated"],
                          result["misrouted"]), (19, 1, 2, 1), result)
        self.assertGreaterEqual(result["misparsed"], 2)


class Victims(Tools):
    def both(self, *bad):
        """100 lines for each of two ports, the second of them the victim's."""
        sink = self.sink("--expect", 200, "--victim", 1, *bad, ports=2)
        ends = [subprocess.Popen(
            [TOOLS / "flood", "--to", f"{HOST}:{PORT + i}", "--lines", "100", "--app-prefix",
             f"app{i}", "--rate", "400"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for i in (1, 0)]
        result = self.result(sink)
        for end in ends:
            end.wait(20)
        self.assertEqual(result["expected"], 100)
        self.assertEqual(result["victim"]["expected"], 100)
        self.assert_whole(result, 100)
        self.assertEqual((result["connections"], result["closed"]), (1, 0))
        return result["victim"]

    def test_one_port_stalls(self):
        victim = self.both("--stall")
        self.assertEqual((victim["connections"], victim["lines"]), (1, 0))

    def test_one_port_closes_connections(self):
        victim = self.both("--close-after", 10)
        self.assertEqual((victim["closed"], victim["lines"]), (1, 10))

    def test_one_port_is_slow(self):
        # 2000 bytes a second are 10 lines; the others take 250 ms.
        victim = self.both("--slow", 2000)
        self.assertGreater(victim["lines"], 0)
        self.assertLess(victim["lines"], 30)

    def test_all_connections_are_slow(self):
        sink = self.sink("--expect", 100, "--slow", 20000)
        started = time.monotonic()
        self.flood("--lines", 100)
        self.assert_whole(self.result(sink), 100)
        self.assertGreater(time.monotonic() - started, 0.8)


if __name__ == "__main__":
    TOOLS = pathlib.Path(sys.argv.pop(1))
    unittest.main()
