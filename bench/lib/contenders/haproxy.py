"""HAProxy, in the configuration of bench/peers/haproxy.cfg."""

import subprocess

from .base import Peer, find_program, unpacked_environment

RING_BYTES = 256 * 1024 * 1024  # more than a run has, as what finds it full is lost


class Haproxy(Peer):
    """It has no rule that sends a line where its APP-NAME says: one app only."""

    name = "haproxy"
    about = "a ring for each drain; can not route by APP-NAME"
    conf = "haproxy.cfg"
    most_lines = 1_000_000
    environment = staticmethod(unpacked_environment)

    def version(self):
        said = subprocess.run([find_program("haproxy"), "-v"], capture_output=True, timeout=10,
                              env=self.environment()).stdout.decode()  # fmt: skip
        return " ".join(said.split()[:3])

    def cannot(self, workload):
        if workload.apps > 1:
            return "HAProxy can not route by APP-NAME"
        if workload.into not in ("tcp", "tls") or workload.out not in ("octet", "lf", "tls"):
            return f"no {workload.into} to {workload.out}"
        if workload.senders > 1000:
            return "its descriptors do not suffice"
        return None

    def values(self, workload):
        # A certificate and its key are one file for HAProxy.
        both = self.tls.folder / "both.pem"
        both.write_bytes(self.tls.cert.read_bytes() + self.tls.key.read_bytes())
        return {"both": both, "ring_bytes": RING_BYTES}

    def command(self, workload, folder):
        return [find_program("haproxy"), "-db", "-f", str(self.configure(workload, folder))]
