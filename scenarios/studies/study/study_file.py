# SPDX-License-Identifier: Apache-2.0
"""Reads FILE.toml, and refuses what cannot be a study. What only the scenario knows is looked at in points.py."""

import pathlib
import re
import tomllib
from decimal import Decimal
from typing import NamedTuple

from study import axes, figures, quantities
from study.complaints import mistake, unknown

KEYS = ("title", "scenario", "time-limit", "parameters", "axes", "constraints", "figures", "conclusions", "pictures")
FIGURE_KEYS = ("path", "formula", "unit")
PICTURE_KEYS = ("name", "kind", "title", "proves", "x", "y", "lines", "figure", "figures", "panels", "at", "logarithmic", "zero")
# Kind of picture -> what it must say, what it may say besides.
KINDS = {
    "lines": (("x", "y"), ("lines", "panels", "at", "logarithmic", "zero")),
    "map": (("x", "y", "figure"), ("panels", "at")),
    "sensitivity": (("figures",), ()),
    "conclusions": ((), ()),
}
NAME = re.compile(r"[A-Za-z][\w-]*")
TIME_LIMIT = "3600s"  # of the host's time, for one point
LARGEST = 2**20  # bytes of a study file


class picture(NamedTuple):
    name: str
    kind: str
    title: str
    proves: str
    x: str
    y: str
    lines: str
    figure: str
    figures: tuple
    panels: str
    at: dict
    logarithmic: tuple
    zero: bool  # the axis of the figure begins there


class study(NamedTuple):
    file: pathlib.Path
    title: str
    scenario: str
    time_limit: float  # seconds
    parameters: dict  # name -> quantities: more than one where it is repeated
    axes: dict  # name -> quantities
    constraints: list
    figures: dict
    conclusions: dict  # name -> text
    pictures: list

    @property
    def name(self):
        return self.file.stem


def read(file):
    """Raises mistake."""
    file = pathlib.Path(file)
    try:
        if file.is_file() and file.stat().st_size > LARGEST:
            raise mistake(f"{file}: larger than 1 MiB")
        table = tomllib.loads(file.read_bytes().decode(), parse_float=Decimal)
    except OSError as error:
        raise mistake(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise mistake(f"{file}: not UTF-8, and so not TOML") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise mistake(f"{file}: {error or 'tables in tables in tables'}") from None
    try:
        return _study(file, table)
    except mistake as error:
        raise mistake(f"{file}: {error}") from None


def _study(file, table):
    _only_known(table, KEYS, "key")
    if "scenario" not in table:
        raise mistake("there is no 'scenario'")
    limit = quantities.read(_of_type(table, "time-limit", str, TIME_LIMIT))
    if limit.unit != "ns" or limit.number <= 0:
        raise mistake(f"time-limit: '{limit.text}' is no duration, such as 60s")
    found = study(
        file=file,
        title=_of_type(table, "title", str, file.stem),
        scenario=_of_type(table, "scenario", str, ""),
        time_limit=float(limit.number) / 1e9,
        parameters=dict(_parameters(_of_type(table, "parameters", dict, {}))),
        axes={name: axes.values(name, each) for name, each in _flat(_of_type(table, "axes", dict, {}))},
        constraints=_of_type(table, "constraints", list, []),
        figures=dict(_figures(_of_type(table, "figures", dict, {}))),
        conclusions=_of_type(table, "conclusions", dict, {}),
        pictures=[_picture(each) for each in _of_type(table, "pictures", list, [])],
    )
    if not found.figures:
        raise mistake("there are no figures to keep")
    for name in found.axes:
        if name in found.parameters:
            raise mistake(f"{name} is an axis and a parameter")
    for name in found.figures:
        if name in found.axes:
            raise mistake(f"{name} is an axis and a figure")
    for each in found.pictures:
        _check_picture(each, found)
    names = [each.name for each in found.pictures]
    if len(set(names)) < len(names):
        raise mistake(f"two pictures have the name {next(name for name in names if names.count(name) > 1)}")
    return found


def _only_known(table, known, what):
    for key in table:
        if key not in known:
            raise mistake(unknown(what, key, known))


def _of_type(table, key, kind, fallback, where=""):
    value = table.get(key, fallback)
    if not isinstance(value, kind):
        words = {str: "text", dict: "a table", list: "a list"}
        raise mistake(f"{where}{key}: {value!r} is not {words[kind]}")
    return value


def _flat(table, prefix=""):
    """Tables give the dotted prefix, as in a scenario's own configuration: [swiotlb] size is swiotlb.size."""
    for key, value in table.items():
        if isinstance(value, dict) and not axes.is_range(value):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _parameters(table):
    for name, value in _flat(table):
        try:
            yield name, [quantities.read(each) for each in (value if isinstance(value, list) else [value])]
        except TypeError as error:
            raise mistake(f"parameter {name}: {error}") from None


def _figures(table):
    for name, value in table.items():
        if not NAME.fullmatch(name):
            raise mistake(f"figure {name!r}: a name is letters, digits, - and _")
        value = {"path": value} if isinstance(value, str) else value
        if not isinstance(value, dict):
            raise mistake(f"figure {name}: {value!r} is neither a path nor a table")
        try:
            _only_known(value, FIGURE_KEYS, "key")
        except mistake as error:
            raise mistake(f"figure {name}: {error}") from None
        path, formula, unit = (_of_type(value, key, str, "", f"figure {name}: ") for key in FIGURE_KEYS)
        if bool(path) == bool(formula):
            raise mistake(f"figure {name}: has neither path nor formula" if not path else
                          f"figure {name}: has both path and formula")  # fmt: skip
        yield name, figures.figure(name, path, formula, unit, figures.steps_of(name, path) if path else ())


def _picture(table):
    if not isinstance(table, dict):
        raise mistake("pictures are tables, [[pictures]]")
    name = _of_type(table, "name", str, "", "picture: ")
    if not NAME.fullmatch(name):
        raise mistake(f"picture '{name}': its name is that of files: letters, digits, - and _")
    try:
        _only_known(table, PICTURE_KEYS, "key")
        text = {key: _of_type(table, key, str, "") for key in
                ("kind", "title", "proves", "x", "y", "lines", "figure", "panels")}  # fmt: skip
        shown, logarithmic = (tuple(_of_type(table, key, list, [])) for key in ("figures", "logarithmic"))
        at = {key: _quantity(value) for key, value in _flat(_of_type(table, "at", dict, {}))}
        if text["kind"] not in KINDS:
            raise mistake(unknown("kind", text["kind"], KINDS) + f"; there are {', '.join(KINDS)}")
        if not isinstance(table.get("zero", True), bool):
            raise mistake(f"zero: {table['zero']!r} is neither true nor false")
        must, may = KINDS[text["kind"]]
        for key in must:
            if key not in table:
                raise mistake(f"{text['kind']} need '{key}'")
        for key in table:
            if key not in (*must, *may, "name", "kind", "title", "proves"):
                raise mistake(f"{text['kind']} have no '{key}'")
    except mistake as error:
        raise mistake(f"picture {name}: {error}") from None
    return picture(name, text["kind"], text["title"], text["proves"], text["x"], text["y"], text["lines"],
                   text["figure"], shown, text["panels"], at, logarithmic,
                   table.get("zero", True))  # fmt: skip


def _quantity(value):
    try:
        return quantities.read(value)
    except TypeError as error:
        raise mistake(f"at: {error}") from None


def _check_picture(each, of):
    axis = [each.x, each.lines, each.panels, *each.at] + [each.y] * (each.kind == "map")
    shown = [each.figure, *each.figures] + [each.y] * (each.kind == "lines")
    for words, known, what in ((axis, of.axes, "axis"), (shown, of.figures, "figure"),
                               (each.logarithmic, ("x", "y"), "axis")):  # fmt: skip
        for word in words:
            if word != "" and word not in known:
                raise mistake(f"picture {each.name}: {unknown(what, str(word), known)}")
    for name, value in each.at.items():
        if not any(_same(value, one) for one in of.axes[name]):
            raise mistake(f"picture {each.name}: axis {name} has no value {value.text}")
    if each.kind in ("lines", "map"):
        shown_axes = {*axis} - {""}
        for name, values in of.axes.items():
            if len(values) > 1 and name != "seed" and name not in shown_axes:
                raise mistake(f"picture {each.name}: axis {name} is not in it; at = {{ '{name}' = ... }} chooses a value")
    if each.kind == "conclusions" and not of.conclusions:
        raise mistake(f"picture {each.name}: there are no conclusions")


def _same(one, other):
    return one.number == other.number if one.number is not None else one.text == other.text
