"""The cases that apply to other routers, with each of these in the gateway's place.

Not one of script/test's: script/faults runs it.  It fails only when it cannot run; what the peers
do goes into the table.
"""

import pytest

from faults import (test_01_refused, test_03_slow_reader, test_04_reset_mid_frame,
                    test_05_closed_every_1000_lines, test_05_closed_while_idle,
                    test_06_stopped_and_killed, test_12_killed_under_load)
from faults.lib import peer_cases, peers, senders
from faults.lib.peer_rig import PeerRig

ON_DISK = {"rsyslog": peers.Rsyslog, "syslog-ng": peers.SyslogNg}

# Where nobody kills them queues in memory will do, and only these keep up.
IN_MEMORY = {"rsyslog": peers.RsyslogInMemory, "syslog-ng": peers.SyslogNg}

# (case, what it is, the test, its arguments, the routers)
CASES = [
    (1, "refused for a while", test_01_refused.test_refused_for_a_while, {}, IN_MEMORY),
    (3, "a slow reader", test_03_slow_reader.test_a_slow_reader, {}, IN_MEMORY),
    (4, "reset mid frame", test_04_reset_mid_frame.test_reset_mid_frame,
     {"framing": "octet-counting"}, IN_MEMORY),
    (4, "reset within the first lines",
     test_04_reset_mid_frame.test_reset_within_the_first_lines, {}, IN_MEMORY),
    (5, "the first line behind a fin",
     test_05_closed_while_idle.test_the_first_line_behind_a_fin, {}, IN_MEMORY),
    (5, "closed every 1000 lines",
     test_05_closed_every_1000_lines.test_closed_every_1000_lines, {"keys": {}}, IN_MEMORY),
    (6, "stalled for 5 s and killed",
     test_06_stopped_and_killed.test_a_stalled_receiver_is_killed, {"stalled": 5, "often": 1},
     IN_MEMORY),
    (6, "killed", test_06_stopped_and_killed.test_a_prompt_receiver_is_killed, {}, IN_MEMORY),
    (12, "over RELP", test_12_killed_under_load.test_killed_under_load,
     {"kind": senders.RelpSender}, {"rsyslog": peers.Rsyslog}),
    (12, "over TCP", peer_cases.killed_over_tcp, {}, ON_DISK),
    (14, "over RELP", peer_cases.disk_full, {"kind": senders.RelpSender},
     {"rsyslog": peers.Rsyslog}),
    (14, "over TCP", peer_cases.disk_full, {"kind": senders.StreamSender},
     {"syslog-ng": peers.SyslogNg}),
    (16, "flipped", peer_cases.flipped, {}, ON_DISK),
    (17, "half of a queue", peer_cases.damaged, {"damage": peer_cases.cut_queue}, ON_DISK),
    (17, "no head", peer_cases.damaged, {"damage": peer_cases.cut_head}, ON_DISK),
    (25, "drains come and go", peer_cases.changes, {}, IN_MEMORY),
]

RUNS = [(peer, case, name, test, arguments) for case, name, test, arguments, routers in CASES
        for peer in routers.values()]


@pytest.mark.parametrize("peer, case, name, test, arguments", RUNS,
                         ids=[f"{r[1]:02}-{r[2].replace(' ', '-')}-{r[0].name}" for r in RUNS])
def test_peer(tmp_path, sinks_stop_last, peer, case, name, test, arguments):
    if why_not := peer.why_not():
        pytest.skip(why_not)
    rig = PeerRig(case, name, peer, tmp_path)
    sinks_stop_last.append(rig)
    try:
        test(rig, **arguments)
    except AssertionError as e:
        # What a case asserts of the gateway's own words, or a peer that does not come up again.
        rig.failed(str(e).splitlines()[0][:80] if str(e) else "an assertion")
    finally:
        rig.stop()
