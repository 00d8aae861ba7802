# bench/compare measures penstock and the floor, keeps what it found, and makes
# tables and a plot of it.  How fast anything was is not looked at.

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

from lib.gateway import PENSTOCKD

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
SECONDS = 60

# As a process of its own: its parts are called lib, as those of the tests are.
DRAW = """
import json, sys
sys.path.insert(0, sys.argv[1])
from lib import plots, readme
kept = [json.load(open(sys.argv[2]))]
print(readme.fill("before\\n<!-- compare: apps -->\\nwas here\\n<!-- end -->\\nbehind", kept))
print(readme.fill("<!-- compare: targets -->\\n<!-- end -->", kept))
open(sys.argv[3], "w").write(plots.draw(kept[0]["summary"], "apps"))
"""


def test_compare_runs_two_routers_and_draws_what_it_found(tmp_path):
    kept = tmp_path / "kept.json"
    done = subprocess.run(
        [BENCH / "compare", "--build", pathlib.Path(PENSTOCKD).parent, "--penstockd", PENSTOCKD,
         "--targets", "--workload", "10x1", "--lines", "20000", "--rounds", "1", "--seconds", "20",
         "--contender", "penstock", "--contender", "floor", "--json", kept],
        capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    found = json.loads(kept.read_text())
    assert [r["contender"] for r in found["summary"]] == ["penstock", "floor"], done.stderr
    for row in found["summary"]:
        assert (row["missing"], row["misrouted"], row["misparsed"]) == (0, 0, 0), row
        assert row["cpu_per_million"] > 0, row
    assert found["machine"]["cores"] > 0 and "--lines 20000" in found["command"]
    assert "| 10x1 | penstock |" in done.stdout

    plot = tmp_path / "apps.svg"
    drawn = subprocess.run([sys.executable, "-c", DRAW, BENCH, kept, plot], capture_output=True,
                           text=True, timeout=SECONDS)
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.startswith("before\n<!-- compare: apps -->\n`bench/compare")
    assert "was here" not in drawn.stdout and "not run" in drawn.stdout
    xml.etree.ElementTree.parse(plot)
