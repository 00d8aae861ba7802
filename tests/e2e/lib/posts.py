"""Lines in the bodies of HTTP requests, sent with curl(1)."""

import json
import subprocess
import urllib.parse

from . import syslog, tools


def url(gw, app, index=0, scheme="http"):
    return f"{scheme}://{gw.addresses[index]}/v1/apps/{urllib.parse.quote(app, safe='')}/logs"


def curl(address, body, *args, kind="text/plain", status=0):
    """What one request is answered: status, and its JSON or what else it is.  kind None: no
    Content-Type.  status: what curl itself must end with; None: whatever.
    """
    if isinstance(body, str):
        body = body.encode()
    done = tools.run("curl", "-sS", "--max-time", tools.TIMEOUT, "-w", "\n%{http_code}",
                     "-H", f"Content-Type: {kind}" if kind else "Content-Type:",
                     "--data-binary", "@-", *args, address, stdin=body, status=status)
    text, _, code = done.stdout.decode().rpartition("\n")
    try:
        text = json.loads(text)
    except ValueError:
        pass
    return int(code), text


def post(gw, app, body, *args, index=0, **more):
    return curl(url(gw, app, index), body, *args, **more)


def background(address, file, *args):
    """A curl that runs meanwhile, with a file as body; its output is the status."""
    return subprocess.Popen(["curl", "-sS", "-o", "/dev/null", "--max-time", "60",
                             "-w", "%{http_code}", "-H", "Content-Type: text/plain",
                             "--data-binary", f"@{file}", *args, address],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def numbered(count, first=0):
    """A body of the texts "line 0", "line 1", ..."""
    return b"".join(b"line %d\n" % i for i in range(first, first + count))


def messages(frames):
    return [syslog.parse(f).msg for f in frames]
