# SPDX-License-Identifier: Apache-2.0
"""The values of one axis: a list, a range, or a logarithmic range.

    depth = [1, 4, 16]
    depth = { from = 1, to = 9, step = 2 }                      # 1, 3, 5, 7, 9; without step: 1
    "swiotlb.size" = { from = "256KiB", to = "4MiB", factor = 2 }   # each twice the one before
    "timing.memcpy" = { from = 1, to = 100, points = 5 }        # as many, evenly on a logarithmic scale

Values are whole where `from` and `to` are.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

from study import quantities
from study.complaints import mistake, unknown

MOST = 1_000_000  # values, and points
KEYS = ("from", "to", "step", "factor", "points")


def is_range(value):
    return isinstance(value, dict) and "from" in value


def values(name, value):
    """As quantities, in their order. Raises mistake."""
    if is_range(value):
        found = _range(name, value)
    elif isinstance(value, list):
        found = [_read(name, each) for each in value]
    else:
        raise mistake(f"axis {name}: neither a list of values nor a range, {{ from = ..., to = ... }}")
    if not found:
        raise mistake(f"axis {name} has no values")
    seen = set()
    for each in found:
        same = each.number if each.number is not None else each.text
        if same in seen:
            raise mistake(f"axis {name} has the value {each.text} twice")
        seen.add(same)
    return found


def _read(name, value):
    try:
        return quantities.read(value)
    except TypeError as error:
        raise mistake(f"axis {name}: {error}") from None


def _range(name, table):
    for key in table:
        if key not in KEYS:
            raise mistake(f"axis {name}: {unknown('key of a range', key, KEYS)}")
    ways = [key for key in ("step", "factor", "points") if key in table]
    if len(ways) > 1:
        raise mistake(f"axis {name}: a range has one of step, factor and points, not {' and '.join(ways)}")
    if "to" not in table:
        raise mistake(f"axis {name}: a range from {table['from']} has no 'to'")
    first, last = (_read(name, table[key]) for key in ("from", "to"))
    for key, each in (("from", first), ("to", last)):
        if each.number is None:
            raise mistake(f"axis {name}: {key} = '{each.text}' is not a number")
    if first.unit != last.unit:
        raise mistake(f"axis {name}: {first.text} and {last.text} are not of one unit")
    if first.number > last.number:
        raise mistake(f"axis {name}: the range from {first.text} to {last.text} is empty")
    if ways == ["points"]:
        numbers = _evenly_logarithmic(name, first, last, table["points"])
    elif ways == ["factor"]:
        numbers = _by_factor(name, first, last, table["factor"])
    else:
        numbers = _by_step(name, first, last, table.get("step", 1))
    return [quantities.write(number, first.unit) for number in numbers]


def _by_step(name, first, last, step):
    by = _read(name, step)
    if by.number is None or by.number <= 0:
        raise mistake(f"axis {name}: step = {by.text} is not above 0")
    if by.unit not in ("", first.unit):
        raise mistake(f"axis {name}: a step of {by.text} from {first.text}")
    number = int((last.number - first.number) / by.number) + 1
    _check_number(name, number)
    return [first.number + by.number * at for at in range(number)]


def _by_factor(name, first, last, factor):
    by = _read(name, factor)
    if by.number is None or by.number <= 1:
        raise mistake(f"axis {name}: factor = {by.text} is not above 1")
    _above_zero(name, first)
    numbers = []
    number = first.number
    while number <= last.number:
        numbers.append(number)
        _check_number(name, len(numbers))
        number *= by.number
    return numbers


def _evenly_logarithmic(name, first, last, points):
    if isinstance(points, bool) or not isinstance(points, int) or points < 2:
        raise mistake(f"axis {name}: points = {points} is not a whole number from 2 on")
    _check_number(name, points)
    _above_zero(name, first)
    whole = all(each.number == each.number.to_integral_value() for each in (first, last))
    ratio = (last.number / first.number).ln() / (points - 1)
    numbers = [first.number]
    for at in range(1, points - 1):
        number = first.number * (ratio * at).exp()
        numbers.append(number.quantize(Decimal(1), ROUND_HALF_EVEN) if whole else Context(prec=6).plus(number))
    numbers.append(last.number)
    return list(dict.fromkeys(numbers))


def _above_zero(name, first):
    if first.number <= 0:
        raise mistake(f"axis {name}: a logarithmic range from {first.text}, which is not above 0")


def _check_number(name, number):
    if number > MOST:
        raise mistake(f"axis {name} has more than {MOST:,} values")
