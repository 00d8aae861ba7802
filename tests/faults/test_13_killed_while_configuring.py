# 13. kill -9 while drains are added, removed and replaced: after the next start
# each is as it was before the request that was cut off, or as after it, and
# every answered request holds.

import random
import time

from faults.lib.rig import times


def url_of(n):
    return f"syslog://192.0.2.7:{1000 + n}"


def drain_of(n):
    return {"type": "syslog", "host": "192.0.2.7", "port": str(1000 + n)}


def change(there, n):
    """A request, and what is there after it."""
    path = "/v1/apps/a2/log_drains"
    kind = random.choice(["add", "remove", "replace"]) if there else "add"
    if kind == "add":
        return ("POST", path, {"drain": drain_of(n)}), there | {url_of(n)}
    gone = random.choice(sorted(there))
    if kind == "remove":
        return ("DELETE", path, {"url": gone}), there - {gone}
    return (("POST", path, {"drain": drain_of(n), "replaces": gone}),
            there - {gone} | {url_of(n)})


def test_old_or_new(rig):
    sink = rig.sink()
    gw = rig.start()
    kept = rig.drain("a1", sink, touched=True)
    hand = rig.sender(["a1"])
    there, n, cut_off = set(), 0, {False: 0, True: 0}
    for turn in range(times(20, 300)):
        for _ in range(3):
            request, after = change(there, n := n + 1)
            assert gw.request(*request)[0] in (201, 204)
            there = after
        request, after = change(there, n := n + 1)
        with gw.begin_request(*request) as sock:
            if turn % 2:
                time.sleep(random.uniform(0, 0.003))
            gw.kill()
            sock.settimeout(5)
            try:
                answer = sock.recv(100)
            except OSError:
                answer = b""
        gw.start()
        status, found, _ = gw.request("GET", "/v1/apps/a2/log_drains")
        # An app that nobody's first drain has made yet is 404.
        found = {d["url"] for d in found} if status == 200 else set()
        assert found in ((after,) if answer else (there, after)), (request, answer)
        cut_off[found == after] += 1
        there = found
        if len(there) > 30:
            status = gw.request("DELETE", "/v1/apps/a2")[0]
            assert status == 204
            there = set()
        hand.hang_up()
        hand.burst(5)
        rig.wait_arrived(kept, 5 * (turn + 1))
    rig.verdict(note=f"{cut_off[False]} requests before, {cut_off[True]} after they took effect")
