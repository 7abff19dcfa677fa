#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A study that cannot be is one line that names the thing, exit status 2, before anything has run."""

import unittest

from studies import FIGURES, SMALL, StudyTest

GOOD = f"{SMALL}[axes]\ndepth = [1, 2]\n{FIGURES}"
PICTURE = '[[pictures]]\nname = "p"\nkind = "lines"\nx = "depth"\ny = "throughput"\n'


class BadFiles(StudyTest):
    def refused(self, text, *words):
        file = self.directory / "a.toml"
        file.write_text(text, encoding="utf-8")
        done = self.study(file)
        self.assertEqual((2, "", 1), (done.status, done.output, len(done.error.splitlines())), done.error)
        for word in words:
            self.assertIn(word, done.error)
        return done

    def test_before_anything_runs(self):
        for old, new, *words in (
            ("depth = [1, 2]", "dept = [1, 2]", "unknown axis 'dept'", "did you mean 'depth'"),
            ("depth = [1, 2]", "depth = []", "depth has no values"),
            ("depth = [1, 2]", "depth = { from = 2, to = 1 }", "depth", "from 2 to 1 is empty"),
            ("depth = [1, 2]", "depth = { from = 1, to = 1000 }\nchunk = { from = 1, to = 1000 }\n"
             "seed = { from = 1, to = 1000 }", "1,000,000,000 points", "1,000,000 is the most"),
            ("depth = [1, 2]", "depth = { from = 1, to = 1000000000 }", "depth", "1,000,000"),
            ("depth = [1, 2]", 'depth = [1, "x"]', "depth", "'x'"),
            ("depth = [1, 2]", "depth = 3", "depth"),
            ("depth = [1, 2]", "depth = [1979-05-27]", "depth"),
            ("depth = [1, 2]", 'chunk = ["4KiB", 4096]', "chunk", "twice"),
            ("depth = [1, 2]", 'seed = [1, "x"]', "seed", "x"),
            ("depth = [1, 2]", 'memory.size = ["8MiB"]', "memory.size is an axis and a parameter"),
            ("scenario =", "sceanrio =", "'sceanrio'", "did you mean 'scenario'"),
            ('scenario = "swiotlb_block"', "", "there is no 'scenario'"),
            ('scenario = "swiotlb_block"', "scenario = 3", "scenario"),
            ("swiotlb_block", "swiotlb_blok", "'swiotlb_blok'", "did you mean 'swiotlb_block'"),
            ('"60s"', '"soon"', "time-limit", "soon"),
            ("disk-size", "disk-sise", "'disk-sise'", "did you mean 'disk-size'"),
            ("disk-size = ", "copy-to = ", "copy-to", "every point would write"),
            ("disk-size = ", "disk = ", "disk: there is no"),
            ("[axes]", "[axes", "line"),
            ("[axes]\n", 'depth-of = "{chunk}"\n[axes]\n', "chunk"),
            ("throughput = ", "throughput = [] #", "throughput"),
            ('"/runs/0/figures/throughput"', '"runs"', "figure throughput", "begins with /"),
            ('"/runs/0/figures/throughput"', '{ pth = "/runs" }', "'pth'", "did you mean 'path'"),
            ('"/runs/0/figures/throughput"', '{ unit = "s" }', "neither path nor formula"),
            ('"/runs/0/figures/throughput"', '{ formula = "hypercals * 2" }', "unknown name 'hypercals'"),
            ("[figures]", "[fgures]", "'fgures'", "did you mean 'figures'"),
            ("[parameters]", 'constraints = ["dept < 3"]\n[parameters]', "'dept < 3'", "did you mean 'depth'"),
            ("[parameters]", 'constraints = ["depth < 1"]\n[parameters]', "allow no point"),
            ("[parameters]", 'constraints = ["depth <"]\n[parameters]', "'depth <' cannot be read"),
            ("[parameters]", "constraints = [3]\n[parameters]", "constraint"),
            ("[parameters]", 'constraints = "depth < 3"\n[parameters]', "constraints"),
            ("[figures]", '[conclusions]\nit = "throughputs > 1"\n[figures]', "conclusion it", "'throughputs'"),
            ("hypercalls = ", "depth = ", "depth is an axis and a figure"),
        ):  # fmt: skip
            with self.subTest(new=new):
                self.assertIn(old, GOOD)
                self.refused(GOOD.replace(old, new, 1), "a.toml", *words)
        self.assertEqual([], self.events("begin"))

    def test_pictures(self):
        for old, new, *words in (
            ('x = "depth"', 'x = "dept"', "picture p", "'dept'"), ('y = "throughput"', 'y = "depth"', "unknown figure"),
            ('kind = "lines"', 'kind = "line"', "'line'", "did you mean 'lines'"), ('x = "depth"\n', "", "lines need 'x'"),
            ('name = "p"', 'name = "../p"', "'../p'"), ('x = "depth"', 'x = "depth"\nfigure = "hypercalls"', "no 'figure'"),
            ('x = "depth"', 'x = "depth"\nat = { depth = 3 }', "no value 3"), ("kind", "knd", "'knd'"),
            ('x = "depth"', 'x = "depth"\nlogarithmic = ["z"]', "'z'"), (PICTURE, PICTURE + PICTURE, "two pictures"),
            ('"lines"\nx = "depth"\ny = "throughput"', '"conclusions"', "no conclusions"),
        ):  # fmt: skip
            with self.subTest(new=new):
                self.assertIn(old, PICTURE)
                self.refused(GOOD + PICTURE.replace(old, new, 1), "a.toml", *words)
        self.refused(GOOD.replace("depth = [1, 2]", "depth = [1, 2]\nchunk = [512, 1024]") + PICTURE, "axis chunk is not in it")

    def test_a_figure_that_no_report_has(self):
        """Known when the first points have run, and no others are."""
        text = GOOD.replace("[1, 2]", "{ from = 1, to = 50 }").replace("figures/throughput", "figures/througput")
        self.refused(text, "figure throughput", "/runs/0/figures/througput")
        self.assertEqual(5, len(self.events("begin")))

    def test_the_file_itself(self):
        for name in ("nowhere.toml", ".", "/dev/null"):
            with self.subTest(name=name):
                done = self.study(name)
                self.assertEqual((2, 1), (done.status, len(done.error.splitlines())), done.error)
                self.assertIn(name, done.error)
        (self.directory / "a.toml").write_bytes(b'scenario = "\xff"')
        done = self.study("a.toml")
        self.assertEqual((2, "study: a.toml: not UTF-8, and so not TOML\n"), (done.status, done.error))
        (self.directory / "a.toml").write_text("a = " + "[" * 100_000)
        done = self.study("a.toml")
        self.assertEqual((2, 1), (done.status, len(done.error.splitlines())), done.error[-300:])

    def test_the_command_line(self):
        self.study_file("depth = [1]")
        for words in ((), ("a.toml", "--engine", "slrm"), ("a.toml", "--jobs", "0"), ("a.toml", "--jobs", "x"),
                      ("a.toml", "b.toml"), ("replay", "a.toml"), ("replay", "a.toml", "9"), ("a.toml", "--dry")):  # fmt: skip
            with self.subTest(words=words):
                self.assertEqual(2, self.study(*words).status)
        self.assertEqual(0, self.study("--help").status)
        self.assertEqual([], self.events("begin"))


if __name__ == "__main__":
    unittest.main()
