#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Constraints and formulas mean what they say, and can do nothing else."""

import unittest
from decimal import Decimal

from studies import StudyTest  # noqa: F401  (the path of the package)
from study.complaints import mistake
from study.expressions import expression

VALUES = {"depth": Decimal(4), "disk-size": Decimal(65536), "swiotlb.size": Decimal(262144), "policy": "series",
          "missing": None}  # fmt: skip


def value(text):
    return expression(text, VALUES, "constraint")(VALUES)


class Expressions(unittest.TestCase):
    def test_values(self):
        for text, expected in (
            ("depth * disk-size <= swiotlb.size", True), ("depth * disk-size < swiotlb.size", False),
            ("disk-size == 64KiB", True), ("disk-size - 1KiB == 63KiB", True), ("1us == 1000ns", True),
            ("policy == 'series' and depth in (1, 4)", True), ('policy != "series" or not depth > 3', False),
            ("0.1 + 0.2 == 0.3", True), ("max(depth, 7) - min(1, 2)", 6), ("-depth // 3", -1), ("depth % 3", 1),
            ("abs(1 - depth) / 2", Decimal("1.5")), ("1 < depth < 5", True), ("1 < depth < 4", False),
            ("missing > 3", None), ("policy == 'yes' or true == 'yes'", True), ("7e3 == 7000", True),
        ):  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(expected, value(text))

    def test_what_cannot_be(self):
        for text, words in (
            ("dept > 3", "did you mean 'depth'"), ("depth-1 > 3", "between blanks"), ("depth <", "cannot be read"),
            ("", "cannot be read"), ("depth if depth else 1", "cannot be read|unknown name 'if'"),
            ("open('x')", "unknown name 'open'"), ("depth.real", "unknown name"), ("(lambda: 1)()", "unknown name"),
            ("depth[0]", "cannot be read"), ("depth ** depth", "cannot be read"), ("max()", "cannot be read"),
            ("1 / (depth - 4) > 1", "division by zero .depth = 4"), ("policy < 3", "a word where a number"),
            ("policy * 3", "a word where a number"), ("(" * 5000 + "1" + ")" * 5000, "cannot be read"), (3, "not text"),
        ):  # fmt: skip
            with self.subTest(text=text), self.assertRaisesRegex(mistake, words):
                value(text)


if __name__ == "__main__":
    unittest.main()
