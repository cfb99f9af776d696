"""A plot of the benchmark as SVG: seconds against items, and how we stand next to the peer."""

import math
from xml.sax.saxutils import escape

STYLES = {
    "plan_due": ("#1b6ca8", ""),
    "create": ("#0a7d4f", ""),
    "raise": ("#b3541e", ""),
    "behaviour": ("#7a4fa3", ""),
    "debtors": ("#8a6d00", ""),
    "badges": ("#5f6b76", ""),
}
SHORT = {
    "plan_due": "planning",
    "create": "planning + notices",
    "raise": "second run",
    "behaviour": "payment behaviour",
    "debtors": "worklist, first page",
    "badges": "80 contacts",
}
PEER = {"create": "peer: planning + notices", "raise": "peer: second run"}
LEFT, TOP, RIGHT, BOTTOM, WIDTH, HEIGHT = 64, 56, 190, 60, 860, 460
LABEL = 15  # pixels from one label to the next


def draw(results):
    """Return the plot of a run: both axes logarithmic, so that a straight line of slope 1 is linear work."""
    series = _series(results)
    points = [point for _name, _colour, _dash, row in series for point in row]
    if len({items for items, _seconds in points}) < 2:
        return ""
    scale = _Scale(points)
    parts = [*_axes(scale), *_guide(scale)]
    ends = []
    for name, colour, dash, row in series:
        path = " ".join(f"{scale.x(items):.1f},{scale.y(seconds):.1f}" for items, seconds in row)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts += [
            f'<circle cx="{scale.x(items):.1f}" cy="{scale.y(seconds):.1f}" r="3.5" fill="{colour}"/>'
            for items, seconds in row
        ]
        ends.append([scale.y(row[-1][1]), scale.x(row[-1][0]), name, colour])
    parts += _labels(ends)
    title = "Seconds of processor by number of overdue items"
    parts.insert(0, f'<text x="{LEFT}" y="24" font-size="16" font-weight="600">{title}</text>')
    parts.insert(1, f'<text x="{LEFT}" y="43" fill="#555">{escape(_machine(results))}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="Liberation Sans, Arial, sans-serif" font-size="12" role="img">\n'
        f"<title>{title}</title>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _machine(results):
    machine = results["machine"]
    return f"{machine['processor']}, {machine['cores']} cores, {machine['day']}; logarithmic"


def _series(results):
    """Return (name, colour, dashes, [(items, seconds)]) of what has at least two sizes."""
    found = []
    for rows, names, dash in ((results["steps"], SHORT, ""), (results["peer"], PEER, "5 4")):
        for step, name in names.items():
            row = sorted((row["size"], max(row["processor"], 0.01)) for row in rows if row["step"] == step)
            if len(row) > 1:
                found.append((name, STYLES[step][0], dash, row))
    return found


class _Scale:
    """Where a number of items and a number of seconds are on the plot."""

    def __init__(self, points):
        self.items = [_floor(min(items for items, _s in points)), _ceil(max(items for items, _s in points))]
        self.seconds = [_floor(min(s for _i, s in points)), _ceil(max(s for _i, s in points))]

    def x(self, items):
        low, high = self.items
        return LEFT + (math.log10(items) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, seconds):
        low, high = self.seconds
        return HEIGHT - BOTTOM - (math.log10(seconds) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _floor(value):
    return math.floor(math.log10(value) + 1e-9)


def _ceil(value):
    return math.ceil(math.log10(value) - 1e-9)


def _axes(scale):
    for power in range(scale.items[0], scale.items[1] + 1):
        x = scale.x(10**power)
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power:,}</text>'
    for power in range(scale.seconds[0], scale.seconds[1] + 1):
        y = scale.y(10.0**power)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle:.1f}" y="{HEIGHT - 14}" text-anchor="middle" fill="#555">overdue items</text>'


def _guide(scale):
    """Draw what linear work looks like, from the lower left corner."""
    low, high = scale.items
    steps = min(high - low, scale.seconds[1] - scale.seconds[0])
    start, end = (10**low, 10.0 ** scale.seconds[0]), (10 ** (low + steps), 10.0 ** (scale.seconds[0] + steps))
    yield (
        f'<line x1="{scale.x(start[0]):.1f}" y1="{scale.y(start[1]):.1f}" x2="{scale.x(end[0]):.1f}"'
        f' y2="{scale.y(end[1]):.1f}" stroke="#bbb" stroke-dasharray="2 4"/>'
    )
    x, y = scale.x(10 ** (low + 0.5)), scale.y(10 ** (scale.seconds[0] + 0.5))
    yield f'<text x="{x + 10:.1f}" y="{y + 12:.1f}" fill="#888">linear</text>'


def _labels(ends):
    """Write each name at the end of its line, moved apart where lines end close together."""
    right = [end for end in ends if end[1] > WIDTH - RIGHT - 60]
    for group, up in ((right, 0), ([end for end in ends if end not in right], 10)):
        group.sort()
        last = None
        for end in group:
            y = end[0] - up if last is None else max(end[0] - up, last + LABEL)
            last = y
            yield f'<text x="{end[1] + 10:.1f}" y="{y + 4:.1f}" fill="{end[3]}">{escape(end[2])}</text>'
