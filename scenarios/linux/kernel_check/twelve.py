# SPDX-License-Identifier: Apache-2.0
"""The twelve cells of the series of 2018, as tables and as a plot."""

import pathlib
import subprocess

from guest_image.progress import failure
from kernel_check import costs, places

LOADS = (
    costs.load("disk", 512, 1),
    costs.load("disk", 4096, 1),
    costs.load("disk", 65536, 1),
    costs.load("disk", 4096, 8),
    costs.load("echo", 64, 1),
    costs.load("echo", 1400, 1),
    costs.load("echo", 1400, 8),
)
PLOTTED = LOADS[1]
SHADES = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")  # viridis
BEGIN, END = places.lines_of("series")


def document(path, rows):
    return places.filled(path, BEGIN, END, works(rows) + "".join(cost(rows, what) for what in LOADS))


def works(rows):
    head = "kernel | guest | ACCESS_PLATFORM | I/O | refused accesses | private pages named | bytes copied".split(" | ")
    lines = []
    for row in rows:
        secure = row["name"].startswith("secure")
        lines.append([
            row["variant"],
            _guest(row),
            _offered(row),
            "works" if not row["faults"] else f"**does not**: {row['faults'][0].partition(':')[0]}",
            row["refused_accesses"],
            row["private_pages"],
            row["bytes_copied"] if secure else "",
        ])  # fmt: skip
    return places.table(head, lines) + "\n"


def cost(rows, what):
    """Of one request of a load; cells without I/O have none."""
    parts = list(costs.PARTS)
    counted = ("us", "indirect calls", "hypercalls", "ultracalls")
    head = ["kernel", "guest", "ACCESS_PLATFORM", "instructions", *parts, "the rest", *counted]
    lines = []
    for row in rows:
        of = row["costs"][what]
        if of:
            rest = of["instructions"] - sum(of[part] for part in parts)
            numbers = [of["instructions"], *(of[part] for part in parts), rest]
            lines.append([row["variant"], _guest(row), _offered(row), *(f"{each:.0f}" for each in numbers),
                          *(f"{of[each]:.2f}" for each in counted)])  # fmt: skip
    return f"{what.title()}, in instructions of the guest:\n\n{places.table(head, lines)}\n"


def plot(rows, path):
    """Instructions of a request by part, a bar for each cell that works: a PNG, and an SVG beside it.

    Raises failure when gnuplot fails
    """
    shown = [row for row in rows if row["costs"][PLOTTED]]
    parts = list(costs.PARTS)
    data = "".join(
        f'"{row["variant"]}\\n{_guest(row)}\\n{_offered(row) or "not offered"}" '
        + " ".join(f"{row['costs'][PLOTTED][part]:.1f}" for part in parts) + "\n"
        for row in shown
    )
    drawing = "\n".join([
        f"set title 'Instructions of a request of {PLOTTED.size} bytes on the way that the series changes'",
        "set style data histogram", "set style histogram rowstacked", "set style fill solid 1 border rgb '#000000'",
        "set boxwidth 0.7", "set bmargin 5", "set ylabel 'instructions'", "set key outside right invert", "set grid y",
        "plot " + ", ".join(f"$data using {at + 2}:xtic(1) linecolor rgb '{_shade(at, len(parts))}' title '{part}'"
                            for at, part in enumerate(parts)),
        "set output",
    ])  # fmt: skip
    svg = pathlib.Path(path).with_suffix(".svg")
    script = "\n".join([
        f"$data << EOD\n{data}EOD",
        f"set terminal pngcairo size 1400,800\nset output '{path}'", drawing,
        f"set terminal svg size 1400,800 background '#ffffff'\nset output '{svg}'", drawing,
    ])  # fmt: skip
    done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise failure(f"gnuplot: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")


def _shade(part, of):
    """From dark to bright, so that neighbours differ when printed grey, too."""
    return SHADES[part * (len(SHADES) - 1) // max(1, of - 1)]


def _guest(row):
    return row["name"].partition("+")[0]


def _offered(row):
    return "offered" if row["access_platform"] else ""
