# The requests of docs/api.md, "Sending lines over HTTP", work as they stand there but for
# the addresses; and the lines that docs/formats.md shows for bodies are what comes of them.

import re
import shutil

import pytest

from lib import posts, syslog, tools
from lib.gateway import TOP


def section(file, title):
    text = (TOP / "docs" / file).read_text()
    start = text.index(title + "\n")
    return re.split(r"\n#{2,3} ", text[start + len(title):])[0]


def blocks(text):
    """The indented blocks, each as its lines."""
    found = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    return [[line[4:] for line in block.splitlines()] for block in found]


@pytest.fixture
def server(gateway, receiver, ca, tmp_path):
    pair, mine = ca.issue(names=["logs.example.com"], ips=["127.0.0.1"]), ca.issue(names=["web"])
    for file, name in ((ca.file, "ca.pem"), (mine.cert, "web.pem"), (mine.key, "web.key")):
        shutil.copy(file, tmp_path / name)
    gw = gateway(listen=["http://127.0.0.1:0", "https://127.0.0.1:0?app=cert"],
                 tls_cert=pair.cert, tls_key=pair.key, tls_client_ca=ca.file)
    sink = receiver()
    gw.add_drain("web", sink)
    return gw, sink


def test_the_requests(server, tmp_path):
    gw, sink = server
    (tmp_path / "app.log").write_text("one\ntwo\n")
    (tmp_path / "events.ndjson").write_text('{"msg":"three"}\n{"msg":"four","n":4}\n')
    commands = "\n".join(blocks(section("api.md", "## Sending lines over HTTP"))[1])
    commands = commands.replace("\\\n", " ").splitlines()
    assert len(commands) == 5 and all("curl " in c for c in commands)
    for command in commands:
        command = command.replace("127.0.0.1:8080", gw.addresses[0])
        command = command.replace("logs.example.com:8443", gw.addresses[1])
        done = tools.run("bash", "-c", f"cd {tmp_path} && {command} -sS -w '%{{http_code}}'")
        assert (done.stdout, done.stderr) == (b"204", b""), command
    lines = [syslog.parse(l) for l in sink.wait(9)]
    assert [l.msg for l in lines] == [b"one", b"two", b"one", b"two", b"three",
                                      b'{"msg":"four","n":4}', b"deployed", b"one", b"two"]
    assert (lines[6].pri, lines[6].host) == (13, b"ci")


def test_the_lines(server):
    gw, sink = server
    shown = blocks(section("formats.md", "### Over HTTP"))
    assert len(shown) == 4 and all(len(s) == 2 for s in shown)
    for body, line in shown:
        kind = "application/json" if body.startswith("{") else "text/plain"
        assert posts.post(gw, "web", body, kind=kind) == (204, "")
    for (body, want), came in zip(shown, sink.wait(len(shown))):
        # The time of receipt and the sender are not those of the docs.
        came = came.replace(b" 127.0.0.1 ", b" 192.0.2.7 ").decode()
        stamp = re.compile(r"2026-11-22T20:27:53\.689344Z")
        assert stamp.sub(came.split(" ")[1], want) == came, body
