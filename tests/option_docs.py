#!/usr/bin/python3
"""Checks docs/configuration.md against the table of keys.

    tests/option_docs.py OPTION_LIST docs/configuration.md

OPTION_LIST is the program of tests/option_list.c.  A key has a section
"### `key`" with its default, its bounds and an example; the docs name no other
key; the file that they show as an example loads.
"""

import re
import subprocess
import sys
import tempfile

OWN_FLAGS = {"config", "check", "check-spool", "help", "version", "key"}


def read_table(program):
    """Key -> (default, bounds)."""
    text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines()]
    return {name: (default, bounds) for name, default, bounds in rows}


def sections(docs):
    """Key -> the text of its section."""
    found = {}
    for part in re.split(r"^(?=##)", docs, flags=re.MULTILINE):
        heading = re.match(r"### `([^`]+)`\n", part)
        if heading:
            found[heading.group(1)] = part
    return found


def plain(value):
    """A value without the marks and commas of the docs."""
    return value.replace("`, `", " ").replace("`", "").strip()


def item(section, name):
    """What a section says in the list item of that name, None if it has none."""
    found = re.search(rf"^- {name}: (.*)$", section, flags=re.MULTILINE)
    return plain(found.group(1)) if found else None


def check_key(program, name, section, default, bounds):
    if item(section, "Default") != default:
        yield f'{name}: the docs say default "{item(section, "Default")}", the table "{default}"'
    if (item(section, "Bounds") or "") != bounds:
        yield f'{name}: the docs say bounds "{item(section, "Bounds")}", the table "{bounds}"'
    if len(section.split("\n- ")[0].splitlines()) < 2:
        yield f"{name}: the docs do not say what it means"
    example = item(section, "Example") or ""
    if not example.startswith(name + " = "):
        yield f"{name}: the docs have no example"
    elif not name.startswith("tls-"):  # those load together only, as in the example file
        yield from check_loads(program, name, example + "\n")


def check_loads(program, what, content):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(content)
        file.flush()
        run = subprocess.run([program, "--config", file.name], capture_output=True, text=True)
    if run.returncode != 0:
        yield f"{what}: the example does not load: {run.stderr.strip()}"


def named(docs):
    """Every key that the docs write as a setting or as a flag."""
    settings = re.findall(r"^(?: {4})?([a-z][a-z-]*) = ", docs, flags=re.MULTILINE)
    flags = re.findall(r"--([A-Za-z][A-Za-z-]*)", docs)
    return set(settings) | {flag.lower() for flag in flags} - OWN_FLAGS


def check(program, docs):
    table, found = read_table(program), sections(docs)
    for name, (default, bounds) in table.items():
        if name not in found:
            yield f"{name}: not documented; give it a section ### `{name}`"
        else:
            yield from check_key(program, name, found[name], default, bounds)
    for name in sorted((set(found) | named(docs)) - set(table)):
        yield f"{name}: in the docs, but no such key in the table"
    blocks = re.findall(r"^```ini\n(.*?)^```", docs, flags=re.MULTILINE | re.DOTALL)
    if not blocks:
        yield "no example of a file in the docs"
    for block in blocks:
        yield from check_loads(program, "the file", block)
    for line in re.findall(r"^ {4}(listen = .*)$", docs, flags=re.MULTILINE):
        if not any(s in line for s in ("syslog+tls", "https", "relps")):
            yield from check_loads(program, line, line + "\n")


def main():
    program, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        errors = list(check(program, file.read()))
    for error in errors:
        print(f"{path}: {error}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
