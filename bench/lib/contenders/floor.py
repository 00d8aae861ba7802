"""bench/floor.c: what any router has to do, and nothing else."""

from .. import net
from .base import Contender


class Floor(Contender):
    name = "floor"
    about = "writes after each read"
    most_lines = 1_000_000  # with many apps that is slow
    linger = 0

    def missing(self):
        path = self.args.build / "bench/floor"
        return None if path.exists() else f"no {path}"

    def cannot(self, workload):
        if workload.into != "tcp" or workload.out != "octet" or workload.format != "5424":
            return "floor only knows octet-counted RFC 5424 over plain TCP"
        if workload.fault:
            return "floor knows no errors and no slow receivers"
        return None

    def command(self, workload, folder):
        return [
            str(self.args.build / "bench/floor"),
            "--listen", f"{net.ADDRESS}:{net.ROUTER_PORT}",
            "--sink", f"{net.ADDRESS}:{net.SINK_PORT}",
            "--copies", str(workload.copies),
            "--linger", str(self.linger),
        ]  # fmt: skip


class FloorLinger(Floor):
    """The same, its buffers waiting for more lines as long as penstock's."""

    name = "floor-linger"
    about = "its buffers wait for more lines for 10 ms, as penstock's drains do"
    most_lines = None
    linger = 10
