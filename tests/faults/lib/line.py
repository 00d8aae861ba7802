"""Lines that can be told apart: each says which app it is for, who sent it, its number with that
sender and app, and a checksum of all this and the rest.

    <14>1 2020-05-14T09:12:44.123456Z web-1 a7 s3 - - app=a7 sender=s3 seq=000123 crc=9f1c22aa ab..

The same app, sender and number always make the same line, so that what arrives can be compared
with what was sent byte for byte.
"""

import re
import zlib

STAMP = b"2020-05-14T09:12:44.123456Z"
HOST = b"web-1"

_PAD = bytes(range(0x61, 0x7b)) * 12
_TEXT = re.compile(rb"app=(\S+) sender=(\S+) seq=(\d{6,}) crc=([0-9a-f]{8}) ([a-z]*)", re.DOTALL)
_NOTICE = re.compile(rb"<172>1 \S+ \S+ penstock drain - - Error: (\d+) lines? dropped since ")


def text(app, sender, seq):
    """A line's message, 60 to 200 bytes."""
    head = b"app=%s sender=%s seq=%06d" % (app, sender, seq)
    pad = _PAD[seq % 26:seq % 26 + 20 + seq * 37 % 140]
    return b"%s crc=%08x %s" % (head, zlib.crc32(pad, zlib.crc32(head)), pad)


def header(app, sender, sd=b" -"):
    """All that stands before the message.  sd: b"" where there is no structured data (logplex)."""
    return b"<14>1 %s %s %s %s -%s " % (STAMP, HOST, app, sender, sd)


def frame(app, sender, seq):
    """RFC 5424, without framing."""
    return header(app, sender) + text(app, sender, seq)


def logplex(app, sender, seq):
    """As application/logplex-1 has it, without its count."""
    return header(app, sender, b"") + text(app, sender, seq)


def read_text(message):
    """(app, sender, number) of a message as it was sent; None: altered, or none of ours."""
    m = _TEXT.fullmatch(message)
    if m is None:
        return None
    app, sender, seq, _, _ = m.groups()
    if text(app, sender, int(seq)) != message:
        return None
    return app, sender, int(seq)


def read_frame(whole, head=header):
    """The same of a whole line.  head: as which it must have come out."""
    at = whole.find(b" app=")
    found = read_text(whole[at + 1:]) if at >= 0 else None
    if found is None or whole[:at + 1] != head(found[0], found[1]):
        return None
    return found


def notice(whole):
    """How many lines the gateway says that it dropped; None: this is no such notice."""
    m = _NOTICE.match(whole)
    return int(m.group(1)) if m else None
