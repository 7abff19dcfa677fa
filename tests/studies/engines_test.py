#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same study by the local pool and by Slurm gives the same result file, byte for byte.

With PEFSIM_FULL, of 10,000 points.
"""

import pathlib
import signal
import subprocess
import unittest

from studies import BINARIES, FULL, StudyTest, missing

AXES = """
swiotlb.size = {{ from = "256KiB", to = "4MiB", factor = 2 }}
depth = {{ from = 1, to = 16, factor = 2 }}
chunk = {{ from = "4KiB", to = "64KiB", factor = 2 }}
seed = {{ from = 1, to = {seeds} }}
"""
SMALL_AXES = """
swiotlb.size = ["256KiB", "1MiB"]
depth = { from = 1, to = 10 }
seed = [1, 2, 3]
"""


class Engines(StudyTest):
    def test_the_same_result_file(self):
        slurm = self.slurm()
        if FULL:  # as a user has it, without the wrapper
            self.environment["PEFSIM_SCENARIOS"] = str(BINARIES)
        self.study_file(AXES.format(seeds=80) if FULL else SMALL_AXES)
        self.finished("a.toml", "--in", "local")
        self.finished("a.toml", "--in", "a folder of Slurm's", "--engine", "slurm")
        self.same_results("local", "a folder of Slurm's")
        self.assertEqual(10_000 if FULL else 60, len(self.rows("local")))
        queue = subprocess.run(["squeue", "--noheader"], env=slurm.environment, capture_output=True, text=True, check=True)
        self.assertEqual("", queue.stdout)

    def test_what_one_engine_has_begun_the_other_ends(self):
        self.slurm()
        self.study_file("depth = { from = 1, to = 10 }")
        self.finished("a.toml", "--engine", "slurm")
        self.study_file("depth = { from = 1, to = 20 }")
        self.finished("a.toml")
        self.study_file("depth = { from = 1, to = 30 }")
        self.finished("a.toml", "--engine", "slurm", "--option=--comment=a study")
        ends = self.events("end")
        self.assertEqual((30, 30), (len(ends), len(set(ends))))

    def test_failed_points_and_a_signal(self):
        slurm = self.slurm()
        self.study_file("depth = [1, 2, 102, 103, 3, 4, 5]")
        self.finished("a.toml", "--engine", "slurm")
        self.assertEqual(["102", "103"], [row["depth [chunks]"] for row in self.rows() if row["status"] == "failed"])
        self.study_file("depth = { from = 1, to = 90 }", name="b.toml")
        self.log.write_text("")
        process = self.begun("b.toml", "--engine", "slurm")
        self.await_events("end", 8, process)
        process.terminate()
        _, error = process.communicate(timeout=60)
        self.assertEqual(143, process.returncode)
        self.assertRegex(error, r"^study: stopped at \d+ of 90 points, which are kept; the same command goes on\n$")
        queue = subprocess.run(["squeue", "--noheader", "--states=PD,R"], env=slurm.environment, capture_output=True,
                               text=True, check=True)  # fmt: skip
        self.assertEqual("", queue.stdout)

    @unittest.skipIf(missing("parallel"), missing("parallel"))
    def test_gnu_parallel(self):
        self.study_file(SMALL_AXES)
        self.finished("a.toml", "--in", "local")
        self.finished("a.toml", "--engine", "parallel", "--jobs", "3")
        self.same_results("local", "a.results")
        self.study_file("depth = { from = 1, to = 90 }", name="b.toml")
        self.log.write_text("")
        process = self.begun("b.toml", "--engine", "parallel")
        self.await_events("end", 8, process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)
        self.finished("b.toml")
        ends = self.events("end")
        self.assertEqual((90, 90), (len(ends), len(set(ends))))

    def test_without_slurm(self):
        self.study_file("depth = { from = 1, to = 10 }")
        empty = self.directory / "empty"
        empty.mkdir()
        for name in ("env", "python3", "sh", "basename"):
            found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True).stdout
            (empty / name).symlink_to(pathlib.Path(found.strip()))
        self.environment["PATH"] = str(empty)
        done = self.study("a.toml", "--engine", "slurm")
        self.assertEqual(1, done.status)
        self.assertEqual("study: there is no command scontrol: Slurm's clients are not installed; the same command goes on\n",
                         done.error)  # fmt: skip


if __name__ == "__main__":
    unittest.main()
