"""What routers are given to do: one row for each workload."""

import dataclasses

from . import net


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    group: str  # of tables and plots
    apps: int = 100
    copies: int = 1  # drains of each app
    lines: int = 1_000_000  # of routers that are not slow
    senders: int = 8  # connections
    into: str = "tcp"  # or tls, relp, http
    out: str = "octet"  # or lf, tls, and HTTP: contenders/penstock.py has their names
    size: str = "200"  # bytes of a message; or mixed
    format: str = "5424"  # or 3164; what goes out is RFC 5424
    workers: int = 1  # penstock's
    options: tuple = ()  # penstock's
    rate: str = "0"  # lines a second, 0: as fast as it goes; or half, quarter: see capacity()
    seconds: float = 0  # with half and quarter: how long
    fault: str = ""  # of the first app's drain: dead (nothing listens) or stalled (never reads)
    kind: str = "load"  # or idle-senders, idle-drains: memory only
    stamp: bool = False  # lines carry their time, for the latency
    only: tuple = ()  # contenders; none named: all that can

    def app_names(self):
        return [f"app{i:05d}" for i in range(self.apps)]

    def drain_port(self, number, copy):
        """Where a copy of the lines of app number goes."""
        if number == 0 and self.fault == "dead":
            return net.DEAD_PORT
        if number == 0 and self.fault == "stalled":
            return net.STALL_PORT
        return net.SINK_PORT + copy

    def lost_lines(self, lines):
        """How many of these no receiver takes: flood's connections each go round the apps."""
        if not self.fault:
            return 0
        shares = (
            lines // self.senders + (1 if i < lines % self.senders else 0)
            for i in range(self.senders)
        )
        return sum(-(-share // self.apps) for share in shares)


OURS = ("penstock",)

_ALL = [
    Workload("100x1", "apps", 100, lines=4_000_000),
    Workload("100x3", "apps", 100, 3, lines=2_000_000),
    Workload("1000x1", "apps", 1000, lines=4_000_000),
    Workload("1000x3", "apps", 1000, 3, lines=2_000_000),
    Workload("10000x1", "apps", 10000, lines=2_000_000),
    Workload("1x1", "apps", 1, lines=4_000_000),
    Workload("1x3", "apps", 1, 3, lines=2_000_000),
    Workload("10x1", "apps", 10, lines=200_000),
    Workload("tls", "wire", into="tls", out="tls", lines=2_000_000),
    Workload("1x1-tls", "wire", 1, into="tls", out="tls", lines=2_000_000),
    Workload("tls-in", "wire", into="tls", lines=2_000_000),
    Workload("lf-out", "wire", out="lf", lines=4_000_000),
    Workload("rfc3164", "wire", format="3164", lines=4_000_000),
    Workload("relp", "wire", into="relp"),
    Workload("http-in", "wire", into="http", only=OURS),
    Workload("1KiB", "wire", size="1024"),
    Workload("mixed", "wire", size="mixed", lines=2_000_000),
    Workload("spool-0", "own", options=("--spool-after=0",), only=OURS),
    Workload("2-workers", "own", workers=2, only=OURS, lines=4_000_000),
    Workload("3-workers", "own", workers=3, only=OURS, lines=4_000_000),
    Workload("datadog", "http", out="datadog", only=OURS),
    Workload("datadog-gzip", "http", out="datadog-gzip", only=OURS),
    Workload("logtail", "http", out="logtail", only=OURS),
    Workload("https", "http", out="https", only=OURS),
    Workload("otlp", "http", out="otlp", only=OURS),
    Workload("elk-json", "http", out="elk-json", only=OURS),
    Workload("elk", "http", out="elk", lines=20_000, only=OURS),
    Workload("half-load", "latency", rate="half", seconds=5, stamp=True),
    Workload("one-line", "latency", 1, senders=1, lines=100, rate="20", stamp=True),
    Workload("dead", "fault", rate="quarter", seconds=10, fault="dead", stamp=True),
    Workload("stalled", "fault", rate="quarter", seconds=10, fault="stalled", stamp=True),
    Workload("idle-tls", "memory", 1, lines=10_000, senders=10_000, into="tls", seconds=5,
             kind="idle-senders", only=("penstock", "syslog-ng")),
    Workload("idle-drains", "memory", 10000, kind="idle-drains", seconds=3, only=OURS),
]  # fmt: skip

WORKLOADS = {w.name: w for w in _ALL}
DEFAULT = ["100x1", "100x3", "1000x1", "1x1"]
BASE = "100x1"  # half and quarter are of what a contender did here
PART = {"half": 0.5, "quarter": 0.25}
