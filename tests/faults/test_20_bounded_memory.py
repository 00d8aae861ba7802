# 20. All drains are down while much comes in: memory stays within bounds, and
# all is delivered when they are back.  (A bound on RssAnon stands for a cgroup's
# MemoryMax: those pages cannot be given back.)

from lib.gateway import SANITIZED

from faults.lib.rig import anonymous_bytes, times

APPS = times(10, 200)
LINES_A_SECOND = times(25000, 60000)
MEMORY = times(48, 96) << 20  # bytes more than at the start


def test_all_drains_are_down(rig):
    sinks = [rig.sink() for _ in range(APPS)]
    gw = rig.start(worker_memory="4MiB")
    for i, sink in enumerate(sinks):
        sink.refuse()
        rig.drain(f"a{i}", sink, touched=True)
    rig.run(0.5)
    before = anonymous_bytes(gw.pid)
    with rig.fault():
        rig.offer([f"a{i}" for i in range(APPS)], rate=LINES_A_SECOND)
        rig.run(times(4, 60))
        rig.stop_senders()
        for sink in sinks:
            sink.accept()
    rig.verdict(note=f"{(rig.memory - before) >> 20} MiB")
    assert SANITIZED or rig.memory - before < MEMORY, f"{before} bytes, then {rig.memory}"
