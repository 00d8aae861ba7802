# Several batches in flight, answered in any order: only what is accepted
# without a gap counts as taken; nothing is lost, nothing comes twice.

import random

import pytest

from lib import http_receivers, syslog, vendors


@pytest.fixture
def shop(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    # Room for all of a flood: a failure costs a second, and what is over app-memory then is dropped.
    gw = gateway(ca_file=ca.file, batch_wait="0", app_memory="8MiB", spool_size="0")
    return gw, gw.add_drain("shop", type="https", url=sink.url(), concurrency="4"), sink


def four_batches(gw, sink, held):
    """Ten lines each; the first one's answer is held back, those of the others are not."""
    sink.say(held)
    for i in range(4):
        gw.send(syslog.numbered("shop", 10, first=10 * i))
        sink.wait_requests(i + 1)


@pytest.mark.threaded
def test_taken_is_what_has_no_gap(shop):
    gw, url, sink = shop
    held = http_receivers.Held()
    four_batches(gw, sink, held)
    sink.wait(30)
    status = gw.status("shop", url)
    assert status["delivered"]["lines"] == 0 and status["waiting"]["memory"]["lines"] == 10
    held.release()
    gw.wait_delivered("shop", url, 40)
    assert sorted(sink.numbers) == list(range(40))


def test_the_first_fails_and_goes_out_again(shop):
    gw, url, sink = shop
    held = http_receivers.Held(500)
    four_batches(gw, sink, held)
    sink.wait(30)
    held.release()
    sink.wait(40)
    assert sink.numbers == [*range(10, 40), *range(10)]
    gw.wait_delivered("shop", url, 40)
    assert sink.requests[4].body == sink.requests[0].body


def test_stopped_in_between(shop):
    """What was accepted behind the gap is not counted as lost."""
    gw, url, sink = shop
    held = http_receivers.Held()
    four_batches(gw, sink, held)
    sink.wait(30)
    gw.stop()
    (line,) = gw.find_log(msg="stopped with lines")
    assert int(line["lines_abandoned"]) == 10


def test_removed_in_between(shop):
    gw, url, sink = shop
    held = http_receivers.Held()
    four_batches(gw, sink, held)
    gw.remove_drain("shop", url)
    held.release()
    assert gw.drains("shop") == []
    gw.send(syslog.numbered("shop", 10, first=40))


@pytest.mark.threaded
def test_answers_in_any_order(shop):
    """Slow and fast answers, and errors, under a flood."""
    gw, url, sink = shop
    rng = random.Random(3)
    failures = [0]

    def decide(request):
        status = None
        if failures[0] < 2 and rng.random() < 0.05:
            failures[0] += 1
            status = 503
        return http_receivers.Answer(status, after=rng.random() * 0.05)

    sink.decide = decide
    lines = [syslog.line("shop", f"line {i} " + "x" * 400) for i in range(6000)]
    with gw.connect() as s:
        for at in range(0, 6000, 200):
            s.sendall(syslog.lf(lines[at:at + 200]))
    sink.wait(6000)
    gw.wait_delivered("shop", url, 6000)
    assert sorted(sink.numbers) == list(range(6000)), "nothing lost, nothing twice"
    assert all([int(e.message.split()[1]) for e in r.lines] ==
               sorted(int(e.message.split()[1]) for e in r.lines) for r in sink.accepted)
