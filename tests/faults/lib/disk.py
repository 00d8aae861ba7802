"""A small disk of the test's own: a tmpfs in a mount namespace that lives as long as the test.

    disk = SmallDisk(tmp_path / "gateway0/data", "8m")  # before the gateway is made
    rig.start(prefix=disk.prefix)
    disk.fill()
    disk.free()
    disk.stop()
"""

import os
import pathlib
import subprocess

from . import senders

_INSIDE = 'mount -t tmpfs -o "mode=0700,size=$2" tmpfs "$1" && echo ready && exec sleep infinity'


class SmallDisk:
    def __init__(self, directory, size):
        self.dir = directory
        self.dir.mkdir(parents=True)
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", _INSIDE, "sh", str(directory), size],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            self.process.kill()
            raise AssertionError("no disk: " + self.process.stderr.read().decode())
        # The operator's token is found where it always is.
        os.symlink(self.seen / "admin-token", directory / "admin-token")
        self.prefix = ["nsenter", "--target", str(self.process.pid), "--mount", "--root", "--wd", "--"]

    @property
    def seen(self):
        """The same directory, as it is seen from here."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.dir}")

    def fill(self):
        """Not a byte more fits."""
        with open(self.seen / "ballast", "ab", buffering=0) as f:
            for size in (1 << 16, 4096, 1):
                try:
                    while f.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def free(self):
        os.unlink(self.seen / "ballast")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def while_full(rig, fill, free, seconds):
    """Offers lines of a drain that is away while there is no room, which fill() and free() make.
    The gateway is killed meanwhile: what it has acknowledged must be there.  Returns the senders.

    Lines of a2, whose drain keeps up, go on all the time.
    """
    away, well = rig.sink(), rig.sink()
    rig.drain("a1", away, touched=True)
    rig.drain("a2", well, touched=True)
    relp, post = 0, 1
    held = [rig.sender(["a1"], 3000, senders.RelpSender, listener=relp),
            rig.sender(["a1"], 3000, senders.HttpSender, listener=post)]
    rig.offer(["a2"], 1000, senders.RelpSender, listener=relp)
    rig.offer(["a2"], 1000, senders.HttpSender, listener=post)
    away.refuse()
    for s in held:
        s.start()
    rig.run(1)
    with rig.fault():
        fill()
        # Some room was taken ahead.
        rig.wait(lambda: rig.gw.find_log(msg="spool cannot be written"), "a full spool")
        waiting = [0, 0]
        for _ in range(10 * seconds):
            rig.run(0.1)
            waiting = [max(w, s.offered("a1") - s.acked("a1")) for w, s in zip(waiting, held)]
        rig.kill()
        rig.run(1)
        free()
    rig.run(1)
    away.accept()
    rig.run(0.5)
    # A window, and a request.
    assert waiting[0] > senders.RelpSender.WINDOW // 2 and waiting[1] > 0, waiting
    return held
