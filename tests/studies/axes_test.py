#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists, ranges and logarithmic ranges give the values that they say, exactly, and nothing else is one."""

import unittest
from decimal import Decimal

from studies import StudyTest  # noqa: F401  (the path of the package)
from study import axes
from study.complaints import mistake


def texts(value):
    return [each.text for each in axes.values("a", value)]


class Axes(unittest.TestCase):
    def test_values(self):
        for value, expected in (
            ([4, 1, "64KiB"], ["4", "1", "64KiB"]),
            ([True, False], ["yes", "no"]),
            (["series", "merged"], ["series", "merged"]),
            ([Decimal("0.250")], ["0.25"]),
            ({"from": 1, "to": 4}, ["1", "2", "3", "4"]),
            ({"from": 1, "to": 9, "step": 3}, ["1", "4", "7"]),
            ({"from": 7, "to": 7}, ["7"]),
            ({"from": Decimal("0.1"), "to": Decimal("0.5"), "step": Decimal("0.1")}, ["0.1", "0.2", "0.3", "0.4", "0.5"]),
            ({"from": "256KiB", "to": "1MiB", "step": "256KiB"}, ["256KiB", "512KiB", "768KiB", "1MiB"]),
            ({"from": "256KiB", "to": "1.5MiB", "factor": 2}, ["256KiB", "512KiB", "1MiB"]),
            ({"from": "250ns", "to": "4us", "factor": 4}, ["250ns", "1us", "4us"]),
            ({"from": 100, "to": 1600, "factor": 4}, ["100", "400", "1600"]),
            ({"from": 1, "to": 1000, "points": 4}, ["1", "10", "100", "1000"]),
            ({"from": 1, "to": 3, "points": 9}, ["1", "2", "3"]),
            ({"from": Decimal("0.5"), "to": 8, "points": 3}, ["0.5", "2", "8"]),
        ):
            with self.subTest(value=value):
                self.assertEqual(expected, texts(value))

    def test_numbers_are_in_one_unit(self):
        (size,) = axes.values("a", ["1.5MiB"])
        self.assertEqual((Decimal(1572864), "bytes"), (size.number, size.unit))
        (time,) = axes.values("a", ["12.5us"])
        self.assertEqual((Decimal(12500), "ns"), (time.number, time.unit))

    def test_what_is_none(self):
        for value, words in (
            ([], "no values"), (3, "neither a list"), ({"from": 1}, "'to'"), ({"to": 1}, "neither a list"),
            ({"from": 4, "to": 1}, "from 4 to 1 is empty"), ({"from": 1, "to": 2, "stp": 1}, "did you mean 'step'"),
            ({"from": 1, "to": 2, "step": 0}, "step = 0"), ({"from": 1, "to": 2, "factor": 1}, "factor = 1"),
            ({"from": 0, "to": 2, "factor": 2}, "not above 0"), ({"from": 1, "to": 2, "points": 1}, "points = 1"),
            ({"from": 1, "to": 2, "step": 1, "factor": 2}, "step and factor"), ({"from": "a", "to": 2}, "from = 'a'"),
            ({"from": "1KiB", "to": 2}, "not of one unit"), ({"from": 1, "to": 10**9}, "more than 1,000,000"),
            ([1, 1], "twice"), (["1KiB", "1024B"], "twice"), ([[1]], "neither a number"), ([{}], "neither a number"),
        ):  # fmt: skip
            with self.subTest(value=value), self.assertRaisesRegex(mistake, words):
                axes.values("a", value)


if __name__ == "__main__":
    unittest.main()
