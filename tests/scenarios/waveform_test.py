#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trace of the main job, read by tools that nobody here wrote: everything that the run is about is there by name, changes
its value, and is in the save file."""

import re
import shutil
import subprocess
import unittest

from scenario import ScenarioTest

# What must be visible, as a pattern of hierarchical names, and whether it must change in a run of the main job.
VISIBLE = {
    "MSR[S]": r"machine\.cpu0\.msr_s",
    "current call": r"machine\.cpu0\.call",
    "driver call": r"machine\.cpu0\.driver_call",
    "ultracall": r"machine\.ultravisor\.ultracall",
    "reflected hypercall": r"machine\.ultravisor\.hypercall",
    "secure pages": r"machine\.memory\.pages_secure",
    "shared pages": r"machine\.memory\.pages_shared",
    "pool use": r"machine\.swiotlb\.pool_used",
    "driver's avail index": r"machine\.kernel\.virtio_blk0\.queue0_avail_idx",
    "driver's used index": r"machine\.kernel\.virtio_blk0\.queue0_used_idx",
    "device's avail index": r"machine\.virtio-blk0\.block\.queue0\.avail_idx",
    "device's used index": r"machine\.virtio-blk0\.block\.queue0\.used_idx",
    "doorbell": r"machine\.virtio-blk0\.block\.queue0\.doorbell",
    "queue interrupt": r"machine\.virtio-blk0\.block\.queue0\.interrupt",
    "interrupt taken": r"machine\.cpu0\.interrupt",
    "bounce copy, bytes": r"machine\.swiotlb\.copy_bytes",
    "bounce copy, direction": r"machine\.swiotlb\.copy_direction",
    "device access, address": r"machine\.memory\.host_access_address",
    "device access, page's state": r"machine\.memory\.host_access_page_state",
    "DMA operations": r"machine\.kernel\.virtio_blk0\.dma_ops",
}


def read_vcd(text):
    """Hierarchical name -> number of changes after the initial dump."""
    names, scope, changes = {}, [], {}
    body = text[text.index("$enddefinitions"):]
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scope.append(words[2])
        elif words[:1] == ["$upscope"]:
            scope.pop()
        elif words[:1] == ["$var"]:
            names.setdefault(words[3], []).append(".".join([*scope, words[4]]))
        elif words[:1] == ["$enddefinitions"]:
            break
    time = -1
    for line in body.splitlines()[1:]:
        if line.startswith("#"):
            now = int(line[1:])
            assert now >= time, "time goes back"
            time = now
        elif time > 0 and line and line[0] not in "$":
            code = line.split()[1] if line[0] in "bsr" else line[1:]
            for name in names.get(code, []):
                changes[name] = changes.get(name, 0) + 1
    return {name: changes.get(name, 0) for each in names.values() for name in each}


@unittest.skipUnless(shutil.which("fst2vcd") and shutil.which("vcd2fst"), "gtkwave is not installed")
class Waveform(ScenarioTest):
    def convert(self, tool, source, target):
        subprocess.run([tool, "-f", source, "-o", target] if tool == "fst2vcd" else [tool, "-v", source, "-f", target],
                       cwd=self.directory, check=True, capture_output=True)
        return (self.directory / target)

    def test_fst_and_vcd_say_the_same_to_independent_readers(self):
        for ending in ("fst", "vcd"):
            self.shown("swiotlb_block", "--trace", f"t.{ending}")
        ours = read_vcd((self.directory / "t.vcd").read_text())
        from_fst = read_vcd(self.convert("fst2vcd", "t.fst", "from_fst.vcd").read_text())
        self.convert("vcd2fst", "t.vcd", "from_vcd.fst")
        round_trip = read_vcd(self.convert("fst2vcd", "from_vcd.fst", "round_trip.vcd").read_text())
        self.assertEqual(from_fst, ours)
        self.assertEqual(round_trip, ours)
        for what, pattern in VISIBLE.items():
            with self.subTest(visible=what):
                found = {name: n for name, n in ours.items() if re.fullmatch(pattern, name)}
                self.assertEqual(len(found), 1, f"{pattern}: {found}")
                self.assertGreater(max(found.values()), 0, "never changes")

    def test_the_save_file_names_every_signal(self):
        self.shown("swiotlb_block", "--trace", "t.vcd")
        names = read_vcd((self.directory / "t.vcd").read_text())
        save = (self.directory / "t.gtkw").read_text()
        for name in names:
            self.assertIn(name, save)

    def test_a_window_is_a_part(self):
        self.shown("swiotlb_block", "--trace", "all.vcd")
        self.shown("swiotlb_block", "--trace", "part.vcd", "--trace-window", "33900us:34000us")
        everything = sum(read_vcd((self.directory / "all.vcd").read_text()).values())
        part = sum(read_vcd((self.directory / "part.vcd").read_text()).values())
        self.assertGreater(part, 0)
        self.assertLess(part, everything / 2)


if __name__ == "__main__":
    unittest.main()
