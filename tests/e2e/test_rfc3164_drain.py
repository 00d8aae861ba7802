# A drain with format=rfc3164 speaks BSD syslog: a real rsyslogd, which tells
# the two forms apart by themselves, finds host, program, pid and message where
# they were, over every transport.

import pytest

from lib import address, syslog

COUNT = 500

# Summer time, two hours from UTC; no file of zones is needed.
ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"
STAMP = "2020-05-14T09:12:44.123456Z"


def make_lines(app):
    lines = []
    for i in range(COUNT):
        text = f"line {i} " + "Grüße, 世界! " * (i % 7) + "x" * (i * 37 % 3000)
        lines.append(syslog.line(app, text.rstrip(), host=f"web-{i % 5}", sd='[a@32473 n="1"]',
                                 proc=str(i) if i % 3 else "-", pri=i % 192, stamp=STAMP))
    return lines


def expected_raw(line):
    m = syslog.parse(line)
    pid = b"[" + m.proc + b"]" if m.proc != b"-" else b""
    return b"<%d>May 14 11:12:44 %s %s%s: %s" % (m.pri, m.host, m.app, pid, m.msg)


def check(daemon, lines):
    daemon.wait(len(lines))
    assert daemon.raw == [expected_raw(line) for line in lines]
    for said, line in zip(daemon.fields, lines):
        m = syslog.parse(line)
        # The space behind the TAG's colon belongs to the message, for rsyslogd.
        assert said == b"|".join((m.host, m.app, m.proc, b"-", b" " + m.msg))


@pytest.mark.parametrize("framing", ["lf", "octet-counting"])
def test_tcp(gateway, rsyslog, framing):
    gw, daemon = gateway(env={"TZ": ZONE}), rsyslog()
    url = gw.add_drain("shop", daemon, framing=framing, format="rfc3164")
    assert url == f"syslog://{daemon.host}:{daemon.port}?framing={framing}&format=rfc3164"
    lines = make_lines("shop")
    gw.send(lines)
    check(daemon, lines)


def test_tls(gateway, rsyslog, ca):
    host = address.fresh()
    daemon = rsyslog(host=host, pair=ca.issue(ips=[host]), ca=ca.file)
    gw = gateway(ca_file=ca.file, env={"TZ": ZONE})
    gw.add_drain("shop", daemon, protocol="tls", format="rfc3164")
    lines = make_lines("shop")
    gw.send(lines)
    check(daemon, lines)


def test_names_that_would_end_themselves(gateway, rsyslog):
    """An IPv6 address is no host, a colon ends a TAG, a space is nowhere: rsyslogd still finds all."""
    gw, daemon = gateway(env={"TZ": ZONE}), rsyslog()
    gw.add_drain("shop", daemon, format="rfc3164")
    gw.send([syslog.line("shop", "message", host="2001:db8::1", proc="a]b:c"),
             syslog.line("shop", "tag[1]: like", host="-x-", proc="-")])
    daemon.wait(2)
    assert daemon.fields == [b"2001-db8--1|shop|a_b_c|-| message", b"-x|shop|-|-| tag[1]: like"]


def test_another_gateway_understands_it(gateway, receiver):
    """Also the time, to the second, when both are in the same zone."""
    sink = receiver()
    second = gateway(env={"TZ": ZONE}, listen=["syslog+tcp://127.0.0.1:0?tz=local"])
    second.add_drain("shop", sink)
    first = gateway(env={"TZ": ZONE})
    first.add_drain("shop", type="syslog", host="127.0.0.1", port=str(second.port()),
                    format="rfc3164")
    stamp = syslog.stamp()
    lines = [syslog.line("shop", f"hello: {i}", stamp=stamp, proc=str(i + 1)) for i in range(20)]
    first.send(lines)
    came = [syslog.parse(frame) for frame in sink.wait(20)]
    sent = [syslog.parse(line) for line in lines]
    assert came == [m._replace(stamp=m.stamp[:19] + b".000000Z") for m in sent]
