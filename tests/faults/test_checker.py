# The checker finds what it looks for.

from faults.lib import line
from faults.lib.checker import Tally


class Sent:
    """A sender of app a1 with ten lines, six of them acknowledged."""

    name = "s0"

    def offered(self, app):
        return 10

    def acked(self, app):
        return 6


def report(frames, first=None):
    tally = Tally("a1")
    for f in frames:
        tally.feed(f)
    return tally.report([Sent()], first)


LINES = [line.frame(b"a1", b"s0", n) for n in range(10)]


def found(r):
    return {k: v for k, v in r._asdict().items() if v and k not in ("app", "expected", "got")}


def test_all_is_well():
    r = report(LINES)
    assert found(r) == {} and r.expected == r.got == 10


def test_lost_lines_by_what_was_acknowledged():
    r = report(LINES[:2] + LINES[4:8])
    assert found(r) == {"lost_acked": 2, "lost_unacked": 2} and r.got == 6
    assert found(report(LINES[4:], {"s0": 4})) == {}, "what came before the drain"


def test_duplicates_are_no_reordering():
    assert found(report(LINES[:6] + LINES[3:])) == {"duplicated": 3}


def test_reordered():
    assert found(report(LINES[:4] + [LINES[5], LINES[4]] + LINES[6:])) == {"reordered": 1}


def test_misrouted():
    assert found(report(LINES + [line.frame(b"a2", b"s0", 3)])) == {"misrouted": 1}


def test_altered():
    flipped = bytearray(LINES[3])
    flipped[-1] ^= 1
    header = LINES[3].replace(b"web-1", b"web-2")
    spliced = LINES[3][:90] + LINES[4]
    number = LINES[3].replace(b"seq=000003", b"seq=000004")
    for odd in (bytes(flipped), header, spliced, number, LINES[3][:-1], b"", LINES[3] + b"x"):
        assert found(report(LINES + [odd])) == {"altered": 1}, odd


def test_a_notice_is_none_of_the_lines():
    said = (b"<172>1 2026-11-22T20:28:00.488106Z vm penstock drain - - Error: 7 lines dropped "
            b"since 2026-11-22T20:27:55Z (memory full)")
    assert found(report(LINES + [said])) == {"told": 7}
