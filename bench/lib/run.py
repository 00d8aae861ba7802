"""One run: a router fresh, sink and flood around it, and what came of it."""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import machine, net
from .contenders import CONTENDERS


def stop(process, seconds=10):
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Run:
    """One contender at one workload."""

    def __init__(self, args, tls, contender, workload, lines, rate):
        self.args = args
        self.tls = tls
        self.contender = contender
        self.workload = workload
        self.lines = lines
        self.rate = rate
        self.others = []  # processes to be stopped at the end
        self.router = None

    # -- the tools

    def _tool(self, name, *options):
        command = [str(self.args.build / "bench" / name), *map(str, options)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.others.append(process)
        return process

    def _patience(self):
        """Seconds that a run may take at most; at a rate it is known how many it should."""
        if self.workload.kind == "idle-senders":
            return 2 * self.args.seconds  # 10,000 handshakes, one after the other
        if not self.rate:
            return self.args.seconds
        return min(self.args.seconds, int(self.lines / self.rate) + 15)

    def _sink(self):
        w = self.workload
        options = [
            "--listen", f"{net.ADDRESS}:{net.SINK_PORT}",
            "--ports", w.copies, "--copies", w.copies,
            "--expect", self.lines - w.lost_lines(self.lines),
            "--quiet-ms", self.args.quiet_ms, "--seconds", self._patience(),
        ]  # fmt: skip
        if w.size != "mixed" and w.format == "5424" and w.into != "http":
            options += ["--size", w.size] if w.out in ("octet", "lf", "tls") else []
        if self.args.close_after:
            options += ["--close-after", self.args.close_after]
        if w.out == "tls":
            options += ["--tls", "--cert", self.tls.cert, "--key", self.tls.key]
        elif w.out not in ("octet", "lf"):
            options += ["--http"]
        sink = self._tool("sink", *options)
        net.wait_until("sink", lambda: net.listening(net.SINK_PORT + w.copies - 1), sink)
        if w.fault == "stalled":
            stalled = self._tool("sink", "--listen", f"{net.ADDRESS}:{net.STALL_PORT}", "--stall",
                                 "--seconds", self.args.seconds + 60)  # fmt: skip
            net.wait_until("sink", lambda: net.listening(net.STALL_PORT), stalled)
        return sink

    def _flood(self, *more):
        w = self.workload
        options = [
            "--to", f"{w.into}://{net.ADDRESS}:{net.ROUTER_PORT}",
            "--lines", self.lines, "--apps", w.apps, "--connections", w.senders,
            "--size", w.size, "--rate", self.rate, "--seconds", self.args.seconds,
        ]  # fmt: skip
        if w.format != "5424":
            options += ["--format", w.format]
        if w.stamp:
            options += ["--stamp"]
        return self._tool("flood", *options, *more)

    # -- kinds of work

    def _wait(self, sink, sender):
        """Until sink has everything, or waited long enough."""
        deadline = time.monotonic() + self._patience() + 30
        while sink.poll() is None:
            if sender.poll() not in (None, 0):
                raise net.Failed("flood came to no good end")
            if time.monotonic() > deadline:
                raise net.Failed("sink does not end")
            time.sleep(0.02)

    def _load(self, sink):
        sender = self._flood()
        self._wait(sink, sender)
        out = sink.stdout.read()
        if self.router.poll() is not None:
            raise net.Failed(f"the router ended with status {self.router.returncode}")
        result = json.loads(out)
        if result["delivered"] == 0 and not self.workload.fault:
            raise net.Failed("not one line arrived")
        return result, sender

    def _idle_senders(self, sink):
        """So many connections, a line over each, then nothing."""
        hold = self.workload.seconds
        sender = self._flood("--hold", int(hold))
        self._wait(sink, sender)
        time.sleep(max(0, hold - 2))
        return json.loads(sink.stdout.read()), sender

    def _measure(self, sink):
        """The work, and what it took of the machine."""
        memory = machine.Memory(self.router.pid)
        memory.start()
        before = machine.cpu_seconds(self.router.pid)
        sender = None
        try:
            if self.workload.kind == "idle-drains":
                time.sleep(self.workload.seconds)
                result = {"delivered": 0, "missing": 0}
            elif self.workload.kind == "idle-senders":
                result, sender = self._idle_senders(sink)
            else:
                result, sender = self._load(sink)
            cpu = machine.cpu_seconds(self.router.pid) - before
        finally:
            memory.stop()
        result.update(cpu=cpu, rss_anon_kib=memory.peak_kib, rss_anon_last_kib=memory.last_kib)
        if result["delivered"]:
            result["cpu_per_million"] = cpu / result["delivered"] * 1e6
        result.update(self.contender.facts())
        result["sent"] = self._sent(sender)
        return result

    def _sent(self, sender):
        """What flood says; it waits for the router to end its connections, so not for long."""
        if sender is None:
            return None
        try:
            out, _ = sender.communicate(timeout=2 if self.workload.fault else 15)
            return json.loads(out)
        except (subprocess.TimeoutExpired, ValueError):
            return None

    def run(self, folder):
        for port in (net.ROUTER_PORT, net.SINK_PORT):
            if net.listening(port):
                raise net.Failed(f"something listens on port {port} already")
        try:
            sink = None if self.workload.kind == "idle-drains" else self._sink()
            self.router = self.contender.start(self.workload, folder)
            return self._measure(sink)
        finally:
            for process in self.others:
                stop(process)
            # Some try for long to deliver what they still have: that is not measured.
            stop(self.router, 2)


def attempt(args, tls, name, workload, lines, rate, number):
    """One run in a folder of its own; "failed" says why if it came to nothing, and the folder
    is kept."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"penstock-bench-{name}-"))
    contender = CONTENDERS[name](args, tls)
    which = {"contender": name, "workload": workload.name, "round": number}
    started = time.monotonic()
    try:
        result = Run(args, tls, contender, workload, lines, rate).run(folder)
    except (net.Failed, OSError, ValueError, subprocess.SubprocessError) as e:
        print(f"{name} {workload.name} round {number}: {e}; see {folder}", file=sys.stderr)
        return {**which, "failed": str(e)}
    shutil.rmtree(folder, ignore_errors=True)
    took = round(time.monotonic() - started, 1)
    return {**result, **which, "offered": lines, "rate": rate, "took": took}
