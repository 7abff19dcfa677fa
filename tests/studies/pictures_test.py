#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures, the page and the figures in them: each kind is drawn, of good points and of holes, and says what the rows say."""

import html.parser
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as tree

from studies import FIGURES, StudyTest, missing

AXES = """
swiotlb.size = { from = "256KiB", to = "1MiB", factor = 2 }
depth = [1, 4, 102]
dma_ops.policy = ["series", "rfc_v2"]
seed = [1, 2, 3]
"""
PICTURES = """
[conclusions]
"more than 100 MB/s, or 50 %" = "throughput > 100"
[[pictures]]
name = "over_size"
kind = "lines"
x = "swiotlb.size"
y = "throughput"
lines = "depth"
panels = "dma_ops.policy"
logarithmic = ["x", "y"]
title = "A title with 'quotes', under_scores and ^{markup}"
proves = "A <sentence> & more."
[[pictures]]
name = "over_words"
kind = "lines"
x = "dma_ops.policy"
y = "hypercalls"
at = { "swiotlb.size" = "512KiB", depth = 4 }
[[pictures]]
name = "map"
kind = "map"
x = "swiotlb.size"
y = "depth"
figure = "throughput"
at = { "dma_ops.policy" = "series" }
[[pictures]]
name = "one_cell"
kind = "map"
x = "swiotlb.size"
y = "depth"
figure = "throughput"
panels = "dma_ops.policy"
[[pictures]]
name = "shares"
kind = "sensitivity"
figures = ["throughput", "hypercalls"]
[[pictures]]
name = "holds"
kind = "conclusions"
"""


class page(html.parser.HTMLParser):
    """Which files and places a page asks for, and its rows of points."""

    def __init__(self, text):
        super().__init__()
        self.asked, self.options = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.asked += [named[key] for key in ("src", "href", "xlink:href") if key in named and named[key][:1] != "#"]
        self.options += [named["data-options"]] if "data-options" in named else []


@unittest.skipIf(missing("gnuplot"), missing("gnuplot"))
class Pictures(StudyTest):
    def setUp(self):
        super().setUp()
        self.study_file(AXES, more=PICTURES)
        self.finished("a.toml")
        self.folder = self.directory / "a.results"

    def test_every_kind_in_both_formats(self):
        said = self.finished("plot", "a.toml")
        self.assertEqual(13, len(said.splitlines()), said)
        for name in ("over_size", "over_words", "map", "one_cell", "shares", "holds"):
            svg = (self.folder / f"{name}.svg").read_text()
            tree.fromstring(svg)
            self.assertEqual(b"\x89PNG\r\n\x1a\n", (self.folder / f"{name}.png").read_bytes()[:8])
            if shutil.which("identify"):
                colours = subprocess.run(["identify", "-format", "%k", self.folder / f"{name}.png"], check=True,
                                         capture_output=True, text=True).stdout  # fmt: skip
                self.assertGreater(int(colours), 20, f"{name} is empty")
        svg = (self.folder / "over_size.svg").read_text()
        words = " ".join("".join(each.itertext()).strip() for each in tree.fromstring(svg).iter() if "text" in each.tag)
        for word in ("A title with 'quotes', under_scores and ^{markup}", "throughput (MB/s)", "depth 4", "512KiB",
                     "dma_ops.policy rfc_v2"):  # fmt: skip
            self.assertIn(word, words)

    def test_a_map_shows_the_means_of_the_rows(self):
        self.finished("plot", "a.toml")
        svg = (self.folder / "map.svg").read_text()
        rows = [row for row in self.rows() if row["depth [chunks]"] == "4" and row["dma_ops.policy"] == "series"
                and row["swiotlb.size [bytes]"] == "524288"]  # fmt: skip
        self.assertEqual(3, len(rows))
        mean = sum(float(row["throughput [MB/s]"]) for row in rows) / 3
        self.assertIn(f"{mean:.4g}", svg)

    def test_the_page_needs_no_other_file_and_replays_every_point(self):
        self.finished("plot", "a.toml")
        text = (self.folder / "page.html").read_text()
        found = page(text)
        self.assertEqual([], found.asked)
        self.assertNotRegex(re.sub(r'xmlns(:\w+)?="[^"]*"', "", text), "https?://(?!www.w3.org|www.gnuplot)")
        self.assertEqual(54, len(found.options))
        line = self.finished("replay", "a.toml", "7")
        self.assertEqual(line.split()[2:-2], found.options[6].split())
        self.assertIn("A &lt;sentence&gt; &amp; more.", text)
        self.assertIn("killed by SIGSEGV", text)

    def test_of_what_is_there(self):
        """A study that is half done is drawn, one without a good point is not."""
        self.study_file(AXES.replace("[1, 4, 102]", "[1, 2, 3, 4, 102]"), more=PICTURES)
        self.finished("plot", "a.toml")
        done = self.study("plot", "a.toml", "--in", "nowhere")
        self.assertEqual((2, 1), (done.status, len(done.error.splitlines())))
        self.assertIn("nothing to draw", done.error)
        self.study_file("depth = [102, 103]", name="b.toml", figures=FIGURES)
        self.finished("b.toml")
        self.assertEqual(2, self.study("plot", "b.toml").status)

    def test_sensitivity_and_conclusions_in_words(self):
        said = self.finished("sensitivity", "a.toml")
        self.assertRegex(said, r"\nhypercalls +0\.000 +0\.000 +1\.000 +0\.000\n")
        self.assertIn("more than 100 MB/s, or 50 %: holds at 36 of 36 points", said)


if __name__ == "__main__":
    unittest.main()
