# SPDX-License-Identifier: Apache-2.0
"""Values as a study file has them ("256KiB", 10, "12.5us", true), with the number that they stand for.

A size is a number of bytes, a duration one of ns. Numbers are exact: decimals, until a file or a picture takes them.
"""

import re
from decimal import Decimal
from typing import NamedTuple

WRITTEN_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SIZES = {**WRITTEN_SIZES, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
DURATIONS = {"ps": Decimal("0.001"), "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
LITERAL = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) ?(B|[KMGT]iB|[kMGT]B|ps|ns|us|ms|s)?")


class quantity(NamedTuple):
    text: str  # as a scenario takes it
    number: Decimal | None  # None: a word
    unit: str  # "bytes", "ns", or "" where the value itself does not tell


def read(value):
    """Of a value of TOML. Raises TypeError when it is a table, a list or a date."""
    if isinstance(value, bool):
        return quantity("yes" if value else "no", None, "")
    if isinstance(value, (int, Decimal)):
        number = Decimal(value)
        return quantity(_plain(number), number, "")
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is neither a number, nor text, nor true or false")
    found = LITERAL.fullmatch(value)
    if not found:
        return quantity(value, None, "")
    number = Decimal(found[1])
    if found[2] in SIZES:
        return quantity(value, number * SIZES[found[2]], "bytes")
    if found[2] in DURATIONS:
        return quantity(value, number * DURATIONS[found[2]], "ns")
    return quantity(value, number, "")


def write(number, unit):
    """The quantity of a number that was computed, in the largest unit in which it is whole."""
    units = {"bytes": WRITTEN_SIZES, "ns": DURATIONS}.get(unit)
    if not units:
        return quantity(_plain(number), number, unit)
    for name, factor in sorted(units.items(), key=lambda row: -row[1]):
        if number % factor == 0 and number:
            return quantity(_plain(number / factor) + name, number, unit)
    return quantity(_plain(number) + {"bytes": "B", "ns": "ns"}[unit], number, unit)


def for_people(number):
    """A number in few digits: 3715.57, 12, 0.001."""
    return f"{float(number):.6g}"


def of_duration(seconds):
    """ "40 ms", "12 s", "3 min", "1.5 h" """
    for limit, factor, name in ((1, 1000, "ms"), (120, 1, "s"), (7200, 1 / 60, "min")):
        if seconds < limit:
            return f"{seconds * factor:.0f} {name}"
    return f"{seconds / 3600:.1f} h"


def _plain(number):
    text = f"{number.normalize():f}"
    return "0" if text == "-0" else text
