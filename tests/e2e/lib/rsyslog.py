"""A real rsyslogd, as receiver or as sender, with a configuration, folder and pid file of its own."""

import socket
import subprocess

from . import address, syslog, wait

_RECEIVER = """
global(workDirectory="{dir}" maxMessageSize="64k" net.enableDNS="off" {tls_global})
module(load="imtcp" {tls_module})
template(name="raw" type="string" string="%rawmsg%\\n")
template(name="fields" type="string" string="%HOSTNAME%|%APP-NAME%|%PROCID%|%STRUCTURED-DATA%|%msg%\\n")
ruleset(name="take") {{
  action(type="omfile" file="{dir}/raw" template="raw" flushOnTXEnd="on")
  action(type="omfile" file="{dir}/fields" template="fields" flushOnTXEnd="on")
}}
input(type="imtcp" address="{host}" port="0" listenPortFileName="{dir}/port" ruleset="take")
"""


_SENDER = """
global(workDirectory="{dir}" maxMessageSize="64k" net.enableDNS="off")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{dir}/port" ruleset="out")
{modules}
ruleset(name="out") {{
{action}
}}
syslog.* action(type="omfile" file="{dir}/own")
"""


class _Daemon:
    def __init__(self, directory):
        self.dir = directory
        self.dir.mkdir(parents=True)
        self.process = self.log = None

    def start(self, config):
        file = self.dir / "rsyslog.conf"
        file.write_text(config)
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(
            ["/usr/sbin/rsyslogd", "-n", "-f", str(file), "-i", str(self.dir / "pid")],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        port = self.dir / "port"
        try:
            wait.until(lambda: port.exists() and port.read_text().strip(),
                       lambda: "rsyslogd listens\n" + self.log_text())
        except AssertionError:
            self.stop()
            raise
        self.port = int(port.read_text())

    def log_text(self):
        """What it says of itself."""
        own = self.dir / "own"
        return (self.dir / "log").read_text(errors="replace") + (
            own.read_text(errors="replace") if own.exists() else "")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class RsyslogSender(_Daemon):
    """What it is sent goes out by that action; modules: the lines that load what it needs."""

    def __init__(self, directory, action, modules='module(load="omrelp")'):
        super().__init__(directory)
        self.start(_SENDER.format(dir=self.dir, action=action, modules=modules))

    def send(self, lines):
        with socket.create_connection(("127.0.0.1", self.port), wait.PATIENCE) as s:
            s.sendall(syslog.octet(lines))


class Rsyslog(_Daemon):
    """pair: certificate and key, for TLS; ca: the file of the CA they are from."""

    def __init__(self, directory, host=None, pair=None, ca=None, driver="ossl"):
        super().__init__(directory)
        self.host = host or address.fresh()
        tls_global = tls_module = ""
        if pair is not None:
            tls_global = (f'defaultNetstreamDriver="{driver}" defaultNetstreamDriverCAFile="{ca}" '
                          f'defaultNetstreamDriverCertFile="{pair.cert}" '
                          f'defaultNetstreamDriverKeyFile="{pair.key}"')
            tls_module = (f'streamDriver.name="{driver}" streamDriver.mode="1" '
                          'streamDriver.authMode="anon"')
        self.start(_RECEIVER.format(dir=self.dir, host=self.host, tls_global=tls_global,
                                    tls_module=tls_module))

    def _lines(self, name):
        file = self.dir / name
        if not file.exists():
            return []
        return file.read_bytes().split(b"\n")[:-1]

    @property
    def raw(self):
        """The messages as they came, without framing."""
        return self._lines("raw")

    @property
    def fields(self):
        """HOSTNAME|APP-NAME|PROCID|STRUCTURED-DATA|msg, as rsyslogd understood them."""
        return self._lines("fields")

    def wait(self, count):
        wait.until(lambda: len(self.raw) >= count and len(self.fields) >= count,
                   lambda: f"{count} lines in rsyslogd, {len(self.raw)} came\n" + self.log_text(),
                   step=0.1)
