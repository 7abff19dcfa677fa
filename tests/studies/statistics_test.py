#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Means, bands and sensitivity against what is known in closed form."""

import itertools
import unittest

from studies import StudyTest  # noqa: F401  (the path of the package)
from study import statistics
from study.table import row


def rows(axes, figure):
    """A row for each combination; figure(**values) is its figure y."""
    for number, values in enumerate(itertools.product(*axes.values()), 1):
        named = dict(zip(axes, values))
        yield row(number, named, {"y": figure(**named)}, "shown", "")


class Statistics(unittest.TestCase):
    def test_student(self):
        # Table of the distribution, two-sided 95 %.
        for freedom, expected in ((1, 12.7062), (4, 2.7764), (10, 2.2281), (11, 2.2010), (20, 2.0860), (21, 2.0796), (25, 2.0595), (30, 2.0423),
                                  (120, 1.9799), (10**6, 1.9600)):  # fmt: skip
            with self.subTest(freedom=freedom):
                self.assertAlmostEqual(expected, statistics.student(freedom), places=4)

    def test_band(self):
        self.assertEqual((3.0, 0.0), statistics.mean_and_band([3]))
        mean, band = statistics.mean_and_band([1, 2, 3, 4, 5])
        self.assertEqual(3, mean)
        self.assertAlmostEqual(2.7764 * (2.5 / 5) ** 0.5, band)

    def test_a_sum_is_shared_by_its_terms_variances(self):
        found = list(rows({"a": range(3), "b": range(5), "c": range(2)}, lambda a, b, c: 3 * a + b))
        # Of 0..n-1 the variance is (n * n - 1) / 12.
        a, b = 9 * 8 / 12, 24 / 12
        shares = statistics.first_order(found, ("a", "b", "c"), "y")
        self.assertAlmostEqual(a / (a + b), shares["a"])
        self.assertAlmostEqual(b / (a + b), shares["b"])
        self.assertAlmostEqual(0, shares["c"])

    def test_what_axes_do_together_is_in_none_of_them(self):
        found = list(rows({"a": (-1, 1), "b": (-1, 1)}, lambda a, b: a * b))
        self.assertEqual({"a": 0, "b": 0}, statistics.first_order(found, ("a", "b"), "y"))

    def test_a_figure_that_never_differs_has_none(self):
        for constant in (0, 0.1, 1e300):
            found = list(rows({"a": range(7)}, lambda a, y=constant: y))
            self.assertEqual({"a": None}, statistics.first_order(found, ("a",), "y"))
        self.assertEqual({"a": None}, statistics.first_order([], ("a",), "y"))

    def test_shares_of_a_conclusion(self):
        found = list(rows({"a": (1, 2), "b": (1, 2)}, lambda a, b: a * b))
        shares = statistics.shares(found, ("a", "b"), [True, True, False, None])
        self.assertEqual({(None, None): 2 / 3, ("a", 1): 1.0, ("a", 2): 0.0, ("b", 1): 0.5, ("b", 2): 1.0}, shares)


if __name__ == "__main__":
    unittest.main()
