"""A network of the test's own: a network and mount namespace with nothing but loopback, and
a resolver that the test chooses.  Needs root, or what root may do here.

    net = Network(tmp_path, addresses=["203.0.113.7/32"])
    net.dns({"logs.test": ["203.0.113.7"]})
    sink = TcpReceiver(host="203.0.113.7")   # all sockets made from now on, also by threads
    gw = Gateway(..., prefix=net.prefix)     # that begin now, are in it
    net.stop()                               # back home
"""

import ctypes
import os
import subprocess

from .dns_server import DnsServer

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000

_INSIDE = """
set -e
ip link set lo up
mount --bind "$1" /etc/resolv.conf
mount --bind "$2" /etc/nsswitch.conf
echo ready
exec sleep infinity
"""


def reason():
    """Why there can be no namespace here; None: there can."""
    done = subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"],
                          capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return None
    return "no namespaces of our own (root is needed): " + done.stderr.decode().strip()


class Network:
    """addresses: that lo has beside 127.0.0.1 and ::1, as ADDR/BITS."""

    def __init__(self, directory, resolv_conf="nameserver 127.0.0.1\n", addresses=()):
        directory.mkdir(parents=True, exist_ok=True)
        resolv, nsswitch = directory / "resolv.conf", directory / "nsswitch.conf"
        resolv.write_text(resolv_conf)
        nsswitch.write_text("hosts: files dns\n")
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", _INSIDE, "sh", str(resolv), str(nsswitch)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ready = self.process.stdout.readline()
        if ready != b"ready\n":
            self.process.kill()
            raise AssertionError("no namespace: " + self.process.stderr.read().decode())
        self.prefix = ["nsenter", "--target", str(self.process.pid), "--net", "--mount", "--root",
                       "--wd", "--"]
        for a in addresses:
            self.run("ip", "address", "add", a, "dev", "lo", *(["nodad"] if ":" in a else []))
        self.servers = []
        self.home = open("/proc/thread-self/ns/net")
        with open(f"/proc/{self.process.pid}/ns/net") as there:
            _setns(there.fileno())

    def run(self, *command):
        done = subprocess.run(self.prefix + list(command), capture_output=True, timeout=30,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (command, done.stderr)

    def dns(self, zone):
        """A name server that knows this zone (lib/dns_server.py)."""
        self.servers.append(DnsServer(zone))
        return self.servers[-1]

    def stop(self):
        for server in self.servers:
            server.stop()
        _setns(self.home.fileno())
        self.home.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def _setns(fd):
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))
