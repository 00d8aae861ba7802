# A real rsyslogd behind a drain gets every line byte for byte, over TCP and
# over TLS, and understands it as the sender meant it.

import pytest

from lib import address, syslog

COUNT = 4000


def make_lines(app):
    """Lines of many lengths and kinds; none has a control character, which rsyslogd would escape."""
    lines = []
    for i in range(COUNT):
        text = f"line {i} " + "Grüße, 世界! " * (i % 7) + "x" * (i * 37 % 3000)
        sd = f'[a@32473 n="{i}" q="\\"quoted\\" \\\\ \\]"]' if i % 3 == 0 else "-"
        lines.append(syslog.line(app, text.rstrip(), host=f"web-{i % 5}", sd=sd, pri=i % 192))
    return lines


def check(daemon, lines):
    daemon.wait(len(lines))
    assert daemon.raw == lines
    for said, line in zip(daemon.fields, lines):
        m = syslog.parse(line)
        assert said == b"|".join((m.host, m.app, m.proc, m.sd, m.msg))


def test_tcp(gateway, rsyslog):
    gw, daemon = gateway(), rsyslog()
    gw.add_drain("shop", daemon)
    lines = make_lines("shop")
    gw.send(lines)
    check(daemon, lines)


def test_tcp_with_octet_counting(gateway, rsyslog):
    gw, daemon = gateway(), rsyslog()
    gw.add_drain("shop", daemon, framing="octet-counting")
    lines = make_lines("shop")
    gw.send(lines, framing=syslog.octet)
    check(daemon, lines)


@pytest.mark.parametrize("driver", ["ossl", "gtls"])
def test_tls(gateway, rsyslog, ca, driver):
    host = address.fresh()
    daemon = rsyslog(host=host, pair=ca.issue(ips=[host]), ca=ca.file, driver=driver)
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", daemon, protocol="tls")
    lines = make_lines("shop")
    gw.send(lines)
    check(daemon, lines)
    gw.wait_delivered("shop", url, COUNT)


def test_papertrails_form_over_tls(gateway, rsyslog, ca):
    """LF framing over TLS; times in UTC."""
    daemon = rsyslog(host="127.0.0.1", pair=ca.issue(names=["localhost"]), ca=ca.file)
    gw = gateway(ca_file=ca.file)
    gw.add_drain("shop", type="papertrail", host="localhost", port=str(daemon.port))
    lines = make_lines("shop")
    gw.send(lines)
    check(daemon, lines)
