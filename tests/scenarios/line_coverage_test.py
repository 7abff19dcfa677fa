#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which lines of a guest's source were executed, as lcov and genhtml read it, and as objdump knows the lines."""

import pathlib
import re
import shutil
import subprocess
import unittest

from scenario import ScenarioTest, run

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
COMPILER = "powerpc64le-linux-gnu-gcc"
OBJDUMP = "powerpc64le-linux-gnu-objdump"
STRIP = "powerpc64le-linux-gnu-strip"


def records(text):
    """By file: {"lines": {line: count}, "functions": {name: count}}."""
    files = {}
    for record in text.split("end_of_record\n")[:-1]:
        (file,) = re.findall(r"^SF:(.*)$", record, re.M)
        files[file] = {"lines": {int(line): int(count) for line, count in re.findall(r"^DA:(\d+),(\d+)$", record, re.M)},
                       "functions": {name: int(count) for count, name in re.findall(r"^FNDA:(\d+),(.*)$", record, re.M)}}
    return files


@unittest.skipUnless(shutil.which(COMPILER), f"SKIP: {COMPILER} is not installed")
class LineCoverageTest(ScenarioTest):
    SOURCE = HERE / "bare_metal/calls_deep.c"

    def setUp(self):
        super().setUp()
        self.program = self.directory / "program"
        subprocess.run([ROOT / "scenarios/bare_metal/guest/compile", COMPILER, self.program, self.SOURCE], check=True, timeout=60)

    def covered(self, *options):
        report = self.shown("bare_metal", "--no-trace", "--elf", self.program, "--coverage.lcov", "out.info", *options)
        self.assertEqual(report["files"]["line_coverage"], "out.info")
        return (self.directory / "out.info").read_text()

    def line(self, text):
        (number,) = (n for n, line in enumerate(self.SOURCE.read_text().splitlines(), 1) if text in line)
        return number

    def test_counts_are_the_program_s(self):
        files = records(self.covered())
        (ours,) = (each for file, each in files.items() if file == str(self.SOURCE))
        self.assertEqual({name: ours["functions"][name] for name in ("inner", "middle", "countdown", "outer", "main")},
                         {"inner": 150, "middle": 50, "countdown": 3, "outer": 1, "main": 1})
        for text, count in (("static void inner(", 150), ("sum ^= value", 50), ("int main(", 1),
                            ("sum += n;", 2),  # gcc has made two copies: the more frequent one counts
                            ("return countdown(2) + 1", 1)):
            self.assertEqual(ours["lines"][self.line(text)], count, text)
        library = next(each for file, each in files.items() if file.endswith("/pefsim.c"))
        self.assertEqual(library["functions"]["print"], 0, "nothing is printed")

    def test_runs_on_two_processors_add_up(self):
        example = ROOT / "scenarios/bare_metal/examples/two_cpus.c"
        subprocess.run([ROOT / "scenarios/bare_metal/guest/compile", COMPILER, self.program, example], check=True, timeout=60)
        self.assertEqual(records(self.covered("--cpus", "2"))[str(example)]["functions"]["main"], 2)

    def test_the_translator_changes_nothing(self):
        self.assertEqual(*(self.covered("--translator", translator) for translator in ("yes", "no")))

    @unittest.skipUnless(shutil.which("lcov") and shutil.which("genhtml"), "SKIP: lcov is not installed")
    def test_lcov_and_genhtml_read_it(self):
        files = records(self.covered())
        done = subprocess.run(["lcov", "--summary", "out.info"], cwd=self.directory, check=True, capture_output=True, text=True,
                              timeout=60)  # fmt: skip
        summary = done.stdout + done.stderr
        lines = [count for each in files.values() for count in each["lines"].values()]
        functions = [count for each in files.values() for count in each["functions"].values()]
        for what, counts in (("lines", lines), ("functions", functions)):
            self.assertRegex(summary, rf"{what}\.+: \d+\.\d% \({sum(map(bool, counts))} of {len(counts)} {what}\)")
        subprocess.run(["genhtml", "--quiet", "out.info", "-o", "html"], cwd=self.directory, check=True, timeout=60)
        (page,) = (self.directory / "html").rglob("calls_deep.c.gcov.html")
        self.assertRegex(page.read_text(), r"150.*inner\(u64 value\)")

    @unittest.skipUnless(shutil.which(OBJDUMP), f"SKIP: {OBJDUMP} is not installed")
    def test_the_lines_are_those_that_objdump_sees(self):
        shown = subprocess.run([OBJDUMP, "--dwarf=decodedline", self.program], check=True, capture_output=True, text=True,
                               timeout=60).stdout  # fmt: skip
        of_objdump = {}
        for name, line, address, rest in re.findall(r"^(\S+\.[ch]) +(\d+) +(0x[0-9a-f]+)(.*)$", shown, re.M):
            if int(line) and "END" not in rest:
                of_objdump.setdefault(name, {}).setdefault(int(address, 16), set()).add(int(line))
        ours = {}
        for file, each in records(self.covered()).items():
            if file.endswith((".c", ".h")):
                ours[pathlib.Path(file).name] = set(each["lines"])
        self.assertEqual(set(ours), set(of_objdump))
        for name, lines in ours.items():
            # objdump also shows rows of no instruction: another one is at the same address.
            self.assertLessEqual(lines, set().union(*of_objdump[name].values()))
            certain = {line for at in of_objdump[name].values() if len(at) == 1 for line in at}
            self.assertGreater(len(lines & certain), 0.9 * len(certain))

    def test_bad_ones_are_refused(self):
        stripped = self.directory / "stripped"
        subprocess.run([STRIP, "-g", "-o", stripped, self.program], check=True, timeout=60)
        (self.directory / "flat").write_bytes(bytes(4))
        for options, words in ((("--elf", "stripped"), ("coverage.lcov", "no line tables")),
                               (("--load", "flat@0", "--pc", "0"), ("coverage.lcov", "flat image")),
                               (("--elf", "stripped", "--symbols", "stripped"), ("coverage.lcov", "stripped", "no line tables")),
                               (("--elf", "program", "--coverage.lcov", "program"), ("'program' is the same file",))):
            with self.subTest(options=options):
                result = run("bare_metal", "--coverage.lcov", "out.info", *options, cwd=self.directory)
                self.assertEqual((result.status, result.error.count("\n")), (2, 1), result.error)
                for word in words:
                    self.assertIn(word, result.error)
                self.assertFalse((self.directory / "out.info").exists())
        # Lines may be another file's.
        result = run("bare_metal", "--no-trace", "--elf", "stripped", "--symbols", "program", "--coverage.lcov", "out.info",
                     cwd=self.directory)  # fmt: skip
        self.assertEqual(result.status, 0, result.error)


if __name__ == "__main__":
    unittest.main()
