#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The installed tree: everything in its place, stripped, and usable where it was moved to.

Environment: PEFSIM_BUILD, PEFSIM_CXX, PEFSIM_VERSION.
"""

import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ["PEFSIM_BUILD"])
SCENARIOS = sorted(each.stem for each in (ROOT / "scenarios").glob("*.cpp") if "\nint main(" in each.read_text())


def run(*words, **others):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **others)


class installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        first = pathlib.Path(cls.directory.name) / "first"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", first, "--strip"], check=True, stdout=subprocess.DEVNULL)
        cls.prefix = first.rename(first.parent / "moved")
        cls.work = first.parent

    def test_everything_has_its_place(self):
        for place in ("bin/pefsim", "bin/pefsim-compare", "bin/pefsim-esm", "bin/pefsim-new", "bin/pefsim-study", "bin/trace_render", "share/man/man1/pefsim.1",
                      "share/man/man1/pefsim-linux.1", "share/man/man1/pefsim-new.1", "share/bash-completion/completions/pefsim",
                      "share/bash-completion/completions/pefsim-new", "share/pefsim/examples/my_block.cpp", "share/doc/pefsim/README.md",
                      "share/doc/pefsim/docs/architecture.md", "share/pefsim/scenarios/linux/image",
                      "include/pefsim/platform/native/native_scenario.h"):  # fmt: skip
            self.assertTrue((self.prefix / place).is_file(), place)
        self.assertEqual(sorted(each.name for each in (self.prefix / "libexec/pefsim").iterdir()), SCENARIOS)
        self.assertEqual([], [str(each) for each in self.prefix.rglob("__pycache__")])

    def test_it_is_stripped(self):
        archives = list(self.prefix.rglob("libpefsim_*.a"))
        self.assertGreater(len(archives), 20)
        for each in [*archives, self.prefix / "libexec/pefsim/linux"]:
            self.assertNotIn(".debug_info", run("readelf", "--section-headers", "--wide", each).stdout, each)

    def test_a_scenario_runs(self):
        done = run(self.prefix / "bin/pefsim", "swiotlb_block", "--no-trace", "--brief", cwd=self.work)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("swiotlb_block: shown", done.stdout)

    def test_scenarios_are_listed(self):
        done = run(self.prefix / "bin/pefsim", "--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(re.findall(r"^  (\w+)", done.stdout, re.MULTILINE), SCENARIOS)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)
        done = run(self.prefix / "bin/pefsim", "swiotlb_blok")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertIn("'swiotlb_blok'", done.stderr)

    def test_tools_say_who_they_are(self):
        for name in ("pefsim", "pefsim-compare", "pefsim-esm", "pefsim-new", "pefsim-study", "trace_render"):
            with self.subTest(tool=name):
                done = run(self.prefix / "bin" / name, "--version")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout.endswith(f" {os.environ['PEFSIM_VERSION']}\n"), done.stdout)
                self.assertEqual(run(self.prefix / "bin" / name, "-h").stdout, run(self.prefix / "bin" / name, "--help").stdout)

    def test_a_study_runs(self):
        (self.work / "s.toml").write_text('scenario = "swiotlb_block"\n[parameters]\nno-such-parameter = 1\n[axes]\nseed = [1, 2]\n[figures]\nx = "/seed"\n')
        done = run(self.prefix / "bin/pefsim-study", "s.toml", cwd=self.work)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no-such-parameter", done.stderr)

    def test_pkg_config_builds_a_scenario(self):
        files = list(self.prefix.rglob("pefsim.pc"))
        self.assertEqual(len(files), 1)
        words = run("pkg-config", "--cflags", "--libs", "pefsim", env={**os.environ, "PKG_CONFIG_PATH": str(files[0].parent)})
        self.assertEqual(words.returncode, 0, words.stderr)
        self.assertNotIn(str(BUILD), words.stdout)
        source = ROOT / "examples/my_block.cpp"
        done = run(os.environ["PEFSIM_CXX"], "-O0", source, "-o", self.work / "mine", *shlex.split(words.stdout))
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run(self.work / "mine", "--no-trace", "--brief", cwd=self.work)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("my_block: shown", done.stdout)


if __name__ == "__main__":
    unittest.main()
