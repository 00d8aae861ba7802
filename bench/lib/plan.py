"""Which runs there are, and their turns: contenders in turn within a round."""

import statistics
import sys

from . import results, run
from .contenders import CONTENDERS
from .workloads import BASE, PART, WORKLOADS


class Plan:
    """Runs, one after the other; what came of them is in self.runs and self.failed."""

    def __init__(self, args, tls):
        self.args = args
        self.tls = tls
        self.runs = []
        self.failed = []
        self.versions = {}

    def contenders(self, names):
        """Of these, the ones that are here; says why others are not."""
        here = []
        for name in names:
            contender = CONTENDERS[name](self.args, self.tls)
            why = contender.missing()
            if why is None:
                here.append(name)
                self.versions[name] = contender.version()
            else:
                print(f"compare: without {name}: {why}", file=sys.stderr)
        return here

    def _can(self, name, workload):
        if workload.only and name not in workload.only:
            return False
        return CONTENDERS[name](self.args, self.tls).cannot(workload) is None

    def capacity(self, name, workload):
        """Lines a second that it delivers, of one copy, at BASE in this same session."""
        base = WORKLOADS[BASE]
        if CONTENDERS[name](self.args, self.tls).cannot(base) is not None:
            base = workload
        done = [r["lines_per_s"] for r in self.runs
                if (r["workload"], r["contender"]) == (base.name, name)]  # fmt: skip
        if not done:
            found = self._attempt(name, base, self._lines(name, base), 0, 0)
            if found is None:
                return None
            done = [found["lines_per_s"]]
        return statistics.median(done)

    def _lines(self, name, workload):
        if self.args.lines:
            return self.args.lines
        most = CONTENDERS[name].most_lines
        return min(workload.lines, most) if most and workload.kind == "load" else workload.lines

    def _attempt(self, name, workload, lines, rate, number):
        result = run.attempt(self.args, self.tls, name, workload, lines, rate, number)
        if "failed" in result:
            self.failed.append(result)
            return None
        print(results.line(result), file=sys.stderr)
        self.runs.append(result)
        return result

    def _once(self, name, workload, number):
        lines = self._lines(name, workload)
        if self.args.rate:
            rate = self.args.rate
        elif workload.rate in PART:
            capacity = self.capacity(name, workload)
            if capacity is None:
                return
            rate = max(1, int(capacity * PART[workload.rate]))
            lines = self.args.lines or int(rate * workload.seconds)
        else:
            rate = int(workload.rate)
        self._attempt(name, workload, lines, rate, number)

    def go(self, workload, names, number):
        """One round of a workload."""
        for name in names:
            if self._can(name, workload):
                self._once(name, workload, number)
