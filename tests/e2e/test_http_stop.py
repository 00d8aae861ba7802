# SIGTERM: a batch that waits for company goes out at once; a receiver that
# hangs costs stop-timeout, and what it did not take is counted.

import time

import pytest

from lib import http_receivers, syslog, vendors


@pytest.mark.threaded
def test_a_waiting_batch_is_delivered(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="900ms", stop_timeout="10s")
    gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 1))
    sink.wait(1)
    gw.send(syslog.numbered("shop", 2000, first=1))
    begin = time.monotonic()
    gw.stop()
    assert time.monotonic() - begin < 5
    assert sink.numbers == list(range(2001))
    assert gw.find_log(msg="stopped with lines") == []


def test_a_waiting_batch_outlives_a_short_stop(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="900ms", stop_timeout="300ms", spool_size="0")
    gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 1))
    sink.wait(1)
    gw.send(syslog.numbered("shop", 5, first=1))
    gw.stop()
    assert sink.numbers == list(range(6))
    assert gw.find_log(msg="stopped with lines") == []


def test_a_batch_under_way_is_waited_for(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    sink.decide = lambda request: http_receivers.Answer(after=0.5)
    gw = gateway(ca_file=ca.file, batch_wait="0", stop_timeout="10s")
    gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 10))
    sink.wait_requests(1)
    gw.stop()
    assert sink.numbers == list(range(10))
    assert gw.find_log(msg="stopped with lines") == []


def test_a_hanging_receiver(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    sink.decide = lambda request: http_receivers.hang()
    gw = gateway(ca_file=ca.file, batch_wait="0", stop_timeout="500ms", spool_size="0")
    gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 10))
    sink.wait_requests(1)
    begin = time.monotonic()
    gw.stop()
    assert time.monotonic() - begin < 3
    (line,) = gw.find_log(msg="stopped with lines")
    assert int(line["lines_abandoned"]) == 10
