#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same seed and configuration give the same trace, save file and report, byte for byte; another seed differs."""

import filecmp
import unittest

from scenario import SMALL, ScenarioTest

FORMATS = ("fst", "vcd")


class Determinism(ScenarioTest):
    def run_in(self, place, name, seed, trace):
        directory = self.directory / place
        directory.mkdir()
        self.shown(name, *SMALL[name], "--seed", seed, "--trace", trace, cwd=directory)
        return directory

    def test_same_seed_same_bytes(self):
        for name in SMALL:
            for ending in FORMATS:
                with self.subTest(scenario=name, trace=ending):
                    trace = f"{name}.{ending}"
                    first = self.run_in(f"{trace}-first", name, 7, trace)
                    again = self.run_in(f"{trace}-again", name, 7, trace)
                    other = self.run_in(f"{trace}-other", name, 8, trace)
                    written = sorted(path.name for path in first.iterdir())
                    self.assertEqual(written, sorted(path.name for path in again.iterdir()))
                    self.assertIn(trace, written)
                    self.assertIn(f"{name}.gtkw", written)
                    for file in written:
                        self.assertTrue(filecmp.cmp(first / file, again / file, shallow=False), file)
                    self.assertFalse(filecmp.cmp(first / trace, other / trace, shallow=False), "another seed, same trace")
                    self.assertFalse(filecmp.cmp(first / "report.json", other / "report.json", shallow=False))


if __name__ == "__main__":
    unittest.main()
