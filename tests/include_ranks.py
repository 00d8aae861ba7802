#!/usr/bin/python3
"""Checks that every file includes only what its rank may see.

    tests/include_ranks.py              the repository
    tests/include_ranks.py --self-test  trees made to be wrong, which must fail

RANKS is the order; what it says of folders is also what CMakeLists.txt links.
Inside a folder the order of files is not written down: it is enough that there
is one, that is, that no file comes to include itself by way of others.
"""

import os
import re
import sys
import tempfile

# The way of a line, from low to high: each folder sees those above its line.
GATEWAY = [
    "gateway/base",
    "gateway/wire",
    "gateway/chunk",
    "gateway/types",
    "gateway/plumb",
    "gateway/io",
    "gateway/log",
    "gateway/ends",
    "gateway/whole",
]

# Folder or file -> what it sees besides itself.
RANKS = {folder: GATEWAY[:i] for i, folder in enumerate(GATEWAY)}
RANKS["store"] = ["gateway/base"]
for folder in ("gateway/log", "gateway/ends", "gateway/whole"):
    RANKS[folder] = RANKS[folder] + ["store"]
RANKS["admin"] = GATEWAY + ["store"]
RANKS["gateway/main.c"] = GATEWAY + ["store", "admin"]
RANKS["cli"] = ["gateway/base", "gateway/wire"]

# Headers of a library -> who alone may include them.
LIBRARIES = {
    "lmdb.h": ["store"],
    "msgpack.h": ["store"],
    "msgpack/": ["store"],
    "event2/": GATEWAY[GATEWAY.index("gateway/plumb"):] + ["admin", "gateway/main.c"],
    "http_parser.h": ["gateway/io"],
    "curl/": ["gateway/io"],
    "jansson.h": ["admin"],
}

# A header that includes more of ours than this gathers others instead of saying one thing.
UMBRELLA = 10

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def sources(root):
    """The .c and .h files of the trees that have ranks, from the root."""
    for tree in ("gateway", "store", "admin", "cli"):
        for folder, _, names in os.walk(os.path.join(root, tree)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def rank_of(path):
    """The row of RANKS that a file belongs to, None if there is none."""
    if path in RANKS:
        return path
    folder = os.path.dirname(path)
    return folder if folder in RANKS else None


def find(root, include):
    """The file that an include means: written from gateway/ or from the root."""
    for path in (os.path.join("gateway", include), include):
        if os.path.isfile(os.path.join(root, path)):
            return path
    return None


def library_error(path, rank, header):
    for prefix, allowed in LIBRARIES.items():
        if (header == prefix or prefix.endswith("/") and header.startswith(prefix)) \
                and rank not in allowed:
            return f"{path}: <{header}> is for {', '.join(allowed)} only"
    return None


def check_file(root, path, edges):
    """Yields what is wrong in one file; adds its includes within its folder to edges."""
    rank = rank_of(path)
    if rank is None:
        yield f"{path}: its folder has no rank; give it one in RANKS"
        return
    with open(os.path.join(root, path), encoding="utf-8") as file:
        includes = INCLUDE.findall(file.read())
    ours = [include for include, _ in includes if include]
    if path.endswith(".h") and len(ours) > UMBRELLA:
        yield f"{path}: an umbrella header: {len(ours)} includes of ours, {UMBRELLA} at most"
    for include in ours:
        target = find(root, include)
        if target is None:
            yield f'{path}: "{include}" is no file, seen from gateway/ or the root'
        elif rank_of(target) == rank:
            edges.setdefault(path, set()).add(target)
        elif rank_of(target) not in RANKS[rank]:
            yield f'{path}: "{include}" is of {rank_of(target)}, which {rank} does not see'
    for _, header in includes:
        error = library_error(path, rank, header)
        if error:
            yield error


def cycles(edges):
    """Yields each way back to where it began, once."""
    done = set()

    def walk(name, way):
        if name in way:
            yield way[way.index(name):] + [name]
        elif name not in done:
            for after in sorted(edges.get(name, ())):
                yield from walk(after, way + [name])
            done.add(name)

    for name in sorted(edges):
        yield from walk(name, [])


def check(root):
    """All that is wrong under root, as a list of sentences, and how many files were read."""
    edges, errors, count = {}, [], 0
    for path in sources(root):
        count += 1
        errors += check_file(root, path, edges)
    errors += ["a cycle of includes: " + " -> ".join(way) for way in cycles(edges)]
    return errors, count


RIGHT = {
    "gateway/base/a.h": "",
    "gateway/base/a.c": '#include "base/a.h"\n#include <stdio.h>\n',
    "gateway/base/b.h": '#include "base/a.h"\n',
    "gateway/wire/w.h": '#include "base/a.h"\n',
    "gateway/whole/g.c": '#include "store/s.h"\n#include <event2/event.h>\n',
    "gateway/main.c": '#include "admin/x.h"\n',
    "store/s.h": '#include "base/a.h"\n#include <lmdb.h>\n',
    "admin/x.h": '#include "wire/w.h"\n#include "store/s.h"\n',
    "cli/c.c": '#include "wire/w.h"\n',
}

# Files added to RIGHT (or put in its place) -> a piece of what must be said.
WRONG = [
    ({"gateway/base/a.h": '#include "wire/w.h"\n'}, "which gateway/base does not see"),
    ({"gateway/base/a.h": '  #  include "wire/w.h"\n'}, "which gateway/base does not see"),
    ({"gateway/wire/x.c": '#include "store/s.h"\n'}, "which gateway/wire does not see"),
    ({"store/t.c": '#include "wire/w.h"\n'}, "which store does not see"),
    ({"admin/y.c": '#include "cli/c.h"\n', "cli/c.h": ""}, "which admin does not see"),
    ({"gateway/whole/h.c": '#include "admin/x.h"\n'}, "which gateway/whole does not see"),
    ({"cli/d.c": '#include "store/s.h"\n'}, "which cli does not see"),
    ({"gateway/base/a.h": '#include "base/b.h"\n'}, "base/a.h -> gateway/base/b.h -> gateway"),
    ({"gateway/base/a.c": '#include "base/a.c"\n'}, "cycle"),
    ({"gateway/base/c.c": '#include "a.h"\n'}, "is no file"),
    ({"gateway/extra/e.c": ""}, "has no rank"),
    ({"gateway/extra.c": ""}, "has no rank"),
    ({"gateway/wire/l.c": "#include <lmdb.h>\n"}, "is for store only"),
    ({"gateway/wire/l.c": "#include <event2/event.h>\n"}, "is for"),
    ({"gateway/io/all.h": "".join(f'#include "base/u{i}.h"\n' for i in range(UMBRELLA + 1)),
      **{f"gateway/base/u{i}.h": "" for i in range(UMBRELLA + 1)}}, "umbrella"),
]


def check_tree(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return check(root)[0]


def self_test():
    bad = [f"a right tree was refused: {error}" for error in check_tree(RIGHT)]
    for files, expected in WRONG:
        errors = check_tree({**RIGHT, **files})
        if len(errors) != 1 or expected not in errors[0]:
            bad.append(f"{files}: expected one '... {expected} ...', got {errors}")
    return bad, len(WRONG) + 1


def main():
    if sys.argv[1:] == ["--self-test"]:
        errors, count = self_test()
    elif len(sys.argv) > 1:
        sys.exit(__doc__)
    else:
        errors, count = check(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        if count == 0:
            errors = ["there are no sources"]
    for error in errors:
        print(error)
    print(f"include_ranks: {count} checked, {len(errors)} wrong")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
