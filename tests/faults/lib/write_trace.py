"""What a power cut leaves of the files whose writes ../write_trace.c wrote down.

The disk of the model keeps what was synced, and of what was not:

  - the write that was under way;
  - each page of 4096 bytes as it was after any of its writes since it was last synced, or
    before them, whatever became of other pages; the last such write can be torn: some
    sectors of 512 bytes have it and some do not;
  - a new length, or not; what lies between pages that are there is zeros;
  - new names, removals and renames up to some point in their order, and beyond it those
    only whose folder was synced.
"""

import bisect
import collections
import os
import pathlib
import struct

PAGE, SECTOR = 4096, 512

WRITE, SYNC_BEGIN, SYNC_END, TRUNCATE, LINK, UNLINK, RENAME = range(1, 8)
WRITE_IS_SYNCED = 1
IS_FOLDER = 1
_HEAD = struct.Struct("=IIQQQIIII")

Record = collections.namedtuple("Record", "kind flags time inode offset path path2 data")
_Piece = collections.namedtuple("_Piece", "number start data")  # of a page
_Name = collections.namedtuple("_Name", "number record file")


def environment(library, trace, root):
    """For a process that is to be traced."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {"LD_PRELOAD": str(library), "WRITE_TRACE": str(trace),
            "WRITE_TRACE_ROOT": os.path.realpath(root), "ASAN_OPTIONS": options.removeprefix(":")}


def read(trace, root):
    """The records of a file; paths are relative to root."""
    root = os.path.realpath(root)
    data = memoryview(pathlib.Path(trace).read_bytes())
    records = []
    at = 0
    while at + _HEAD.size <= len(data):
        kind, flags, time, inode, offset, n1, n2, n3, _ = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if at + n1 + n2 + n3 > len(data):
            break  # killed while it wrote this
        path, path2 = (os.path.relpath(bytes(p).decode(), root) if len(p) else ""
                       for p in (data[at:at + n1], data[at + n1:at + n1 + n2]))
        at += n1 + n2
        records.append(Record(kind, flags, time * 1e-9, inode, offset, path, path2,
                              data[at:at + n3]))
        at += n3
    return records


class _File:
    """One inode: what is on disk for sure, and what may be."""

    def __init__(self):
        self.sure = bytearray()
        self.pages = collections.defaultdict(list)  # page: [_Piece], in order
        self.lengths = []  # (number, length) since the last sync
        self.length = 0  # as a reader of the running machine sees it

    def write(self, number, record):
        end = record.offset + len(record.data)
        at = record.offset
        while at < end:
            page = at // PAGE
            stop = min(end, (page + 1) * PAGE)
            piece = _Piece(number, at, record.data[at - record.offset:stop - record.offset])
            self.pages[page].append(piece)
            if record.flags & WRITE_IS_SYNCED:
                self.settle(page, number + 1)
            at = stop
        self.set_length(number, max(self.length, end))
        if record.flags & WRITE_IS_SYNCED and len(self.sure) < end:
            self.sure.extend(bytes(end - len(self.sure)))

    def set_length(self, number, length):
        if length != self.length:
            self.lengths.append((number, length))
            self.length = length

    def settle(self, page, before):
        """What was written to that page before that record is on disk."""
        pieces = self.pages[page]
        n = bisect.bisect_left(pieces, before, key=lambda p: p.number)
        for piece in pieces[:n]:
            _put(self.sure, piece.start, piece.data)
        del pieces[:n]
        if not pieces:
            del self.pages[page]

    def sync(self, before):
        for page in list(self.pages):
            self.settle(page, before)
        known = [length for number, length in self.lengths if number < before]
        if known:
            _resize(self.sure, known[-1])
            del self.lengths[:len(known)]

    def image(self, rng, luck, torn, under_way=None):
        """luck: the part of what was not synced that is there all the same."""
        out = bytearray(self.sure)
        known = sum(rng.random() < luck for _ in self.lengths)
        if known:
            _resize(out, self.lengths[known - 1][1])
        for pieces in self.pages.values():
            n = len(pieces) if luck >= 1 else sum(rng.random() < luck for _ in pieces)
            for piece in pieces[:n]:
                _put(out, piece.start, piece.data)
            if n < len(pieces) and rng.random() < torn:
                _put_torn(out, pieces[n], rng)
        if under_way is not None:
            _put_torn(out, _Piece(0, under_way.offset, under_way.data), rng)
        return out


def _resize(out, length):
    del out[length:]
    out.extend(bytes(length - len(out)))


def _put(out, start, data):
    if len(out) < start:
        out.extend(bytes(start - len(out)))
    out[start:start + len(data)] = data


def _put_torn(out, piece, rng):
    at, end = piece.start, piece.start + len(piece.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        if rng.random() < 0.5:
            _put(out, at, piece.data[at - piece.start:stop - piece.start])
        at = stop


class Disk:
    """Goes through the records of a trace; image() is what a power cut now would leave.

    lies: a disk that says "synced" and has done nothing, to show what a check is worth.
    """

    def __init__(self, records, lies=False):
        self.records = records
        self.lies = lies
        self.at = 0  # records before this one were done
        self.files = collections.defaultdict(_File)  # by inode; the latest that has it
        self.names = []  # [_Name], all that can matter
        self.sure_names = set()  # their numbers
        self.began = {}  # inode: number of its last SYNC_BEGIN

    def go_to(self, at):
        assert at >= self.at
        for number in range(self.at, at):
            self._step(number, self.records[number])
        self.at = at

    def _step(self, number, r):
        if r.kind == WRITE:
            self.files[r.inode].write(number, r._replace(flags=0) if self.lies else r)
        elif r.kind == TRUNCATE:
            self.files[r.inode].set_length(number, r.offset)
        elif r.kind == SYNC_BEGIN:
            self.began[r.inode] = number
        elif r.kind == SYNC_END:
            if not self.lies:
                self.files[r.inode].sync(self.began[r.inode])
            self.sure_names |= {n.number for n in self.names if n.number < self.began[r.inode]
                                and r.path in _folders(n.record)}
        else:
            if r.kind == LINK:
                self.files[r.inode] = _File()
            self.names.append(_Name(number, r, self.files[r.inode]))

    def _tree(self, rng, luck):
        """Path: its _Name."""
        known = self.names[:rng.randint(0, len(self.names)) if luck < 1 else None]
        kept = {n.number for n in known} | self.sure_names
        tree = {}
        for n in self.names:
            if n.number not in kept:
                continue
            r = n.record
            if r.kind == LINK:
                tree[r.path] = n
            elif r.kind == UNLINK:
                tree.pop(r.path, None)
            else:
                tree.pop(r.path2, None)
                for path in [p for p in tree if p == r.path or p.startswith(r.path + "/")]:
                    tree[r.path2 + path[len(r.path):]] = tree.pop(path)
                # Its new name can be on disk when the old one never was.
                tree.setdefault(r.path2, n)
        return tree

    def _under_way(self):
        record = self.records[self.at] if self.at < len(self.records) else None
        return record if record is not None and record.kind == WRITE else None

    def image(self, folder, rng, luck=None):
        """Writes the files to a folder, which must not exist yet."""
        if luck is None:
            luck = rng.choice((0, 0, 1, rng.random(), rng.random()))
        torn = rng.choice((0, 0.2))
        under_way = self._under_way() if rng.random() < 0.3 else None
        folder = pathlib.Path(folder)
        folder.mkdir(mode=0o700)
        for path, name in sorted(self._tree(rng, luck).items()):
            target = folder / path
            if not target.parent.is_dir():
                continue  # its folder's name is not on disk
            if name.record.flags & IS_FOLDER:
                target.mkdir(mode=0o700, exist_ok=True)
                continue
            data = name.file.image(rng, luck, torn, under_way if under_way is not None and
                                   name.file is self.files[under_way.inode] else None)
            if target.name == "lock.mdb" and rng.random() < 0.5:
                data = rng.randbytes(8192)
            target.write_bytes(data)
            target.chmod(0o600)


def _folders(record):
    """Whose entries a record changes."""
    return {os.path.dirname(p) or "." for p in (record.path, record.path2) if p}


def choose_cuts(records, rng, count, first=0):
    """Places in a trace: around its syncs (within which and behind which nothing else was done),
    and anywhere."""
    syncs = [i for i in range(first, len(records)) if records[i].kind in (SYNC_BEGIN, SYNC_END)]
    around = [i for s in syncs for i in (s, s + 1)]
    rng.shuffle(around)
    cuts = set(around[:count // 2])
    while len(cuts) < min(count, len(records) - first):
        cuts.add(rng.randint(first, len(records) - 1))
    return sorted(cuts)


def time_of(records, at):
    """Until when the cut before that record may have come: what a client knew by then counts."""
    return records[at].time if at < len(records) else float("inf")
