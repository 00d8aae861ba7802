# 5. A receiver closes a connection on which nothing is said: the next line is
# not lost.  The line comes right behind the FIN, or later, from logger(1) or
# any sender.

import random
import time

from lib import tools

from faults.lib.rig import times


def test_the_first_line_behind_a_fin(rig):
    idle, beside = rig.sink(), rig.sink()
    rig.start()
    touched = rig.drain("a1", idle, touched=True)
    rig.drain("a1", beside)
    hand = rig.sender(["a1"])
    for n in range(times(25, 300)):
        hand.burst(1)
        rig.wait_arrived(touched, n + 1)
        with rig.fault():
            idle.close()
        if n % 2:
            rig.run(random.uniform(0, 0.1))
    hand.burst(1)
    rig.verdict()
    assert idle.closed >= 5


def test_logger_behind_a_fin(rig, tmp_path):
    idle = rig.sink()
    path = tmp_path / "log"
    gw = rig.start(listen=[f"syslog+unixgram://{path}?app=fixed:a1"])
    gw.add_drain("a1", idle)
    found = []

    def came():
        found.extend(frame for frame, _ in idle.take())
        return all(any(b"line %d of logger" % n in f for f in found) for n in range(10))

    for n in range(10):
        idle.close()
        tools.logger("--socket", path, "--tag", "a1", f"line {n} of logger")
        time.sleep(0.1)
    rig.wait(came, "ten lines of logger")
