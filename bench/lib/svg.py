"""A horizontal bar chart as SVG: small, and readable on light and on dark pages."""

import html
import math

WIDTH = 860
LEFT = 150  # for names
RIGHT = 130  # for figures behind the longest bar
BAR, GAP, HEADING, TOP = 18, 5, 30, 62
TEXT = 14

STYLE = """\
<style>
  .page { fill: #ffffff } text { fill: #1f2328; font: 14px system-ui, sans-serif }
  .title { font-size: 17px; font-weight: 600 } .heading { font-weight: 600 }
  .tick { fill: #59636e; font-size: 13px } .grid { stroke: #d1d9e0 } .range { stroke: #1f2328 }
  .ours { fill: #1f6feb } .floor { fill: #8c959f } .peer { fill: #d4762c }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .tick { fill: #9198a1 }
    .grid { stroke: #3d444d } .range { stroke: #f0f6fc }
    .ours { fill: #4493f8 } .floor { fill: #7d8590 } .peer { fill: #e58f47 }
  }
</style>
"""


def _ticks(low, high, log):
    """Round numbers from low to high."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        return [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    step = 10 ** math.floor(math.log10(high))
    while high / step < 4:
        step /= 2
    return [step * i for i in range(int(high / step) + 1)]


class Scale:
    """From values to x: linear from 0, or logarithmic from below the least."""

    def __init__(self, values):
        high, low = max(values), min(v for v in values if v > 0)
        self.log = high > 25 * low
        self.low = low / 1.6 if self.log else 0
        self.high = high
        self.ticks = _ticks(self.low, high, self.log)

    def x(self, value):
        if self.log:
            value = max(value, self.low)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = value / self.high
        return LEFT + part * (WIDTH - LEFT - RIGHT)


def _grid(scale, bottom):
    for tick in scale.ticks:
        x = scale.x(tick)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}"/>'
        yield (f'<text class="tick" x="{x:.1f}" y="{TOP - 13}" text-anchor="middle">'
               f"{tick:g}</text>")  # fmt: skip


def _bar(scale, y, bar):
    x0, x1 = LEFT, scale.x(bar["value"])
    middle = y + BAR / 2
    end = x1
    yield (f'<text x="{LEFT - 8}" y="{y + TEXT}" text-anchor="end">{html.escape(bar["name"])}'
           f"</text>")  # fmt: skip
    yield (f'<rect class="{bar["kind"]}" x="{x0}" y="{y}" width="{max(2, x1 - x0):.1f}" '
           f'height="{BAR}" rx="2"/>')  # fmt: skip
    if bar.get("low") is not None and bar["high"] > bar["low"]:
        end = max(end, scale.x(bar["high"]))
        yield (f'<line class="range" x1="{scale.x(bar["low"]):.1f}" y1="{middle}" '
               f'x2="{scale.x(bar["high"]):.1f}" y2="{middle}" stroke-width="1.5"/>')  # fmt: skip
    yield f'<text x="{end + 7:.1f}" y="{y + TEXT}">{html.escape(bar["label"])}</text>'


def chart(title, unit, groups):
    """groups: (heading, bars); a bar has name, kind (ours, floor, peer), value, label, and may
    have low and high, which are drawn as a line.  An empty heading takes no room."""
    bars = [bar for _, inner in groups for bar in inner]
    scale = Scale([b["value"] for b in bars] + [b.get("high") or b["value"] for b in bars])
    height = TOP + sum(HEADING for h, _ in groups if h) + len(bars) * (BAR + GAP) + 12
    title = f"{title} ({unit}{', logarithmic' if scale.log else ''})"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           f'width="{WIDTH}" height="{height}" role="img">',
           f"<title>{html.escape(title)}</title>", STYLE,
           f'<rect class="page" width="{WIDTH}" height="{height}"/>',
           f'<text class="title" x="16" y="26">{html.escape(title)}</text>']  # fmt: skip
    out += _grid(scale, height - 8)
    y = TOP
    for heading, inner in groups:
        if heading:
            out.append(f'<text class="heading" x="16" y="{y + 18}">{html.escape(heading)}</text>')
            y += HEADING
        for bar in inner:
            out += _bar(scale, y, bar)
            y += BAR + GAP
    return "\n".join(out) + "\n</svg>\n"
