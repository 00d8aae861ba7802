# SIGHUP makes listeners and the https admin API show a new certificate without
# touching open connections; a broken one is logged and the old one stays.

import shutil
import socket
import ssl

import pytest

from lib import syslog


def shown(port, ca):
    """The serial number of the certificate that a new connection sees."""
    context = ssl.create_default_context(cafile=str(ca.file))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 30),
                             server_hostname="127.0.0.1") as s:
        return s.getpeercert()["serialNumber"]


@pytest.mark.threaded
def test_sighup(gateway, receiver, ca, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def install():
        pair = ca.issue(ips=["127.0.0.1"])
        shutil.copy(pair.cert, cert)
        shutil.copy(pair.key, key)

    install()
    gw = gateway(listen=["syslog+tls://127.0.0.1:0"], tls_cert=cert, tls_key=key,
                 admin=["https://127.0.0.1:0", "http://127.0.0.1:0"])
    sink = receiver()
    gw.add_drain("shop", sink)
    admin = int(gw.find_log(msg="admin API listening")[0]["address"].rsplit(":", 1)[1])
    ports = (gw.port(), admin)
    first = shown(ports[0], ca)
    assert shown(ports[1], ca) == first

    context = ssl.create_default_context(cafile=str(ca.file))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", gw.port()), 30),
                             server_hostname="127.0.0.1") as s:
        s.sendall(syslog.lf([syslog.line("shop", "line 0")]))
        sink.wait(1)
        install()
        gw.reload()
        second = shown(ports[0], ca)
        assert second != first and shown(ports[1], ca) == second
        s.sendall(syslog.lf([syslog.line("shop", "line 1")]))
        sink.wait(2)

        key.write_text("this is no key\n")
        gw.reload()
        assert gw.find_log(level="error", msg="reload refused", error="key.pem")
        assert shown(ports[0], ca) == shown(ports[1], ca) == second
        s.sendall(syslog.lf([syslog.line("shop", "line 2")]))
        sink.wait(3)
        s.unwrap()


def test_a_changed_key_that_needs_a_restart_is_named(gateway, tmp_path):
    config = tmp_path / "penstock.conf"
    config.write_text("linger = 10ms\n")
    gw = gateway(config=config)
    config.write_text("linger = 20ms\n")
    gw.reload()
    assert gw.find_log(msg="takes effect at the next start", key="linger")
    config.write_text("linger = soon\n")
    gw.reload()
    assert gw.find_log(level="error", msg="reload refused", error="linger")
    assert gw.request("GET", "/healthz")[0] == 200
