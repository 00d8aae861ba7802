"""Fluent Bit, in the configuration of bench/peers/fluent-bit.conf."""

import shutil
import subprocess

from .base import BENCH, Peer, find_program


class FluentBit(Peer):
    name = "fluent-bit"
    about = "tags rewritten to APP-NAME, LF out"
    conf = "fluent-bit.conf"
    most_lines = 200_000

    def missing(self):
        return None if find_program("fluent-bit") else "no fluent-bit"

    def version(self):
        said = subprocess.run([find_program("fluent-bit"), "--version"], capture_output=True,
                              timeout=10).stdout.decode()  # fmt: skip
        return said.split("\n")[0]

    def cannot(self, workload):
        if workload.into not in ("tcp", "tls") or workload.out not in ("octet", "lf", "tls"):
            return f"not set up here for {workload.into} to {workload.out}"
        if workload.format != "5424":
            return "set up for RFC 5424 here"
        return None

    def command(self, workload, folder):
        shutil.copy(BENCH / "peers/fluent-bit-parsers.conf", folder)
        return [find_program("fluent-bit"), "-c", str(self.configure(workload, folder))]
