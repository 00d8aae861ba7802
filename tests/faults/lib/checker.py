"""What became of the lines: lost, duplicated, reordered, misrouted, altered.

A Tally is fed with what one drain's receiver got, in order of arrival, and keeps what it needs
to say so; the senders say what they offered and what was acknowledged to them.
"""

import bisect
import collections

from . import line

# Of one drain.  lost_acked, lost_unacked: lines, by what the sender was told of them.
Report = collections.namedtuple(
    "Report", "app expected got lost_acked lost_unacked duplicated reordered misrouted altered "
              "told latest")

# So many examples of what is wrong are kept.
_EXAMPLES = 5


class Tally:
    """Of one drain.  app: whose lines belong there.  read: makes (app, sender, number) or None of
    one thing that arrived."""

    def __init__(self, app, read=line.read_frame):
        self.app = app.encode()
        self.read = read
        self.seen = collections.defaultdict(set)   # sender -> numbers
        self.highest = collections.defaultdict(lambda: -1)
        self.duplicated = self.reordered = self.misrouted = self.altered = 0
        self.told = 0         # lines that the gateway said in the stream that it dropped
        self.latest = 0.0     # seconds, the longest that a line took from being sent to arriving
        self.latest_line = None  # its sender, number, and when it arrived
        self.examples = []

    @property
    def got(self):
        return sum(map(len, self.seen.values()))

    def feed(self, arrived, at=None, senders=None):
        """One thing that arrived, at that time."""
        found = self.read(arrived)
        if found is None:
            self._odd(arrived)
            return
        app, sender, seq = found
        if app != self.app:
            self._example("misrouted", arrived)
            self.misrouted += 1
            return
        seen = self.seen[sender]
        if seq in seen:
            self.duplicated += 1
            return
        seen.add(seq)
        if seq < self.highest[sender]:
            self._example(f"behind {self.highest[sender]}", arrived)
            self.reordered += 1
        else:
            self.highest[sender] = seq
        if at is not None and sender in senders:
            sent = senders[sender].sent_at(app.decode(), seq)
            if at - sent > self.latest:
                self.latest, self.latest_line = at - sent, (sender, seq, at)

    def _odd(self, arrived):
        told = line.notice(arrived) if isinstance(arrived, bytes) else None
        if told is not None:
            self.told += told
            return
        self._example("altered", arrived)
        self.altered += 1

    def _example(self, what, arrived):
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{what}: {arrived[:300]!r}")

    def missing(self, sender, first, end):
        """The numbers from first to before end that did not come."""
        seen = self.seen.get(sender.name.encode(), ())
        return [n for n in range(first, end) if n not in seen]

    def report(self, senders, first=None):
        """first: sender's name -> the first number that the drain was to get (0 without one)."""
        expected = lost_acked = lost_unacked = 0
        for s in senders:
            begin = (first or {}).get(s.name, 0)
            end = s.offered(self.app.decode())
            expected += max(end - begin, 0)
            lost = self.missing(s, begin, end)
            acked = bisect.bisect_left(lost, s.acked(self.app.decode()))
            lost_acked += acked
            lost_unacked += len(lost) - acked
            if lost and len(self.examples) < _EXAMPLES:
                self.examples.append(f"lost of {s.name}: {lost[:10]} ... {lost[-1]} of {end}")
        return Report(self.app.decode(), expected, self.got, lost_acked, lost_unacked,
                      self.duplicated, self.reordered, self.misrouted, self.altered, self.told,
                      self.latest)
