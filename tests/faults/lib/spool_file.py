"""A spool's file, looked at and damaged as a disk may damage it."""

import os
import pathlib
import re

PAGE = 4096


def path(gw):
    return gw.data / "spool/data.mdb"


def lines(file, app, sender="s0"):
    """{number of a line: [where its text lies in the file]}."""
    data = pathlib.Path(file).read_bytes()
    found = {}
    head = b"app=%s sender=%s " % (app.encode(), sender.encode())
    for m in re.finditer(head + rb"seq=(\d{6,}) ", data):
        found.setdefault(int(m.group(1)), []).append(m.start())
    return found


def flip(file, offset, bit=0):
    with open(file, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ 1 << bit]))


def overwrite(file, offset, data):
    with open(file, "r+b") as f:
        f.seek(offset)
        f.write(data)


def cut(file, size):
    os.truncate(file, size)
