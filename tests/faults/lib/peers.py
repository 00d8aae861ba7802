"""Other routers in the gateway's place, with the best configuration that we could find for each
(../peers/*.conf): as lib/gateway.py of the end-to-end tests, as far as cases need it.

script/bootstrap --faults brings them.  syslog-ng is only unpacked, because Debian's package and
rsyslog's exclude each other.
"""

import csv
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

from lib import address, wait

HERE = pathlib.Path(__file__).resolve().parents[1]
UNPACKED = pathlib.Path(os.environ.get("PENSTOCK_PEERS", HERE.parents[1] / "build/peers"))
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib/syslog-ng", "lib")

_DRAIN = re.compile(r"^# each drain\n(.*?)^# end of drain\n", re.DOTALL | re.MULTILINE)

# On an address of its own.
TCP, RELP = 1514, 2514

# A disk queue of its own for each drain takes a while to be read back.
START_SECONDS = 20


def _fill(text, values):
    return re.sub(r"@([A-Z]+)@", lambda m: str(values[m.group(1)]), text)


def _said(*command, env=None):
    return subprocess.run(command, capture_output=True, timeout=10, env=env).stdout.decode()


class Peer:
    """Drains stand in the configuration: one that is added later needs a reload.

    host: where it listens.  listen: schemes of the listeners that a case asks for.
    """

    name = conf = None
    rate = None  # lines a second that it can be offered; None: as many as the gateway

    def __init__(self, directory, host=None, listen=("syslog+tcp",)):
        self.dir = directory
        self.data = self.dir / "queues"
        self.data.mkdir(parents=True, exist_ok=True)
        self.seen = self.data  # from here, if the process sees another disk there
        self.prefix = []
        self.host = host or address.fresh()
        self.listen = listen
        self.drains = []
        self.process = None

    @classmethod
    def why_not(cls):
        """Why it cannot run here; None: it can."""
        raise NotImplementedError

    @classmethod
    def version(cls):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    @staticmethod
    def environment():
        return os.environ

    def port(self, index=0):
        return {"syslog+tcp": TCP, "relp": RELP}[self.listen[index]]

    @property
    def pid(self):
        return self.process.pid

    # -- drains

    def add_drain(self, app, sink, framing="lf", **_):
        """Its name."""
        name = f"{app}-{len(self.drains)}"
        self.drains.append({"APP": app, "NAME": name, "HOST": sink.host, "PORT": sink.port,
                            **self.framing(framing)})
        if self.process is not None:
            self.reload()
        return name

    def framing(self, framing):
        raise NotImplementedError

    def remove_drain(self, _, name):
        self.drains = [d for d in self.drains if d["NAME"] != name]
        self.reload()

    def write_conf(self):
        values = {"DIR": self.data, "LISTEN": self.host, "TCP": TCP, "RELP": RELP}
        text = (HERE / "peers" / self.conf).read_text()
        text = _DRAIN.sub(lambda m: "".join(_fill(m.group(1), {**values, **d})
                                            for d in self.drains), text)
        (self.dir / "conf").write_text(_fill(text, values))

    # -- the process

    def start(self):
        self.write_conf()
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(self.prefix + self.command(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.environment())
        wait.until(lambda: self.process.poll() is not None or self._listens(),
                   lambda: f"{self.name} listens\n" + self.log_text(), START_SECONDS)
        if self.process.poll() is not None:
            self.process = None
            raise AssertionError(f"{self.name} ended\n" + self.log_text())
        return self

    def _listens(self):
        try:
            socket.create_connection((self.host, TCP), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        process, self.process = self.process, None
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        raise NotImplementedError

    def log_text(self):
        return (self.dir / "log").read_text(errors="replace")[-4000:]

    def messages(self):
        """What it has logged."""
        return [line for file in (self.dir / "log", self.seen / "messages") if file.exists()
                for line in file.read_text(errors="replace").splitlines()]

    def dropped(self):
        """Lines that it says it has dropped, in this run."""
        raise NotImplementedError

    def queue_files(self):
        """Where lines are kept."""
        raise NotImplementedError


class Rsyslog(Peer):
    name, conf, rate = "rsyslog", "rsyslog.conf", 500

    @classmethod
    def why_not(cls):
        modules = list(pathlib.Path("/usr/lib").glob("*/rsyslog/imrelp.so"))
        if not os.access("/usr/sbin/rsyslogd", os.X_OK) or not modules:
            return "rsyslog and rsyslog-relp are not installed: script/bootstrap --faults"
        return None

    @classmethod
    def version(cls):
        return _said("/usr/sbin/rsyslogd", "-v").replace("  ", " ").split(" (")[0]

    def command(self):
        return ["/usr/sbin/rsyslogd", "-n", "-f", str(self.dir / "conf"), "-i",
                str(self.dir / "pid")]

    def framing(self, framing):
        return {"FRAMING": "traditional" if framing == "lf" else "octet-counted"}

    def reload(self):
        """SIGHUP does not read the configuration again."""
        self.restart()

    def dropped(self):
        file = self.seen / "stats"
        if not file.exists():
            return 0
        last = {}
        for line in file.read_text(errors="replace").splitlines():
            try:
                counters = json.loads(line[line.index("{"):])
            except ValueError:
                continue
            last[counters.get("name")] = sum(counters.get(k, 0) for k in (
                "discarded.full", "discarded.nf", "failed"))
        return sum(last.values())


    def queue_files(self):
        return sorted(p for p in self.data.iterdir() if re.search(r"\.\d{8}$", p.name))


class RsyslogInMemory(Rsyslog):
    conf, rate = "rsyslog-memory.conf", None


class SyslogNg(Peer):
    name, conf = "syslog-ng", "syslog-ng.conf"

    @classmethod
    def why_not(cls):
        if not (UNPACKED / "usr/sbin/syslog-ng").exists():
            return "syslog-ng is not there: script/bootstrap --faults"
        return None

    @staticmethod
    def environment():
        found = [str(UNPACKED / path) for path in _LIBRARIES]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(found)}

    @classmethod
    def version(cls):
        found = _said(str(UNPACKED / "usr/sbin/syslog-ng"), "--version", env=cls.environment())
        return "syslog-ng " + re.search(r"\((.*?)\)", found).group(1)

    def command(self):
        modules = next((UNPACKED / "usr/lib/syslog-ng").glob("[0-9]*"))
        return [str(UNPACKED / "usr/sbin/syslog-ng"), "-F", "--no-caps", "-f",
                str(self.dir / "conf"), "-R", str(self.data / "persist"), "-p",
                str(self.dir / "pid"), "-c", str(self.dir / "ctl"), "--module-path", str(modules),
                "--fd-limit", "4096"]

    def framing(self, framing):
        if framing == "lf":
            return {"TRANSPORT": "tcp", "TEMPLATE": r"${RAWMSG}\n"}
        return {"TRANSPORT": "tcp", "TEMPLATE": "$(length ${RAWMSG}) ${RAWMSG}"}

    def reload(self):
        self.write_conf()
        self.process.send_signal(signal.SIGHUP)

    def dropped(self):
        if self.process is None:
            return 0
        done = subprocess.run([str(UNPACKED / "usr/sbin/syslog-ng-ctl"), "-c",
                               str(self.dir / "ctl"), "stats"], capture_output=True, timeout=10,
                              env=self.environment())
        rows = csv.reader(done.stdout.decode(errors="replace").splitlines(), delimiter=";")
        return sum(int(r[5]) for r in rows if len(r) == 6 and r[4] == "dropped" and
                   r[0].startswith("dst.") and r[5].isdigit())

    def queue_files(self):
        return sorted(self.data.glob("*.rqf"))
