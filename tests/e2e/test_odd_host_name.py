# The kernel takes any bytes for the machine's name. What the gateway says in its
# own name has it as HOSTNAME, where not all of them may stand.

import subprocess
import sys

import pytest

from lib import vendors

UNDER = """
import os, socket, sys
socket.sethostname(bytes.fromhex(sys.argv[1]))
os.execvp(sys.argv[2], sys.argv[2:])
"""


def called(name):
    """What stands in front of a command that is to see that name."""
    prefix = ["unshare", "--uts", sys.executable, "-c", UNDER, name.hex()]
    if subprocess.run(prefix + ["true"], capture_output=True).returncode != 0:
        pytest.skip("no namespace of its own for a name")
    return prefix


@pytest.mark.parametrize("name, said", [
    (b"two words", "two-words"), (b"caf\xc3\xa9\n", "caf---"), (b"web-1.example", "web-1.example")])
def test_a_test_line(gateway, http_receiver, name, said):
    gw, sink = gateway(prefix=called(name)), http_receiver(vendors.Otlp(), tls=False)
    url = gw.add_drain("shop", type="otlp", url=sink.url())
    status, body, _ = gw.request("POST", gw.path("shop") + "/test", {"url": url})
    assert status == 200 and body["test"]["ok"], body
    assert f'"{said}"'.encode() in sink.requests[0].body
