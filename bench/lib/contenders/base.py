"""What every contender has: how it is started, and which workloads it can do."""

import math
import os
import pathlib
import shutil
import subprocess

from .. import net, template

BENCH = pathlib.Path(__file__).resolve().parents[2]
# Packages that are only unpacked, as Debian's syslog-ng and rsyslog exclude each other.
UNPACKED = pathlib.Path(os.environ.get("PENSTOCK_PEERS", BENCH.parent / "build/peers"))
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib/syslog-ng", "lib")


def find_program(name):
    """Its path, installed or unpacked; None: it is not here."""
    unpacked = UNPACKED / "usr/sbin" / name
    if unpacked.exists():
        return str(unpacked)
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/bin")


def unpacked_environment():
    """With the libraries of what is only unpacked, behind the machine's own."""
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(str(UNPACKED / p) for p in _LIBRARIES)}


class Contender:
    """A router.  One object serves one run.

    args is what the command line said, tls the certificate of all.
    """

    name = None  # in tables, and on the command line
    about = ""  # one line, for tables
    most_lines = None  # of a slow one, so that a run takes seconds; None: what the workload says
    conf = None  # its file in bench/peers

    def __init__(self, args, tls):
        self.args = args
        self.tls = tls

    def missing(self):
        """Why it can not run here; None if it can."""
        return None

    def version(self):
        """What it says it is; for the results."""
        return ""

    def cannot(self, workload):
        """Why it can not do this work; None if it can."""
        return None

    def command(self, workload, folder):
        raise NotImplementedError

    @staticmethod
    def environment():
        return os.environ

    def start(self, workload, folder):
        """The process, when it listens and has all its drains."""
        with open(folder / "router.log", "wb") as log:
            router = subprocess.Popen(
                self.command(workload, folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=folder, env=self.environment()
            )  # fmt: skip
        try:
            net.wait_until(self.name, lambda: self.ready(router), router)
            self.add_drains(workload, folder)
        except BaseException:
            router.kill()
            router.wait()
            raise
        return router

    def ready(self, router):
        return net.listening(net.ROUTER_PORT)

    def add_drains(self, workload, folder):
        pass

    def facts(self):
        """What only it knows of its run, before it is stopped: a dict for the results."""
        return {}


class Peer(Contender):
    """A router whose drains stand in its configuration, a file in bench/peers."""

    def missing(self):
        return None if find_program(self.name) else f"no {self.name}"

    def configure(self, workload, folder):
        """Writes the configuration of this workload; its path."""
        apps = [
            {
                "app": app,
                "drains": [
                    {"copy": copy, "drain_port": workload.drain_port(number, copy)}
                    for copy in range(workload.copies)
                ],
            }
            for number, app in enumerate(workload.app_names())
        ]
        values = {
            "dir": folder,
            "address": net.ADDRESS,
            "port": net.ROUTER_PORT,
            "ca": self.tls.ca,
            "cert": self.tls.cert,
            "key": self.tls.key,
            "tls_in": workload.into == "tls",
            "relp_in": workload.into == "relp",
            "plain_in": workload.into == "tcp",
            "tls_out": workload.out == "tls",
            "lf_out": workload.out == "lf",
            "octet_out": workload.out == "octet",
            "rfc3164": workload.format == "3164",
            "apps": apps,
            "groups": self.groups(apps),
            **self.values(workload),
        }
        path = folder / self.conf
        text = (BENCH / "peers" / self.conf).read_text(encoding="ascii")
        path.write_text(template.render(text, values), encoding="ascii")
        return path

    @staticmethod
    def groups(apps):
        """About as many groups of apps as each of them then has: for a search in two steps."""
        size = math.isqrt(len(apps))
        parts = [apps[i:i + size] for i in range(0, len(apps), size)]
        return [{"group": number, "apps": part} for number, part in enumerate(parts)]

    @staticmethod
    def cannot_rfc5424_only(workload):
        """What a router cannot do that is set up for lines of RFC 5424 over TCP and TLS."""
        if workload.into not in ("tcp", "tls") or workload.out not in ("octet", "lf", "tls"):
            return f"not set up here for {workload.into} to {workload.out}"
        if workload.format != "5424":
            return "set up for RFC 5424 here"
        return None

    def values(self, workload):
        """What its file wants besides."""
        return {}
