"""Vector, in the configuration of bench/peers/vector.yaml."""

import subprocess

from .base import Peer, find_program


class Vector(Peer):
    name = "vector"
    about = "a route transform, LF out"
    conf = "vector.yaml"
    most_lines = 200_000

    def missing(self):
        return None if find_program("vector") else "no vector"

    def version(self):
        said = subprocess.run([find_program("vector"), "--version"], capture_output=True,
                              timeout=10).stdout.decode()  # fmt: skip
        return " ".join(said.split()[:2])

    def cannot(self, workload):
        if workload.into not in ("tcp", "tls") or workload.out not in ("octet", "lf", "tls"):
            return f"not set up here for {workload.into} to {workload.out}"
        if workload.format != "5424":
            return "set up for RFC 5424 here"
        return None

    def command(self, workload, folder):
        (folder / "vector").mkdir()
        return [find_program("vector"), "--quiet", "--config",
                str(self.configure(workload, folder))]  # fmt: skip
