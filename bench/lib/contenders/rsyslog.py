"""rsyslogd, in the configurations of bench/peers/rsyslog*.conf."""

import glob
import os
import subprocess

from .base import Peer

DAEMON = "/usr/sbin/rsyslogd"


def has_module(name):
    return bool(glob.glob(f"/usr/lib/*/rsyslog/{name}.so"))


class Rsyslog(Peer):
    """The cheapest found: one queue that all drains share."""

    name = "rsyslog"
    about = "one queue that all drains share"
    conf = "rsyslog.conf"
    most_lines = 1_000_000

    def missing(self):
        return None if os.access(DAEMON, os.X_OK) else f"no {DAEMON}"

    def version(self):
        said = subprocess.run([DAEMON, "-v"], capture_output=True, timeout=10).stdout.decode()
        return " ".join(said.split()[:2])

    def cannot(self, workload):
        if workload.into not in ("tcp", "tls") or workload.out not in ("octet", "lf", "tls"):
            return f"not set up here for {workload.into} to {workload.out}"
        if "tls" in (workload.into, workload.out) and not has_module("lmnsd_ossl"):
            return "rsyslog-openssl is not installed"
        return None

    def values(self, workload):
        queue, batch = (20_000, 4096) if workload.apps <= 100 else (200_000, 65_536)
        return {"queue": queue, "high": queue * 95 // 100,
                "batch": self.args.rsyslog_batch or batch,
                "workers": self.args.rsyslog_workers}  # fmt: skip

    def command(self, workload, folder):
        config = self.configure(workload, folder)
        return [DAEMON, "-n", "-f", str(config), "-i", str(folder / "rsyslog.pid")]


class RsyslogIfChain(Rsyslog):
    name = "rsyslog-ifchain"
    about = "as most write it: an if for each app"
    conf = "rsyslog-ifchain.conf"
    most_lines = 500_000

    def cannot(self, workload):
        if (workload.into, workload.out, workload.format) != ("tcp", "octet", "5424"):
            return "set up for plain TCP only"
        return "a chain of so many would take minutes" if workload.apps > 1000 else None


class RsyslogQueues(Rsyslog):
    name = "rsyslog-queues"
    about = "a queue for each drain, as isolation needs"
    conf = "rsyslog-queues.conf"
    most_lines = 200_000

    def cannot(self, workload):
        if workload.apps * workload.copies > 1000:
            return "a thread for each drain"
        return super().cannot(workload)

    def values(self, workload):
        # With a fault a full queue must not hold up the others; without, no line may be lost.
        return {**super().values(workload), "enqueue_ms": 1 if workload.fault else 60000}


class RsyslogRelp(Rsyslog):
    name = "rsyslog-relp"
    about = "imrelp, one queue that all drains share"
    conf = "rsyslog.conf"

    def missing(self):
        return super().missing() or (None if has_module("imrelp") else "no rsyslog-relp")

    def cannot(self, workload):
        return None if workload.into == "relp" else "only for RELP"
