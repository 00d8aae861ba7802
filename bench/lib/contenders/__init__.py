"""All contenders, in the order of the tables."""

from .floor import Floor, FloorLinger
from .fluent_bit import FluentBit
from .haproxy import Haproxy
from .penstock import Penstock
from .rsyslog import Rsyslog, RsyslogIfChain, RsyslogQueues, RsyslogRelp
from .syslog_ng import SyslogNg
from .vector import Vector

CONTENDERS = {
    c.name: c
    for c in (
        Penstock, Floor, FloorLinger, Rsyslog, RsyslogIfChain, RsyslogQueues, RsyslogRelp,
        SyslogNg, Haproxy, FluentBit, Vector,
    )
}  # fmt: skip
