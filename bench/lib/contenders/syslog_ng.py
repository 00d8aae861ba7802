"""syslog-ng, in the configuration of bench/peers/syslog-ng.conf."""

import re
import resource
import subprocess

from .base import UNPACKED, Peer, find_program, unpacked_environment


class SyslogNg(Peer):
    name = "syslog-ng"
    about = "flow control, a queue for each drain"
    conf = "syslog-ng.conf"
    most_lines = 100_000
    environment = staticmethod(unpacked_environment)

    def missing(self):
        return None if find_program("syslog-ng") else "no syslog-ng: script/bootstrap --faults"

    def version(self):
        said = subprocess.run([find_program("syslog-ng"), "--version"], capture_output=True,
                              timeout=10, env=self.environment()).stdout.decode()  # fmt: skip
        found = re.search(r"\((\d[^)]*)\)", said)
        return f"syslog-ng {found.group(1) if found else ''}".strip()

    def cannot(self, workload):
        if workload.into not in ("tcp", "tls") or workload.out not in ("octet", "lf", "tls"):
            return f"not set up here for {workload.into} to {workload.out}"
        if workload.apps * workload.copies > 3000:
            return "too many tokens for its configuration's parser"
        return None

    def values(self, workload):
        fetch = 1000 if workload.apps <= 100 else 10_000
        connections = workload.senders + 8
        return {"connections": connections, "fetch": fetch,
                "window": max(100, min(fetch, 2_000_000 // connections)) * connections}  # fmt: skip

    def command(self, workload, folder):
        config = self.configure(workload, folder)
        for group in self.groups([{"app": app} for app in workload.app_names()]):
            names = "".join(app["app"] + "\n" for app in group["apps"])
            (folder / f"group-{group['group']}").write_text(names, encoding="ascii")
        command = [find_program("syslog-ng"), "-F", "--no-caps", "-f", str(config),
                   "-R", str(folder / "persist"), "-p", str(folder / "pid"),
                   "-c", str(folder / "ctl"), "--fd-limit",
                   str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])]  # fmt: skip
        modules = sorted((UNPACKED / "usr/lib/syslog-ng").glob("[0-9]*"))
        if modules and command[0].startswith(str(UNPACKED)):
            command += ["--module-path", str(modules[0])]
        return command
