#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as people use it: one spelling, a run that is written down and run again, text that fits its terminal.

Environment: PEFSIM_SCENARIOS.
"""

import fcntl
import os
import re
import struct
import subprocess
import termios
import threading
import tomllib
import unittest

import scenario
from scenario import SMALL, ScenarioTest, run

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# name, options: what a run may be asked for, values that do not stand in TOML as they are among them
RUNS = [
    *([name, options] for name, options in SMALL.items()),
    ["swiotlb_block", ["--seed", "18446744073709551615", "--cpus", "2", "--memory.size", "256 MiB", "--quantum", "1.234567us",
                       "--timing.hypercall", "123.25", "--watch-page", "0x40", "--watch-page", "0x41", "--trace-window",
                       "10us:20us", "--trace", "t \"quoted\" #1.vcd"]],
    ["swiotlb_block", ["--no-trace", "--clear-buffers", "no", "--swiotlb.size", "2MiB", "--disk-size", "1024kB"]],
    ["bare_metal", ["--load", "spin.bin@0x10000", "--pc", "0x10000", "--instruction_limit", "1000", "--no-trace", "--profile", "p",
                    "--profile.period", "100", "--set-register", "r3=7", "--set-register", "r4=0x8", "--translator.memory", "1MiB"]],
]  # fmt: skip


class command_line(ScenarioTest):
    def test_help_and_version_have_their_usual_names(self):
        for name in SMALL:
            with self.subTest(scenario=name):
                self.assertEqual(run(name, "-h", cwd=self.directory), run(name, "--help", cwd=self.directory))
                version = run(name, "--version", cwd=self.directory)
                self.assertEqual((version.status, version.error), (0, ""))
                self.assertRegex(version.output, rf"^{name} \(pefsim\) \d+\.\d+\.\d+\n$")

    def test_a_dash_and_an_underscore_are_the_same(self):
        options = ["--no_trace", "--clear_buffers", "no", "--set", "memory.page-size=4KiB"]
        self.assertIn("memory.page-size", run("swiotlb_block", *options, cwd=self.directory).error)
        (self.directory / "c.toml").write_text("clear_buffers = false\n[timing]\nmmio-exit = 123\n")
        by_file = self.shown("swiotlb_block", "--no-trace", "--config", "c.toml")
        by_option = self.shown("swiotlb_block", "--no_trace", "--clear-buffers", "no", "--timing.mmio_exit", "123")
        self.assertEqual(by_file, by_option)
        self.assertEqual(by_file["parameters"]["timing.mmio_exit"], "123")

    def test_a_dumped_configuration_gives_the_same_run_byte_for_byte(self):
        for number, (name, options) in enumerate(RUNS):
            with self.subTest(scenario=name, options=options):
                first, again = self.directory / f"{number}a", self.directory / f"{number}b"
                for folder in (first, again):
                    folder.mkdir()
                    (folder / "spin.bin").write_bytes(struct.pack(">I", 0x48000000))
                options = [*options, "--report", "report.json"]
                dumped = run(name, *options, "--dump-config", cwd=first)
                self.assertEqual((dumped.status, dumped.error), (0, ""))
                tomllib.loads(dumped.output)
                self.assertEqual([each.name for each in first.iterdir()], ["spin.bin"], "a dump writes nothing")
                (again / "run.toml").write_text(dumped.output)
                done = run(name, *options, cwd=first)
                self.assertEqual(run(name, "--config", "run.toml", cwd=again), done)
                (again / "run.toml").unlink()
                self.assertIn(first / "report.json", first.iterdir(), done.error)
                self.assertEqual(sorted(each.name for each in first.iterdir()), sorted(each.name for each in again.iterdir()))
                for file in first.iterdir():
                    self.assertEqual(file.read_bytes(), (again / file.name).read_bytes(), file.name)

    def test_a_configuration_comes_from_standard_input(self):
        toml = "seed = 5\ncpuss = 2\n"
        done = self.with_input(toml, "swiotlb_block", "--config", "-")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "swiotlb_block: standard input:2: unknown parameter 'cpuss'; did you mean 'cpus'?\n")
        done = self.with_input("seed = 5\n", "swiotlb_block", "--config", "-", "--brief", "--dump-config")
        self.assertEqual(tomllib.loads(done.stdout)["seed"], 5)
        for options, readers in ((["--config=-", "--config", "-"], "config and config"),
                                 (["--config", "-", "--console-input", "-", "--load", "x@0"], "config and console-input")):
            done = self.with_input("", "bare_metal", *options)
            self.assertEqual(done.stderr, f"bare_metal: {readers}: both would read standard input (-)\n")
            self.assertEqual(done.returncode, 2)

    def with_input(self, text, name, *options):
        return subprocess.run([scenario.BINARIES / name, *options], cwd=self.directory, input=text, capture_output=True,
                              text=True, timeout=300, check=False)

    def test_brief_is_the_end_of_the_whole_report(self):
        for name in ("swiotlb_block", "direct_in_secure_guest"):
            with self.subTest(scenario=name):
                whole = run(name, "--no-trace", cwd=self.directory)
                brief = run(name, "--no-trace", "--brief", cwd=self.directory)
                self.assertTrue(whole.output.endswith("\n\n" + brief.output), whole.output[-500:])
                self.assertTrue(brief.output.startswith(f"{name}: shown\n  shown  "), brief.output)
                self.assertRegex(brief.output, r"\nEnded: .*\n(  .*\n)*(Cause: .*\n(  .*\n)*)*Violations: ")
                self.assertLess(brief.output.count("\n"), 20)

    def on_terminal(self, columns, environment, name, *options):
        """What a terminal with so many columns is sent."""
        master, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        settings = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"} | environment
        process = subprocess.Popen([scenario.BINARIES / name, *options], cwd=self.directory, stdin=subprocess.DEVNULL,
                                   stdout=terminal, stderr=subprocess.PIPE, env=settings)  # fmt: skip
        os.close(terminal)
        parts = []

        def read():
            try:
                while part := os.read(master, 65536):
                    parts.append(part)
            except OSError:  # EIO: nobody writes to it any more
                pass

        reader = threading.Thread(target=read)
        reader.start()
        _, error = process.communicate(timeout=300)
        reader.join()
        os.close(master)
        self.assertEqual(error, b"")
        return b"".join(parts).decode().replace("\r\n", "\n")

    def test_text_is_as_wide_as_its_terminal(self):
        options = ["swiotlb_block", "--no-trace"]
        kept = run(*options, cwd=self.directory).output
        for columns, expected in ((40, 80), (80, 80), (97, 97), (120, 120), (300, 120)):
            with self.subTest(columns=columns):
                text = self.on_terminal(columns, {"NO_COLOR": "1"}, *options)
                self.assertEqual(text.split(), kept.split())
                widest = max(map(len, text.splitlines()))
                self.assertLessEqual(widest, expected)
                self.assertGreater(widest, expected - 8)
                text = self.on_terminal(columns, {}, "swiotlb_block", "--help")
                widest = max(map(len, text.splitlines()))
                self.assertLessEqual(widest, expected)
                self.assertGreater(widest, expected - 8)
        self.assertEqual(self.on_terminal(100, {"NO_COLOR": "1"}, *options), kept)

    def test_colours_are_for_terminals_that_want_them(self):
        options = ["swiotlb_block", "--no-trace", "--brief"]
        kept = run(*options, cwd=self.directory).output
        self.assertNotIn("\x1b", kept)
        painted = self.on_terminal(100, {}, *options)
        self.assertIn("\x1b[32mshown\x1b[0m", painted)
        self.assertEqual(COLOUR.sub("", painted), kept)
        self.assertEqual(self.on_terminal(100, {"NO_COLOR": ""}, *options), painted, "an empty NO_COLOR says nothing")
        self.assertEqual(self.on_terminal(100, {"NO_COLOR": "0"}, *options), kept)
        self.assertEqual(self.on_terminal(100, {"TERM": "dumb"}, *options), kept)


if __name__ == "__main__":
    unittest.main()
