"""A real rsyslogd that takes lines over TCP and forwards them with omrelp."""

import subprocess

from lib import address, wait

_CONFIG = """
global(workDirectory="{dir}" maxMessageSize="64k" net.enableDNS="off")
module(load="imtcp")
module(load="omrelp")
template(name="raw" type="string" string="%rawmsg%")
ruleset(name="out") {{
  action(type="omrelp" target="{target}" port="{port}" template="raw"
         action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="1"
         queue.type="LinkedList" queue.size="2000000" queue.timeoutEnqueue="60000")
}}
input(type="imtcp" address="{host}" port="0" listenPortFileName="{dir}/port" ruleset="out")
"""


class RsyslogForwarder:
    """To a RELP listener; host and port are its own."""

    def __init__(self, directory, target, port):
        directory.mkdir(parents=True)
        self.host = address.fresh()
        config = directory / "rsyslog.conf"
        config.write_text(_CONFIG.format(dir=directory, host=self.host, target=target, port=port))
        with open(directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/rsyslogd", "-n", "-f", str(config), "-i", str(directory / "pid")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        found = directory / "port"
        try:
            wait.until(lambda: found.exists() and found.read_text().strip(),
                       lambda: "rsyslogd listens\n" + (directory / "log").read_text())
        except AssertionError:
            self.stop()
            raise
        self.port = int(found.read_text())

    def stop(self):
        self.process.kill()
        self.process.wait()
