"""A real nginx as an HTTPS receiver, with a configuration, folder and pid file of its own."""

import json
import shutil
import socket
import subprocess

from . import wait

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")

_CONFIG = """
daemon off;
master_process off;
pid {dir}/pid;
error_log {dir}/error;
events {{ }}
http {{
  log_format taken escape=json '{{"status":"$status","connection":"$connection",'
                               '"count":"$http_logplex_msg_count","body":"$request_body"}}';
  access_log off;
  client_body_temp_path {dir}/bodies;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  client_max_body_size {max_body};
  client_body_buffer_size 1m;
  server {{
    listen {host}:{port} ssl;
    ssl_certificate {pair.cert};
    ssl_certificate_key {pair.key};
    access_log {dir}/access taken;
    location / {{ proxy_pass http://{host}:{inner}; }}
  }}
  server {{
    listen {host}:{inner};
    location / {{ return 200 "ok"; }}
  }}
}}
"""


class Nginx:
    """pair: certificate and key.  max_body: what it takes, over which it answers 413."""

    def __init__(self, directory, host, pair, max_body="10m"):
        self.dir = directory
        self.dir.mkdir(parents=True)
        self.host = host
        with socket.create_server((host, 0)) as a, socket.create_server((host, 0)) as b:
            self.port, inner = a.getsockname()[1], b.getsockname()[1]
        self.url = f"https://{host}:{self.port}/"
        config = self.dir / "nginx.conf"
        config.write_text(_CONFIG.format(dir=self.dir, host=host, port=self.port, inner=inner,
                                         pair=pair, max_body=max_body))
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen([NGINX, "-c", str(config), "-p", str(self.dir)],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            wait.until(self._listens, lambda: "nginx listens\n" + (self.dir / "log").read_text())
        except AssertionError:
            self.stop()
            raise

    def _listens(self):
        with socket.socket() as s:
            return s.connect_ex((self.host, self.port)) == 0

    @property
    def requests(self):
        """What its access log says of each."""
        file = self.dir / "access"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text().splitlines(keepends=True)
                if line.endswith("\n")]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
