# Redirects are not followed: where they lead nobody is asked.

import pytest

from lib import http_receivers, syslog, vendors, wait


@pytest.fixture
def gateway(gateway):
    """Lines that nobody takes are not waited for at the end."""
    return lambda **more: gateway(**{"stop_timeout": "100ms", **more})


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_the_target_sees_nothing(gateway, http_receiver, receiver, ca, code):
    target = receiver()
    sink = http_receiver(vendors.Logplex(user="me:secret"))
    where = f"http://{target.host}:{target.port}/"
    sink.decide = lambda request: http_receivers.Answer(code, headers={"Location": where})
    gw = gateway(ca_file=ca.file, batch_wait="0")
    url = gw.add_drain("shop", type="https", url=sink.url(user="me:secret"))
    gw.send(syslog.numbered("shop", 3))
    status = gw.wait_status("shop", url, lambda s: s["state"] == "blocked", "blocked")
    assert f"HTTP {code}" in status["last_error"]["error"]
    wait.stays(lambda: target.accepted == 0, "nobody comes", 0.5)
    assert status["waiting"]["memory"]["lines"] == 3
