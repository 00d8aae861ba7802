"""What penstock is to reach, computed from the results: ratio, bound, met or not."""

import dataclasses
import statistics

from . import results

LINGER_MS = 10  # penstock's default
FLOORS = ("floor", "floor-linger")
PEERS = ("rsyslog", "rsyslog-ifchain", "rsyslog-queues", "syslog-ng", "haproxy", "fluent-bit",
         "vector")  # fmt: skip
_OURS = ("penstock",)
_FLOOR = ("penstock", *FLOORS)

# Which runs the targets need: workload, contenders.
NEEDS = {
    "100x1": (*_FLOOR, "rsyslog", "rsyslog-ifchain"),
    "100x3": _FLOOR,
    "1000x1": (*_FLOOR, "rsyslog", "syslog-ng", "fluent-bit", "vector"),
    "10000x1": ("penstock", "floor-linger"),
    "tls": ("penstock", "rsyslog"),
    "rfc3164": _OURS,
    "lf-out": _OURS,
    "datadog": _OURS,
    "spool-0": _OURS,
    "relp": ("penstock", "rsyslog-relp"),
    "2-workers": _OURS,
    "3-workers": _OURS,
    "half-load": ("penstock", "floor-linger"),
    "one-line": _OURS,
    "dead": _OURS,
    "stalled": _OURS,
    "idle-tls": _OURS,
    "idle-drains": _OURS,
}


@dataclasses.dataclass(frozen=True)
class Figure:
    """One bound; value is None if a run that it needs is not there."""

    what: str
    bound: str
    value: float
    limit: float
    inverse: bool = False  # a small ratio, said as 1/N
    least: bool = False  # limit is the least, not the most
    unit: str = ""

    def met(self):
        if self.value is None:
            return "not run"
        good = self.value >= self.limit if self.least else self.value <= self.limit
        return "yes" if good else "**no**"

    def shown(self):
        if self.value is None:
            return "–"
        if self.inverse:
            return f"1/{1 / self.value:.1f}"
        return results.number(self.value) + self.unit


class Rows:
    """Rows of results.summary, found by workload and contender."""

    def __init__(self, rows):
        self.rows = {(r["workload"], r["contender"]): r for r in rows}

    def get(self, workload, contender="penstock", key="cpu_per_million"):
        return self.rows.get((workload, contender), {}).get(key)

    def least(self, workload, contenders):
        """CPU of the cheapest of these, and its name."""
        found = [(self.get(workload, c), c) for c in contenders if self.get(workload, c)]
        return min(found) if found else (None, "none")

    def ratio(self, ours, other, key="cpu_per_million"):
        """Of one (workload, contender) to another: the median of the rounds' ratios, as what
        else the machine does changes from round to round.  None if one of them is missing."""
        a, b = (self.rows.get(which, {}).get(f"{key}_rounds", {}) for which in (ours, other))
        found = [a[n] / b[n] for n in a if n in b]
        return statistics.median(found) if found else None


def _ours(workload):
    return workload, "penstock"


def _floors(rows):
    for text, workload, limit in (("100 apps × 1", "100x1", 1.5), ("100 apps × 3", "100x3", 1.3)):
        for floor, name in (("floor-linger", "the floor with the same linger"),
                            ("floor", "the floor without linger")):  # fmt: skip
            yield Figure(f"{text}: to {name}", f"≤ {limit}",
                         rows.ratio(_ours(workload), (workload, floor)), limit)  # fmt: skip
    for text, workload, limit in (("1,000", "1000x1", 1.5), ("10,000", "10000x1", 1.3)):
        yield Figure(f"{text} apps × 1: to the floor with the same linger", f"≤ {limit}",
                     rows.ratio(_ours(workload), (workload, "floor-linger")), limit)  # fmt: skip


def _peers(rows):
    _, best = rows.least("1000x1", PEERS)
    for text, workload, peer, part in (
        ("100 apps × 1: to rsyslog's shared queue", "100x1", "rsyslog", 12),
        ("TLS in and out, 100 apps: to rsyslog", "tls", "rsyslog", 10),
        (f"1,000 apps × 1: to the best peer ({best})", "1000x1", best, 25),
        ("RELP in: to rsyslog's imrelp -> omfwd", "relp", "rsyslog-relp", 5),
    ):
        yield Figure(text, f"≤ 1/{part}", rows.ratio(_ours(workload), (workload, peer)),
                     1 / part, inverse=True)  # fmt: skip


def _alone(rows):
    for text, workload, limit in (
        ("RFC 3164 in", "rfc3164", 0.8),
        ("Datadog JSON, no gzip", "datadog", 1.2),
        ("spool-after=0", "spool-0", 1.2),
    ):
        yield Figure(f"{text}: CPU s/M", f"≤ {limit}", rows.get(workload), limit)
    yield Figure("LF out: to octet counting out", "≤ 1.15",
                 rows.ratio(_ours("lf-out"), _ours("100x1")), 1.15)  # fmt: skip


def _workers(rows):
    for n in (2, 3):
        ours, one = _ours(f"{n}-workers"), _ours("100x1")
        yield Figure(f"{n} workers: CPU to that of one", "≤ 1.25", rows.ratio(ours, one), 1.25)
        yield Figure(f"{n} workers: lines/s to that of one (5% are noise)", "≥ 0.95",
                     rows.ratio(ours, one, "lines_per_s"), 0.95, least=True)  # fmt: skip
        yield Figure(f"{n} workers: share of lines that crossed", "> 1/3",
                     rows.get(ours[0], key="crossed"), 1 / 3, least=True)  # fmt: skip


def _rest(rows):
    for text, workload, limit, key in (
        ("100 apps at half load, at most", "half-load", 25, "rss_anon_kib"),
        ("10,000 drains, when they are idle", "idle-drains", 40, "rss_anon_last_kib"),
        ("10,000 TLS connections, when they are idle", "idle-tls", 200, "rss_anon_last_kib"),
    ):
        kib = rows.get(workload, key=key)
        yield Figure(f"anonymous memory, {text}", f"≤ {limit} MiB",
                     kib / 1024 if kib else None, limit, unit=" MiB")  # fmt: skip
    for text, workload, key, limit in (
        ("half load, 100 apps, p50", "half-load", "p50", LINGER_MS / 2 + 2),
        ("half load, 100 apps, p99", "half-load", "p99", LINGER_MS + 5),
        ("one line alone, p50", "one-line", "p50", 1),
    ):
        yield Figure(f"latency, {text}", f"≤ {limit:g} ms", rows.get(workload, key=key), limit,
                     unit=" ms")  # fmt: skip
    for fault in ("dead", "stalled"):
        yield Figure(f"one of 100 drains {fault}: lines of the others missing", "0",
                     rows.get(fault, key="missing"), 0)  # fmt: skip
        yield Figure(f"one of 100 drains {fault}: the others' oldest line", "≤ 1,000 ms",
                     rows.get(fault, key="max"), 1000, unit=" ms")  # fmt: skip


def figures(summary):
    rows = Rows(summary)
    return [*_floors(rows), *_peers(rows), *_alone(rows), *_workers(rows), *_rest(rows)]


def counts(summary):
    """Whether the run counts, as a sentence: rsyslog and floor must be what they should be."""
    rows = Rows(summary)
    ratios = {f: rows.ratio(("100x1", "rsyslog"), ("100x1", f)) for f in FLOORS}
    found = {floor: ratio for floor, ratio in ratios.items() if ratio}
    if not found:
        return "Whether this run counts is not known: rsyslog or the floor is missing at 100x1."
    said = ", ".join(f"{ratio:.1f} times {floor}" for floor, ratio in found.items())
    good = max(found.values()) >= 12
    return (f"rsyslog (shared queue) costs {said} at 100x1: at least 12 times the cheaper one is "
            f"asked for, so this run **{'counts' if good else 'does not count'}**.")  # fmt: skip


def _usual(summary):
    """A sentence on what penstock is to an rsyslog as most set it up."""
    ratio = Rows(summary).ratio(_ours("100x1"), ("100x1", "rsyslog-ifchain"))
    if not ratio:
        return []
    return [f"To an rsyslog with an `if` for each app, 100 apps × 1: 1/{1 / ratio:.1f}.", ""]


def table(summary):
    """Markdown."""
    found = figures(summary)
    out = [counts(summary), "", *_usual(summary)]
    out += ["| target | bound | measured | met |", "| --- | --- | --- | --- |"]
    out += [f"| {f.what} | {f.bound} | {f.shown()} | {f.met()} |" for f in found]
    met = sum(f.met() == "yes" for f in found)
    out += ["", f"{met} of {len(found)} are met."]
    return "\n".join(out) + "\n"
