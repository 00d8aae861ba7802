"""Of many runs a row for each workload and contender, and tables of these."""

import collections
import statistics

from .contenders import CONTENDERS
from .workloads import WORKLOADS

FAULTS = ["missing", "duplicated", "reordered", "misrouted", "misparsed"]
MEDIANS = ["cpu_per_million", "lines_per_s", "rss_anon_kib", "rss_anon_last_kib", "crossed",
           "p50", "p99", "max", "offered", "rate"]  # fmt: skip


BY_ROUND = ["cpu_per_million", "lines_per_s"]  # also kept singly: targets are ratios


def _flat(run):
    """With the latencies beside the rest."""
    return {**run, **(run.get("latency_ms") or {})}


def summary(runs):
    """A row for each workload and contender: medians, with min and max of the CPU; worst faults."""
    groups = collections.defaultdict(list)
    for run in runs:
        groups[run["workload"], run["contender"]].append(_flat(run))
    rows = []
    for (workload, contender), several in groups.items():
        row = {"workload": workload, "contender": contender, "rounds": len(several)}
        for key in MEDIANS:
            values = [r[key] for r in several if r.get(key) is not None]
            row[key] = statistics.median(values) if values else None
        cpu = [r["cpu_per_million"] for r in several if "cpu_per_million" in r]
        row["cpu_min"], row["cpu_max"] = (min(cpu), max(cpu)) if cpu else (None, None)
        for key in BY_ROUND:
            row[f"{key}_rounds"] = {str(r["round"]): r[key] for r in several if r.get(key)}
        for key in FAULTS:
            row[key] = max(r.get(key, 0) for r in several)
        rows.append(row)
    return rows


def merged(kept):
    """Rows of several files; a later file's take the place of an earlier one's."""
    rows = {(r["workload"], r["contender"]): r for k in kept for r in k["summary"]}
    return list(rows.values())


def of_groups(rows, groups):
    """Those of workloads of these groups, in the order of the workloads and contenders."""
    rows = [r for r in rows if WORKLOADS[r["workload"]].group in groups]
    order = [*WORKLOADS, *CONTENDERS]
    return sorted(rows, key=lambda r: (order.index(r["workload"]), order.index(r["contender"])))


def number(value, digits=2):
    """With so many digits behind the point, fewer when there are many before it."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 20 else digits}f}"


def cpu(row):
    if row["cpu_per_million"] is None:
        return "–"
    low, high = number(row["cpu_min"]), number(row["cpu_max"])
    return f"{number(row['cpu_per_million'])} ({low}–{high})"


COLUMNS = {
    "CPU s/M lines (min–max)": cpu,
    "lines/s": lambda r: number(r["lines_per_s"]),
    "offered/s": lambda r: number(r["rate"]),
    "p50 ms": lambda r: number(r["p50"]),
    "p99 ms": lambda r: number(r["p99"]),
    "max ms": lambda r: number(r["max"]),
    "RssAnon MiB": lambda r: number(r["rss_anon_kib"] / 1024, 1),
    "at the end MiB": lambda r: number(r["rss_anon_last_kib"] / 1024, 1),
    "crossed": lambda r: "–" if r["crossed"] is None else f"{r['crossed'] * 100:.0f}%",
    **{fault: lambda r, fault=fault: f"{r[fault]:,}" for fault in FAULTS},
}
_LOAD = ["CPU s/M lines (min–max)", "lines/s", "RssAnon MiB"]
_LATENCY = ["offered/s", "p50 ms", "p99 ms", "max ms", *_LOAD]
SHOWN = {
    "latency": _LATENCY + FAULTS,
    "fault": _LATENCY + FAULTS,
    "memory": ["RssAnon MiB", "at the end MiB", "missing"],
    "own": ["CPU s/M lines (min–max)", "lines/s", "crossed", "RssAnon MiB", *FAULTS],
}


def table(rows, group):
    """Markdown."""
    columns = SHOWN.get(group, _LOAD + FAULTS)
    out = ["| workload | router | " + " | ".join(columns) + " |",
           "| --- | --- |" + " --- |" * len(columns)]  # fmt: skip
    last = None
    for row in rows:
        workload, last = row["workload"] if row["workload"] != last else "", row["workload"]
        cells = [COLUMNS[c](row) for c in columns]
        out.append(f"| {workload} | {row['contender']} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def line(result):
    """What is said when a run is over."""
    flat = _flat(result)
    said = [f"{flat['contender']} {flat['workload']} round {flat['round']}:"]
    if "cpu_per_million" in flat:
        said.append(f"{number(flat['cpu_per_million'], 3)} CPU s/M,")
        said.append(f"{number(flat.get('lines_per_s'))} lines/s,")
    said.append(f"{number(flat['rss_anon_kib'] / 1024, 1)} MiB,")
    if flat.get("p50") is not None:
        said.append(f"p50 {flat['p50']:.2f} p99 {flat['p99']:.2f} max {flat['max']:.2f} ms,")
    said.append(f"missing {flat['missing']}; {flat['took']} s")
    return " ".join(said)
