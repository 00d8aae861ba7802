# 23. Frames that come a byte a second, counts of nine digits, counts that
# promise what never comes: bounded memory, a deadline, and the others are
# served as before.

from lib.gateway import SANITIZED

from faults.lib.rig import LONG, anonymous_bytes, counter, times

SLOW = times(300, 2000)
MAX_LINE = 8192

# What a connection begins with, and never ends.
BEGINNINGS = [b"<14>1 2020-05-14T09:12:44Z h a1 - - - slow", b"8000 <14>1 ", b"1", b"9999999 <14>",
              b"999999999 <14>1 - h a1 - - - nine digits", b"<14>1 " + b"x" * 4000]


def test_slow_frames(rig):
    beside = rig.sink()
    gw = rig.start(max_line=str(MAX_LINE))
    rig.drain("a0", beside)
    steady = rig.offer(["a0"])
    rig.run(0.5)
    before = anonymous_bytes(gw.pid)
    crowd = []
    with rig.fault():
        for i in range(SLOW):
            sock = gw.connect()
            sock.sendall(BEGINNINGS[i % len(BEGINNINGS)])
            crowd.append(sock)
        for _ in range(times(2, 75)):  # a line that was begun may take 60 s
            for sock in crowd:
                try:
                    sock.send(b"s")
                except OSError:
                    pass  # it was over its deadline
            rig.run(1)
        used = anonymous_bytes(gw.pid) - before
        timed_out = counter(gw, "sessions_timed_out_total")
        for sock in crowd:
            sock.close()
    rig.verdict(note=f"{used >> 10} KiB for {SLOW}")
    assert steady.losses == 0
    assert SANITIZED or used < SLOW * (2 * MAX_LINE + 2048), f"{used // SLOW} bytes each"
    assert not LONG or timed_out >= 0.8 * SLOW


def test_nine_digits_are_no_count(rig):
    """It is a line as any other, and the next one is intact."""
    beside, odd = rig.sink(), rig.sink()
    listeners = [f"syslog+tcp://{rig.host}:0", f"syslog+tcp://{rig.host}:0?app=fixed:a1"]
    gw = rig.start(listen=listeners)
    rig.drain("a0", beside)
    gw.add_drain("a1", odd)
    hand = rig.sender(["a0"])
    connections = times(20, 200)
    for n in range(connections):
        with gw.connect(1) as sock:
            sock.sendall(b"999999999 <14>1 - h a1 - - - odd\n")
            sock.sendall(b"%d <14>1 - h a1 - - - odd, without an end" % (10 ** (7 + n % 5)))
        hand.burst(5)
    rig.verdict()
    found = []

    def came():
        found.extend(frame for frame, _ in odd.take())
        return len(found) >= 2 * connections

    rig.wait(came, "two lines of each connection")
    assert all(b"<14>1 - h a1 - - - odd" in f for f in found)
