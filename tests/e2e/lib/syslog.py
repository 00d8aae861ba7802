"""Lines as senders write them and receivers see them."""

import collections
import datetime
import re

STAMP = "2020-05-14T09:12:44.123456Z"

Message = collections.namedtuple("Message", "pri stamp host app proc msgid sd msg")

_HEADER = re.compile(rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) ")
_SD = re.compile(rb'-|(?:\[[^ =\]"]+(?: [^ =\]"]+="(?:[^"\\\]]|\\.)*")*\])+', re.DOTALL)


def line(app, text, host="web-1", sd="-", proc="web-1", pri=14, stamp=STAMP):
    """An RFC 5424 line, without framing."""
    if isinstance(text, str):
        text = text.encode()
    return f"<{pri}>1 {stamp} {host} {app} {proc} - {sd} ".encode() + text


def stamp(hours_ago=0):
    """A TIMESTAMP of so long ago."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def numbered(app, count, first=0, **more):
    """The lines "line 0", "line 1", ... of an app."""
    return [line(app, f"line {i}", **more) for i in range(first, first + count)]


def lf(lines):
    return b"".join(l + b"\n" for l in lines)


def octet(lines):
    return b"".join(b"%d %s" % (len(l), l) for l in lines)


def parse(frame):
    """What a frame says, all bytes; strict, because a gateway writes RFC 5424 only."""
    header = _HEADER.match(frame)
    assert header, f"no RFC 5424 header: {frame[:200]!r}"
    sd = _SD.match(frame, header.end())
    assert sd, f"no structured data: {frame[:300]!r}"
    rest = frame[sd.end():]
    assert rest == b"" or rest[:1] == b" ", f"no space behind structured data: {frame[:300]!r}"
    pri, stamp, host, app, proc, msgid = header.groups()
    return Message(int(pri), stamp, host, app, proc, msgid, sd.group(), rest[1:])


def numbers(frames):
    """The numbers of numbered() lines, in order of arrival."""
    return [int(parse(f).msg.split()[1]) for f in frames]


def firsts(items):
    """Each item once, in the order of first arrival."""
    return list(dict.fromkeys(items))
