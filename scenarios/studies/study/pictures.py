# SPDX-License-Identifier: Apache-2.0
"""Pictures of a study, drawn by gnuplot as SVG and PNG.

lines: a figure over an axis, a line for each value of another, with a band of 95 % confidence over seeds. map: a figure
over two axes as colours. Both with `panels`: one beside the other for each value of a further axis, on one scale.
sensitivity: which axis moves which figure. conclusions: in which share of the points each holds, by value of each axis.
"""

import collections
import math
import pathlib
import shutil
import subprocess

from study import statistics
from study.complaints import trouble

TERMINALS = {"svg": "svg size {width},{height} dynamic background rgb 'white' font 'Helvetica,14'",
             "png": "pngcairo size {width},{height} font 'Helvetica,12'"}  # fmt: skip
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
COMMON = ["set termoption noenhanced", "set datafile missing '?'", "set encoding utf8", "set grid back lc rgb '#dddddd'",
          "set tics nomirror", "set border 3"]  # fmt: skip
MAP_COLOURS = "set palette defined (0 '#f7fbff', 0.35 '#9ecae1', 0.7 '#2171b5', 1 '#08306b')"
SHARE_COLOURS = "set palette defined (0 '#b2182b', 0.5 '#fddbc7', 0.999 '#d1e5f0', 1 '#2166ac')"
PANEL = (640, 460)  # pixels


def draw(each, study, what, holds, folder):
    """Both files of a picture. `holds`: conclusions with what they are in each of the table's rows.

    Returns their paths. Raises trouble when gnuplot cannot
    """
    if not shutil.which("gnuplot"):
        raise trouble("there is no gnuplot (Debian's gnuplot-nox), and so no pictures")
    rows = [row for row in what.good() if all(row.values[name] == _value(at) for name, at in each.at.items())]
    panels, script = {"lines": _lines, "map": _map, "sensitivity": _sensitivity,
                      "conclusions": _conclusions}[each.kind](each, study, what, rows, holds)  # fmt: skip
    across = math.ceil(math.sqrt(panels))
    down = math.ceil(panels / across)
    width, height = _size(each, study, across, down)
    title = _quoted(each.title or each.name)
    layout = [f"set multiplot layout {down},{across} title {title} font ',15'"]
    written = []
    for ending, terminal in TERMINALS.items():
        path = pathlib.Path(folder) / f"{each.name}.{ending}"
        head = [f"set terminal {terminal.format(width=width, height=height)}", f"set output {_quoted(path.name)}"]
        _gnuplot("\n".join([*head, *COMMON, *layout, *script, "unset multiplot", ""]), folder, each.name)
        written.append(path)
    return written


def _size(each, study, across, down):
    if each.kind == "conclusions":
        return 1200, 260 + 60 * len(study.conclusions)
    if each.kind == "sensitivity":
        return PANEL[0] * across, 40 + (120 + 34 * len(study.axes)) * down
    return max(900, PANEL[0] * across), 40 + max(520 if across == 1 else 0, PANEL[1] * down if across > 1 else 0)


def _panels(each, rows):
    if not each.panels:
        return {None: rows}
    found = collections.defaultdict(list)
    for row in rows:
        found[row.values[each.panels]].append(row)
    return found


def _lines(each, study, what, rows, _):
    """All panels have one scale. A word's place on the axis is its number among the axis's values."""
    values = study.axes[each.x]
    words = any(one.number is None for one in values)
    places = {_value(one): at if words else one.number for at, one in enumerate(values)}
    script = ["set key outside bottom center horizontal", "set rmargin 6", f"set xlabel {_label(each.x, what)}",
              f"set ylabel {_label(each.y, what)}", f"set xtics ({_tics(values, places)}) rotate by -30"]  # fmt: skip
    script += [f"set logscale {axis} {2 if axis == 'x' and _powers_of_two(study, each.x) else 10}"
               for axis in each.logarithmic]  # fmt: skip
    if words:
        script.append(f"set xrange [-0.5:{len(values) - 0.5}]")
    elif len(values) > 1:  # the tics at its ends are within it, whatever their rounding
        first, *_, last = sorted(float(one.number) for one in values)
        room = 0.01 * (first if "x" in each.logarithmic else last - first)
        script.append(f"set xrange [{first - room!r}:{last * 1.01 if 'x' in each.logarithmic else last + room!r}]")
    panels = {value: _means(each, inside) for value, inside in _panels(each, rows).items()}
    ends = [end for lines in panels.values() for line in lines.values() for mean, band, _ in line.values()
            for end in (mean - band, mean + band)]  # fmt: skip
    script += _scale(each, ends)
    for value, lines in panels.items():
        plots = []
        for at, (line, by_x) in enumerate(lines.items()):
            colour = COLOURS[at % len(COLOURS)]
            data = [f"{places[x]} {mean!r} {mean - band!r} {mean + band!r}" for x, (mean, band, _) in by_x.items()]
            script += [f"$line{at} << EOD", *data, "EOD"]
            if any(number > 1 for _, _, number in by_x.values()):
                plots.append(f"$line{at} using 1:3:4 with filledcurves fc rgb '{colour}' fs transparent solid 0.2 notitle")
            title = _quoted(_short(each.lines, study, line) if each.lines else each.y)
            plots.append(f"$line{at} using 1:2 with linespoints lc rgb '{colour}' lw 2 pt 7 ps 0.6 title {title}")
        script.append(f"set title {_quoted(_panel_title(each, study, value))}")
        script.append("plot " + ", ".join(plots) if plots else "plot NaN notitle")
    return len(panels), script


def _scale(each, ends):
    """Of the figure, for all panels."""
    if "y" in each.logarithmic:
        above = [end for end in ends if end > 0]
        return [f"set yrange [{min(above) / 1.5!r}:{max(above) * 1.5!r}]"] if above else []
    least, most = min(ends, default=0), max(ends, default=0)
    if each.zero:
        least, most = min(0, least), max(0, most)
    room = 0.05 * (most - least) or 1
    return [f"set yrange [{least - room * (least != 0)!r}:{most + room!r}]"]


def _means(each, rows):
    """Line -> x -> mean, half of its band, and of how many."""
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        if isinstance(row.figures.get(each.y), (int, float)):
            groups[row.values[each.lines] if each.lines else None][row.values[each.x]].append(row.figures[each.y])
    return {line: {x: (*statistics.mean_and_band(found), len(found)) for x, found in by_x.items()}
            for line, by_x in groups.items()}  # fmt: skip


def _map(each, study, what, rows, _):
    script = ["unset key", "unset grid", "set border 0", "set tics scale 0", MAP_COLOURS]
    script += [f"set xlabel {_label(each.x, what)}", f"set ylabel {_label(each.y, what)}",
               f"set cblabel {_label(each.figure, what)}"]  # fmt: skip
    places = {axis: {_value(one): at for at, one in enumerate(study.axes[axis])} for axis in (each.x, each.y)}
    for axis, letter in ((each.x, "x"), (each.y, "y")):
        script += [f"set {letter}tics ({_tics(study.axes[axis], places[axis])})", f"set {letter}range [-0.5:{len(study.axes[axis]) - 0.5}]"]
    known = [row.figures[each.figure] for row in rows if isinstance(row.figures.get(each.figure), (int, float))]
    if known and min(known) < max(known):
        script.append(f"set cbrange [{min(known)!r}:{max(known)!r}]")
    panels = _panels(each, rows)
    for value, inside in panels.items():
        groups = collections.defaultdict(list)
        for row in inside:
            if isinstance(row.figures.get(each.figure), (int, float)):
                groups[places[each.x][row.values[each.x]], places[each.y][row.values[each.y]]].append(
                    row.figures[each.figure])  # fmt: skip
        data = [f"{x} {y} {statistics.mean_and_band(found)[0]!r}" for (x, y), found in groups.items()]
        script += ["$cells << EOD", *data, "EOD", f"set title {_quoted(_panel_title(each, study, value))}"]
        script += _cells(known, "%.4g") if data else ["plot NaN notitle"]
    return len(panels), script


def _sensitivity(each, study, what, rows, _):
    axes = [name for name, values in study.axes.items() if len(values) > 1]
    script = ["unset key", "set xrange [0:1]", "set style fill solid 0.85", f"set yrange [{len(axes) - 0.4}:-0.6]",
              "set xlabel 'first-order index'", "set rmargin 4"]  # fmt: skip
    tics = ", ".join(f"{_tic(name)} {at}" for at, name in enumerate(axes))
    script.append(f"set ytics ({tics})")
    for figure in each.figures:
        found = statistics.first_order(rows, axes, figure)
        data = [f"{at} {found[name] or 0!r}" for at, name in enumerate(axes)]
        script += ["$bars << EOD", *data, "EOD", f"set title {_quoted(figure)}",
                   f"plot $bars using ($2/2):1:($2/2):(0.35) with boxxyerror lc rgb '{COLOURS[0]}' notitle, "
                   "$bars using ($2 < 0.85 ? $2 + 0.01 : $2 - 0.08):1:(sprintf('%.2f', $2)) with labels left notitle"]  # fmt: skip
    return len(each.figures), script


def _conclusions(_, study, what, rows, holds):
    every = [row.number for row in rows]
    kept = [at for at, row in enumerate(what.good()) if row.number in set(every)]
    axes = [name for name, values in study.axes.items() if len(values) > 1 and name != statistics.SEED]
    columns = [(None, None, "all points")]
    columns += [(name, _value(one), f"{name} = {one.text}") for name in axes for one in study.axes[name]]
    data = []
    for at, found in enumerate(holds.values()):
        shares = statistics.shares(rows, axes, [found[one] for one in kept])
        data += [f"{column} {at} {shares[name, value]!r}" for column, (name, value, _) in enumerate(columns)
                 if (name, value) in shares]  # fmt: skip
    xtics = ", ".join(f"{_tic(text)} {at}" for at, (_, _, text) in enumerate(columns))
    ytics = ", ".join(f"{_tic(name)} {at}" for at, name in enumerate(holds))
    script = ["unset key", "unset grid", "set border 0", "set tics scale 0", SHARE_COLOURS, "set cbrange [0:1]",
              f"set xtics ({xtics}) rotate by -45", f"set ytics ({ytics})", f"set xrange [-0.5:{len(columns) - 0.5}]",
              f"set yrange [{len(holds) - 0.5}:-0.5]", "set cblabel 'share of the points in which it holds'",
              "$cells << EOD", *data, "EOD"]  # fmt: skip
    return 1, script + _cells([0, 1], "%.2f")


def _cells(known, form):
    """Cells with their value in them, white where the colour is dark."""
    middle = (min(known) + max(known)) / 2 if known else 0
    dark = f"$3 > {middle!r}" if form != "%.2f" else "$3 > 0.9995 || $3 < 0.25"
    colour = f"({dark} ? 0xffffff : 0x222222)"
    return ["plot $cells using 1:2:(0.5):(0.5):3 with boxxyerror fs solid 1 noborder lc palette notitle, "
            f"$cells using 1:2:(sprintf('{form}', $3)):{colour} with labels tc rgb variable font ',10' notitle"]  # fmt: skip


def _powers_of_two(study, axis):
    numbers = [float(each.number) for each in study.axes[axis]]
    return all(each > 0 and math.log2(each).is_integer() for each in numbers)


def _tics(values, places):
    shown = values if len(values) <= 12 else values[:: math.ceil(len(values) / 10)]
    return ", ".join(f"{_tic(each.text)} {places[_value(each)]}" for each in shown)


def _short(axis, study, value):
    text = next(each.text for each in study.axes[axis] if _value(each) == value)
    return f"{axis} {text}"


def _panel_title(each, study, value):
    return _short(each.panels, study, value) if each.panels else ""


def _label(name, what):
    unit = what.units[name]
    return _quoted(f"{name} ({unit})" if unit else name)


def _value(one):
    """As the table's rows have it."""
    if one.number is None:
        return one.text
    return int(one.number) if one.number == one.number.to_integral_value() else float(one.number)


def _quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def _tic(text):
    """The label of one, which gnuplot takes for a format."""
    return _quoted(str(text).replace("%", "%%"))


def _gnuplot(script, folder, name):
    done = subprocess.run(["gnuplot"], input=script, text=True, cwd=folder, capture_output=True, check=False,
                          errors="surrogateescape")  # fmt: skip
    if done.returncode != 0:
        raise trouble(f"picture {name}: gnuplot: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
