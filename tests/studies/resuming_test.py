#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing that is finished runs again, everything that has changed does: binary, parameters, inputs, figures; and what the
host has to do with it: two at once, memory, folders of any name.
"""

import os
import pathlib
import signal
import subprocess
import time
import unittest

from studies import BINARIES, FIGURES, WRAPPER, StudyTest, processes

AXES = "depth = { from = 1, to = 12 }"


class Resuming(StudyTest):
    def ran(self, *words, **options):
        """How many points a study has run."""
        before = len(self.events("begin"))
        self.finished(*words, **options)
        return len(self.events("begin")) - before

    def sleeps(self):
        """Does the point that never ends run, of this test and no other?"""
        return any(words[:2] == ["sleep", "1000"] and folder.startswith(f"{self.directory}/")
                   for _, words, folder in processes())  # fmt: skip

    def test_only_what_has_changed_runs(self):
        self.study_file(AXES)
        self.assertEqual(12, self.ran("a.toml"))
        self.assertEqual(0, self.ran("a.toml"))
        self.study_file("depth = { from = 1, to = 15 }")
        self.assertEqual(3, self.ran("a.toml"))
        self.study_file(f"{AXES}\nseed = [1, 2]")
        self.assertEqual(24, self.ran("a.toml"), "a seed that is said is part of the point")
        self.study_file(AXES, figures=FIGURES + 'factor = "/runs/0/figures/bounce_factor"\n')
        self.assertEqual(12, self.ran("a.toml"), "a figure that was not kept")
        self.study_file(AXES)
        self.assertEqual(0, self.ran("a.toml"), "those that were kept are kept")
        self.assertEqual(12, self.ran("a.toml", "--in", "elsewhere"))

    def test_a_figure_of_a_point_that_failed_once(self):
        self.study_file("depth = [1, 107]\nchunk = [512]")
        self.finished("a.toml")
        self.assertEqual("failed", self.rows()[1]["status"])
        self.assertEqual(1, self.ran("a.toml", "--again"))
        self.assertNotEqual("failed", self.rows()[1]["status"])
        self.study_file("depth = [1, 107]\nchunk = [512]", figures=FIGURES + 'factor = "/runs/0/figures/bounce_factor"\n')
        self.assertEqual(2, self.ran("a.toml"))
        self.assertTrue(self.rows()[1]["factor"])
        self.assertEqual(0, self.ran("a.toml"))

    def test_another_binary(self):
        self.study_file(AXES)
        self.finished("a.toml")
        self.install(WRAPPER.format(real=BINARIES / "swiotlb_block", log=self.log) + "# rebuilt\n")
        self.assertEqual(12, self.ran("a.toml"))

    def test_a_binary_that_is_rebuilt_meanwhile(self):
        self.study_file("depth = { from = 1, to = 30 }")
        process = self.begun("a.toml")
        self.await_events("end", 8, process)
        self.install("#!/bin/sh\necho broken >&2; exit 1\n")
        self.assertEqual(0, process.wait(timeout=120))
        self.assertNotIn("failed", {row["status"] for row in self.rows()})

    def test_an_input_that_changes_between_two_studies(self):
        image = self.directory / "in put.img"
        image.write_bytes(b"1" * 65536)
        file = self.study_file(AXES)
        file.write_text(file.read_text().replace('disk-size = "64KiB"', 'disk = "in put.img"'))
        self.assertEqual(12, self.ran("a.toml"))
        os.utime(image, (1, 1))
        self.assertEqual(0, self.ran("a.toml"), "the same content")
        image.write_bytes(b"2" * 65536)
        self.assertEqual(12, self.ran("a.toml"))
        image.rename(self.directory / "other.img")
        file.write_text(file.read_text().replace("in put.img", "other.img"))
        self.assertEqual(0, self.ran("a.toml"), "the same content in another place")

    def test_an_input_that_changes_meanwhile(self):
        image = self.directory / "input.img"
        image.write_bytes(b"1" * 65536)
        file = self.study_file("depth = { from = 1, to = 100 }")
        file.write_text(file.read_text().replace('disk-size = "64KiB"', 'disk = "input.img"'))
        process = self.begun("a.toml")
        self.await_events("end", 8, process)
        image.write_bytes(b"2" * 65536)
        _, error = process.communicate(timeout=60)
        self.assertEqual((1, f"study: {image} has changed while the study ran; the same command goes on\n"),
                         (process.returncode, error))  # fmt: skip

    def test_two_studies_in_one_folder_at_once(self):
        self.study_file("depth = { from = 1, to = 40 }")
        self.study_file("depth = { from = 20, to = 60 }", name="b.toml")
        self.finished("a.toml", "--in", "alone")
        self.log.write_text("")
        both = [self.begun(name, "--in", "one", "--jobs", "2") for name in ("a.toml", "a.toml", "b.toml")]
        self.assertEqual([0, 0, 0], [each.wait(timeout=300) for each in both])
        ends = self.events("end")
        self.assertEqual((60, 60), (len(ends), len(set(ends))), "each point once")
        self.finished("a.toml", "--in", "one")
        self.same_results("alone", "one")

    def test_what_a_killed_study_has_begun_is_taken_when_it_has_ended(self):
        self.study_file("depth = { from = 1, to = 30 }")
        process = self.begun("a.toml")
        self.await_events("begin", 9, process)
        process.kill()
        process.wait()
        self.finished("a.toml")
        ends = self.events("end")
        self.assertEqual((30, 30), (len(ends), len(set(ends))))
        self.assertEqual([], os.listdir(self.directory / "a.results/running"))

    def test_no_more_at_once_than_memory_allows(self):
        from study import pool  # pylint: disable=import-outside-toplevel

        class result:
            pass

        class running:
            def __init__(self, memory):
                self.memory = lambda: memory

        for memory, peak, number, room in ((1000, 100, 8, True), (1000, 100, 9, False), (1000, 5000, 0, True),
                                           (1000, 0, 5, True)):  # fmt: skip
            tried = pool.pool(result, 100, memory)
            tried.peak = peak
            tried._running = {at: running(peak) for at in range(number)}  # pylint: disable=protected-access
            self.assertEqual(room, tried._has_room(), (memory, peak, number))  # pylint: disable=protected-access
        given, pool.memory_to_give = pool.memory_to_give, lambda: 1000
        self.addCleanup(setattr, pool, "memory_to_give", given)
        for peak, now, number, room in ((300, 300, 2, True), (300, 0, 2, False), (1000, 1000, 1, False)):
            tried = pool.pool(result, 100)
            tried.peak = peak
            tried._running = {at: running(now) for at in range(number)}  # pylint: disable=protected-access
            self.assertEqual(room, tried._has_room(), (peak, now, number))  # pylint: disable=protected-access
        self.assertTrue(2**20 < given() < 2**50)

    def test_a_point_that_has_not_the_memory_is_a_row(self):
        """Its memory is bounded from outside, as a control group's would be."""
        file = self.study_file('memory.size = ["8MiB", "64GiB"]')
        file.write_text(file.read_text().replace('memory.size = "8MiB"\n[axes]', "[axes]"))
        self.install(f"#!/bin/sh\nulimit -v 400000\nexec '{BINARIES / 'swiotlb_block'}' \"$@\"\n")
        self.finished("a.toml")
        self.assertEqual(["shown", "failed"], [row["status"] for row in self.rows()])
        self.assertTrue(self.rows()[1]["reason"])

    def test_names_with_spaces_quotes_and_bytes_that_are_no_text(self):
        for name in ("a study of mine", "it's \"one\"", os.fsdecode(b"caf\xe9 \xff")):
            with self.subTest(name=ascii(name)):
                folder = self.directory / f"{name} folder"
                folder.mkdir()
                file = self.study_file("depth = [1, 2]", figures=FIGURES + PICTURE)
                file = file.rename(folder / f"{name}.toml")
                self.finished(file.name, cwd=folder)
                self.finished("plot", file, "--in", folder / f"{name}.results", cwd="/")
                self.assertIn("2 of 2 points", self.finished("status", file.name, cwd=folder))
                self.assertTrue((folder / f"{name}.results/page.html").stat().st_size)

    def test_a_clock_that_goes_backwards(self):
        self.study_file("depth = { from = 1, to = 6 }")
        self.finished("a.toml")
        for file in (self.directory / "a.results/log").iterdir():
            file.write_text(file.read_text().replace('"at":1', '"at":9'))  # far ahead
        self.study_file("depth = { from = 1, to = 8 }")
        self.finished("a.toml")
        self.assertRegex(self.finished("status", "a.toml"), r"^a: 8 of 8 points\n$")

    def test_another_priority(self):
        self.study_file("depth = [1, 2]")
        done = subprocess.run(["nice", "-n", "5", os.fspath(pathlib.Path(__file__).parents[2] / "scenarios/study"), "a.toml"],
                              cwd=self.directory, env=self.environment, capture_output=True, check=False)  # fmt: skip
        self.assertEqual(0, done.returncode)

    def test_an_older_layout_and_a_folder_of_something_else(self):
        self.study_file("depth = [1, 2]")
        self.finished("a.toml")
        (self.directory / "a.results/format").write_text("pefsim study, layout 0\n")
        for words in (("a.toml",), ("status", "a.toml"), ("plot", "a.toml")):
            done = self.study(*words)
            self.assertEqual((2, 1), (done.status, len(done.error.splitlines())))
            self.assertIn("another layout, 'pefsim study, layout 0'", done.error)
        done = self.study("a.toml", "--in", ".")
        self.assertEqual(2, done.status)
        self.assertIn("is no folder of results", done.error)

    def test_points_that_others_never_end(self):
        file = self.study_file("depth = [1, 101, 2]")
        file.write_text(file.read_text().replace('"60s"', '"2s"'))
        process = self.begun("a.toml")
        deadline = time.monotonic() + 60
        while not self.sleeps():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)  # before its two seconds are over
        process.wait()
        done = self.study("a.toml")
        self.assertEqual(1, done.status)
        self.assertIn("1 points are run by processes that do not end; fuser ", done.error)
        holders = subprocess.run(["fuser", self.directory / "a.results/claims"], capture_output=True, text=True, check=False)
        for holder in holders.stdout.split():
            os.kill(int(holder), signal.SIGKILL)
        self.finished("a.toml")
        self.assertEqual("did not end within 2 s", self.rows()[1]["reason"])


PICTURE = '[[pictures]]\nname = "p"\nkind = "lines"\nx = "depth"\ny = "throughput"\nproves = "It\'s <so> & \\"so\\"."\n'


if __name__ == "__main__":
    unittest.main()
