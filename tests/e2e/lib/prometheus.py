"""Prometheus' text format, read strictly, and its own checker."""

import collections
import re
import shutil
import subprocess

Family = collections.namedtuple("Family", "name type help samples")

_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)')
_LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def _unescape(text):
    return re.sub(r"\\.", lambda m: _ESCAPES[m.group()], text)


def parse(text):
    """Families by name.  samples: a dict from a frozenset of (label, value) to a number."""
    families = {}
    lines = text.decode("utf-8").split("\n")
    assert lines.pop() == "", "the last line must end, too"
    at = 0
    while at < len(lines):
        name, _, told = lines[at].removeprefix("# HELP ").partition(" ")
        assert lines[at].startswith("# HELP ") and told, lines[at]
        kind = lines[at + 1].removeprefix(f"# TYPE {name} ")
        assert kind in ("counter", "gauge"), lines[at + 1]
        assert name not in families, f"{name} comes twice"
        assert (kind == "counter") == name.endswith("_total"), name
        family = families[name] = Family(name, kind, told, {})
        at += 2
        while at < len(lines) and not lines[at].startswith("#"):
            m = _SAMPLE.fullmatch(lines[at])
            assert m and m.group(1) == name, lines[at]
            labels = frozenset((k, _unescape(v)) for k, v in _LABEL.findall(m.group(2) or ""))
            assert labels not in family.samples, f"a series comes twice: {lines[at]}"
            number = float(m.group(3))
            family.samples[labels] = int(number) if number.is_integer() else number
            at += 1
    return families


def value(families, name, **labels):
    """The one sample that has exactly these labels."""
    return families[name].samples[frozenset(labels.items())]


def total(families, name, **labels):
    """The sum of the samples that have these labels, whatever others they have."""
    return sum(v for k, v in families[name].samples.items() if set(labels.items()) <= k)


def check(text):
    """promtool is content: no error and no warning."""
    assert shutil.which("promtool"), "promtool is missing: run script/bootstrap --tests"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


def scrape(gw, **more):
    """What /metrics says now."""
    status, body, headers = gw.request("GET", "/metrics", **{"token": None, **more})
    assert status == 200, (status, body)
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse(body)
