"""One certificate for all: of the routers, and of sink."""

import pathlib
import shutil
import subprocess
import tempfile

from . import net


class Certificate:
    """A CA and a certificate for our address, made once a session; EC, as is usual today."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-bench-tls-"))
        self.ca = self.folder / "ca.pem"
        self.cert = self.folder / "cert.pem"
        self.key = self.folder / "key.pem"
        ca_key = self.folder / "ca.key"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._openssl("req", "-x509", *new_key, "-days", "2", "-subj", "/CN=bench CA",
                      "-keyout", ca_key, "-out", self.ca)  # fmt: skip
        request = self.folder / "request.pem"
        self._openssl("req", *new_key, "-subj", f"/CN={net.ADDRESS}",
                      "-addext", f"subjectAltName=IP:{net.ADDRESS}",
                      "-keyout", self.key, "-out", request)  # fmt: skip
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
                      "-CAcreateserial", "-days", "2", "-copy_extensions", "copy",
                      "-out", self.cert)  # fmt: skip

    @staticmethod
    def _openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
