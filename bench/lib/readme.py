"""Puts tables and plots between the markers of bench/README.md."""

import re

from . import plots, results, targets

_PART = re.compile(r"(<!-- compare: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _made(kept):
    """Of each file: the command, the machine, the date."""
    out = []
    for k in kept:
        m = k["machine"]
        said = ", ".join(v for v in dict.fromkeys(k["versions"].values()) if v)
        out.append(f"`{k['command']}`  \n{k['date']}; {m['cpu']}, {m['cores']} cores, "
                   f"{m['ram_gib']} GiB, Linux {m['kernel']}; {said}.\n\n")  # fmt: skip
    return "".join(out)


def part(kept, name):
    """What stands between the markers of that name; None if nothing was run for it."""
    if name == "targets":  # of one session only: they are ratios
        whole = [k for k in kept if {"--targets", "--all"} & set(k["command"].split())][-1:]
        return _made(whole) + targets.table(whole[0]["summary"]) if whole else None
    kept = [k for k in kept if results.of_groups(k["summary"], [name])]
    if not kept:
        return None
    rows = results.of_groups(results.merged(kept), [name])
    drawn = f"![{plots.PLOTS[name][0]}](plots/{name}.svg)\n\n" if name in plots.PLOTS else ""
    return _made(kept) + drawn + results.table(rows, name)


def fill(text, kept):
    """kept: what the files hold; a part that none of them has stays as it is."""

    def one(match):
        inner = part(kept, match.group(2))
        return match.group(0) if inner is None else match.group(1) + inner + match.group(3)

    return _PART.sub(one, text)


def write(kept, path):
    path.write_text(fill(path.read_text(encoding="utf-8"), kept), encoding="utf-8")
