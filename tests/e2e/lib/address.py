"""Loopback addresses that nobody else uses.

Every receiver gets an address of its own in 127.0.0.0/8, so that a port that
was closed stays free for it: no other test, run or outgoing connection takes it.
"""

import itertools
import os
import random

_random = random.Random(os.urandom(8))
_net = (_random.randrange(1, 255), _random.randrange(0, 255))
_hosts = itertools.count(1)


def fresh():
    n = next(_hosts)
    assert n < 250 * 250
    return f"127.{_net[0]}.{(_net[1] + n // 250) % 256}.{1 + n % 250}"
