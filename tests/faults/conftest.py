"""Fixtures of the end-to-end tests (tests/e2e), and the rig."""

import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from conftest import (  # noqa: E402,F401
    ca, gateway, http_receiver, network, pytest_runtest_makereport, receiver, rsyslog,
    udp_receiver)
from faults.lib.rig import Rig  # noqa: E402


@pytest.fixture
def sinks_stop_last():
    """Sinks outlive gateways: one that stops waits for receivers that are gone."""
    rigs = []
    yield rigs
    for r in rigs:
        r.stop_sinks()


@pytest.fixture
def rig(request, tmp_path, sinks_stop_last, gateway, http_receiver):  # noqa: F811
    """A gateway between senders and sinks (lib/rig.py); the case's number is the file's."""
    case = int(re.match(r"test_(\d+)_", request.path.name).group(1))
    name = request.node.name.removeprefix("test_")
    made = Rig(case, name, gateway, tmp_path, http_receiver)
    sinks_stop_last.append(made)
    yield made
    made.stop()
