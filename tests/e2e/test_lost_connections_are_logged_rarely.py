# A receiver that closes after every line, ten times a second: the log says so
# once, not each time; the drain's status has the count.

from lib import syslog


def test_a_receiver_that_closes_all_the_time(gateway, receiver):
    gw, sink = gateway(), receiver(close_after=1)
    url = gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 15))
    sink.wait_different(15)
    assert gw.status("shop", url)["retries"] >= 15
    assert len(gw.find_log(msg="drain lost its connection")) == 1
    assert len(gw.find_log(msg="drain connected")) == 1
