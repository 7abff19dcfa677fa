#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a study writes is what its scenario reports, a row for each point, with units; what fails is a row."""

import csv
import json
import os
import pty
import signal
import subprocess
import unittest

from studies import BINARIES, STUDY, StudyTest

FIVE = "swiotlb.size = { from = '256KiB', to = '1MiB', factor = 2 }\ndepth = [1, 4]\nseed = [1, 2]"


class Results(StudyTest):
    def test_a_row_is_what_the_scenario_reports(self):
        self.study_file(FIVE)
        self.finished("a.toml")
        rows = self.rows()
        self.assertEqual(12, len(rows))
        for at in (0, 7, 11):
            row = rows[at]
            line = self.study("replay", "a.toml", row["point"]).output.split()
            self.assertEqual(["scenarios/run", "swiotlb_block"], line[:2])
            subprocess.run([BINARIES / "swiotlb_block", "--no-trace", "--quiet", *line[2:]], cwd=self.directory, check=True)
            report = json.loads((self.directory / "report.json").read_text())
            self.assertEqual(row["seed"], str(report["seed"]))
            self.assertEqual(row["depth [chunks]"], report["parameters"]["depth"])
            self.assertEqual(float(row["throughput [MB/s]"]), report["runs"][0]["figures"]["throughput"]["value"])
            calls = report["runs"][0]["metrics"]["tallies"]["machine.cpu0.hypercalls"]["total"]
            self.assertEqual(row["hypercalls [calls]"], str(calls))
        self.assertEqual(["262144", "524288", "1048576"], sorted({row["swiotlb.size [bytes]"] for row in rows}, key=int))

    def test_lines_of_json_say_the_same(self):
        self.study_file(FIVE)
        self.finished("a.toml")
        lines = [json.loads(line) for line in (self.directory / "a.results/results.jsonl").read_text().splitlines()]
        for row, line in zip(self.rows(), lines, strict=True):
            for name, value in row.items():
                bare = name.partition(" [")[0]
                self.assertEqual(value, "" if line[bare] is None else str(line[bare]))
                if " [" in name:
                    self.assertEqual(f"{bare} [{line['units'][bare]}]", name)

    def test_another_reader(self):
        try:
            import pandas  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("python3-pandas is not installed")
        self.study_file(FIVE)
        self.finished("a.toml")
        one = pandas.read_csv(self.directory / "a.results/results.csv")
        other = pandas.read_json(self.directory / "a.results/results.jsonl", lines=True)
        self.assertEqual(list(one["throughput [MB/s]"]), list(other["throughput"]))
        self.assertEqual(12, len(one.groupby(["swiotlb.size [bytes]", "depth [chunks]", "seed"])))

    def test_formulas_words_and_what_is_in_one_report_only(self):
        figures = """
[figures]
throughput = "/runs/0/figures/throughput"
doubled = { formula = "2 * throughput / depth", unit = "MB/s" }
second = "/runs/0/metrics/tallies/machine.cpu1.hypercalls/total"
ended = "/ended/kind"
shown = "/verdict/{text=nobody broke a rule}/shown"
"""
        self.study_file("depth = [4]\ncpus = [1, 2]", figures=figures)
        self.finished("a.toml")
        first, second = self.rows()
        self.assertEqual(float(first["throughput [MB/s]"]) / 2, float(first["doubled [MB/s]"]))
        self.assertEqual("", first["second [calls]"])
        self.assertGreater(int(second["second [calls]"]), 0)
        self.assertEqual(("finished", "1"), (first["ended"], first["shown"]))

    def test_values_of_an_axis_within_a_parameter(self):
        self.study_file("kib = [64, 128]", more='[parameters.swiotlb]\nsize = "1MiB"\n')
        file = self.directory / "a.toml"
        file.write_text(file.read_text().replace('disk-size = "64KiB"', 'disk-size = "{kib}KiB"'))
        self.finished("a.toml")
        self.assertIn("disk-size=128KiB", self.study("replay", "a.toml", "2").output)
        self.assertEqual(["64", "128"], [row["kib"] for row in self.rows()])

    def test_what_fails_is_a_row_with_its_reason(self):
        self.study_file("depth = [1, 102, 103, 104, 2000, 2]")
        output = self.finished("a.toml")
        self.assertIn("6 points, 4 failed", output)
        said = [(row["status"], row["reason"]) for row in self.rows()]
        self.assertEqual(("shown", ""), said[0])
        self.assertEqual(("failed", "killed by SIGSEGV"), said[1])
        self.assertEqual(("failed", "exit status 3: the disk is on fire in ."), said[2])
        self.assertEqual(("failed", "killed by SIGKILL, 3 times"), said[3])
        self.assertEqual(("failed", "exit status 2: swiotlb_block: depth: 2000 is not within 1 to 1024"), said[4])
        self.assertEqual(("shown", ""), said[5])
        self.assertEqual("", self.rows()[1]["throughput [MB/s]"])
        self.assertIn("1 failed: killed by SIGSEGV", self.study("status", "a.toml").output)
        begun = len(self.events("begin"))
        self.finished("a.toml")
        self.assertEqual(begun, len(self.events("begin")), "a failed point is finished")
        self.finished("a.toml", "--again")
        self.assertEqual(begun + 6, len(self.events("begin")), "4 failed, of which one is killed 3 times")

    def test_what_is_not_shown_has_figures_and_says_what(self):
        self.study_file("clear-buffers = [true, false]\nsecure = [true, false]")
        self.finished("a.toml")
        rows = self.rows()
        self.assertEqual(["shown", "not shown"], [row["status"] for row in rows[:2]])
        self.assertIn("not shown: ", rows[1]["reason"])
        self.assertTrue(rows[1]["throughput [MB/s]"])

    def test_what_never_ends_is_a_row(self):
        file = self.study_file("depth = [1, 101, 2]")
        file.write_text(file.read_text().replace('"60s"', '"2s"'))
        self.finished("a.toml")
        self.assertEqual(["shown", "failed", "shown"], [row["status"] for row in self.rows()])
        self.assertEqual("did not end within 2 s", self.rows()[1]["reason"])

    def test_what_somebody_kills_is_run_once_more(self):
        """SIGKILL, and SIGTERM, of which a scenario ends with a report of what it has got to."""
        for depth in (105, 108):
            with self.subTest(depth=depth):
                self.log.with_name("log.once").unlink(missing_ok=True)
                self.log.write_text("")
                self.study_file(f"depth = [1, {depth}]\ndisk-size = ['64MiB']\nchunk = ['4KiB']", name=f"{depth}.toml")
                file = self.directory / f"{depth}.toml"
                file.write_text(file.read_text().replace('disk-size = "64KiB"\n', ""))
                self.finished(file)
                self.assertNotIn("killed", [row["reason"][:6] for row in self.rows(f"{depth}.results")])
                self.assertNotIn("interrupted", self.rows(f"{depth}.results")[1]["reason"])
                self.assertEqual(3, len(self.events("begin")))

    def test_no_axes_is_one_point(self):
        self.study_file("")
        self.finished("a.toml")
        self.assertEqual(1, len(self.rows()))

    def test_times_are_in_a_file_of_their_own(self):
        self.study_file("depth = [1, 2]")
        self.finished("a.toml")
        with open(self.directory / "a.results/times.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            self.assertGreater(float(row["seconds"]), 0)
            self.assertGreater(int(row["peak_bytes"]), 5 << 20)


class Told(StudyTest):
    def test_dry_run(self):
        self.study_file("depth = { from = 1, to = 60 }\nchunk = ['4KiB', '8KiB']", more='constraints = []').write_text(
            self.study_file("depth = { from = 1, to = 60 }\nchunk = ['4KiB', '8KiB']").read_text().replace(
                "[parameters]", 'constraints = ["depth * chunk <= 240KiB"]\n[parameters]'))  # fmt: skip
        output = self.finished("a.toml", "--dry-run")
        self.assertIn("      1  depth 1  chunk 4KiB", output)
        self.assertIn("90 points of swiotlb_block", output)
        self.assertRegex(output, r"\n\d+ ms and [\d.]+ MiB each, as measured; 85 are to be run: .* with \d+ at once")
        self.assertEqual(5, len(self.events("end")))
        self.assertFalse((self.directory / "a.results/results.csv").exists())
        self.finished("a.toml")
        self.assertEqual(90, len(self.events("end")), "what was measured counts")

    def test_a_terminal_shows_rate_and_time_left(self):
        self.study_file("depth = { from = 1, to = 40 }")
        reader, writer = pty.openpty()
        process = subprocess.Popen([STUDY, "a.toml"], cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=writer)  # fmt: skip
        os.close(writer)
        said = b""
        while True:
            try:
                piece = os.read(reader, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        os.close(reader)
        self.assertEqual(0, process.wait())
        self.assertRegex(said.decode(), r"\ra: \d+ of 40 points; [\d.]+ a second, \d+ m?s left")

    def test_status_from_elsewhere(self):
        self.study_file("depth = { from = 1, to = 60 }")
        self.assertEqual("a: 0 of 60 points\n", self.finished("status", "a.toml"))
        self.assertFalse((self.directory / "a.results").exists(), "looking makes nothing")
        process = self.begun("a.toml")
        self.await_events("end", 8, process)
        said = self.finished("status", self.directory / "a.toml", "--in", self.directory / "a.results", cwd="/")
        self.assertRegex(said, r"^a: \d+ of 60 points; [\d.]+ a second, .* left\n$")

    def test_a_signal_ends_it_cleanly_and_says_how_to_go_on(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                self.study_file("depth = { from = 1, to = 300 }", name=f"{number}.toml")
                before = len(self.events("end"))
                process = self.begun(f"{number}.toml")
                self.await_events("end", before + 8, process)
                process.send_signal(number)
                _, error = process.communicate(timeout=60)
                self.assertEqual(128 + number, process.returncode)
                self.assertRegex(error, r"^study: stopped at \d+ of 300 points, which are kept; the same command goes on\n$")
                rows = self.rows(f"{number}.results")
                self.assertTrue(8 - len(os.sched_getaffinity(0)) <= len(rows) < 300)
                running = subprocess.run(["pgrep", "-f", f"{self.log}"], capture_output=True, text=True, check=False)
                self.assertEqual("", running.stdout, "nothing runs any more")


if __name__ == "__main__":
    unittest.main()
