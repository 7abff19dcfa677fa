#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a run in Debian's chromium: what one sees, with and without a script, on every size of screen, by keyboard, with
a screen reader (axe-core judges), in print; it asks the network for nothing and its own policy forbids nothing that it does."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import axe
import sample
from browser import CHROMIUM, NARROW, WIDE, Browser

SCENARIOS = pathlib.Path(os.environ["PEFSIM_SCENARIOS"])
LIMIT = 2_000_000


def render(report, file):
    made = subprocess.run([os.environ["PEFSIM_RENDER_PAGE"]], input=json.dumps(report).encode(), capture_output=True, check=True)
    file.write_bytes(made.stdout)
    return file


def of_scenario(name, directory, *options):
    file = directory / f"{name}.html"
    subprocess.run([SCENARIOS / name, "--no-trace", "--quiet", "--html", file, *options], cwd=directory, check=True)
    return file


def setUpModule():
    """One browser and two pages for all tests: of a sample with everything, and of a scenario as it is."""
    scratch = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(scratch.cleanup)
    PageTest.directory = pathlib.Path(scratch.name)
    PageTest.full = render(sample.report(), PageTest.directory / "full.html")
    PageTest.bare = of_scenario("swiotlb_block", PageTest.directory)
    PageTest.browser = Browser()
    unittest.addModuleCleanup(PageTest.browser.close)


class PageTest(unittest.TestCase):

    def texts(self, selector):
        return self.browser.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.textContent)")

    def count(self, selector):
        return self.browser.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def open(self, file, **how):
        self.browser.open(file, **how)
        self.assertEqual([], self.browser.complaints)


class Contents(PageTest):
    def test_sections_come_in_their_order(self):
        self.open(self.full)
        self.assertEqual(
            ["Verdict", "How it ended", "Cause", "Violations", "Timeline", "Where a request's time goes", "Pages", "What the host could read",
             "Calls and counts by name", "Flame graph", "The machine", "Figures", "Parameters"], self.texts("h2"))

    def test_what_a_report_does_not_have_is_said_or_left_out(self):
        self.open(self.bare)
        text = self.browser.run("document.body.innerText")
        self.assertNotIn("Flame graph", text)
        for never in ("undefined", "NaN", "[object", "null"):
            self.assertNotIn(never, text)
            self.assertNotIn(never, self.browser.run("document.getElementById('sections').outerHTML").replace("data-", ""))

    def test_the_full_report_has_no_hole_either(self):
        self.open(self.full)
        shown = self.browser.run("document.getElementById('sections').outerHTML")
        for never in ("undefined", "NaN", "[object", ">null<"):
            self.assertNotIn(never, shown)

    def test_curves_bars_pages_frames_and_boxes_are_drawn(self):
        self.open(self.full)
        self.assertEqual(4, self.count("section[aria-labelledby=timeline] svg .curve"), "rate, data, latency, pool")
        self.assertEqual(2, self.count("section[aria-labelledby=timeline] svg .violation-mark"))
        self.assertEqual(4, self.count("section[aria-labelledby=timeline] svg .request-mark"), "first and slowest of two kinds")
        self.assertEqual(6 * 9, self.count("section[aria-labelledby=anatomy] svg rect"), "nine parts of mean, first, slowest; twice")
        self.assertEqual(10, self.count("section[aria-labelledby=flames] svg rect"), "every function once, and all of them")
        boxes = self.texts("section[aria-labelledby=machine] svg text")
        for expected in ("Guest CPU 0", "Ultravisor", "Hypervisor", "PCI host bridge", "virtio-blk0", "DMA operations: swiotlb",
                         "Trusted", "Untrusted host", "Guest: protected", "doorbells 64"):
            self.assertIn(expected, boxes)

    def test_bars_are_as_long_as_their_times(self):
        self.open(self.full)
        widths = self.browser.run("[...document.querySelectorAll('section[aria-labelledby=anatomy] svg rect')].map(each => each.width.baseVal.value + 1)")
        slowest = widths[18:27]
        total = self.browser.run("document.querySelector('section[aria-labelledby=anatomy] svg').viewBox.baseVal.width")
        self.assertAlmostEqual(sum(slowest), total, delta=2, msg="the slowest is the whole width")
        parts = sample.anatomy()["requests"][0]["slowest"]["parts_ns"]
        for width, part in zip(slowest, parts):
            self.assertAlmostEqual(width / total, part / sum(parts), delta=0.01)

    def test_changed_parameters_and_the_replay(self):
        self.open(self.full)
        self.assertEqual(["sample --cpus 2"], self.texts(".replay"))
        rows = self.texts("section[aria-labelledby=parameters] details tbody tr")
        self.assertEqual(["cpus2changed", "swiotlb.size1.00 MiBdefault", "virtio.indirectnodefault"], rows)

    def test_several_machines_can_be_chosen(self):
        second = sample.run("second machine")
        second["violations"] = {"total": 0, "by_kind": {}, "kept": []}
        second["exposure"]["canaries"] = {"planted": 8, "sightings": 0, "kept": []}
        self.open(render(sample.report([sample.run("first machine"), second]), self.directory / "two.html"))
        self.assertEqual(2, self.count("section[aria-labelledby=timeline] .violation-mark"))
        self.browser.run("{const s = document.getElementById('machine-choice'); s.value = 1; s.dispatchEvent(new Event('change'))}")
        self.assertEqual(0, self.count("section[aria-labelledby=timeline] .violation-mark"))
        self.browser.run("location.hash = '#moment-1-2'")
        self.browser.settle()
        self.assertEqual(2, self.count("section[aria-labelledby=timeline] .violation-mark"), "a link leads to its machine")


class Navigation(PageTest):
    def test_a_violation_leads_to_its_moment_and_its_page(self):
        self.open(self.full)
        links = self.browser.run("[...document.querySelectorAll('#violation-1-1 a')].map(each => each.getAttribute('href'))")
        self.assertEqual(["#moment-1-1", "#page-1-9"], links)
        self.assertTrue(self.browser.run("document.getElementById('moment-1-1') !== null"))
        self.browser.run("document.querySelector('#violation-1-1 a[href=\"#page-1-9\"]').click()")
        self.browser.settle()
        story = self.texts("#page-story")[0]
        self.assertIn("Page 0x9", story)
        self.assertIn("read of a buffer; got ciphertext", story)

    def test_a_click_into_the_map_tells_a_pages_story(self):
        self.open(self.full)
        self.browser.run("document.querySelector('rect[data-span=\"2\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        self.assertIn("cpu0: virtqueue.set_up; virtio-blk0", self.texts("#page-story")[0])
        self.assertIn("Page 0x52", self.texts("#page-story")[0])

    def test_the_map_is_read_by_keyboard(self):
        self.open(self.full)
        self.browser.run("document.querySelector('svg[role=slider]').focus()")
        before = self.browser.run("document.querySelector('svg[role=slider]').getAttribute('aria-valuetext')")
        self.browser.key("ArrowRight")
        after = self.browser.run("document.querySelector('svg[role=slider]').getAttribute('aria-valuetext')")
        self.assertNotEqual(before, after)
        self.assertIn("Page 0x52", self.texts("#page-story")[0])

    def test_the_story_of_a_watched_page_has_its_events(self):
        self.open(self.full, fragment="#page-1-67")
        story = self.texts("#page-story")[0]
        for expected in ("Page 0x43", "became, SHARED", "written, virtqueue.add, 4,096 bytes, 12 times", "canary canary5 reached the host"):
            self.assertIn(expected, story)

    def test_everything_that_can_be_used_is_reached_by_tab(self):
        self.open(self.full)
        wanted = self.browser.run("""[...document.querySelectorAll('a[href], button, select, summary, [tabindex="0"]')]
            .filter(each => each.checkVisibility()).length""")
        reached = set()
        for _ in range(wanted + 5):
            self.browser.key("Tab")
            reached.add(self.browser.run("""(window.marks ??= new Map(), marks.has(document.activeElement) ||
                marks.set(document.activeElement, marks.size), marks.get(document.activeElement))"""))
        self.assertGreaterEqual(len(reached), wanted)


class WithoutScript(PageTest):
    def test_verdict_ending_cause_violations_and_the_text_report_are_there(self):
        self.open(self.full, scripts=False)
        text = self.full.read_text().split("<script")[0]
        for expected in ("nobody broke a rule", "the guest finished", "A private page stands in the ring of virtio-blk0",
                         "500000.250 ns", "The report for people"):
            self.assertIn(expected, text)


class Sizes(PageTest):
    def test_a_phone_needs_no_scrolling_sideways(self):
        for file in (self.full, self.bare):
            for dark in (False, True):
                self.open(file, size=NARROW, dark=dark)
                self.assertEqual(NARROW[0], self.browser.run("document.documentElement.scrollWidth"))

    def test_pictures_are_drawn_again_for_another_width(self):
        self.open(self.full, size=WIDE)
        self.browser.resize(NARROW)
        self.browser.settle()
        self.assertEqual(NARROW[0], self.browser.run("document.documentElement.scrollWidth"))
        size = self.browser.run("parseFloat(getComputedStyle(document.querySelector('section[aria-labelledby=machine] text')).fontSize)")
        scale = self.browser.run("""(() => { const svg = document.querySelector('section[aria-labelledby=machine] svg');
            return svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; })()""")
        self.assertGreaterEqual(size * scale, 11.5, "letters stay as large as they are")

    def test_no_text_of_a_picture_leaves_it(self):
        for size in (WIDE, (900, 700), NARROW):
            self.open(self.full, size=size)
            outside = self.browser.run("""[...document.querySelectorAll('svg text')].filter(each => {
                const box = each.getBoundingClientRect();
                return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
            }).map(each => each.textContent)""")
            self.assertEqual([], outside)

    def test_print_has_everything(self):
        self.open(self.full)
        self.assertTrue(self.browser.pdf().startswith(b"%PDF-"))
        self.assertEqual(0, self.count("#sections details:not([open])"), "what is folded is unfolded on paper")


class Judges(PageTest):
    def test_axe_core_finds_nothing(self):
        script = axe.source()
        if script is None:
            self.skipTest("axe-core cannot be had")
        for file in (self.full, self.bare):
            for size, dark in ((WIDE, False), (WIDE, True), (NARROW, False), (NARROW, True)):
                with self.subTest(file=file.name, size=size, dark=dark):
                    self.open(file, size=size, dark=dark)
                    self.browser.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
                    self.browser.run(script + "; true")
                    self.assertEqual([], self.browser.run(axe.RUN))

    def test_axe_core_would_find_something(self):
        script = axe.source()
        if script is None:
            self.skipTest("axe-core cannot be had")
        self.open(self.full)
        self.browser.run("document.querySelector('svg[role=img]').removeAttribute('aria-label')")
        self.browser.run(script + "; true")
        self.assertTrue(self.browser.run(axe.RUN))

    def test_it_asks_for_nothing_and_its_policy_would_not_allow_it(self):
        self.open(self.full)
        self.assertEqual(1, len(self.browser.requests), self.browser.requests)
        self.browser.run("fetch('https://example.org/').catch(() => 0); document.body.append(Object.assign(new Image(), {src: 'https://example.org/a.png'}));")
        self.browser.settle()
        self.assertTrue(any("Content Security Policy" in each or "violates" in each for each in self.browser.complaints),
                        self.browser.complaints)

    def test_html_is_well_formed(self):
        """Nesting and names are unique, as the browser has read them."""
        for file in (self.full, self.bare):
            self.open(file)
            ids = self.browser.run("[...document.querySelectorAll('[id]')].map(each => each.id)")
            self.assertEqual(len(ids), len(set(ids)), sorted(each for each in ids if ids.count(each) > 1))
            self.assertEqual([], self.browser.run("""[...document.querySelectorAll('[aria-labelledby]')]
                .filter(each => !document.getElementById(each.getAttribute('aria-labelledby'))).map(each => each.outerHTML.slice(0, 100))"""))


class Bytes(PageTest):
    def test_same_seed_same_bytes(self):
        first = self.bare.read_bytes()
        self.assertEqual(first, of_scenario("swiotlb_block", self.directory).read_bytes())

    def test_a_report_of_a_million_makes_no_large_page(self):
        report = sample.report()
        run = report["runs"][0]
        run["page_map"] = {"page_bytes": 65536, "pages": 1 << 20, "spans": [
            {"first": i, "count": 1, "state": "SHARED" if i % 2 else "SECURE", "writers": [f"cpu0: f{i}"], "written": i, "looked_at": 0}
            for i in range(100_000)]}
        run["profile"]["stacks"] = [[f"main;f{i % 1000};g{i}", i] for i in range(100_000)]
        run["violations"]["kept"] *= 5000
        file = render(report, self.directory / "large.html")
        self.assertLessEqual(file.stat().st_size, LIMIT)
        self.open(file)
        self.assertTrue(any("profile.stacks" in each for each in self.texts("section[aria-labelledby=left-out] li")))


if __name__ == "__main__":
    if CHROMIUM is None:
        print("skipped: no chromium")
        sys.exit(77)
    unittest.main()
