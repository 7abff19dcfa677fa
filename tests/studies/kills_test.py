#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Killed at random twenty times on the way, a study ends with the same result file, and no point runs to its end twice.

Killed with SIGKILL are the study, a run of a point, with Slurm a task's worker and the node's daemon. A run has come to its
end when its process, the wrapper here, has written that down behind the scenario's exit. With PEFSIM_FULL twenty times on
Slurm, too; PEFSIM_SEED=N kills others at other moments.
"""

import os
import random
import signal
import unittest

from studies import FULL, StudyTest, processes

KILLS = 20
KILLS_ON_SLURM = KILLS if FULL else 6
SEED = int(os.environ.get("PEFSIM_SEED", "1"))
AXES = """
swiotlb.size = ["256KiB", "1MiB", "4MiB"]
depth = { from = 1, to = 15 }
seed = [1, 2]
"""
POINTS = 90


class Kills(StudyTest):
    def setUp(self):
        super().setUp()
        self.study_file(AXES)
        self.finished("a.toml", "--in", "reference")
        self.log.write_text("")
        self.random = random.Random(SEED)
        self.killed = []

    def run_killed(self, victims, kills, *words):
        """Starts the study until it ends by itself, and kills some victim so many times."""
        process = None
        while len(self.killed) < kills:
            if process is None or process.poll() is not None:
                if process is not None:
                    self.assertNotEqual(2, process.returncode, process.communicate())
                process = self.begun("a.toml", *words)
            left = POINTS - len(set(self.events("end")))
            share = max(1, left // (kills - len(self.killed) + 1))
            self.await_events("end", len(self.events("end")) + self.random.randrange(share), process, seconds=300)
            victim = self.random.choice(victims)
            if victim(process):
                self.killed.append(victim.__name__)
            self.assertLess(len(set(self.events("end"))), POINTS, f"over before {kills} kills, seed {SEED}")
        process.wait(timeout=600)
        self.finished("a.toml", *words)

    def check(self):
        self.same_results("reference", "a.results")
        ends = self.events("end")
        twice = {each for each in ends if ends.count(each) > 1}
        self.assertEqual(set(), twice, f"seed {SEED}: {self.killed}")
        # A wrapper that was killed between its scenario's end and its own has written nothing; two run at once.
        self.assertGreaterEqual(len(ends), POINTS - 2 * len(self.killed), f"seed {SEED}: {self.killed}")
        self.assertEqual([], os.listdir(self.directory / "a.results/running"))

    def study_itself(self, process):
        process.kill()
        process.wait()
        return True

    def run_of_a_point(self, _):
        """The group of processes that the study has made of it."""
        return self.kill_one(lambda words, folder: folder.startswith(f"{self.directory}/a.results/running/")
                             and words[:1] == ["/bin/sh"], group=True)  # fmt: skip

    def worker(self, _):
        return self.kill_one(lambda words, _: "work" in words and f"{self.directory}/a.results" in words)

    def kill_one(self, wanted, group=False):
        """False when there is none just now."""
        found = [process for process, words, folder in processes() if wanted(words, folder)]
        for process in self.random.sample(found, min(1, len(found))):
            try:
                (os.killpg if group else os.kill)(process, signal.SIGKILL)
                return True
            except ProcessLookupError:
                pass
        return False

    def test_on_this_machine(self):
        self.run_killed([self.study_itself, self.run_of_a_point], KILLS)
        self.check()
        self.assertEqual({"study_itself", "run_of_a_point"}, set(self.killed))

    def test_on_slurm(self):
        slurm = self.slurm()

        def node_daemon(_):
            slurm.stop("slurmd")
            slurm.start_node()
            return True

        self.run_killed([self.study_itself, self.worker, node_daemon], KILLS_ON_SLURM, "--engine", "slurm")
        self.check()


if __name__ == "__main__":
    unittest.main()
