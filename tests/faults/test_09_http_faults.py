# 9. HTTP receivers that ask to wait, fail, hang, talk garbage or never end
# their headers get the same batch again and lose nothing; one that refuses a
# line costs that line, counted and kept as a dead letter.

import pytest

from lib import http_receivers, vendors, wait

from faults.lib.rig import times

POISON = "seq=000500 "


def retry_later(code):
    return lambda: http_receivers.Answer(code, b"later", headers={"Retry-After": "2"})


FAULTS = {
    "429": retry_later(429),
    "500": lambda: http_receivers.Answer(500, b"broken"),
    "503": retry_later(503),
    "hang": http_receivers.hang,
    "garbage": http_receivers.garbage,
    "endless_headers": http_receivers.endless_headers,
    "trickle": http_receivers.trickle,
    "close_in_the_middle": http_receivers.close_in_the_middle,
}


def test_the_same_batch_again(rig):
    """All of them at the same time, an app each, for as long as the fault lasts."""
    apps = {name: f"h{i}" for i, name in enumerate(FAULTS)}
    rig.start(http_timeout="2s", batch_wait="100ms")
    touched = {}
    for name, app in apps.items():
        sink = rig.http_sink(vendors.Logplex(), tls=False)
        touched[name] = rig.drain(app, sink, touched=True)
    rig.drain("a1", rig.http_sink(vendors.Logplex(), tls=False))
    rig.drain("a2", rig.sink())
    rig.offer(["a1", "a2", *apps.values()], rate=times(2000, 10000))
    rig.run(0.5)
    with rig.fault():
        for name, d in touched.items():
            d.sink.receiver.decide = lambda request, make=FAULTS[name]: make()
        rig.run(times(3.5, 45))
        for d in touched.values():
            d.sink.receiver.decide = lambda request: None
    statuses = {name: rig.gw.status(d.app, d.url) for name, d in touched.items()}
    rig.run(0.5)
    rig.verdict()
    assert all(s["last_error"]["error"] for s in statuses.values())
    for name, code in (("429", 429), ("500", 500), ("503", 503)):
        assert f"HTTP {code}" in statuses[name]["last_error"]["error"]
    for name in ("429", "503"):
        asked = [r.at for r in touched[name].sink.receiver.requests]
        assert max(b - a for a, b in zip(asked, asked[1:])) >= 1.9, "Retry-After was 2 s"


def refuse_poison(code):
    def decide(request):
        return code if any(POISON in e.message for e in request.lines) else None

    return decide


@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_refused_line_is_a_dead_letter(rig, code):
    rig.start(batch_wait="100ms")
    picky = rig.drain("a1", rig.http_sink(vendors.Logplex(), tls=False), touched=True)
    rig.drain("a1", rig.http_sink(vendors.Logplex(), tls=False))
    picky.sink.receiver.decide = refuse_poison(code)
    with rig.fault():
        rig.offer(["a1"], rate=1000)
        rig.run(1.5)
    rig.verdict(loss="counted", variant=f"{code}")
    status = wait.until(lambda: rig.gw.status("a1", picky.url), "a status")
    assert status["dropped"]["refused"] == 1
    assert POISON in status["last_dead_letter"]["line"]
    assert status["last_dead_letter"]["status"] == code


def test_413_splits_what_is_too_large(rig):
    """50 lines are too many for it: batches are halved, no line is lost."""
    rig.start(batch_wait="100ms")
    small = rig.drain("a1", rig.http_sink(vendors.Logplex(), tls=False), touched=True)
    small.sink.receiver.decide = lambda request: 413 if len(request.lines) > 50 else None
    with rig.fault():
        rig.offer(["a1"], rate=500)
        rig.run(2)
    rig.verdict()
    assert rig.gw.status("a1", small.url)["dropped"]["refused"] == 0
