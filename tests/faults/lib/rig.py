"""A gateway between senders and sinks, a fault, and the verdict.

    a, b = rig.sink(), rig.sink()
    rig.start()                       # a gateway
    rig.drain("a1", a, touched=True)  # the fault is to be felt here ...
    rig.drain("a1", b)                # ... and not here
    rig.offer(["a1"])                 # a sender begins
    rig.run(1)
    with rig.fault():
        a.refuse()
        rig.run(2)
        a.accept()
    rig.run(1)
    rig.verdict()

What passes: no acknowledged line lost, none misrouted, none altered; lines that were not
acknowledged are lost only as far as the gateway counts them; all is delivered within 30 s of the
end of the fault; and what the fault does not touch never has lines waiting for over a second, while
RATE lines a second are offered.

RATE stands for a quarter of capacity.  It is a fixed number, well below that (a gateway on two
cores takes hundreds of thousands), because senders, sinks and other tests share the machine.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import threading
import time

from lib import address, prometheus, receivers, wait
from lib.gateway import SANITIZED

from . import report, senders, sinks
from .checker import Tally

LONG = os.environ.get("PENSTOCK_FAULTS") == "long"

RATE = 20000 if LONG else 4000  # lines a second, in all
RECOVERY_SECONDS = 30

# The admin API closes a connection that is idle for a minute.
KEPT_SECONDS = 20

# What waits for a drain that the fault does not touch is never older.
BACKLOG_SECONDS = 1.0

# From being offered to arriving there, with senders and sinks that are busy threads of one Python.
LATEST_SECONDS = 3.0


def times(short, long):
    """How often, or how long: in the short form and in the long one."""
    return long if LONG else short


class Drain:
    """touched: the fault is to be felt there.  first: sender's name -> the first number that it
    is to get.  exact: False: how much it gets is nothing to go by (it comes or goes under load)."""

    def __init__(self, app, url, sink, tally, touched, first, exact):
        self.app = app
        self.url = url
        self.sink = sink
        self.tally = tally
        self.touched = touched
        self.first = first
        self.exact = exact
        self.oldest = 0.0    # seconds, the longest that its oldest line was seen waiting
        self.oldest_at = 0.0
        self.before = 0      # lines that it dropped, as counted by gateways that have ended


class Rig:
    def __init__(self, case, name, make_gateway, directory, make_http):
        self.case = case
        self.name = name
        self.make_gateway = make_gateway
        self.make_http = make_http
        self.dir = directory
        self.host = address.fresh()  # of listeners: the same ports serve after a restart
        self.began = self.asked = time.monotonic()
        self.gw = None
        self.drains = []
        self.senders = []
        self.sinks = []
        self.recovery = None  # seconds, of the last fault
        self.fault_end = None
        self.memory = 0       # bytes, the most that RssAnon was
        self.watching = None
        self.counted_more = 0 # lines that were dropped for no drain's reason, as a stop
        self.note = ""

    # -- parts

    def start(self, listen=None, **keys):
        """A gateway; its drains are watched from now on.  It keeps its ports over restarts."""
        self.gw = self.make_gateway(listen=listen or [f"syslog+tcp://{self.host}:0"], **keys)
        self.gw.listen = [url.replace(f"{self.host}:0", a) if self.host in url else url
                          for url, a in zip(self.gw.listen, self.gw.addresses)]
        self.watching = _Watch(self)
        return self.gw

    def sink(self, **more):
        self.sinks.append(sinks.Sink(**more))
        return self.sinks[-1]

    def tls_sink(self, ca, **more):
        """With a certificate for its address."""
        host = address.fresh()
        pair = ca.issue(ips=[host])
        return self.sink(host=host, tls=receivers.tls_context(pair), **more)

    def udp_sink(self):
        self.sinks.append(sinks.UdpSink())
        return self.sinks[-1]

    def process_sink(self):
        self.sinks.append(sinks.ProcessSink(self.dir / "sinks"))
        return self.sinks[-1]

    def http_sink(self, vendor, **more):
        self.sinks.append(sinks.HttpSink(self.make_http(vendor, **more)))
        return self.sinks[-1]

    def drain(self, app, sink, touched=False, exact=True, **params):
        if isinstance(sink, sinks.HttpSink):
            url = self.gw.add_drain(app, type="https", **{"url": sink.receiver.url(), **params})
        else:
            url = self.gw.add_drain(app, sink, **params)
        first = {s.name: s.offered(app) for s in self.senders}
        self.drains.append(Drain(app, url, sink, Tally(app), touched, first, exact))
        return self.drains[-1]

    def remove(self, drain):
        self.gw.remove_drain(drain.app, drain.url)
        drain.url, drain.exact = None, False

    def sender(self, apps, rate=None, kind=senders.StreamSender, connect=None, listener=0, tls=None,
               **more):
        """One that is told when to send, to that listener if nothing else is said."""
        if connect is None and kind is senders.HttpSender:
            connect = senders.http_to(self.host, self.gw.port(listener))
        elif connect is None:
            connect = senders.tcp(self.host, self.gw.port(listener), tls)
        name = f"s{len(self.senders)}"
        self.senders.append(kind(name, apps, rate or RATE, connect, **more))
        return self.senders[-1]

    def offer(self, *args, **more):
        """One that begins at once, at its rate."""
        return self.sender(*args, **more).start()

    def restart(self):
        """SIGTERM and a new start; what it abandoned counts."""
        self._leave()
        self.gw.stop()
        self._abandoned()
        self.gw.start()

    def kill(self):
        """kill -9 and a new start; returns the seconds until it answers."""
        self._leave()
        self.gw.kill()
        began = time.monotonic()
        self.gw.start()
        return time.monotonic() - began

    def _leave(self):
        """What a gateway has counted goes with it."""
        for d in self.drains:
            d.before = self.dropped(d)

    def _abandoned(self):
        for entry in self.gw.find_log(msg="stopped with lines"):
            self.counted_more += int(entry["lines_abandoned"])

    # -- running

    def feed(self):
        """What came is looked at."""
        by_name = {s.name.encode(): s for s in self.senders}
        for d in self.drains:
            for frame, at in d.sink.take():
                d.tally.feed(frame, None if d.touched else at, by_name)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.feed()
            self.keep_admin()
            time.sleep(min(0.1, left))

    def keep_admin(self):
        """A request now and then, so that the connection stays."""
        if time.monotonic() - self.asked > KEPT_SECONDS:
            self.gw.request("GET", "/healthz", token=None)
            self.asked = time.monotonic()

    @contextlib.contextmanager
    def fault(self):
        yield
        self.fault_end = time.monotonic()

    def stop_senders(self):
        for s in self.senders:
            s.stop()

    def statuses(self):
        return {(d["app"], d["url"]): d for d in self.watching.all_drains()}

    def dropped(self, drain):
        """Lines that a drain lost, as the gateway counts them."""
        if drain.url is None:
            return drain.before
        status = self.gw.status(drain.app, drain.url)
        return drain.before + sum(status["dropped"].values())

    def missing(self, drain):
        """How many lines have not come to it."""
        expected = sum(max(s.offered(drain.app) - drain.first.get(s.name, 0), 0)
                       for s in self.senders)
        return expected - drain.tally.got

    def wait(self, condition, what):
        wait.until(condition, what, step=0.05)

    def wait_arrived(self, drain, lines):
        """Until so many lines came to it, by count of different ones."""
        def arrived():
            self.feed()
            return drain.tally.got >= lines

        wait.until(arrived, lambda: f"{lines} lines at {drain.app}, {drain.tally.got} came")

    def settled(self, but_counted=True):
        """Nothing more will come: each line has arrived or is counted as lost."""
        self.feed()
        for d in self.drains:
            if d.exact and (missing := self.missing(d)) > 0:
                if not but_counted or missing > self.dropped(d):
                    return False
        return True

    def recover(self, but_counted=True):
        """Ends the senders; waits until all is delivered."""
        self.stop_senders()
        try:
            wait.until(lambda: self.settled(but_counted), self._unsettled, RECOVERY_SECONDS,
                       step=0.05)
        finally:
            if self.fault_end is not None:
                self.recovery = time.monotonic() - self.fault_end

    def _unsettled(self):
        return "all is delivered: " + "; ".join(
            f"{d.app} lacks {self.missing(d)}, {self.dropped(d)} counted" for d in self.drains
            if d.exact)

    # -- the verdict

    def verdict(self, loss="none", variant=None, note=""):
        """Recovers, and fails if the case did not pass.

        loss: what may become of lines that were not acknowledged: "none" may be lost; those that
        the gateway has "counted"; "uncounted" ones, when the process that counts was killed;
        "sent again": none is lost in the end, since senders send what was dropped again, which
        is then behind others.
        """
        faults = []
        try:
            self.recover(but_counted=loss != "sent again")
        except AssertionError as e:
            faults.append(str(e))
        self.watching.stop()
        self.feed()
        reports = [(d, d.tally.report(self.senders, d.first)) for d in self.drains]
        counted = sum(self.dropped(d) for d in self.drains if d.exact) + self.counted_more
        missing = sum(r.lost_unacked for d, r in reports if d.exact)
        for d, r in reports:
            faults += self._judge(d, r, ordered=loss != "sent again")
        if loss in ("none", "counted") and missing != counted:
            faults.append(f"{missing} unacknowledged lines lost, {counted} counted")
        if loss in ("none", "sent again") and missing > 0:
            faults.append(f"{missing} lines lost")
        if self.recovery is not None and self.recovery > RECOVERY_SECONDS:
            faults.append(f"recovered after {self.recovery:.1f} s")
        self._record(variant or self.name, reports, counted, not faults, note or self.note)
        assert not faults, "\n".join(faults + [e for d in self.drains for e in d.tally.examples])

    @staticmethod
    def _judge(d, r, ordered):
        faults = []
        for what in ("misrouted", "altered", "reordered"):
            if getattr(r, what) and (ordered or what != "reordered"):
                faults.append(f"{r.app}: {getattr(r, what)} {what}")
        if d.exact and r.lost_acked:
            faults.append(f"{r.app}: {r.lost_acked} acknowledged lines lost of {r.expected}")
        if not d.touched and not SANITIZED:
            if d.oldest > BACKLOG_SECONDS:
                faults.append(f"{r.app}: a line waited {d.oldest:.1f} s for an untouched drain, "
                              f"seen at {d.oldest_at - self.began:.1f} s")
            if r.latest > LATEST_SECONDS:
                sender, seq, at = d.tally.latest_line
                faults.append(f"{r.app}: line {seq} of {sender.decode()} took {r.latest:.1f} s to "
                              f"an untouched drain, until {at - self.began:.1f} s")
        return faults

    def _record(self, variant, reports, counted, passed, note):
        exact = [r for d, r in reports if d.exact]
        offered = sum(s.made for s in self.senders)
        report.record(self.case, variant=variant, passed=passed, offered=offered,
                      expected=sum(r.expected for r in exact),
                      rate=sum(s.rate for s in self.senders),
                      lost_acked=sum(r.lost_acked for r in exact),
                      lost=sum(r.lost_unacked for r in exact), counted=counted,
                      duplicates=sum(r.duplicated for _, r in reports),
                      reordered=sum(r.reordered for _, r in reports),
                      misrouted=sum(r.misrouted for _, r in reports),
                      altered=sum(r.altered for _, r in reports), recovery=self.recovery, note=note)

    def stop(self):
        """After the test, whatever became of it."""
        for s in self.senders:
            s.abandon()
        if self.watching is not None:
            self.watching.stop()

    def stop_sinks(self):
        for s in self.sinks:
            s.stop()


class _Watch:
    """Looks at all drains four times a second, through a connection of its own."""

    def __init__(self, rig):
        self.rig = rig
        self.gw = rig.gw
        self.running = True
        self.connection = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.running = False
        self.thread.join(20)

    def all_drains(self):
        path, found = "/v1/drains?per_page=1000&redact=false", []
        after = ""
        while after is not None:
            self.connection.request("GET", path + after, headers={
                "Content-Type": "application/json", **self.gw.authorization(self.gw.token)})
            answer = self.connection.getresponse()
            page = json.loads(answer.read())
            if answer.status != 200:
                raise http.client.HTTPException(f"{answer.status} {page}")
            found += page["drains"]
            after = page["next"] and f"&after={page['next']}"
        return found

    def _run(self):
        while self.running:
            try:
                if self.connection is None:
                    host, port = self.gw.admin_address.rsplit(":", 1)
                    self.connection = http.client.HTTPConnection(host, int(port), timeout=10)
                self._look(self.all_drains())
                self.rig.memory = max(self.rig.memory, anonymous_bytes(self.gw.pid))
            except (OSError, http.client.HTTPException, AttributeError, ValueError):
                # It is being killed, or started again.
                if self.connection is not None:
                    self.connection.close()
                self.connection = None
            time.sleep(0.25)
        if self.connection is not None:
            self.connection.close()

    def _look(self, found):
        by_url = {(d["app"], d["url"]): d for d in found}
        for d in list(self.rig.drains):
            status = by_url.get((d.app, d.url))
            waits = status and status["waiting"]["oldest_ms"]
            if waits is not None and waits / 1000 > d.oldest:
                d.oldest, d.oldest_at = waits / 1000, time.monotonic()


def anonymous_bytes(pid):
    """RssAnon: what counts against a limit on memory (a file's pages can be given back)."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) * 1024


def counter(gw, name, **labels):
    """A family of /metrics, summed up."""
    return prometheus.total(prometheus.scrape(gw), f"penstock_{name}", **labels)
