#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten seeded faults: the page alone names the cause of each in its first screen; of a run without a fault it names none. The
last lines on the terminal and the JSON report say the same.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from browser import CHROMIUM, WIDE, Browser
from faults import CAUSES

SCENARIOS = pathlib.Path(os.environ["PEFSIM_SCENARIOS"])
HEALTHY = "Nothing went wrong that the record shows."


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.directory = pathlib.Path(scratch.name)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def page_of(self, scenario, *options):
        file = self.directory / f"{'-'.join([scenario, *options]).replace('/', '_')}.html"
        done = subprocess.run([SCENARIOS / scenario, "--no-trace", "--quiet", "--html", file, *options], cwd=self.directory,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=300)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return file

    def first_screen(self, file):
        self.browser.open(file, size=WIDE)
        self.assertEqual([], self.browser.complaints)
        return self.browser.visible_text()

    def test_the_first_screen_names_the_cause(self):
        for fault, words in CAUSES.items():
            with self.subTest(fault=fault):
                screen = self.first_screen(self.page_of("seeded_faults", "--fault", fault))
                for each in words:
                    self.assertIn(each, screen)

    def test_each_cause_is_named_for_its_own_fault_only(self):
        """And as the first: what follows from it is told below, or not at all."""
        for fault in CAUSES:
            with self.subTest(fault=fault):
                self.browser.open(self.page_of("seeded_faults", "--fault", fault))
                sentence = self.browser.run("document.querySelector('.cause .sentence').textContent")
                named = [each for each, words in CAUSES.items() if words[0] in sentence]
                self.assertEqual([fault], named, sentence)

    def test_terminal_and_json_name_it_too(self):
        for fault, words in CAUSES.items():
            with self.subTest(fault=fault):
                report = self.directory / f"{fault}.json"
                done = subprocess.run([SCENARIOS / "seeded_faults", "--no-trace", "--brief", "--fault", fault, "--report", report],
                                      cwd=self.directory, capture_output=True, text=True, check=False, timeout=300)
                cause = next(line for line in " ".join(done.stdout.split()).split("Cause: ")[1:])
                self.assertTrue(cause.startswith(json.loads(report.read_text())["runs"][0]["causes"][0]["text"]), cause)
                self.assertIn(words[0], cause)

    def test_the_name_of_the_fault_is_nothing_that_the_cause_is_read_from(self):
        """The same faults, made by other scenarios and their parameters."""
        for scenario, *options, fault in (("swiotlb_pressure", "small_pool"),
                                          ("swiotlb_block", "--timing.block_latency", "20000", "--disk-size", "256KiB", "slow_disk"),
                                          ("swiotlb_block", "--clear-buffers", "no", "recycled_memory"),
                                          ("direct_in_secure_guest", "wrong_dma_ops")):
            with self.subTest(fault=fault):
                self.assertIn(CAUSES[fault][0], self.first_screen(self.page_of(scenario, *options)))

    def test_a_healthy_run_names_none(self):
        for scenario in ("seeded_faults", "swiotlb_block", "direct_block", "iommu_block", "swiotlb_net"):
            with self.subTest(scenario=scenario):
                self.assertIn(HEALTHY, self.first_screen(self.page_of(scenario)))


if __name__ == "__main__":
    if CHROMIUM is None:
        print("skipped: no chromium")
        sys.exit(77)
    unittest.main()
