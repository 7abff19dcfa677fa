#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pefsim-compare: what differs between two runs, exit status as that of diff, and its page."""

import json
import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

import axe
import sample
from browser import CHROMIUM, NARROW, Browser

SCENARIOS = pathlib.Path(os.environ["PEFSIM_SCENARIOS"])


class CompareTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def compare(self, *arguments, **how):
        return subprocess.run([os.environ["PEFSIM_COMPARE"], *arguments], cwd=self.directory, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False, **how)

    def report(self, name, *options, scenario="swiotlb_block"):
        subprocess.run([SCENARIOS / scenario, "--no-trace", "--quiet", "--report", name, *options], cwd=self.directory, check=True)
        return name

    def write(self, name, report):
        (self.directory / name).write_text(json.dumps(report))
        return name


class Runs(CompareTest):
    def test_it_says_who_it_is(self):
        for option, begin in (("--version", "pefsim-compare (pefsim) "), ("--help", "pefsim-compare: what differs"),
                              ("-h", "pefsim-compare: what differs")):
            done = self.compare(option)
            self.assertEqual((done.returncode, done.stdout.startswith(begin)), (0, True), done)

    def test_the_same_run_is_equal(self):
        done = self.compare(self.report("a.json"), self.report("b.json"))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("Nothing differs.", done.stdout)

    def test_a_slower_disk_is_what_differs_most(self):
        done = self.compare(self.report("a.json"), self.report("b.json", "--timing.block_latency", "1000"))
        self.assertEqual((1, ""), (done.returncode, done.stderr))
        self.assertIn("timing.block_latency", done.stdout)
        latencies = done.stdout[done.stdout.index("Latencies"):].splitlines()
        self.assertIn("block.latency", latencies[1])
        self.assertTrue(all(len(line) <= 100 for line in done.stdout.splitlines()))
        self.assertNotIn(" x 1.00\n", done.stdout, "what has not changed is left out")

    def test_other_scenarios_are_told(self):
        done = self.compare(self.report("a.json"), self.report("b.json", scenario="direct_block"))
        self.assertEqual(1, done.returncode)
        self.assertIn("different scenarios: swiotlb_block and direct_block", done.stdout)

    def test_same_reports_same_bytes(self):
        a, b = self.report("a.json"), self.report("b.json", "--seed", "2")
        pages = []
        for name in ("1.html", "2.html"):
            self.assertEqual(1, self.compare(a, b, "--html", name).returncode)
            pages.append((self.directory / name).read_bytes())
        self.assertEqual(*pages)

    def test_the_page_in_a_browser(self):
        if CHROMIUM is None or axe.source() is None:
            self.skipTest("no chromium, or no axe-core")
        self.compare(self.report("a.json"), self.report("b.json", "--timing.block_latency", "1000"), "--html", "c.html")
        with Browser() as browser:
            for dark in (False, True):
                browser.open(self.directory / "c.html", size=NARROW, dark=dark)
                self.assertEqual([], browser.complaints)
                self.assertEqual(NARROW[0], browser.run("document.documentElement.scrollWidth"))
                browser.run(axe.source() + "; true")
                self.assertEqual([], browser.run(axe.RUN))


class BadInput(CompareTest):
    def refused(self, *arguments, naming):
        done = self.compare(*arguments)
        self.assertEqual(2, done.returncode, done)
        self.assertEqual("", done.stdout)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        self.assertIn(naming, done.stderr)

    def test_is_one_line_and_status_2(self):
        good = self.write("good.json", sample.report())
        (self.directory / "no.json").write_text("{")
        self.refused(naming="two reports")
        self.refused(good, naming="two reports")
        self.refused(good, good, good, naming="two reports")
        self.refused(good, "missing.json", naming="'missing.json' cannot be read")
        self.refused(good, ".", naming="'.' cannot be read")
        self.refused(good, "no.json", naming="'no.json' is no JSON")
        self.refused(self.write("list.json", []), good, naming="'list.json' is no report of pefsim: it is no object")
        self.refused(self.write("other.json", {"scenario": "x"}), good, naming='it has no "runs"')
        self.refused(good, good, "--htlm", "x", naming="htlm")
        self.refused(good, good, "--html", "no/such/directory.html", naming="no/such/directory.html")
        self.refused(good, good, "--html", "-", naming="/dev/stdout")

    def test_an_input_is_not_overwritten(self):
        good = self.write("good.json", sample.report())
        before = (self.directory / good).read_bytes()
        os.link(self.directory / good, self.directory / "link.json")
        self.refused(good, good, "--html", good, naming="good.json")
        self.refused(good, good, "--html", "link.json", naming="link.json")
        self.assertEqual(before, (self.directory / good).read_bytes())

    def test_a_page_that_cannot_be_written_leaves_what_was_there(self):
        good = self.write("good.json", sample.report())
        (self.directory / "old.html").write_text("old")
        done = self.compare(good, good, "--html", "old.html", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1])))
        self.assertEqual(2, done.returncode)
        self.assertIn("old.html", done.stderr)
        self.assertEqual({"good.json": None, "old.html": "old"}.keys(), {each.name for each in self.directory.iterdir()})
        self.assertEqual("old", (self.directory / "old.html").read_text())

    def test_anything_in_a_report_is_no_crash(self):
        """Each value of a report replaced by one of another type."""
        good = self.write("good.json", sample.report())
        report = sample.report()

        def places(value, path=()):
            yield path
            children = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
            for key, child in children:
                yield from places(child, (*path, key))

        for path in [each for each in places(report) if 0 < len(each) < 6][::7]:
            changed = json.loads(json.dumps(report))
            at = changed
            for key in path[:-1]:
                at = at[key]
            for value in (None, "x", -1, [], {}):
                at[path[-1]] = value
                done = self.compare(good, self.write("changed.json", changed))
                self.assertIn(done.returncode, (0, 1, 2), (path, value, done.stderr))
                self.assertLessEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
