"""Fixtures: every part is real, has files and ports of its own, and is stopped by who started it."""

import shutil

import pytest

from lib import address
from lib import namespace as namespaces
from lib.certs import CertificateAuthority
from lib.gateway import Gateway
from lib.http_receivers import HttpReceiver
from lib.receivers import TcpReceiver, UdpReceiver
from lib.rsyslog import Rsyslog, RsyslogSender


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed shows what its daemons logged."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for gw in getattr(item, "gateways", []):
            if gw.starts:
                report.sections.append((f"log of penstockd in {gw.dir}", gw.log_text()[-8000:]))


@pytest.fixture
def receiver():
    """Makes TCP (and TLS) receivers."""
    made = []

    def make(**more):
        made.append(TcpReceiver(**more))
        return made[-1]

    yield make
    for r in made:
        r.stop()


@pytest.fixture
def udp_receiver():
    r = UdpReceiver()
    yield r
    r.stop()


@pytest.fixture
def rsyslog(tmp_path):
    if shutil.which("rsyslogd", path="/usr/sbin:/usr/bin") is None:
        pytest.fail("rsyslogd is missing: run script/bootstrap --tests")
    made = []

    def make(**more):
        made.append(Rsyslog(tmp_path / f"rsyslog{len(made)}", **more))
        return made[-1]

    yield make
    for r in made:
        r.stop()


@pytest.fixture
def rsyslog_sender(tmp_path):
    """Makes rsyslogds that send what they are sent (lib/rsyslog.py)."""
    made = []

    def make(*args, **more):
        made.append(RsyslogSender(tmp_path / f"rsyslog_sender{len(made)}", *args, **more))
        return made[-1]

    yield make
    for r in made:
        r.stop()


@pytest.fixture
def http_receiver(ca):
    """Makes HTTP receivers, with TLS unless tls=False; what a vendor would refuse fails the test."""
    made = []

    def make(vendor, tls=True, host=None, pair=None, **more):
        host = host or address.fresh()
        if tls and pair is None:
            pair = ca.issue(names=["localhost"], ips=[host])
        made.append(HttpReceiver(vendor, host=host, pair=pair, **more))
        return made[-1]

    yield make
    for r in made:
        r.stop()
    faults = [f for r in made for f in r.faults]
    assert not faults, f"{len(faults)} requests that the vendor refuses, the first: {faults[0]}"


@pytest.fixture
def network(tmp_path):
    """Makes a network of the test's own, and enters it until the test ends (lib/namespace.py)."""
    made = []

    def make(**more):
        why_not = namespaces.reason()
        if why_not:
            pytest.skip(why_not)
        made.append(namespaces.Network(tmp_path / "network", **more))
        return made[-1]

    yield make
    for n in made:
        n.stop()


@pytest.fixture
def gateway(request, tmp_path, receiver, http_receiver, network, rsyslog):
    """Makes and starts gateways: gateway(listen=[...], worker_memory="2MiB", ...).

    Receivers outlive it: a gateway that stops waits for those that are gone.
    """
    made = request.node.gateways = []

    def make(start=True, **more):
        gw = Gateway(tmp_path / f"gateway{len(made)}", **more)
        made.append(gw)
        return gw.start() if start else gw

    yield make
    failures = []
    for gw in made:
        if gw.process is None:
            continue
        try:
            gw.stop()
        except AssertionError as e:
            failures.append(str(e))
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    return CertificateAuthority(tmp_path_factory.mktemp("ca") / "good")
