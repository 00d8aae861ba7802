# Datagrams that the kernel drops because nobody reads them in time are counted: what was
# sent is what was delivered and what was counted, and the log says it once, with a remedy.

import signal
import socket

from lib import prometheus, syslog, wait

PAYLOAD = "x" * 200


def flood(gw, first, count):
    """Numbered lines, a datagram each, as fast as they go."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", gw.port()))
        for i in range(first, first + count):
            s.send(syslog.line("shop", f"line {i} {PAYLOAD}"))


def dropped(gw):
    families = prometheus.scrape(gw)
    listener = f"syslog+udp://{gw.addresses[0]}"
    of_workers = prometheus.total(families, "penstock_datagrams_dropped_total")
    assert prometheus.value(families, "penstock_listener_datagrams_dropped_total",
                            listener=listener) == of_workers
    return of_workers


def test_a_flood_into_a_gateway_that_stands_still(gateway, receiver):
    gw = gateway(listen=["syslog+udp://127.0.0.1:0"], workers=1, app_memory="64MiB",
                 worker_memory="64MiB")
    sink = receiver()
    url = gw.add_drain("shop", sink)
    sent, came = 0, 0
    for _ in range(2):
        before = dropped(gw)
        gw.signal(signal.SIGSTOP)
        flood(gw, sent, 40000)
        sent += 40000
        gw.signal(signal.SIGCONT)
        # Nothing more is sent that could tell what the end of the flood lost.
        wait.until(lambda: len(sink.lines) + dropped(gw) == sent,
                   lambda: f"{sent} sent, {len(sink.lines)} came, {dropped(gw)} counted")
        assert dropped(gw) > before and len(sink.lines) > came
        came = len(sink.lines)
    numbers = syslog.numbers(sink.texts)
    assert numbers == sorted(set(numbers))
    said = gw.find_log(level="warn", msg="the kernel dropped datagrams", listener="syslog+udp://")
    assert len(said) == 1 and 0 < int(said[0]["datagrams"]) < sent
    assert "net.core.rmem_max" in said[0]["remedy"] or "workers" in said[0]["remedy"]
    assert gw.status("shop", url)["dropped"]["memory"] == 0


def test_a_gateway_that_keeps_up_counts_none(gateway, receiver):
    gw = gateway(listen=["syslog+udp://127.0.0.1:0"])
    sink = receiver()
    gw.add_drain("shop", sink)
    flood(gw, 0, 500)
    sink.wait(500)
    assert dropped(gw) == 0 and gw.find_log(msg="the kernel dropped datagrams") == []


def test_senders_to_a_unix_socket_wait_and_lose_nothing(gateway, receiver, tmp_path):
    gw = gateway(listen=[f"syslog+unixgram://{tmp_path}/log"])
    sink = receiver()
    gw.add_drain("shop", sink)
    gw.signal(signal.SIGSTOP)
    taken = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(gw.addresses[0])
        s.setblocking(False)
        try:
            while taken < 100000:
                s.send(syslog.line("shop", f"line {taken} {PAYLOAD}"))
                taken += 1
        except BlockingIOError:
            pass
        gw.signal(signal.SIGCONT)
        assert 0 < taken < 100000
        s.setblocking(True)
        for i in range(taken, taken + 1000):
            s.send(syslog.line("shop", f"line {i} {PAYLOAD}"))
    assert syslog.numbers(sink.wait(taken + 1000)) == list(range(taken + 1000))
