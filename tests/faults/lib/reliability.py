"""docs/reliability.md, out of what the cases have recorded (report.py) and pytest's JUnit files.

    reliability.py RESULTS COMMAND           the tables of what was run
    reliability.py RESULTS COMMAND TEMPLATE  the whole document
"""

import collections
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
from xml.etree import ElementTree

import report

LOAD_SECONDS = 5  # load_held.py


def read(folder):
    """[what record() has written], [what record_load() has]."""
    found = [json.loads(p.read_text()) for p in sorted(pathlib.Path(folder).glob("*.json"))]
    return [f for f in found if "case" in f], [f for f in found if "load" in f]


def tests(folder):
    """Fault: {name of a test: whether it passed}.  Skipped ones are left out."""
    found = collections.defaultdict(dict)
    for path in sorted(pathlib.Path(folder).glob("fault-*.xml")):
        fault = int(path.stem.removeprefix("fault-"))
        for case in ElementTree.parse(path).iter("testcase"):
            kinds = {child.tag for child in case}
            if "skipped" not in kinds:
                found[fault][case.get("name")] = not kinds & {"failure", "error"}
    return found


def number(n):
    return f"{n:,}"


def seconds(s):
    return "" if s is None else f"{max(s, 0):.1f} s"


def total(records, what):
    """The sum; None: nobody has said it."""
    said = [r[what] for r in records if r.get(what) is not None]
    return sum(said) if said else None


def cell(value):
    return "" if value is None else number(value)


def ours(case, records, ran):
    """Our columns of a row."""
    mine = [r for r in records if r["case"] == case and r["router"] == "penstock"]
    if not ran:
        return ["not run", "", "", "", ""]
    bad = sorted(name.removeprefix("test_") for name, well in ran.items() if not well)
    result = "passed" if not bad else "**failed:** " + ", ".join(bad).replace("_", " ")
    notes = "; ".join(dict.fromkeys(f"{r['variant'].replace('_', ' ')}: {r['note']}" for r in mine
                                    if r.get("note")))
    if notes:
        result += f" ({notes})"
    lost, counted = total(mine, "lost"), total(mine, "counted")
    loss = cell(lost)
    if lost:
        loss += f", {number(counted or 0)} counted"
    twice = total(mine, "duplicates")
    if twice is not None:
        twice = f"{number(twice)} of {number(total(mine, 'expected') or 0)}"
    back = max((r["recovery"] for r in mine if r.get("recovery") is not None), default=None)
    return [result, cell(total(mine, "lost_acked")), loss, twice or "", seconds(back)]


def peers(case, router, records):
    """A peer's cell."""
    theirs = [r for r in records if r["case"] == case and r["router"] == router]
    return "; ".join(_peer(r, len(theirs) > 1) for r in theirs) or "–"


def _peer(r, several):
    words = []
    if r.get("lost_acked"):
        words.append(f"**{number(r['lost_acked'])} acked lost**")
    if r.get("lost"):
        words.append(f"lost {number(r['lost'])} of {number(r['expected'])}, "
                     f"{number(min(r.get('counted') or 0, r['lost']))} counted")
    words += [f"{number(r[what])} {what}" for what in ("misrouted", "altered", "reordered")
              if r.get(what)]
    if r.get("duplicates"):
        words.append(f"{number(r['duplicates'])} twice")
    if r.get("recovery") is not None and r["recovery"] > 30:
        words.append(f"back after {seconds(r['recovery'])}")
    if r.get("note"):
        words.append(r["note"])
    text = ("passed" if r["passed"] else "failed") + (": " if words else "") + ", ".join(words)
    return f"{r['variant']} {text}" if several else text


def faults(records, ran, only=False):
    """only: those that were run."""
    rows = [["#", "fault", "a gateway without faults", "penstock", "acked lost", "lost", "twice",
             "back", "rsyslog", "syslog-ng"]]
    for case, (fault, perfect) in report.CASES.items():
        if only and case not in ran:
            continue
        rows.append([str(case), fault, perfect, *ours(case, records, ran.get(case)),
                     *(peers(case, router, records) for router in report.ROUTERS[1:])])
    return table(rows)


def loads(found):
    rows = [["router", "version", "lines a second"]]
    for r in sorted(found, key=lambda r: -r["load"]):
        rows.append([r["router"], r["version"], number(r["load"]) +
                     (f" ({r['note']})" if r.get("note") else "")])
    return table(rows)


def table(rows):
    lines = ["| " + " | ".join(c.replace("|", "/").replace("\n", " ") for c in row) + " |"
             for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def run(command):
    """What was run where, and when."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    commit = subprocess.run(["git", "log", "-1", "--format=%h"], capture_output=True,
                            cwd=pathlib.Path(__file__).parent).stdout.decode().strip()
    return table([
        ["what", ""],
        ["date", datetime.date.today().isoformat()],
        ["machine", f"{os.cpu_count()} cores of {cpu.group(1) if cpu else platform.machine()}, "
                    f"{int(memory.group(1)) / 2 ** 20:.0f} GiB, Linux {platform.release()}"],
        ["command", f"`{command}`"],
        ["penstock", f"commit {commit or 'unknown'}, release build"],
    ])


def main():
    folder, command, *template = sys.argv[1:]
    records, load = read(folder)
    ran = tests(folder)
    if not template:
        print(faults(records, ran, only=True))
        return
    passed = sum(bool(ran.get(case)) and all(ran[case].values()) for case in report.CASES)
    values = {"RUN": run(command), "LOAD": loads(load), "FAULTS": faults(records, ran),
              "PASSED": str(passed), "CASES": str(len(report.CASES)), "SECONDS": str(LOAD_SECONDS)}
    text = pathlib.Path(template[0]).read_text()
    sys.stdout.write(re.sub(r"@([A-Z]+)@", lambda m: values[m.group(1)], text))


if __name__ == "__main__":
    main()
