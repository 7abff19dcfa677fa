#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The folder of results: torn lines, other layouts, claims, later tries."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from studies import ROOT
from study import claims
from study.complaints import mistake
from study.store import store

KEY, OTHER = "a" * 32, "b" * 32


def record(key=KEY, status="shown", least_try=0, **figures):
    return {"key": key, "try": least_try, "status": status, "reason": "", "figures": figures}


class Store(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = pathlib.Path(directory.name) / "results"

    def opened(self, *paths):
        found = store(self.folder, paths)
        self.addCleanup(found.close)
        return found

    def test_what_one_appends_others_find(self):
        one, other = self.opened(), self.opened()
        one.append(record())
        self.assertIsNone(other.finished(KEY))
        other.refresh()
        self.assertEqual(record(), other.finished(KEY))
        self.assertEqual(record(), self.opened().finished(KEY))

    def test_a_torn_line_is_nobodys_and_hides_no_other(self):
        one = self.opened()
        one.append(record())
        line = json.dumps(record(OTHER)).encode()
        for cut in (1, len(line) // 2, len(line) - 1):
            (self.folder / "log" / f"{cut}.jsonl").write_bytes(line[:cut])
            (self.folder / "log" / f"{cut}-behind.jsonl").write_bytes(line[:cut] + b"\n" + b"\0" * 50 + b"\n")
        found = self.opened()
        self.assertIsNone(found.finished(OTHER))
        self.assertEqual(record(), found.finished(KEY))

    def test_a_line_that_is_half_there_is_read_when_it_is_whole(self):
        found = self.opened()
        line = json.dumps(record()).encode() + b"\n"
        with open(self.folder / "log" / "slow.jsonl", "wb", buffering=0) as file:
            for at in range(0, len(line), 10):
                self.assertIsNone(found.finished(KEY))
                file.write(line[at : at + 10])
                found.refresh()
        self.assertEqual(record(), found.finished(KEY))

    def test_figures_that_were_not_kept_make_a_point_unfinished(self):
        self.opened().append(record(x=[1, ""]))
        self.assertIsNone(self.opened("x", "y").finished(KEY))
        self.opened().append(record(y=[2, ""]))
        self.assertEqual({"x": [1, ""], "y": [2, ""]}, self.opened("x", "y").finished(KEY)["figures"])
        self.opened().append(record(OTHER, "failed"))
        self.assertTrue(self.opened("x").finished(OTHER))

    def test_the_later_try_counts_whatever_the_order_of_files(self):
        for order in ((0, 1), (1, 0)):
            for number, which in enumerate(order):
                line = json.dumps(record(status=f"of {which}", least_try=which)) + "\n"
                (self.opened().folder / "log" / f"{number}.jsonl").write_text(line)
            self.assertEqual("of 1", self.opened().finished(KEY)["status"])
        found = self.opened()
        found.again = {KEY: 2}
        self.assertIsNone(found.finished(KEY))

    def test_a_claim_is_one_process_s_and_its_children_s(self):
        found = self.opened()
        claim = found.claim(KEY)
        self.assertIsNotNone(claim)
        self.assertIsNone(self.opened().claim(KEY))
        self.assertIsNotNone(self.opened().claim(OTHER))
        with claims.inherited(claim):
            child = subprocess.Popen(["sleep", "100"], close_fds=False)
        os.close(claim)
        self.assertIsNone(found.claim(KEY), "the child has it still")
        child.kill()
        child.wait()
        self.assertIsNotNone(found.claim(KEY))

    def test_a_claim_of_what_is_finished(self):
        one, other = self.opened(), self.opened()
        one.append(record())
        self.assertIsNone(other.claim(KEY))
        self.assertTrue(other.finished(KEY))

    def test_two_processes_that_append_at_once_lose_nothing(self):
        program = f"""
import sys
sys.path.insert(0, {str(ROOT / 'scenarios/studies')!r})
from study.store import store
found = store({str(self.folder)!r}, ())
for number in range(2000):
    found.append({{"key": f"{{sys.argv[1]}}{{number:031d}}", "try": 0, "status": "shown", "reason": "x" * number,
                  "figures": {{}}}})
"""
        self.opened()
        both = [subprocess.Popen([sys.executable, "-B", "-c", program, name]) for name in "ab"]
        self.assertEqual([0, 0], [each.wait() for each in both])
        self.assertEqual(4000, len(self.opened().records))

    def test_another_layout_and_another_folder(self):
        self.opened()
        (self.folder / "format").write_text("pefsim study, layout 0\n")
        with self.assertRaisesRegex(mistake, "another layout, 'pefsim study, layout 0'"):
            self.opened()
        (self.folder / "format").unlink()
        with self.assertRaisesRegex(mistake, "no folder of results"):
            self.opened()
        with self.assertRaisesRegex(mistake, "Not a directory"):
            store("/dev/null/x", ())


if __name__ == "__main__":
    unittest.main()
