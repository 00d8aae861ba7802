"""Puts tables and plots between the markers of bench/README.md."""

import re

from . import plots, results, targets
from .workloads import WORKLOADS

_PART = re.compile(r"(<!-- compare: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _made(kept):
    m = kept["machine"]
    said = ", ".join(v for v in dict.fromkeys(kept["versions"].values()) if v)
    return (f"`{kept['command']}`  \n{kept['date']}; {m['cpu']}, {m['cores']} cores, "
            f"{m['ram_gib']} GiB, Linux {m['kernel']}; {said}.\n\n")  # fmt: skip


def part(kept, name):
    """What stands between the markers of that name; None if nothing was run for it."""
    if name == "targets":
        return _made(kept) + targets.table(kept["summary"])
    rows = [r for r in kept["summary"] if WORKLOADS[r["workload"]].group == name]
    if not rows:
        return None
    drawn = f"![{plots.PLOTS[name][0]}](plots/{name}.svg)\n\n" if name in plots.PLOTS else ""
    return _made(kept) + drawn + results.table(rows, name)


def fill(text, kept):
    def one(match):
        inner = part(kept, match.group(2))
        return match.group(0) if inner is None else match.group(1) + inner + match.group(3)

    return _PART.sub(one, text)


def write(kept, path):
    path.write_text(fill(path.read_text(encoding="utf-8"), kept), encoding="utf-8")
