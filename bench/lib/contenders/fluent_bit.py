"""Fluent Bit, in the configuration of bench/peers/fluent-bit.conf."""

import shutil
import subprocess

from .base import BENCH, Peer, find_program


class FluentBit(Peer):
    name = "fluent-bit"
    about = "tags rewritten to APP-NAME, LF out"
    conf = "fluent-bit.conf"
    most_lines = 200_000

    def version(self):
        said = subprocess.run([find_program("fluent-bit"), "--version"], capture_output=True,
                              timeout=10).stdout.decode()  # fmt: skip
        return said.split("\n")[0]

    def cannot(self, workload):
        return self.cannot_rfc5424_only(workload)

    def command(self, workload, folder):
        shutil.copy(BENCH / "peers/fluent-bit-parsers.conf", folder)
        return [find_program("fluent-bit"), "-c", str(self.configure(workload, folder))]
