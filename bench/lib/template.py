"""Fills in a peer's configuration, bench/peers/*.

@NAME@ stands for a value.  Lines that begin with "#:" are for us and go nowhere:

    #: for app        what follows once for each app; inside, "for drain" is
                      once for each of that app's drains
    #: if tls         what follows only if that value is true; or "if not tls"
    #: end            of the innermost of these
"""

import re

_VALUE = re.compile(r"@([A-Z_]+)@")


def _parse(lines):
    """A list of text and of (directive, [such a list]) up to "#: end"."""
    parts = []
    for line in lines:
        if not line.lstrip().startswith("#:"):
            parts.append(line)
            continue
        directive = line.strip()[2:].strip()
        if directive == "end":
            break
        parts.append((directive, _parse(lines)))
    return parts


def _render(parts, values, out):
    for part in parts:
        if isinstance(part, str):
            out.append(_VALUE.sub(lambda m: str(values[m.group(1).lower()]), part))
            continue
        (word, *name), inner = part[0].split(), part[1]
        if word == "for":
            for item in values[name[0] + "s"]:
                _render(inner, {**values, **item}, out)
        elif word == "if" and name[0] == "not":
            if not values[name[1]]:
                _render(inner, values, out)
        elif word == "if":
            if values[name[0]]:
                _render(inner, values, out)
        else:
            raise ValueError(f"template: {part[0]}")


def render(text, values):
    """The configuration; values has "apps", a list of dicts, each with "drains", another."""
    out = []
    _render(_parse(iter(text.splitlines(keepends=True))), values, out)
    return "".join(out)
