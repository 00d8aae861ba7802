# A receiver that takes a thousand lines, closes, and forgets what else it was
# sent: the lines go out again, in order, and none is lost.  What it can have
# acknowledged and not read (its receive buffer) is less than resend-bytes.

import pytest

from lib import address, receivers, syslog

RCVBUF = 32768  # the kernel doubles it


def check_order(frames, count):
    """Every line came; a repeat aside, in order: going back is allowed, skipping is not."""
    numbers = syslog.numbers(frames)
    assert sorted(set(numbers)) == list(range(count))
    assert syslog.firsts(numbers) == list(range(count))


@pytest.mark.threaded
@pytest.mark.parametrize("framing, count", [("lf", 20000), ("octet-counting", 5000)])
def test_closed_after_every_1000_lines(gateway, receiver, framing, count):
    gw, sink = gateway(app_memory="8MiB"), receiver(close_after=1000, rcvbuf=RCVBUF)
    gw.add_drain("shop", sink, framing=framing)
    gw.send(syslog.numbered("shop", count))
    sink.wait_different(count, timeout=90)
    check_order(sink.texts, count)
    assert sink.closed >= count / 1000


def test_tls_closed_after_every_500_lines(gateway, receiver, ca):
    host = address.fresh()
    gw = gateway(ca_file=ca.file)
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])), close_after=500,
                    rcvbuf=RCVBUF)
    gw.add_drain("shop", sink, protocol="tls")
    gw.send(syslog.numbered("shop", 2000))
    sink.wait_different(2000, timeout=60)
    check_order(sink.texts, 2000)
