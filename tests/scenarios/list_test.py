#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each scenario is, in a line: `scenarios/run --list` reads it from the sources, --help has it, README tells the same.

Environment: PEFSIM_SCENARIOS.
"""

import pathlib
import re
import subprocess
import unittest

import scenario

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMES = sorted(each.stem for each in (ROOT / "scenarios").glob("*.cpp") if "\nint main(" in each.read_text())


def listed():
    done = subprocess.run([ROOT / "scenarios/run", "--list"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True)  # fmt: skip
    rows = re.findall(r"^  (\w+)(?: *\n {24})? +(\S.*(?:\n {26}.*)*)", done.stdout, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in rows}, done.stdout


class list_of_scenarios(unittest.TestCase):
    def test_every_scenario_is_listed_with_what_its_help_begins_with(self):
        rows, text = listed()
        self.assertEqual(sorted(rows), NAMES)
        self.assertGreater(len(NAMES), 10)
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        for name, summary in rows.items():
            with self.subTest(scenario=name):
                done = subprocess.run([scenario.BINARIES / name, "--help"], capture_output=True, text=True, check=True)
                self.assertEqual(" ".join(done.stdout.split("\n\n")[0].split()).rstrip("."), f"{name}: {summary}")

    def test_readme_says_the_same(self):
        readme = (ROOT / "README.md").read_text()
        table = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", readme.split("\n## Scenarios\n")[1].split("\n## ")[0], re.MULTILINE))
        rows, _ = listed()
        self.assertEqual({name: text.replace("`", "") for name, text in table.items()}, rows)

    def test_without_a_name_it_is_bad_input_and_the_same_list(self):
        _, text = listed()
        done = subprocess.run([ROOT / "scenarios/run"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", text))


if __name__ == "__main__":
    unittest.main()
