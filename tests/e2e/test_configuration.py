# What a configuration asks for and is not built, or is wrong, is refused with
# one sentence that names key, fault and remedy, and exit status 1; --check says
# the same without starting anything.

import os

import pytest

from lib.gateway import run_daemon

PORTS = ("--listen", "syslog+tcp://127.0.0.1:0", "--admin", "http://127.0.0.1:0")


@pytest.mark.parametrize("args, said", [
    (("--listen", "relp://127.0.0.1:0?framing=lf"), ("listen", "framing")),
    (("--listen", "relp://127.0.0.1:0?app=cert"), ("listen", "relps")),
    (("--listen", "relps://127.0.0.1:0"), ("listen", "relps", "tls-cert")),
    (("--listen", "http://127.0.0.1:0?app=hostname"), ("listen", "http")),
    (("--listen", "https://127.0.0.1:0"), ("listen", "https")),
    (("--drain-allow", "10.0.0.1/8"), ("drain-allow", "behind the prefix")),
    (("--drain-deny", "private"), ("drain-deny", "untrusted")),
    (("--http-proxy", "https://127.0.0.1:1"), ("http-proxy", "http://HOST:PORT")),
    (("--http-timeout", "500ms"), ("http-timeout", "1s to 10m")),
    (("--batch-wait", "1s"), ("batch-wait", "900ms")),
    (("--datadog-endpoint", "https://%s.example/%d"), ("datadog-endpoint", "%s")),
    (("--logtail-endpoint", "ftp://127.0.0.1/"), ("logtail-endpoint", "https://")),
    (("--lingr", "1s"), ("lingr", "did you mean linger?")),
    (("--linger", "1"), ("linger", "1")),
    (("--linger", "11s"), ("linger", "10s")),
    (("--app-memory", "1MB"), ("app-memory", "1MB")),
    (("--workers", "0"), ("workers", "1 to 64")),
    (("--apps", "maybe"), ("apps", "implicit or declared")),
    (("--listen", "syslog+tcp://127.0.0.1"), ("listen",)),
    (("--listen", "syslog+tcp://localhost:1514"), ("listen", "localhost")),
    (("--listen", "syslog+tcp://127.0.0.1:0?ap=hostname"), ("listen", "ap")),
    (("--listen", "syslog+tcp://127.0.0.1:0?app=magic"), ("listen", "app", "magic")),
    (("--listen", "syslog+udp://127.0.0.1:0?proxy=10.0.0.0/8"), ("listen", "proxy")),
    (("--listen", "syslog+tcp://127.0.0.1:0?app=hostname,map:/nowhere/x.map"), ("/nowhere/x.map",)),
    (("--listen", "syslog+tls://127.0.0.1:0"), ("tls-cert",)),
    (("--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"), ("/nowhere/cert.pem",)),
    (("--ca-file", "/nowhere/ca.pem"), ("ca-file", "/nowhere/ca.pem")),
    (("--catch-all", "two words"), ("catch-all",)),
    (("--copy-to", "a", "--catch-all", "a"), ("catch-all", "copy-to")),
    (("--config", "/nowhere/penstock.conf"), ("/nowhere/penstock.conf",)),
    (("nonsense",), ("nonsense",)),
])
def test_refused_by_name(tmp_path, args, said):
    base = ("--data-dir", tmp_path / "data", *PORTS[2:])
    texts = set()
    for mode in ((), ("--check",)):
        status, text = run_daemon(*base, *args, *mode)
        assert status == 1, text
        assert "level=error" in text and text.count("\n") == 1
        for part in said:
            assert part in text
        texts.add(text.split("error=", 1)[1])
    assert len(texts) == 1
    assert not (tmp_path / "data").exists()


def test_check_of_a_good_one_starts_nothing(tmp_path):
    status, text = run_daemon("--data-dir", tmp_path / "data", *PORTS, "--check")
    assert (status, text) == (0, "configuration is good\n")
    assert os.listdir(tmp_path) == []


def test_a_file_and_its_lines_are_named(tmp_path):
    file = tmp_path / "penstock.conf"
    file.write_text("# comment\n\nlinger = 10ms\nworkers = many\n")
    status, text = run_daemon("--config", file, "--check")
    assert status == 1 and f"{file}" in text and "4" in text and "workers" in text


def test_flags_win_over_the_file(gateway, tmp_path):
    file = tmp_path / "penstock.conf"
    file.write_text("listen = telnet://127.0.0.1:1\nworkers = 1\nlinger = 5ms\n")
    # The harness gives --listen and --workers by flag.
    status, text = run_daemon("--config", file, "--check")
    assert status == 1 and "telnet" in text
    file.write_text("listen = syslog+tcp://127.0.0.1:1\nworkers = 1\nlinger = 5ms\n")
    gw = gateway(config=file, workers=3)
    assert gw.find_log(msg="started", workers="3")
    assert len(gw.addresses) == 1 and gw.port() != 1


def test_help_and_version():
    status, text = run_daemon("--help")
    assert status == 0 and "usage: penstockd" in text and "worker-memory" in text
    status, text = run_daemon("--version")
    assert status == 0 and "penstockd" in text


def test_a_data_dir_that_cannot_be_made(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "data"):
        status, text = run_daemon("--data-dir", path, *PORTS, "--check")
        assert status == 1 and "data-dir" in text and str(path) in text


def test_a_new_data_dir_is_said_and_private(gateway):
    gw = gateway()
    assert gw.find_log(msg="created data-dir", path=str(gw.data.resolve()))
    assert gw.data.stat().st_mode & 0o777 == 0o700
    assert (gw.data / "admin-token").stat().st_mode & 0o777 == 0o600
    assert len(gw.token) == 64
