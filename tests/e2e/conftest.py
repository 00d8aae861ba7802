"""Fixtures: every part is real, has files and ports of its own, and is stopped by who started it."""

import shutil

import pytest

from lib.certs import CertificateAuthority
from lib.gateway import Gateway
from lib.receivers import TcpReceiver, UdpReceiver
from lib.rsyslog import Rsyslog


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
def gateway(request, tmp_path, receiver, rsyslog):
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
