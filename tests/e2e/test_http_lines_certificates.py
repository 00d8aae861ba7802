# Lines over HTTPS: with app=cert a sender's certificate names the one app whose lines
# it may send, whatever the path says; a new certificate of ours is shown from SIGHUP on.

import shutil

import pytest

from lib import posts, tools


@pytest.fixture
def server(ca, tmp_path):
    pair = ca.issue(names=["localhost"], ips=["127.0.0.1"])
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(pair.cert, cert)
    shutil.copy(pair.key, key)
    return {"tls_cert": cert, "tls_key": key, "tls_client_ca": ca.file}


def with_certificate(ca, name):
    pair = ca.issue(names=[name])
    return ("--cert", pair.cert, "--key", pair.key)


def post(gw, ca, app, body, *args, **more):
    return posts.curl(posts.url(gw, app, scheme="https"), body, "--cacert", ca.file, *args, **more)


@pytest.mark.threaded
def test_over_tls(gateway, receiver, ca, server):
    gw = gateway(listen=["https://127.0.0.1:0"], **server)
    sink = receiver()
    gw.add_drain("shop", sink)
    assert post(gw, ca, "shop", posts.numbered(20000)) == (204, "")
    assert [m for m in posts.messages(sink.wait(20000))] == posts.numbered(20000).splitlines()
    # TLS 1.1 is too old; plain HTTP is none at all.
    assert post(gw, ca, "shop", "x", "--tls-max", "1.1", status=None)[0] == 0
    assert posts.post(gw, "shop", "x", status=None)[0] == 0
    text = gw.request("GET", "/metrics")[1].decode()
    assert f'handshakes_failed_total{{listener="https://{gw.addresses[0]}"}} 2' in text


@pytest.mark.threaded
def test_a_certificate_is_for_its_app_only(gateway, receiver, ca, server):
    gw = gateway(listen=["https://127.0.0.1:0?app=cert"], **server)
    shop, other = receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("other", other)
    mine = with_certificate(ca, "shop")
    assert post(gw, ca, "shop", "line 1", *mine) == (204, "")
    forbidden = (403, {"error": "this listener takes no lines for that app from you",
                       "code": "forbidden"})
    assert post(gw, ca, "other", "line 2", *mine) == forbidden
    assert post(gw, ca, "nobody", "line 2", *mine) == forbidden
    assert post(gw, ca, "shop", "x", *with_certificate(ca, "stranger")) == forbidden
    assert post(gw, ca, "shop", "x", status=None)[0] == 0  # none at all: no handshake
    assert post(gw, ca, "other", "line 3", *with_certificate(ca, "other")) == (204, "")
    assert posts.messages(shop.wait(1)) == [b"line 1"]
    assert posts.messages(other.wait(1)) == [b"line 3"]
    assert gw.find_log(level="warn", msg="lines over HTTP refused", app="other", certificate="shop")
    text = gw.request("GET", "/metrics")[1].decode()
    assert f'requests_refused_total{{listener="https://{gw.addresses[0]}"}} 3' in text


def test_without_a_certificate_where_one_may_be_missing(gateway, receiver, ca, server, tmp_path):
    names = tmp_path / "names.map"
    names.write_text("host-1 shop\n")
    gw = gateway(listen=[f"https://127.0.0.1:0?app=cert,map:{names}&auth=optional"], **server)
    sink = receiver()
    gw.add_drain("shop", sink)
    assert post(gw, ca, "shop", "x") == (403, {
        "error": "a client certificate is needed, which names the app", "code": "forbidden"})
    host = with_certificate(ca, "host-1")
    assert post(gw, ca, "shop", "line 1", *host) == (204, "")
    names.write_text("host-1 other\n")
    gw.reload()
    assert post(gw, ca, "shop", "x", *host)[0] == 403
    assert posts.messages(sink.wait(1)) == [b"line 1"]


def test_a_new_certificate_is_shown(gateway, receiver, ca, server):
    gw = gateway(listen=["https://127.0.0.1:0"], **server)
    sink = receiver()
    gw.add_drain("shop", sink)

    def serial():
        said = tools.run("openssl", "s_client", "-connect", gw.addresses[0], "-CAfile", ca.file)
        return tools.run("openssl", "x509", "-noout", "-serial", stdin=said.stdout).stdout

    first = serial()
    pair = ca.issue(names=["localhost"], ips=["127.0.0.1"])
    shutil.copy(pair.cert, server["tls_cert"])
    shutil.copy(pair.key, server["tls_key"])
    gw.reload()
    assert serial() != first
    assert post(gw, ca, "shop", "line 1") == (204, "")
    sink.wait(1)


def test_one_app_may_have_a_listener_of_its_own(gateway, receiver):
    gw = gateway(listen=["http://127.0.0.1:0?app=fixed:shop", "http://127.0.0.1:0"])
    shop, other = receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("other", other)
    assert posts.post(gw, "shop", "line 1") == (204, "")
    assert posts.post(gw, "other", "x")[0] == 403
    assert posts.post(gw, "other", "line 2", index=1) == (204, "")
    assert posts.messages(shop.wait(1) + other.wait(1)) == [b"line 1", b"line 2"]
