# SPDX-License-Identifier: GPL-3.0-or-later
"""What dev bench --write leaves in docs/performance.md: the table of both tiers, and beside the page a plot of it. Bars are
the CPU that a sensor adds, of the workload's own and of its process's; a target is a mark. Scales are logarithmic."""
import math
import re
from html import escape
from pathlib import Path

from reference import WORKLOADS

TOP = Path(__file__).resolve().parent.parent
PAGE = TOP / "docs/performance.md"
PLOT = TOP / "docs/performance.svg"
BEGIN, END = "<!-- written by ./dev bench --write -->", "<!-- end of what ./dev bench --write writes -->"
TITLES = {
    "exec": "fork and exec of a static true",
    "fork": "fork and exit",
    "file": "file: create, write, close, rename, unlink",
    "tcp": "tcp: connect, send, receive, close",
    "udp": "udp: query and answer",
    "write": "write to /dev/null",
    "read": "read from /dev/zero",
    "getppid": "getppid",
    "futex": "futex",
    "mix": "untar, compile, shell pipeline",
    "mix_again": "the same, in the same sensor",
}
BEST_PEER = re.compile(r"([\d.]+)(?: / ([\d.]+)( ms)?)?")
US_PER_MS = 1000

STYLE = """
text { font: 12px sans-serif; fill: #24292f }
.small { font-size: 10.5px }
.head { font-weight: bold }
.grid { stroke: #d0d7de; stroke-width: 1 }
.tracepoint { fill: #1f6feb }
.trampoline { fill: #2da44e }
.peer { fill: #a0a7af }
.target { stroke: #cf222e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.grid { stroke: #3d444d }
.tracepoint { fill: #58a6ff }
.trampoline { fill: #3fb950 }
.peer { fill: #7d8590 }
.target { stroke: #ff7b72 }
}
"""
LEFT, WIDTH, GAP = 290, 300, 70  # of a panel, and between the two
BAR, GROUP, TOP_MARGIN = 9, 42, 62
LABEL_SIZE = 42
LABELS_MAX = 6  # of an axis


def best_peer(name):
    """Slowdown and sensor us per operation of the peer named first; None where nothing is known."""
    match = BEST_PEER.match(WORKLOADS[name][2])
    if not match:
        return None, None
    us = float(match[2]) * (US_PER_MS if match[3] else 1) if match[2] else None
    return float(match[1]), us


def number(value):
    """Three digits that mean something, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def table(tracepoint, trampoline):
    yield "| workload | us without | tracepoints: slowdown | target | sensor us | trampolines: slowdown | target | sensor us | target, sensor us | best peer |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, title in TITLES.items():
        if name not in tracepoint or name not in trampoline:
            continue
        a, b = tracepoint[name], trampoline[name]
        *_, of_a, of_b, us = WORKLOADS[name]
        yield (
            f"| {title} | {number(a['alone_us'])} | {a['slowdown']:.3f} | {of_a:.2f} | {number(a['sensor_us'])} |"
            f" {b['slowdown']:.3f} | {of_b:.2f} | {number(b['sensor_us'])} | {us:,} | {WORKLOADS[name][2]} |"
        )


class Scale:
    """From least on, which is the left edge."""

    def __init__(self, left, least, most):
        self.left, self.least = left, least
        self.decades = math.log10(most / least)

    def at(self, value):
        value = max(value, self.least)
        return self.left + WIDTH * math.log10(value / self.least) / self.decades

    def ticks(self):
        """(value, whether there is room for its label)"""
        step = math.ceil(self.decades / LABELS_MAX)
        for i in range(round(self.decades) + 1):
            yield self.least * 10**i, i % step == 0


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def bar(scale, y, value, target, kind, words):
    end = scale.at(value)
    yield f'<rect x="{scale.left}" y="{y}" width="{max(end - scale.left, 1):.1f}" height="{BAR}" class="{kind}"/>'
    if target:
        x = scale.at(target)
        yield f'<line x1="{x:.1f}" y1="{y - 1}" x2="{x:.1f}" y2="{y + BAR + 1}" class="target"/>'
        if x > end - 1:
            end = x
    yield text(end + 4, y + BAR, words, "small")


def panel(scale, names, head, label, bars):
    """bars: for a workload, (kind, value or None, target or None) of each bar."""
    bottom = TOP_MARGIN + GROUP * len(names)
    yield text(scale.left, TOP_MARGIN - 24, head, "head")
    for tick, labelled in scale.ticks():
        x = scale.at(tick)
        yield f'<line x1="{x:.1f}" y1="{TOP_MARGIN - 4}" x2="{x:.1f}" y2="{bottom}" class="grid"/>'
        if labelled:
            yield text(x, TOP_MARGIN - 9, label(tick), "small", "middle")
    for i, name in enumerate(names):
        for j, (kind, value, target) in enumerate(bars(name)):
            y = TOP_MARGIN + i * GROUP + 4 + j * (BAR + 2)
            if value is not None:
                yield from bar(scale, y, value, target, kind, label(value))


def percent(value):
    return f"{value:,.0f} %" if value >= 10 else f"{value:.2g} %"


def microseconds(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def plot(tracepoint, trampoline):
    names = [n for n in TITLES if n in tracepoint and n in trampoline]

    def slowdowns(name):
        peer, _ = best_peer(name)
        *_, of_a, of_b, _ = WORKLOADS[name]
        yield "tracepoint", (tracepoint[name]["slowdown"] - 1) * 100, (of_a - 1) * 100
        yield "trampoline", (trampoline[name]["slowdown"] - 1) * 100, (of_b - 1) * 100
        yield "peer", (peer - 1) * 100 if peer else None, None

    def costs(name):
        _, peer = best_peer(name)
        us = WORKLOADS[name][-1]
        yield "tracepoint", tracepoint[name]["sensor_us"], us
        yield "trampoline", trampoline[name]["sensor_us"], us
        yield "peer", peer, None

    height = TOP_MARGIN + GROUP * len(names) + 10
    width = LEFT + 2 * WIDTH + GAP + LABEL_SIZE + 20
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    yield "<title>What the sensor costs, beside the best peer and the targets</title>"
    yield f"<style>{STYLE}</style>"
    for i, (kind, words) in enumerate((("tracepoint", "tracepoints"), ("trampoline", "trampolines"), ("peer", "best peer"))):
        yield f'<rect x="{8 + i * 95}" y="8" width="12" height="{BAR}" class="{kind}"/>'
        yield text(24 + i * 95, 17, words)
    yield '<line x1="300" y1="6" x2="300" y2="19" class="target"/>' + text(306, 17, "target")
    for i, name in enumerate(names):
        yield text(LEFT - 10, TOP_MARGIN + i * GROUP + 22, TITLES[name], anchor="end")
    yield from panel(Scale(LEFT, 0.1, 10000), names, "CPU added to the workload", percent, slowdowns)
    yield from panel(Scale(LEFT + WIDTH + GAP, 0.001, 10**7), names, "CPU of the sensor, us an operation", microseconds, costs)
    yield "</svg>"


def write_page(tracepoint, trampoline):
    PLOT.write_text("\n".join(plot(tracepoint, trampoline)) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN + "\n")
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{PAGE}: no lines {BEGIN} and {END}")
    image = f"![CPU added to workloads and CPU of the sensor, of both tiers and the best peer]({PLOT.name})"
    written = "\n".join(table(tracepoint, trampoline))
    PAGE.write_text(f"{before}{BEGIN}\n{written}\n\n{image}\n{END}{after}")
