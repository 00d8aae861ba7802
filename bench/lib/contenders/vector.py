"""Vector, in the configuration of bench/peers/vector.yaml."""

import subprocess

from .base import Peer, find_program


class Vector(Peer):
    name = "vector"
    about = "a route transform, LF out"
    conf = "vector.yaml"
    most_lines = 200_000

    def version(self):
        said = subprocess.run([find_program("vector"), "--version"], capture_output=True,
                              timeout=10).stdout.decode()  # fmt: skip
        return " ".join(said.split()[:2])

    def cannot(self, workload):
        return self.cannot_rfc5424_only(workload)

    def command(self, workload, folder):
        (folder / "vector").mkdir()
        return [find_program("vector"), "--quiet", "--config",
                str(self.configure(workload, folder))]  # fmt: skip
