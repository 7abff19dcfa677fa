# SPDX-License-Identifier: Apache-2.0
"""A figure of a report: where it stands, what it is in.

The path is a JSON pointer (RFC 6901). A step into a list is a number, or {key=value,...}: the one item of which that is
so. A figure may also be an object with a value, as counters are; its unit is the one that stands beside it.

    /runs/0/figures/throughput
    /runs/0/metrics/tallies/machine.cpu0.hypercalls/total
    /results/cells/{policy=series,guest=secure}/requests/{size=4096}/us
"""

import functools
import re
from typing import NamedTuple

from study.complaints import mistake

ONE_OF = re.compile(r"\{(.+)\}")


class figure(NamedTuple):
    name: str
    path: str  # or "":
    formula: str  # over figures before it, axes and parameters
    unit: str  # "": the report's
    steps: tuple


class absent(Exception):
    """A report has no such figure; the text is the beginning of its path that it does not have."""


@functools.cache
def steps_of(name, path):
    """Raises mistake when it is no path."""
    if not path.startswith("/"):
        raise mistake(f"figure {name}: '{path}' is no path into a report, which begins with /")
    steps = []
    for word in path[1:].split("/"):
        found = ONE_OF.fullmatch(word)
        if not found:
            steps.append(word.replace("~1", "/").replace("~0", "~"))
            continue
        pairs = [each.partition("=") for each in found[1].split(",")]
        if not all(middle for _, middle, _ in pairs):
            raise mistake(f"figure {name}: '{word}' is not {{key=value,...}}")
        steps.append(tuple((key.strip(), value.strip()) for key, _, value in pairs))
    return tuple(steps)


def look_up(report, path, steps):
    """The value, a number or text or None, and the unit that the report has for it. Raises absent."""
    at, unit = report, ""
    for depth, step in enumerate(steps, 1):
        inside = at
        try:
            at = _into(at, step)
        except (LookupError, ValueError, TypeError):
            raise absent("/" + "/".join(path[1:].split("/")[:depth])) from None
        if isinstance(inside, dict) and isinstance(inside.get("unit"), str):
            unit = inside["unit"]
    if isinstance(at, dict) and "value" in at:
        at, unit = at["value"], at.get("unit", "")
    if isinstance(at, (dict, list)):
        raise absent(path)
    return (int(at) if isinstance(at, bool) else at), unit


def _into(at, step):
    if isinstance(at, dict):
        return at[step]
    if isinstance(at, list) and isinstance(step, tuple):
        (found,) = (each for each in at if all(_text(each[key]) == value for key, value in step))
        return found
    if isinstance(at, list) and step.isdecimal():
        return at[int(step)]
    raise LookupError


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
