"""The plots of bench/plots, from kept results."""

from . import results, svg

# File, title, groups of workloads, column.
PLOTS = {
    "apps": ("By apps and drains", ("apps",), "cpu_per_million"),
    "wire": ("By what is on the wire, 100 apps", ("wire",), "cpu_per_million"),
    "own": ("Only penstock's: workers, spool, receivers over HTTP", ("own", "http"),
            "cpu_per_million"),
    "latency": ("Latency at half of its own capacity: p99", ("latency",), "p99"),
    "memory": ("Anonymous memory", ("memory",), "rss_anon_kib"),
}  # fmt: skip
UNITS = {"cpu_per_million": "CPU s/M lines", "p99": "ms", "rss_anon_kib": "MiB"}


def _kind(contender):
    if contender == "penstock":
        return "ours"
    return "floor" if contender.startswith("floor") else "peer"


def _bar(row, key):
    scale = 1 / 1024 if key == "rss_anon_kib" else 1
    bar = {"name": row["contender"], "kind": _kind(row["contender"]), "value": row[key] * scale}
    bar["label"] = results.number(bar["value"])
    if key == "cpu_per_million":
        bar.update(low=row["cpu_min"], high=row["cpu_max"])
    return bar


def draw(rows, name):
    """The plot as text; None if nothing was run for it."""
    title, groups, key = PLOTS[name]
    rows = [r for r in results.of_groups(rows, groups) if r.get(key)]
    parts = []
    for workload in dict.fromkeys(r["workload"] for r in rows):
        bars = [_bar(r, key) for r in rows if r["workload"] == workload]
        parts.append((workload, bars))
    if not parts:
        return None
    if all(len(bars) == 1 for _, bars in parts):  # one contender: its name says nothing
        parts = [("", [{**bars[0], "name": workload} for workload, bars in parts])]
    return svg.chart(title, UNITS[key], parts)


def write(kept, folder):
    """kept: what the files of results hold."""
    rows = results.merged(kept)
    folder.mkdir(exist_ok=True)
    for name in PLOTS:
        drawn = draw(rows, name)
        if drawn:
            (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
