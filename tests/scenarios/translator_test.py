#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Translated code changes nothing that anybody sees: the same runs with and without it have the same report, console and
waveform, but for what the engine tells of itself.

PEFSIM_FULL=1: ordinary and secure Linux with four processors, XIVE and time slices besides.
"""

import os
import pathlib
import subprocess
import unittest

from linux_secure_test import image
from scenario import BINARIES, ScenarioTest, run

FULL = bool(os.environ.get("PEFSIM_FULL"))
PROGRAMS = BINARIES / "bare_metal_programs"


def without_engine(report):
    """What a run shows; of the engine's own counters those that do not depend on who executes."""
    del report["parameters"]["translator"], report["parameter_values"], report["replay"]
    for cpu in report["results"].get("cpus", []):
        cpu.pop("translator", None)
        del cpu["decoded"]
    return report


class TranslatorTest(ScenarioTest):
    def run_both(self, name, *options):
        """Pairs of report and trace, translated and interpreted."""
        shown = {}
        for translator in ("yes", "no"):
            folder = self.directory / translator
            folder.mkdir(exist_ok=True)
            report = self.shown(name, "--translator", translator, "--trace", "trace.vcd", *options, cwd=folder)
            shown[translator] = (report, (folder / "trace.vcd").read_bytes())
        return shown["yes"], shown["no"]

    def check(self, name, *options):
        """With a profile: its stacks are in the report, and the same as well."""
        options = (*options, "--profile", "profile.collapsed", "--profile.period", "9973")
        translated, interpreted = self.run_both(name, *options)
        self.assertEqual(*((self.directory / which / "profile.collapsed").read_text() for which in ("yes", "no")))
        executed = [cpu["translator"]["instructions"] for cpu in translated[0]["results"]["cpus"]]
        self.assertNotIn("translator", interpreted[0]["results"]["cpus"][0])
        self.assertEqual(without_engine(translated[0]), without_engine(interpreted[0]))
        self.assertEqual(translated[1], interpreted[1])
        return sum(executed)

    def test_programs_without_an_operating_system(self):
        for program in sorted(PROGRAMS.iterdir()):
            if program.is_file() and not program.suffix:
                with self.subTest(program=program.name):
                    self.check("bare_metal", "--elf", program, "--cpus", "2" if program.name == "two_cpus" else "1")

    def test_linux_that_makes_itself_secure(self):
        built = image()
        if built is None:
            self.skipTest("SKIP: Debian's source package or its tools cannot be had: no network?")
        for options in ((), ("--cpus", "4", "--ic", "xive", "--host.time_slice", "300us"))[: None if FULL else 1]:
            with self.subTest(options=options):
                executed = self.check("linux_secure", "--image", built, "--memory.size", "256MiB", *options)
                self.assertGreater(executed, 100_000_000)

    def test_linux_that_stays_ordinary(self):
        built = image()
        if built is None or not FULL:
            self.skipTest("with PEFSIM_FULL=1 only")
        for cpus in ("1", "4"):
            with self.subTest(cpus=cpus):
                self.check("linux", "--image", built, "--cpus", cpus)

    def test_little_memory_for_code_is_enough(self):
        built = image()
        if built is None:
            self.skipTest("SKIP: Debian's source package or its tools cannot be had: no network?")
        options = ("--image", built, "--memory.size", "256MiB", "--no-trace")
        small = self.shown("linux_secure", "--translator.memory", "256KiB", *options)
        large = self.shown("linux_secure", *options)
        self.assertGreater(small["results"]["cpus"][0]["translator"]["flushes"], 0)
        self.assertEqual(large["results"]["cpus"][0]["translator"]["flushes"], 0)
        del small["parameters"]["translator.memory"], large["parameters"]["translator.memory"]
        self.assertEqual(without_engine(small), without_engine(large))

    def test_perf_gets_the_names_of_guest_functions(self):
        built = image()
        if built is None:
            self.skipTest("SKIP: Debian's source package or its tools cannot be had: no network?")
        with subprocess.Popen(
            [BINARIES / "linux_secure", "--image", built, "--memory.size", "256MiB", "--no-trace", "--quiet",
             "--translator.perf-map", "yes"],
            cwd=self.directory,
        ) as run:  # fmt: skip
            self.assertEqual(run.wait(), 0)
            perf_map = pathlib.Path(f"/tmp/perf-{run.pid}.map")
        try:
            lines = perf_map.read_text().splitlines()
        finally:
            perf_map.unlink(missing_ok=True)
        self.assertTrue(any("<memset+" in line for line in lines))
        ends = 0
        for line in lines:
            begin, size = (int(field, 16) for field in line.split()[:2])
            self.assertGreaterEqual(begin, ends)
            ends = begin + size

    def test_bad_options(self):
        for options, word in (
            (("--translator.memory", "4KiB"), "translator.memory"),
            (("--translator.memory", "2GiB"), "translator.memory"),
            (("--translator", "no", "--translator.perf-map", "yes"), "translator.perf-map"),
        ):
            with self.subTest(options=options):
                result = run("bare_metal", "--elf", PROGRAMS / "hello", *options, cwd=self.directory)
                self.assertEqual(result.status, 2, result.error)
                self.assertIn(word, result.error)


if __name__ == "__main__":
    unittest.main()
