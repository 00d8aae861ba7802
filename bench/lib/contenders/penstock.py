"""penstockd with its defaults; drains are added through the admin API."""

import base64
import http.client
import json
import re
import subprocess
import urllib.error
import urllib.request

from .. import net
from .base import Contender

SCHEMES = {"tcp": "syslog+tcp", "tls": "syslog+tls", "relp": "relp", "http": "http"}

# Drains over HTTP: type and options; the receiver is put in by _drain.
HTTP_DRAINS = {
    "datadog": {"type": "datadog", "token": "k", "drain_region": "eu", "gzip": False},
    "datadog-gzip": {"type": "datadog", "token": "k", "drain_region": "eu"},
    "logtail": {"type": "logtail", "token": "k"},
    "https": {"type": "https"},
    "otlp": {"type": "otlp"},
    "elk-json": {"type": "elk", "format": "json"},
    "elk": {"type": "elk"},
}


class Penstock(Contender):
    name = "penstock"
    about = "its defaults"

    def missing(self):
        path = self.args.penstockd
        return None if path.exists() else f"no {path}"

    def version(self):
        said = subprocess.run([self.args.penstockd, "--version"], capture_output=True, timeout=10)
        return said.stdout.decode().strip()

    def command(self, workload, folder):
        self.folder = folder
        endpoint = f"http://{net.ADDRESS}:{net.SINK_PORT}/"
        return [
            str(self.args.penstockd),
            "--data-dir", str(folder / "data"),
            "--listen", f"{SCHEMES[workload.into]}://{net.ADDRESS}:{net.ROUTER_PORT}",
            "--admin", f"http://{net.ADDRESS}:{net.ADMIN_PORT}",
            "--workers", str(self.args.workers or workload.workers),
            "--tls-cert", str(self.tls.cert), "--tls-key", str(self.tls.key),
            "--ca-file", str(self.tls.ca),
            "--datadog-endpoint", endpoint, "--logtail-endpoint", endpoint,
            *workload.options, *self.args.penstock_option,
        ]  # fmt: skip

    def ready(self, router):
        try:
            with urllib.request.urlopen(
                f"http://{net.ADDRESS}:{net.ADMIN_PORT}/healthz", timeout=5
            ):
                return True
        except (OSError, urllib.error.URLError):
            return False

    @staticmethod
    def _drain(workload, number, copy):
        port = workload.drain_port(number, copy)
        if workload.out in HTTP_DRAINS:
            drain = dict(HTTP_DRAINS[workload.out])
            if drain["type"] in ("https", "otlp", "elk"):
                drain["url"] = f"http://{net.ADDRESS}:{port}/"
            return drain
        drain = {"type": "syslog", "host": net.ADDRESS, "port": str(port)}
        if workload.out == "tls":
            drain["protocol"] = "tls"
        else:
            drain["framing"] = "lf" if workload.out == "lf" else "octet-counting"
        return drain

    def add_drains(self, workload, folder):
        token = (folder / "data/admin-token").read_text(encoding="ascii").strip()
        headers = {
            "Authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode(),
            "Content-Type": "application/json",
        }
        admin = http.client.HTTPConnection(net.ADDRESS, net.ADMIN_PORT, timeout=10)
        for number, app in enumerate(workload.app_names()):
            for copy in range(workload.copies):
                body = json.dumps({"drain": self._drain(workload, number, copy)})
                admin.request("POST", f"/v1/apps/{app}/log_drains", body, headers)
                answer = admin.getresponse()
                said = answer.read()
                if answer.status >= 300:
                    raise net.Failed(f"adding a drain: {answer.status} {said[:300]}")
        admin.close()

    def facts(self):
        """The share of lines that were read by another worker than the one that delivered them."""
        address = f"http://{net.ADDRESS}:{net.ADMIN_PORT}/metrics"
        with urllib.request.urlopen(address, timeout=10) as answer:
            text = answer.read().decode()
        total = {
            family: sum(
                float(v) for v in re.findall(rf"^penstock_lines_{family}_total\{{.*\}} (\S+)$",
                                             text, re.MULTILINE)
            )
            for family in ("in", "crossed")
        }  # fmt: skip
        return {"crossed": total["crossed"] / total["in"] if total["in"] else 0}
