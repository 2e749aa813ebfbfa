"""Tables, JSON, docs/performance.md and its plots, from what was measured."""

import json
import statistics
from html import escape

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
COLORS = {"Quire": "#2f6fb3", "nginx": "#8a8f98", "caddy": "#b9a36a", "vcsim": "#c06a4f"}


def shown(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def verdict(row):
    if row.reaches(row.aim):
        return "aim reached"
    return "bar reached" if row.reaches(row.bar) else "**missed**"


def row_cells(row):
    unit = f" {row.unit}"
    return [row.work, shown(row.value) + unit, f"{row.sense} {shown(row.bar)}", f"{row.sense} {shown(row.aim)}", verdict(row)]


def group_cells(group):
    for name, samples in group.samples.items():
        yield [name, *(shown(figure(samples)) for figure in (statistics.median, min, max))]


def markdown_table(head, lines):
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def text_table(head, lines):
    rows = [head, *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def as_text(groups):
    parts = []
    for group in groups:
        head = [f"{group.title} ({group.unit})", "median", "min", "max"]
        parts.append(text_table(head, list(group_cells(group))))
    rows = [[cell.replace("**", "") for cell in row_cells(row)] for group in groups for row in group.rows]
    parts.append(text_table(["work", "measured", "bar", "aim", ""], rows))
    return "\n\n".join(parts)


def as_json(groups, facts):
    return json.dumps(
        {
            "facts": facts,
            "groups": {group.name: {"title": group.title, "unit": group.unit, "samples": group.samples} for group in groups},
            "rows": {row.name: {"work": row.work, "value": row.value, "unit": row.unit, "sense": row.sense, "bar": row.bar,
                                "aim": row.aim, "bar_reached": row.reaches(row.bar)}
                     for group in groups for row in group.rows},
        },
        indent=1,
    )


def bars_svg(group):
    """Horizontal bars: medians, with a line from the smallest to the largest figure."""
    width, label_width, bar_height, top = 760, 250, 18, 34
    names = group.plotted
    largest = max(max(group.samples[name]) for name in names)
    scale = (width - label_width - 90) / largest
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top + len(names) * (bar_height + 8) + 8}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="10" y="20" font-size="14">{escape(group.title)} ({escape(group.unit)}), medians</text>',
    ]
    for number, name in enumerate(names):
        y = top + number * (bar_height + 8)
        samples = group.samples[name]
        median = statistics.median(samples)
        color = next((color for who, color in COLORS.items() if name.startswith(who)), "#5b8f5b")
        middle = y + bar_height / 2
        parts += [
            f'<text x="{label_width - 8}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{label_width}" y="{y}" width="{median * scale:.1f}" height="{bar_height}" fill="{color}"/>',
            f'<line x1="{label_width + min(samples) * scale:.1f}" x2="{label_width + max(samples) * scale:.1f}" '
            f'y1="{middle}" y2="{middle}" stroke="#222222"/>',
            f'<text x="{label_width + max(samples) * scale + 6:.1f}" y="{middle + 4}">{shown(median)}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def as_markdown(groups, facts, plot_folder):
    parts = [
        f"Measured {facts['date']} on {facts['machine']} with `{facts['command']}`: {facts['rounds']} rounds. "
        f"Beside Quire: {facts['peers']}. {facts['network']}",
        markdown_table(["work", "measured", "bar", "aim", ""], [row_cells(row) for group in groups for row in group.rows]),
    ]
    for group in groups:
        parts.append(f"### {group.title} ({group.unit})")
        if group.plotted:
            parts.append(f"![{group.title}]({plot_folder}/{group.name}.svg)")
        parts.append(markdown_table(["", "median", "min", "max"], list(group_cells(group))))
    return "\n\n".join(parts)


def write_document(path, groups, facts):
    """Puts the figures between the two marks of the document and the plots beside it; the rest is people's."""
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    plots = path.parent / path.stem
    plots.mkdir(exist_ok=True)
    path.write_text(before + BEGIN + "\n\n" + as_markdown(groups, facts, path.stem) + "\n\n" + END + after)
    for group in groups:
        if group.plotted:
            (plots / f"{group.name}.svg").write_text(bars_svg(group))
    (plots / "figures.json").write_text(as_json(groups, facts) + "\n")
