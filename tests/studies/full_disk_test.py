#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A full disk loses no finished point, and a folder that cannot be written to is one line."""

import errno
import json
import os
import subprocess
import unittest

from studies import STUDY, StudyTest

# In a mount namespace of its own: nobody else sees it, and it goes with its last process.
SMALL_DISK = """
mount -t tmpfs -o size={size},nr_inodes=4k tmpfs small || exit 77
cp -r kept/. small/ 2>/dev/null
"$STUDY" a.toml --in small/results
status=$?
rm -rf small/results/programs
cp -r small/. kept/
exit $status
"""
READ_ONLY = """
mount --bind a.results a.results && mount -o remount,bind,ro a.results || exit 77
"$STUDY" a.toml --in a.results
"""


class FullDisk(StudyTest):
    def setUp(self):
        super().setUp()
        for name in ("small", "kept"):
            (self.directory / name).mkdir()

    def in_namespace(self, script):
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script], cwd=self.directory, text=True, capture_output=True,
                              env={**self.environment, "STUDY": str(STUDY)}, stdin=subprocess.DEVNULL, timeout=300,
                              check=False)  # fmt: skip
        if done.returncode == 77 or "unshare failed" in done.stderr:
            self.skipTest(f"no mount namespace of one's own here: {done.stderr.strip()}")
        return done

    def recorded(self):
        keys = []
        for file in (self.directory / "kept/results/log").glob("*.jsonl"):
            for line in file.read_bytes().splitlines():
                keys.append(json.loads(line)["key"])
        return keys

    def test_a_disk_that_fills_up(self):
        """From one that is too small for a report to one that is large enough for everything."""
        self.study_file("depth = { from = 1, to = 40 }")
        self.finished("a.toml", "--in", "reference")
        self.log.write_text("")
        kept, refused = 0, 0
        for size in ("40k", "60k", "68k", "92k", "104k", "16M"):
            done = self.in_namespace(SMALL_DISK.format(size=size))
            recorded = self.recorded()
            self.assertEqual(len(recorded), len(set(recorded)), "no line is torn, none is there twice")
            self.assertGreaterEqual(len(recorded), kept, "what was finished is kept")
            kept = len(recorded)
            if done.returncode:
                refused += 1
                self.assertEqual((1, 1), (done.returncode, len(done.stderr.splitlines())), (size, done.stderr))
                self.assertIn(os.strerror(errno.ENOSPC), done.stderr)
                self.assertIn("the same command goes on", done.stderr)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertGreater(refused, 0, "the first is too small for one report")
        for name in ("results.csv", "results.jsonl"):
            self.assertEqual((self.directory / "reference" / name).read_bytes(),
                             (self.directory / "kept/results" / name).read_bytes())  # fmt: skip

    def test_a_scenario_that_says_so_is_no_failed_point(self):
        self.study_file("depth = [1, 2, 106, 3]")
        done = self.study("a.toml")
        self.assertEqual((1, 1), (done.status, len(done.error.splitlines())), done.error)
        self.assertIn("No space left on device", done.error)
        self.assertNotIn("106", [row["depth [chunks]"] for row in self.rows()])

    def test_a_line_that_a_full_disk_cuts_is_taken_back(self):
        """A limit on the size of files stands for the disk: the write that meets it is a short one."""
        program = f"""
import resource, signal, sys
sys.path.insert(0, {str(STUDY.parent / 'studies')!r})
from study.complaints import trouble
from study.store import store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
found = store("results", ())
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    for number in range(100):
        found.append({{"key": f"{{number:032d}}", "try": 0, "status": "shown", "reason": "", "figures": {{}}}})
except trouble as error:
    print(number, error)
"""
        done = subprocess.run(["python3", "-B", "-c", program], cwd=self.directory, text=True, capture_output=True, check=True)
        number = int(done.stdout.split()[0])
        self.assertIn("what is finished is kept", done.stdout)
        (file,) = (self.directory / "results/log").iterdir()
        lines = file.read_bytes().splitlines(keepends=True)
        self.assertEqual(number, len([json.loads(line) for line in lines]))
        self.assertTrue(lines[-1].endswith(b"\n"))

    def test_a_read_only_folder(self):
        self.study_file("depth = [1, 2]")
        self.finished("a.toml")
        self.study_file("depth = [1, 2, 3]")
        done = self.in_namespace(READ_ONLY)
        self.assertEqual((True, 1), (done.returncode in (1, 2), len(done.stderr.splitlines())), done.stderr)
        self.assertIn("a.results", done.stderr)
        self.assertIn(os.strerror(errno.EROFS), done.stderr)


if __name__ == "__main__":
    unittest.main()
