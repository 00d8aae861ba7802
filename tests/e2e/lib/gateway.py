"""penstockd as a real process: started, spoken to, stopped, looked at."""

import base64
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import threading
import urllib.parse

from . import syslog, wait

TOP = pathlib.Path(__file__).resolve().parents[3]
PENSTOCKD = os.environ.get("PENSTOCKD", str(TOP / "build/release/penstockd"))


def _sanitized():
    """Whether the daemon was built with a sanitizer, which takes memory of its own."""
    try:
        binary = pathlib.Path(PENSTOCKD).read_bytes()
    except OSError:
        return False
    return b"__asan_init" in binary or b"__tsan_init" in binary


SANITIZED = _sanitized()

# A stop waits for drains that take nothing: longer than any stop-timeout used here.
STOP_SECONDS = 30

SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion")
_FIELD = re.compile(r'([\w-]+)=("(?:[^"\\]|\\.)*"|\S*)')


def logfmt(line):
    return {key: value[1:-1].replace('\\"', '"') if value[:1] == '"' else value
            for key, value in _FIELD.findall(line)}


class Gateway:
    """listen: URLs of listeners; keys: configuration keys, with _ for -."""

    def __init__(self, directory, listen=None, admin=None, config=None, prefix=(), env=None, **keys):
        self.dir = directory
        self.dir.mkdir(parents=True, exist_ok=True)
        self.data = self.dir / "data"
        self.listen = list(listen or ["syslog+tcp://127.0.0.1:0"])
        self.admin = list(admin or ["http://127.0.0.1:0"])
        self.keys = {"workers": 2, "stop_timeout": "1s", **keys}
        self.config = config
        self.prefix = list(prefix)
        self.env = env
        self.starts = 0
        self.process = None
        self.connection = None
        self.lock = threading.Lock()

    # -- the process

    def command(self):
        args = [PENSTOCKD, "--data-dir", str(self.data)]
        if self.config is not None:
            args += ["--config", str(self.config)]
        for url in self.listen:
            args += ["--listen", url]
        for url in self.admin:
            args += ["--admin", url]
        for key, value in self.keys.items():
            if value is not None:
                args += ["--" + key.replace("_", "-"), str(value)]
        return self.prefix + args

    def spawn(self):
        """Starts the process and does not wait for it."""
        assert self.process is None
        self.starts += 1
        self.log_file = self.dir / f"log{self.starts}"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.dir,
                                            env={**os.environ, **(self.env or {})})

    def start(self):
        self.spawn()
        wait.until(lambda: self.process.poll() is not None or self.find_log(msg="started"),
                   lambda: "a started daemon\n" + self.log_text())
        if self.process.poll() is not None:
            self.process = None
            raise AssertionError("the daemon ended\n" + self.log_text())
        if self.admin_address is not None:
            wait.until(lambda: self.request("GET", "/healthz", token=None)[0] == 200, "/healthz")
        return self

    def stop(self):
        """SIGTERM, as a service manager does; it must end well."""
        self.signal(signal.SIGTERM)
        self.finish()

    def finish(self):
        """Waits for the end that SIGTERM brings."""
        process, self.process = self.process, None
        self._disconnect()
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"no end {STOP_SECONDS} s after SIGTERM\n" + self.log_text())
        self.check_log()
        assert status == 0, f"exit status {status}\n" + self.log_text()

    def kill(self):
        """kill -9, as the kernel's OOM killer does."""
        process, self.process = self.process, None
        self._disconnect()
        process.kill()
        process.wait()

    def restart(self):
        self.stop()
        self.start()

    def signal(self, number):
        assert self.process.poll() is None, "the daemon has ended\n" + self.log_text()
        self.process.send_signal(number)

    def reload(self):
        """SIGHUP, and waits until it was done."""
        before = len(self.log())
        self.signal(signal.SIGHUP)
        wait.until(lambda: [l for l in self.log()[before:] if l.get("msg", "").startswith("reload")],
                   "a reload")

    @property
    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        """Resident, as the kernel counts it."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    # -- its log

    def log_text(self):
        return self.log_file.read_text(errors="replace")

    def log(self):
        return [logfmt(line) for line in self.log_text().splitlines()]

    def find_log(self, **fields):
        """Log lines that have these fields; a value may be a part of the field's."""
        return [l for l in self.log() if all(v in l.get(k, "") for k, v in fields.items())]

    def check_log(self):
        report = SANITIZER.search(self.log_text())
        assert not report, self.log_text()

    @property
    def addresses(self):
        """Of the listeners for lines, in the order of their URLs: "host:port" or a path."""
        return [l["address"] for l in self.log() if l.get("msg") == "listening"]

    @property
    def admin_address(self):
        """Of the first admin listener that speaks plain HTTP."""
        lines = [l["address"] for l in self.find_log(msg="admin API listening")]
        return next((a for url, a in zip(self.admin, lines) if url.startswith("http://")), None)

    def port(self, index=0):
        return int(self.addresses[index].rsplit(":", 1)[1])

    # -- lines

    def connect(self, index=0, source=None):
        where = self.addresses[index]
        if where.startswith("/"):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(wait.PATIENCE)
            sock.connect(where)
            return sock
        host, port = where.rsplit(":", 1)
        return socket.create_connection((host.strip("[]"), int(port)), wait.PATIENCE,
                                        source_address=(source, 0) if source else None)

    def send(self, lines, index=0, framing=syslog.lf, source=None):
        """One connection, all these lines, closed."""
        with self.connect(index, source) as sock:
            sock.sendall(framing(lines))

    # -- the admin API

    @property
    def token(self):
        return (self.data / "admin-token").read_text().strip()

    def authorization(self, token):
        return {"Authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode()}

    def _disconnect(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def request(self, method, path, body=None, token="operator", headers=None):
        """Status, JSON (or the bytes when it is none), headers."""
        if token == "operator":
            token = self.token
        send = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            send.update(self.authorization(token))
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        with self.lock:
            if self.connection is None:
                host, port = self.admin_address.rsplit(":", 1)
                self.connection = http.client.HTTPConnection(host, int(port), timeout=wait.PATIENCE)
            try:
                self.connection.request(method, path, body, send)
                answer = self.connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self._disconnect()
                raise
            if answer.will_close:
                self._disconnect()
        try:
            content = json.loads(content)
        except ValueError:
            pass
        return answer.status, content, answer.headers

    def begin_request(self, method, path, body=""):
        """A connection that has asked and does not wait for the answer."""
        host, port = self.admin_address.rsplit(":", 1)
        body = body if isinstance(body, str) else json.dumps(body)
        head = {"Host": self.admin_address, "Content-Length": len(body),
                **self.authorization(self.token)}
        sock = socket.create_connection((host, int(port)), wait.PATIENCE)
        sock.sendall((f"{method} {path} HTTP/1.1\r\n" +
                      "".join(f"{k}: {v}\r\n" for k, v in head.items()) + "\r\n" + body).encode())
        return sock

    def path(self, app):
        return f"/v1/apps/{urllib.parse.quote(app, safe='')}/log_drains"

    def add_drain(self, app, receiver=None, **params):
        """Its URL.  A receiver brings host and port of a syslog drain."""
        if receiver is not None:
            params = {"type": "syslog", "host": receiver.host, "port": str(receiver.port), **params}
        status, body, _ = self.request("POST", self.path(app), {"drain": params})
        assert status == 201, (status, body)
        return body["drain"]["url"]

    def remove_drain(self, app, url):
        status, body, _ = self.request(
            "DELETE", self.path(app) + "?url=" + urllib.parse.quote(url, safe=""))
        assert status == 204, (status, body)

    def drains(self, app):
        status, body, _ = self.request("GET", self.path(app))
        assert status == 200, (status, body)
        return body

    def status(self, app, url=None):
        """Of all drains of an app; with a URL, of that one."""
        code, body, _ = self.request("GET", self.path(app) + "?status=true")
        assert code == 200, (code, body)
        if url is None:
            return body
        return next(d for d in body if d["url"] == url)

    def wait_status(self, app, url, condition, what, timeout=wait.PATIENCE):
        last = {}

        def ready():
            last.update(self.status(app, url))
            return condition(last)

        wait.until(ready, lambda: f"{what}: {last}", timeout, step=0.05)
        return last

    def wait_delivered(self, app, url, lines, timeout=wait.PATIENCE):
        return self.wait_status(app, url, lambda s: s["delivered"]["lines"] >= lines,
                                f"{lines} lines delivered", timeout)


def run_daemon(*args, timeout=20):
    """A run that is expected to end by itself: exit status and what it said."""
    done = subprocess.run([PENSTOCKD, *map(str, args)], capture_output=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)
    text = (done.stdout + done.stderr).decode(errors="replace")
    assert not SANITIZER.search(text), shlex.join(map(str, args)) + "\n" + text
    return done.returncode, text
