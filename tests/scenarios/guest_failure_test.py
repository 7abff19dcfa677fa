# SPDX-License-Identifier: Apache-2.0
"""What a user learns of a guest that went wrong: panics, hangs, and places by name.

Environment: PEFSIM_SCENARIOS.
"""

import json
import pathlib
import shutil
import struct
import subprocess
import unittest

import scenario

GUEST = pathlib.Path(__file__).parent.parent.parent / "scenarios" / "bare_metal" / "guest"
COMPILER = "powerpc64le-linux-gnu-gcc"
BRANCH_TO_ITSELF = 0x48000000
KERNEL_AT = 0x400000
DATA = 0x100  # of a flat kernel
SLOW = ["--timing.instruction", "300"]  # so that simulated time costs little

LOOP = """\
#include "pefsim.h"
static volatile u64 turns;
__attribute__((noinline)) void spin(void) { while (turns != 1ul << 60) ++turns; }
__attribute__((noinline)) void caller(void) { spin(); ++turns; }
int main(u64 cpu) { caller(); return (int)cpu; }
"""


class guest_failure_test(scenario.ScenarioTest):
    def run_it(self, name, *options, status=1):
        result = scenario.run(name, "--no-trace", "--report", "report.json", *options, cwd=self.directory)
        self.assertEqual(result.status, status, result.output + result.error)
        return result, json.loads((self.directory / "report.json").read_text()) if status != 2 else None

    def flat(self, *words):
        (self.directory / "flat.bin").write_bytes(struct.pack(f"<{len(words)}I", *words))
        return ["--load", "flat.bin@0x10000", "--pc", "0x10000", *SLOW]


class symbols(guest_failure_test):
    def test_of_a_list(self):
        (self.directory / "map").write_text("0000000000010000 T begin\n0000000000010004 t again\n")
        options = [*self.flat(0x60000000, BRANCH_TO_ITSELF), "--time_limit", "10ms", "--symbols", "map"]
        _, report = self.run_it("bare_metal", *options, "--profile", "profile", "--profile.period", "1")
        self.assertEqual(report["ended"]["details"], ["cpu0 at 0x10004 <again>: b 0x10004"])
        self.assertIn("  again\n", (self.directory / "profile").read_text())

    def test_of_where_the_host_looks(self):
        (self.directory / "map").write_text("c000000000010000 T begin\n")
        options = [*self.flat(0x00000200), "--stop-on", "attn", "--symbols", "map", "--host-read", "begin:4"]
        _, report = self.run_it("bare_metal", *options, status=0)
        self.assertEqual(report["results"]["host_reads"][0]["address"], "0x10000", "as in real mode")
        self.assertEqual(report["results"]["host_reads"][0]["bytes"], "00020000")

    def test_files_that_are_none(self):
        (self.directory / "text").write_text("Once upon a time\n")
        for file, why in (("text", "line 1 is not ADDRESS TYPE NAME, nor is it an ELF file"), ("nothing", "cannot be read")):
            result, _ = self.run_it("bare_metal", *self.flat(BRANCH_TO_ITSELF), "--symbols", file, status=2)
            self.assertEqual(result.error, f"bare_metal: symbols: {file}: {why}\n")

    def test_of_a_kernel_before_it_has_moved(self):
        (self.directory / "kernel").write_bytes(struct.pack(">2I", 0x60000000, BRANCH_TO_ITSELF))
        (self.directory / "map").write_text("c000000000000000 T _text\nc000000000000004 T waiting\n")
        _, report = self.run_it("linux", "--kernel", "kernel", "--boot", "fdt", "--symbols", "map", *SLOW, "--time_limit",
                                "10ms")  # fmt: skip
        self.assertTrue(report["ended"]["details"][0].startswith("cpu0 at 0x400004 <waiting>"), report["ended"])


class panics(guest_failure_test):
    def kernel(self, words, data=b""):
        """The options that boot a flat image, which is big-endian: `words`, and `data` as doublewords behind it, R10 their address."""
        words = [0x3D400040, 0x614A0000 | DATA, *words]  # lis r10,0x40; ori r10,r10,DATA
        image = struct.pack(f">{len(words)}I", *words).ljust(DATA, b"\0") + data
        (self.directory / "kernel").write_bytes(image)
        return ["--kernel", "kernel", "--boot", "fdt", *SLOW]

    def printing(self, text):
        """Words that print `text`, whose doublewords stand at R10, and the doublewords."""
        text += " " * (-len(text) % 16 - 1) + "\n"
        words = []
        for at in range(0, len(text), 16):
            # lis r4,0x7100; li r5,16; ld r6,at(r10); ld r7,at+8(r10); li r3,H_PUT_TERM_CHAR; sc 1
            words += [0x3C807100, 0x38A00010, 0xE8CA0000 | at, 0xE8EA0000 | at + 8, 0x38600058, 0x44000022]
        return words, text.encode()

    def test_a_kernel_that_says_so_and_loops(self):
        words, data = self.printing("Kernel panic - not syncing: no root")
        _, report = self.run_it("linux", *self.kernel([*words, BRANCH_TO_ITSELF], data))
        self.assertEqual(report["ended"]["kind"], "panicked")
        self.assertIn("the guest's kernel panicked: no root", report["ended"]["text"])

    def test_a_reboot(self):
        # mr r4,r10; li r3,0; ori r3,r3,H_RTAS; sc 1
        reboot = self.kernel([0x7D445378, 0x38600000, 0x6063F000, 0x44000022], struct.pack(">4I", 0x2004, 0, 1, 0))
        result, report = self.run_it("linux", *reboot, status=0)
        self.assertEqual(report["ended"]["text"], "the guest asked for a reboot, which ends the run")
        self.assertEqual(result.output.count("Ended: the guest asked for a reboot, which ends the run\n"), 2)  # and once more at the end


class watchdog(guest_failure_test):
    def test_is_off_unless_asked(self):
        _, report = self.run_it("bare_metal", *self.flat(BRANCH_TO_ITSELF), "--time_limit", "1s")
        self.assertEqual(report["ended"]["kind"], "time_limit")

    def test_ends_what_hangs(self):
        _, report = self.run_it("bare_metal", *self.flat(BRANCH_TO_ITSELF), "--watchdog", "100ms", "--cpus", 2)
        self.assertEqual(report["ended"],
                         {"kind": "hung", "text": "the guest hangs: no sign of life for 100 ms", "partial": False,
                          "details": ["cpu0 at 0x10000: b 0x10000", "cpu1 at 0x10000: b 0x10000"]})  # fmt: skip

    @unittest.skipUnless(shutil.which(COMPILER), f"{COMPILER} is not installed")
    def test_says_who_called(self):
        (self.directory / "loop.c").write_text(LOOP)
        subprocess.run([GUEST / "compile", COMPILER, "loop", "loop.c"], cwd=self.directory, check=True, timeout=60)
        _, report = self.run_it("bare_metal", "--elf", "loop", "--watchdog", "100ms", *SLOW)
        place, callers = report["ended"]["details"][:2]
        self.assertIn(" <spin", place)
        self.assertRegex(callers, r"^cpu0 came there from caller\+0x[0-9a-f]+, main\+0x[0-9a-f]+")


if __name__ == "__main__":
    unittest.main()
