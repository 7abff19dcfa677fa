# SPDX-License-Identifier: Apache-2.0
"""The results of a study: a row for each point, in the order of the points, and nothing of the host that ran them.

    results.csv     units in the head: "throughput [MB/s]"
    results.jsonl   a line for each point, with its units
    times.csv       how long each point took and how much memory, here and now: the only file that differs between hosts
"""

import csv
import json
import os
import uuid
from decimal import Decimal
from typing import NamedTuple

from study import expressions, points
from study.complaints import mistake

FACTS = ("point", "status", "reason")  # columns besides axes and figures
TIMES = ("point", "key", "seconds", "cpu_seconds", "peak_bytes", "host")


class row(NamedTuple):
    number: int
    values: dict  # axis -> number or text
    figures: dict  # name -> number, text or None
    status: str
    reason: str


class table(NamedTuple):
    rows: list
    units: dict  # of axes and figures: name -> text, perhaps ""

    def good(self):
        """Rows that have figures."""
        return [each for each in self.rows if each.status != "failed"]


def of(study, subject, found, results):
    """Of the points that are finished. Raises mistake when a formula cannot be."""
    formulas = compiled(study, subject)
    units = {name: _unit_of_axis(study, subject, name) for name in study.axes}
    units |= {name: each.unit for name, each in study.figures.items()}
    rows = []
    for point in found:
        record = results.finished(point.key)
        if not record:
            continue
        figures = {}
        if record["status"] != "failed":
            known = points.numbers_of(study, subject, point.values) if formulas else {}
            for name, each in study.figures.items():
                if each.path:
                    figures[name], unit = record["figures"][each.path]
                    units[name] = units[name] or unit
                else:
                    figures[name] = _plain(formulas[name](known | _exact(figures)))
        values = {name: _plain(points.number_of(each)) for name, each in point.values.items()}
        rows.append(row(point.number, values, figures, record["status"], record["reason"]))
    return table(rows, units)


def check(study, subject):
    """Raises mistake when a formula, a conclusion or an axis's unit cannot be."""
    of(study, subject, [], None)
    conclusions(study, subject, [])


def compiled(study, subject):
    """The formulas of figures: name -> expression. Raises mistake."""
    known, found = points.names_known(study, subject), {}
    for name, each in study.figures.items():
        if each.formula:
            found[name] = expressions.expression(each.formula, known, f"figure {name}:")
        known[name] = None
    return found


def conclusions(study, subject, rows):
    """Conclusion -> for each row whether it holds, None where a figure is missing. Raises mistake."""
    known = points.names_known(study, subject) | dict.fromkeys(study.figures)
    base = points.numbers_of(study, subject, {})
    found = {}
    for name, text in study.conclusions.items():
        holds = expressions.expression(text, known, f"conclusion {name}:")
        found[name] = [holds(base | _exact(each.values) | _exact(each.figures)) for each in rows]
    return found


def write(what, study, folder):
    """The two files of results. Returns their paths."""
    names = [*study.axes, *study.figures]
    head = ["point", *(f"{name} [{what.units[name]}]" if what.units[name] else name for name in names), *FACTS[1:]]
    rows = [[each.number, *each.values.values(), *(each.figures.get(name) for name in study.figures), each.status,
             each.reason] for each in what.rows]  # fmt: skip
    units = {name: unit for name, unit in what.units.items() if unit}
    lines = [{**dict(zip(["point", *names, *FACTS[1:]], cells)), "units": units} for cells in rows]
    return [
        replaced(folder / "results.csv", lambda file: _csv(file, head, rows)),
        replaced(folder / "results.jsonl", lambda file: file.writelines(json.dumps(each) + "\n" for each in lines)),
    ]


def write_times(found, results, folder):
    rows = []
    for point in found:
        record = results.finished(point.key)
        if record:
            rows.append([point.number, point.key, *(record[name] for name in ("seconds", "cpu", "peak", "host"))])
    return replaced(folder / "times.csv", lambda file: _csv(file, TIMES, rows))


def replaced(path, write_into):
    """The file stands there when it is whole, and what stood there until then."""
    scratch = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(scratch, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            write_into(file)
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    return path


def _csv(file, head, rows):
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)


def _unit_of_axis(study, subject, name):
    found = {each.unit for each in study.axes[name] if each.unit}
    if len(found) > 1:
        raise mistake(f"axis {name}: values of {' and '.join(sorted(found))}")
    if name not in subject.parameters:
        return next(iter(found), "")
    return subject.unit_of(name)


def _exact(values):
    return {name: Decimal(repr(each)) if isinstance(each, (int, float)) else each for name, each in values.items()}


def _plain(value):
    """A number as JSON and CSV have it: whole where it is."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
