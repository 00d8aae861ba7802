# An https admin listener with auth=required answers only clients that show a
# certificate of tls-client-ca; with auth=optional others come in too, by token.

import http.client
import ssl

import pytest

from lib import wait
from lib.certs import CertificateAuthority


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """The CA that clients' certificates are from: another than the server's."""
    return CertificateAuthority(tmp_path_factory.mktemp("clients") / "ca", "Clients")


@pytest.fixture
def admin(gateway, ca, clients):
    def make(query):
        pair = ca.issue(ips=["127.0.0.1"])
        return gateway(admin=["http://127.0.0.1:0", f"https://127.0.0.1:0{query}"],
                       tls_cert=pair.cert, tls_key=pair.key, tls_client_ca=clients.file)

    return make


def get(gw, ca, path, pair=None, version=None):
    context = ssl.create_default_context(cafile=str(ca.file))
    if pair is not None:
        context.load_cert_chain(pair.cert, pair.key)
    if version is not None:
        context.maximum_version = version
    address = gw.find_log(msg="admin API listening")[1]["address"]
    connection = http.client.HTTPSConnection("127.0.0.1", int(address.rsplit(":", 1)[1]),
                                             timeout=wait.PATIENCE, context=context)
    try:
        connection.request("GET", path, headers=gw.authorization(gw.token))
        return connection.getresponse().status
    finally:
        connection.close()


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_required(admin, ca, clients, tmp_path, version):
    gw = admin("?auth=required")
    strangers = CertificateAuthority(tmp_path / "strangers", "Strangers")
    good = clients.issue(names=["operator"])
    assert get(gw, ca, "/v1/apps", good, version) == 200
    for pair in (None, strangers.issue(names=["operator"]), ca.issue(names=["operator"]),
                 clients.issue(names=["operator"], expired=True)):
        # Not even /healthz: the handshake does not end.  With TLS 1.3 the client learns it late.
        for path in ("/v1/apps", "/healthz"):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                get(gw, ca, path, pair, version)
    assert get(gw, ca, "/v1/apps", good, version) == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_optional(admin, ca, clients, version):
    gw = admin("?auth=optional")
    assert get(gw, ca, "/v1/apps", None, version) == 200
    assert get(gw, ca, "/v1/apps", clients.issue(names=["operator"]), version) == 200
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        get(gw, ca, "/v1/apps", ca.issue(names=["operator"]), version)


def test_a_certificate_is_no_token(admin, ca, clients):
    gw = admin("?auth=required")
    gw.authorization = lambda token: {}
    assert get(gw, ca, "/v1/apps", clients.issue(names=["operator"])) == 401


def test_none_by_default(admin, ca):
    assert get(admin(""), ca, "/v1/apps") == 200
