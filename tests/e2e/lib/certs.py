"""Certificates from a certificate authority of our own, made with openssl(1)."""

import collections
import subprocess

Pair = collections.namedtuple("Pair", "cert key")


def _openssl(*args, cwd=None):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, timeout=60, cwd=cwd,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr.decode()


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")

# What `openssl ca` needs: it is the one command that takes a certificate's dates.
_CA_CONFIG = """
[ca]
default_ca = this
[this]
database = {0}/index.txt
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = any
email_in_dn = no
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
"""


class CertificateAuthority:
    def __init__(self, directory, name="Test CA"):
        self.dir = directory
        self.dir.mkdir(parents=True)
        self.file = self.dir / "ca.pem"
        self.key = self.dir / "ca.key"
        self.count = 0
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self.key, "-out", self.file, "-days", 30,
                 "-subj", f"/CN={name}")
        (self.dir / "index.txt").write_text("")
        (self.dir / "serial").write_text("1000\n")
        (self.dir / "ca.cnf").write_text(_CA_CONFIG.format(self.dir))

    def issue(self, names=(), ips=(), cn=None, expired=False):
        """A certificate for these DNS names and addresses, and its key."""
        self.count += 1
        base = self.dir / f"cert{self.count}"
        cert, key, request, ext = (base.with_suffix(s) for s in (".pem", ".key", ".csr", ".ext"))
        alt = [f"DNS:{n}" for n in names] + [f"IP:{i}" for i in ips]
        ext.write_text(f"subjectAltName={','.join(alt)}\n" if alt else "basicConstraints=CA:FALSE\n")
        cn = cn or (list(names) + list(ips) + ["test"])[0]
        _openssl("req", "-new", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={cn}")
        dates = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z") if expired else \
                ("-days", 10)
        _openssl("ca", "-batch", "-notext", "-config", self.dir / "ca.cnf", "-cert", self.file,
                 "-keyfile", self.key, "-in", request, "-out", cert, "-extfile", ext, *dates,
                 cwd=self.dir)
        return Pair(cert, key)
