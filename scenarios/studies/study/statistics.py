# SPDX-License-Identifier: Apache-2.0
"""What a table of results says: means with their confidence over seeds, and which axis moves a figure."""

import collections
import math

SEED = "seed"
# Student's t, 97.5 %, by degrees of freedom from 1 on; beyond them the expansion of it in 1/n is right to four digits.
STUDENT = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
           2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860)  # fmt: skip
NORMAL = 1.959964
ROUNDING = 1e-12  # of a mean, to the largest value: what differs by less does not differ


def mean_and_band(values):
    """The mean, and the half width of its 95 % confidence interval; 0 where there is one value only."""
    count = len(values)
    mean = math.fsum(values) / count
    if count == 1:
        return mean, 0.0
    variance = math.fsum((each - mean) ** 2 for each in values) / (count - 1)
    return mean, student(count - 1) * math.sqrt(variance / count)


def student(freedom):
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    z = NORMAL
    return (z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3))  # fmt: skip


def first_order(rows, axes, figure):
    """Axis -> the share of the figure's variance over all rows that the axis alone explains: the variance of the means at
    its values, to that of all. 1: it decides everything; 0: nothing by itself. All None where the figure never differs.

    On a whole grid these are Sobol's first-order indices of its values, each as likely as the others, and what their sum
    lacks of 1 is what axes do together. Constraints make axes depend on each other, and the sum may be above 1.
    """
    known = [each for each in rows if isinstance(each.figures.get(figure), (int, float))]
    largest = max((abs(each.figures[figure]) for each in known), default=0)
    if not largest:
        return dict.fromkeys(axes)
    values = [each.figures[figure] / largest for each in known]
    mean = math.fsum(values) / len(values)
    whole = math.fsum((each - mean) ** 2 for each in values)
    if whole <= len(values) * ROUNDING**2:
        return dict.fromkeys(axes)
    found = {}
    for axis in axes:
        groups = collections.defaultdict(list)
        for each, value in zip(known, values):
            groups[each.values[axis]].append(value)
        between = math.fsum(len(each) * (math.fsum(each) / len(each) - mean) ** 2 for each in groups.values())
        found[axis] = min(1.0, between / whole)
    return found


def shares(rows, axes, holds):
    """(axis, value) -> share of the rows with that value in which a conclusion holds; (None, None): of all."""
    counted = collections.defaultdict(lambda: [0, 0])
    for each, held in zip(rows, holds):
        if held is None:
            continue
        for place in [(None, None), *((axis, each.values[axis]) for axis in axes)]:
            counted[place][0] += bool(held)
            counted[place][1] += 1
    return {place: held / number for place, (held, number) in counted.items()}
