"""A rig with another router in the gateway's place: the cases run as they are.

It judges as the rig does, and fails nothing: what a peer does is written into the table.
"""

import time

from . import report
from .checker import Tally
from .rig import LATEST_SECONDS, RATE, RECOVERY_SECONDS, Drain, Rig

# Peers try again every second: what did not come for so long will not come.
QUIET_SECONDS = 8


class _Nothing:
    def stop(self):
        pass


class PeerRig(Rig):
    def __init__(self, case, name, make_peer, directory):
        super().__init__(case, name, None, directory, None)
        self.make_peer = make_peer
        self.watching = _Nothing()
        self.judged = False

    # -- parts

    def start(self, listen=("syslog+tcp://",), **_):
        """Its drains stand in its configuration: the process starts with the first sender."""
        self.gw = self.make_peer(self.dir / "peer", self.host, [u.split("://")[0] for u in listen])
        return self.gw

    def http_sink(self, *_, **__):
        """Lines over TCP instead."""
        return self.sink()

    def drain(self, app, sink, touched=False, exact=True, **params):
        # A new drain costs a reload, in the middle of which lines may come or not.
        running = self.gw.process is not None
        name = self.gw.add_drain(app, sink, **params)
        first = {s.name: s.offered(app) for s in self.senders}
        self.drains.append(Drain(app, name, sink, Tally(app), touched, first,
                                 exact and not running))
        return self.drains[-1]

    def sender(self, apps, rate=None, *args, **more):
        if self.gw.process is None:
            self.gw.start()
        rate = rate or RATE
        return super().sender(apps, min(rate, self.gw.rate or rate), *args, **more)

    def restart(self):
        self.gw.restart()

    def _leave(self):
        self.counted_more += self.gw.dropped()

    def dropped(self, drain):
        """Peers do not say it of a drain."""
        return 0

    # -- running

    def keep_admin(self):
        """They have none."""

    def wait_arrived(self, drain, lines):
        end = time.monotonic() + QUIET_SECONDS
        while drain.tally.got < lines and time.monotonic() < end:
            self.run(0.02)

    def recover(self):
        """The recovery ends with the last line that came."""
        self.stop_senders()
        self.feed()
        end = time.monotonic() + RECOVERY_SECONDS
        last, got = time.monotonic(), self._got()
        while any(d.exact and self.missing(d) > 0 for d in self.drains):
            self.run(0.1)
            now = time.monotonic()
            if (came := self._got()) > got:
                last, got = now, came
            if now > end or now - last > QUIET_SECONDS:
                break
        if self.fault_end is not None:
            self.recovery = last - self.fault_end

    def _got(self):
        return sum(d.tally.got for d in self.drains)

    # -- the verdict

    def verdict(self, loss="none", variant=None, note="", passed=True):
        """passed: False: whatever else is well."""
        self.recover()
        reports = [(d, d.tally.report(self.senders, d.first)) for d in self.drains]
        counted = self.gw.dropped() + self.counted_more
        exact = [r for d, r in reports if d.exact]
        lost = sum(r.lost_unacked for r in exact)
        wrong = [
            not passed,
            any(r.misrouted or r.altered or r.reordered for _, r in reports),
            any(r.lost_acked for r in exact),
            lost > 0 and loss == "none",
            lost != counted and loss != "uncounted",
            self.recovery is not None and self.recovery > RECOVERY_SECONDS,
            any(not d.touched and r.latest > LATEST_SECONDS for d, r in reports),
        ]
        late = max((r.latest for d, r in reports if not d.touched), default=0)
        if late > LATEST_SECONDS:
            note = f"other drains {late:.0f} s behind" + (f"; {note}" if note else "")
        self._record(variant or self.name, reports, counted, not any(wrong), note or self.note)

    def failed(self, why):
        """The case could not be run to its end."""
        if not self.judged:
            report.record(self.case, router=self.gw.name, variant=self.name, passed=False, note=why)

    def _record(self, variant, reports, counted, passed, note):
        self.judged = True
        exact = [r for d, r in reports if d.exact]
        report.record(self.case, router=self.gw.name, variant=variant, passed=passed,
                      offered=sum(s.made for s in self.senders),
                      rate=sum(s.rate for s in self.senders),
                      expected=sum(r.expected for r in exact),
                      lost_acked=sum(r.lost_acked for r in exact),
                      lost=sum(r.lost_unacked for r in exact), counted=counted,
                      duplicates=sum(r.duplicated for _, r in reports),
                      reordered=sum(r.reordered for _, r in reports),
                      misrouted=sum(r.misrouted for _, r in reports),
                      altered=sum(r.altered for _, r in reports), recovery=self.recovery, note=note)

    def stop(self):
        super().stop()
        if self.gw is not None and self.gw.process is not None:
            self.gw.kill()
