# A second process on an address or a data-dir that is taken ends with status 1
# and says which key is at fault and what to do; the first one is unharmed.

import pytest

from lib import syslog
from lib.gateway import run_daemon


@pytest.fixture
def first(gateway, receiver, tmp_path):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0",
                               f"syslog+unix://{tmp_path}/log"]), receiver()
    gw.add_drain("shop", sink)
    yield gw
    gw.send([syslog.line("shop", f"line {i}") for i in range(50)])
    gw.send([syslog.line("shop", "by unix socket")], index=2)
    assert len(sink.wait(51)) == 51
    assert gw.request("GET", "/healthz")[0] == 200


def second(tmp_path, *args):
    status, text = run_daemon("--data-dir", tmp_path / "second", *args)
    assert status == 1, text
    return text


def test_its_tcp_address(first, tmp_path):
    url = f"syslog+tcp://{first.addresses[0]}"
    text = second(tmp_path, "--listen", url, "--admin", "http://127.0.0.1:0")
    assert "listen:" in text and url in text and "stop it or choose another port" in text


def test_its_address_by_wildcard(first, tmp_path):
    text = second(tmp_path, "--listen", f"syslog+tcp://*:{first.port(0)}", "--admin",
                  "http://127.0.0.1:0")
    assert "listen:" in text and "choose another port" in text


def test_its_udp_address(first, tmp_path):
    url = f"syslog+udp://{first.addresses[1]}"
    text = second(tmp_path, "--listen", url, "--admin", "http://127.0.0.1:0")
    assert "listen:" in text and url in text and "choose another port" in text


def test_its_unix_socket(first, tmp_path):
    url = f"syslog+unix://{tmp_path}/log"
    text = second(tmp_path, "--listen", url, "--admin", "http://127.0.0.1:0")
    assert "listen:" in text and "choose another path" in text


def test_its_admin_address(first, tmp_path):
    url = f"http://{first.admin_address}"
    text = second(tmp_path, "--listen", "syslog+tcp://127.0.0.1:0", "--admin", url)
    assert "admin:" in text and url in text and "choose another port" in text


def test_its_data_dir(first):
    status, text = run_daemon("--data-dir", first.data, "--listen", "syslog+tcp://127.0.0.1:0",
                              "--admin", "http://127.0.0.1:0")
    assert status == 1
    assert "data-dir:" in text and str(first.data) in text and "stop that one" in text
