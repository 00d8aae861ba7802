"""The command: its options, and what is done in which order."""

import argparse
import json
import pathlib
import resource
import sys
import time

from . import machine, plots, readme, results, targets, workloads
from .contenders import CONTENDERS
from .plan import Plan
from .tls import Certificate
from .workloads import WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _add_choice(p):
    p.add_argument("--workload", action="append", choices=WORKLOADS, metavar="NAME",
                   help="may be repeated; --list names them")  # fmt: skip
    p.add_argument("--contender", action="append", choices=CONTENDERS, metavar="NAME",
                   help="may be repeated; all that are here without it")  # fmt: skip
    p.add_argument("--all", action="store_true", help="all workloads")
    p.add_argument("--targets", action="store_true",
                   help="what the targets need, and whether they are met")  # fmt: skip
    p.add_argument("--list", action="store_true", help="workloads and contenders")
    p.add_argument("--rounds", type=int, default=3)


def _add_changes(p):
    p.add_argument("--lines", type=int, help="instead of the workload's own number")
    p.add_argument("--rate", type=int, default=0, help="lines a second, instead of the workload's")
    p.add_argument("--close-after", type=int, default=0,
                   help="sink closes a connection after so many lines")  # fmt: skip
    p.add_argument("--workers", type=int, help="penstock's, instead of the workload's")
    p.add_argument("--penstock-option", action="append", default=[], metavar="--KEY=VALUE")
    p.add_argument("--rsyslog-batch", type=int, help="instead of its own")
    p.add_argument("--rsyslog-workers", type=int, default=1)
    p.add_argument("--seconds", type=int, default=60, help="the longest that one run may take")
    p.add_argument("--quiet-ms", type=int, default=4000, help="no line for so long ends a run")
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    p.add_argument("--penstockd", type=pathlib.Path, help="default: BUILD/penstockd")


def read_args():
    p = argparse.ArgumentParser(
        prog="bench/compare",
        description="Runs penstock, a bare router (floor) and peers on the same loads, in turn, "
        "each run fresh, and prints medians.  bench/README.md says what is measured.",
    )
    _add_choice(p)
    _add_changes(p)
    p.add_argument("--json", type=pathlib.Path, help="keep everything in this file")
    p.add_argument("--readme", type=pathlib.Path, nargs="+", metavar="JSON",
                   help="runs nothing: puts the tables of these files into bench/README.md, and "
                   "writes the plots")  # fmt: skip
    args = p.parse_args()
    args.build = args.build.resolve()
    args.penstockd = (args.penstockd or args.build / "penstockd").resolve()
    return args


def _list():
    for w in WORKLOADS.values():
        print(f"{w.name:14} {w.group:8} {w.apps} apps, {w.copies} drains each, {w.into} in, "
              f"{w.out} out")  # fmt: skip
    for c in CONTENDERS.values():
        print(f"{c.name:16} {c.about}")


def _chosen(args):
    if args.workload:
        return args.workload
    if args.all:
        return list(WORKLOADS)
    return list(targets.NEEDS) if args.targets else workloads.DEFAULT


def _wanted(args, workload, names):
    """Of the contenders that are here, those that are to run this workload."""
    if not args.targets or args.contender or args.all:
        return names
    return [name for name in names if name in targets.NEEDS.get(workload, names)]


def _print(everything, args):
    rows = everything["summary"]
    for group in dict.fromkeys(WORKLOADS[r["workload"]].group for r in rows):
        print(results.table(results.of_groups(rows, [group]), group))
    for f in everything["failed"]:
        print(f"failed: {f['contender']} {f['workload']} round {f['round']}: {f['failed']}")
    if args.targets or args.all:
        print(targets.table(rows))


def _command(words):
    """As it was given, but for files of this machine."""
    out = ["bench/compare"]
    words = iter(words)
    for word in words:
        if word in ("--json", "--build", "--penstockd"):
            next(words, None)
        elif not word.startswith(("--json=", "--build=", "--penstockd=")):
            out.append(word)
    return " ".join(out)


def _everything(plan):
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.describe(),
        "command": _command(sys.argv[1:]),
        "versions": plan.versions,
        "summary": results.summary(plan.runs),
        "failed": plan.failed,
        "runs": plan.runs,
    }


def _run(args):
    # 10,000 apps are 10,000 connections, in the router and in the sink.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    certificate = Certificate()
    try:
        plan = Plan(args, certificate)
        names = plan.contenders(args.contender or CONTENDERS)
        # All workloads within a round: some targets compare one with another.
        for number in range(1, args.rounds + 1):
            for name in _chosen(args):
                plan.go(WORKLOADS[name], _wanted(args, name, names), number)
                if args.json:  # also if the rest does not come to an end
                    text = json.dumps(_everything(plan), indent=1) + "\n"
                    args.json.write_text(text, encoding="utf-8")
    finally:
        certificate.remove()
    _print(_everything(plan), args)
    return 0 if plan.runs else 1


def main():
    args = read_args()
    if args.list:
        _list()
        return 0
    if args.readme:
        kept = [json.loads(path.read_text(encoding="utf-8")) for path in args.readme]
        for k in kept:
            k["summary"] = results.summary(k["runs"])
        plots.write(kept, ROOT / "bench/plots")
        readme.write(kept, ROOT / "bench/README.md")
        return 0
    return _run(args)
