# 6. A receiver is stopped, takes nothing while its kernel still acknowledges,
# and is killed: what it had not read goes out again to the next one, and not
# much else.

import pytest

from faults.lib.rig import times

LINES_A_SECOND = 2000


@pytest.mark.parametrize("stalled, often", [(1, times(4, 10)), (5, times(1, 10))],
                         ids=["1 s", "5 s"])
def test_a_stalled_receiver_is_killed(rig, stalled, often):
    """Also again and again, so that it is treated with care."""
    stuck, beside, other = rig.process_sink(), rig.sink(), rig.sink()
    rig.start()
    rig.drain("a1", stuck, touched=True)
    rig.drain("a1", beside)
    rig.drain("a2", other)
    rig.offer(["a1"], rate=LINES_A_SECOND)
    rig.offer(["a2"], rate=LINES_A_SECOND)
    rig.run(1)
    with rig.fault():
        for _ in range(often):
            stuck.freeze()
            rig.run(stalled)
            stuck.kill()
            rig.run(0.2)
            stuck.start()
            rig.run(1)
    rig.verdict()


def test_a_prompt_receiver_is_killed(rig):
    """It had read nearly all: few lines come twice."""
    prompt = rig.process_sink()
    rig.start()
    touched = rig.drain("a1", prompt, touched=True)
    rig.offer(["a1"], rate=LINES_A_SECOND)
    kills = times(2, 20)
    with rig.fault():
        for _ in range(kills):
            rig.run(2)
            prompt.kill()
            prompt.start()
    rig.run(0.5)
    rig.verdict()
    # resend-bytes, and on a busy machine what is held of a receiver that does not get to read;
    # a line has 180 bytes.
    assert touched.tally.duplicated <= kills * (128 + 512) * 1024 / 180
