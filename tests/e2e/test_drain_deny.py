# drain-deny and drain-allow: no connection is made to an address that is not
# allowed, however it is written, and the drain's state names address and rule.

import socket

import pytest

from lib import syslog, vendors, wait

METADATA = "169.254.169.254"


@pytest.fixture
def gateway(gateway):
    """Lines that nobody takes are not waited for at the end."""
    return lambda **more: gateway(**{"stop_timeout": "100ms", **more})


class Listener:
    """Listens on all addresses of one family or both, and tells whether anybody ever came."""

    def __init__(self, host="::"):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if host == "::":
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.bind((host, 0))
        self.sock.listen(16)
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]

    def nobody_came(self):
        try:
            self.sock.accept()[0].close()
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def listener():
    made = []

    def make(*args):
        made.append(Listener(*args))
        return made[-1]

    yield make
    for l in made:
        l.sock.close()


def denied(gw, trap, rule, **params):
    """Refused at once, or never connected to and named."""
    status, body, _ = gw.request("POST", gw.path("shop"), {"drain": params})
    if status == 422:
        field = "url" if "url" in params else "host"
        assert list(body["errors"]) == [field]
        return None
    assert status == 201, (status, body)
    url = body["drain"]["url"]
    gw.send(syslog.numbered("shop", 3))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    error = status["last_error"]["error"]
    assert "drain-deny" in error and rule in error, error
    assert status["state"] == "retrying" and status["delivered"]["lines"] == 0
    assert trap.nobody_came()
    return error


# Ways to write 127.0.0.1 and what leads there.
HOSTS = ["127.0.0.1", "127.0.0.2", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
         "017700000001", "localhost", "LOCALHOST", "0.0.0.0", "0", "[::1]", "[::]",
         "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
         "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


@pytest.mark.parametrize("host", HOSTS)
def test_untrusted_denies_loopback_in_every_form(gateway, listener, host):
    gw, trap = gateway(drain_deny="untrusted"), listener()
    denied(gw, trap, "untrusted", type="https", url=f"http://{host}:{trap.port}/")
    denied(gw, trap, "untrusted", type="elk", url=f"http://user@{host}:{trap.port}/")
    denied(gw, trap, "untrusted", type="syslog", host=host, port=str(trap.port))
    denied(gw, trap, "untrusted", type="syslog", host=host, port=str(trap.port), protocol="udp")
    wait.stays(trap.nobody_came, "somebody came", 0.3)


@pytest.mark.parametrize("host", ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1",
                                  "224.0.0.1", "255.255.255.255", "0.1.2.3", "[fd00::1]", "[fe80::1]",
                                  "[ff02::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]"])
def test_untrusted_denies_what_is_not_public(gateway, listener, host):
    gw, trap = gateway(drain_deny="untrusted"), listener()
    denied(gw, trap, "untrusted", type="https", url=f"http://{host}:{trap.port}/")
    denied(gw, trap, "untrusted", type="syslog", host=host, port=str(trap.port))


def test_names_are_looked_at_by_their_addresses(gateway, network, listener):
    net = network(addresses=["10.0.0.5/32", "93.184.216.34/32"])
    net.dns({"intern.test": ["10.0.0.5"], "v6.test": ["::1"], "both.test": ["10.0.0.5", "fd00::1"],
             "localhost.test": ["127.0.0.1"]})
    gw, trap = gateway(drain_deny="untrusted", prefix=net.prefix), listener()
    for name in ("intern.test", "v6.test", "both.test", "localhost.test"):
        denied(gw, trap, "untrusted", type="https", url=f"http://{name}:{trap.port}/")
        denied(gw, trap, "untrusted", type="syslog", host=name, port=str(trap.port))


def test_of_several_addresses_the_allowed_ones_are_used(gateway, network, receiver, listener):
    net = network(addresses=["10.0.0.5/32", "93.184.216.34/32"])
    net.dns({"mixed.test": ["127.0.0.1", "10.0.0.5", "93.184.216.34"]})
    sink = receiver(host="93.184.216.34")
    traps = []
    for host in ("127.0.0.1", "10.0.0.5"):
        trap = socket.socket()
        trap.bind((host, sink.port))
        trap.listen()
        trap.setblocking(False)
        traps.append(trap)
    gw = gateway(drain_deny="untrusted", prefix=net.prefix)
    url = gw.add_drain("shop", type="syslog", host="mixed.test", port=str(sink.port))
    for i in range(3):
        gw.send(syslog.numbered("shop", 5, first=5 * i))
        sink.wait_different(5 * i + 5)
        sink.close_connections()
    gw.wait_status("shop", url, lambda s: s["retries"] >= 2, "reconnected")
    for trap in traps:
        with pytest.raises(BlockingIOError):
            trap.accept()
        trap.close()


@pytest.mark.threaded
def test_metadata_is_denied_unless_told_otherwise(gateway, network, listener):
    net = network(addresses=[f"{METADATA}/32", "fd00:ec2::254/128"])
    net.dns({"metadata.test": [METADATA]})
    gw, trap = gateway(prefix=net.prefix), listener()
    for host in (METADATA, "[fd00:ec2::254]", f"[::ffff:{METADATA}]", "metadata.test", "2852039166"):
        url = f"http://{host}:{trap.port}/latest/meta-data/"
        denied(gw, trap, "link-local", type="elk", url=url)
        denied(gw, trap, "link-local", type="syslog", host=host, port=str(trap.port))
    error = denied(gw, trap, "link-local", type="https", url=f"http://{METADATA}:{trap.port}/x")
    assert METADATA in error


def test_metadata_without_any_network(gateway):
    gw = gateway()
    url = gw.add_drain("shop", type="https", url=f"http://{METADATA}/")
    gw.send(syslog.numbered("shop", 3))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    error = status["last_error"]["error"]
    assert error == f"address {METADATA} is denied by drain-deny (link-local: 169.254.0.0/16)"
    assert status["state"] == "retrying" and status["waiting"]["memory"]["lines"] == 3


def test_drain_allow_makes_an_exception(gateway, receiver, http_receiver, ca):
    sink, http, other = receiver(), http_receiver(vendors.Logplex()), receiver()
    gw = gateway(ca_file=ca.file, drain_deny="untrusted", drain_allow=f"{sink.host}, {http.host}/32")
    gw.add_drain("shop", sink)
    gw.add_drain("shop", type="https", url=http.url())
    url = gw.add_drain("shop", other)
    gw.send(syslog.numbered("shop", 10))
    assert syslog.numbers(sink.wait(10)) == list(range(10))
    http.wait(10)
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert f"address {other.host} is denied by drain-deny" in status["last_error"]["error"]
    assert other.accepted == 0


def test_udp_drains_too(gateway, udp_receiver):
    gw = gateway(drain_deny=udp_receiver.host)
    url = gw.add_drain("shop", udp_receiver, protocol="udp")
    gw.send(syslog.numbered("shop", 10))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert "drain-deny" in status["last_error"]["error"] and udp_receiver.lines == []


def test_none_denies_nothing(gateway, network, receiver):
    net = network(addresses=[f"{METADATA}/32"])
    sink = receiver(host=METADATA)
    gw = gateway(drain_deny="none", prefix=net.prefix)
    gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
