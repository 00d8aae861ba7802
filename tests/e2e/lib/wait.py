"""Waiting, always bounded."""

import time

# Builds with sanitizers on a busy machine are slow; nothing waits this long when all is well.
PATIENCE = 40.0


def until(condition, what, timeout=PATIENCE, step=0.01):
    """Returns the first true value of condition(); fails with what() or what after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(step)


def stays(condition, what, seconds):
    """Fails as soon as condition() is false within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), what() if callable(what) else what
        time.sleep(0.01)
