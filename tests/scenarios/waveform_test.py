#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trace of the main job, read by tools that nobody here wrote: everything that the run is about is there by name, changes
its value, and is in the save file."""

import bisect
import pathlib
import re
import shutil
import subprocess
import unittest

from scenario import ScenarioTest
from timeline_test import Timeline

MAPPINGS = pathlib.Path(__file__).resolve().parents[2] / "packaging/surfer/mappings"

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


def changes(text, *signals):
    """What the VCD trace says of these signals: [(time in ns, name, value)], in its order; names are hierarchical."""
    scope, codes = [], {}
    for line in text[:text.index("$enddefinitions")].splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scope.append(words[2])
        elif words[:1] == ["$upscope"]:
            scope.pop()
        elif words[:1] == ["$var"] and ".".join([*scope, words[4]]) in signals:
            codes[words[3]] = ".".join([*scope, words[4]])
    unit = {"1ps": 1000, "1ns": 1}["".join(re.search(r"\$timescale\s+(.*?)\s*\$end", text)[1].split())]
    now, found = 0, []
    for line in text[text.index("$enddefinitions"):].splitlines()[1:]:
        if line.startswith("#"):
            now = int(line[1:]) / unit
        elif line[:1] in "bs":
            value, _, code = line[1:].rpartition(" ")
            if code in codes:
                found.append((now, codes[code], int(value, 2) if line[0] == "b" else value))
    return found


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

    SHOWS = {"copies": ("machine.swiotlb.copy_bytes", "machine.swiotlb.copy_request"),
             "mappings": ("machine.swiotlb.mapping_number", "machine.swiotlb.mapping_request"),
             "ends of mappings": ("machine.swiotlb.unmapped_number", "machine.swiotlb.unmapped_request"),
             "accesses": ("machine.memory.host_access_address", "machine.memory.host_access_request")}  # fmt: skip

    def requests_and_what_is_theirs(self, *options):
        """Of a run: its requests as (begin, end, number), in order of time; and what carries a number, by what it is:
        [(when, number)]. Times are ns."""
        self.shown("swiotlb_block", *options, "--chunk", "4KiB", "--disk-size", "128KiB", "--trace", "t.vcd", "--timeline",
                   "t.pftrace")  # fmt: skip
        spans = sorted((begin, end, event["debug_annotations"][0]["uint_value"][0])
                       for track, _, begin, end, event, _ in Timeline(self.directory / "t.pftrace").spans()
                       if track.startswith("Requests / ") and event["flow_ids"] and event["debug_annotations"])  # fmt: skip
        text = (self.directory / "t.vcd").read_text()
        theirs = {}
        for what, (occurrence, request) in self.SHOWS.items():
            number, at_once = 0, {}
            for when, name, value in changes(text, occurrence, request):
                at_once.setdefault(when, {})[name] = value
            theirs[what] = []
            for when, values in at_once.items():
                number = values.get(request, number)
                if values.get(occurrence) and number:
                    theirs[what].append((when, number))
        return spans, theirs

    @unittest.skipUnless(shutil.which("protoc"), "no protoc (Debian package protobuf-compiler)")
    def test_copies_mappings_and_accesses_carry_the_number_of_their_request(self):
        """One request at a time: what happens in its span is its own, and has its number."""
        spans, theirs = self.requests_and_what_is_theirs("--depth", "1")
        self.assertTrue(all(one[1] <= other[0] for one, other in zip(spans, spans[1:])), "requests overlap")
        for what, occurrences in theirs.items():
            with self.subTest(what=what):
                seen = set()
                for when, number in occurrences:
                    of = bisect.bisect_right(spans, (when + 1, )) - 1
                    self.assertGreaterEqual(of, 0)
                    begin, end, expected = spans[of]
                    self.assertTrue(begin - 1 <= when <= end + 1, (when, spans[of]))
                    self.assertEqual(number, expected, when)
                    seen.add(of)
                self.assertEqual(len(seen), len(spans), "each request has some")

    @unittest.skipUnless(shutil.which("protoc"), "no protoc (Debian package protobuf-compiler)")
    def test_so_they_do_where_requests_overlap(self):
        for cpus in "1", "3":
            spans, theirs = self.requests_and_what_is_theirs("--cpus", cpus, "--depth", "32")
            by_number = {}
            for begin, end, number in spans:  # of each disk
                by_number.setdefault(number, []).append((begin, end))
            for what, occurrences in theirs.items():
                with self.subTest(cpus=cpus, what=what):
                    self.assertEqual({number for _, number in occurrences}, set(by_number))
                    for when, number in occurrences:
                        self.assertTrue(any(begin - 1 <= when <= end + 1 for begin, end in by_number[number]), (when, number))

    def test_surfer_shows_what_gtkwave_shows(self):
        for ending in ("fst", "vcd"):
            self.shown("swiotlb_block", "--trace", f"t.{ending}")
            commands = (self.directory / "t.sucl").read_text().splitlines()
            self.assertEqual(commands[1], f"load_file t.{ending}")
            added = [each.removeprefix("variable_add ") for each in commands if each.startswith("variable_add ")]
            lines = (self.directory / "t.gtkw").read_text().splitlines()
            self.assertEqual(added, [re.sub(r"\[.*", "", each) for each in lines if each[0] not in "[*@-"])
        self.assertEqual(set(added), {re.sub(r"\[.*", "", each) for each in read_vcd((self.directory / "t.vcd").read_text())})

    def test_surfers_mappings_name_every_value_that_there_is(self):
        self.shown("swiotlb_block", "--trace", "t.vcd")
        text = (self.directory / "t.vcd").read_text()
        commands = (self.directory / "t.sucl").read_text()
        for signal, file in (("status", "virtio_status"), ("isr", "virtio_isr")):
            mapping = (MAPPINGS / file).read_text()
            self.assertIn(f"item_set_format {re.search('^Name = (.*)$', mapping, re.M)[1]}\n", commands)
            names = {int(value, 0): name for value, name in re.findall(r"^(0x\w+|\d+)(?:\[\w+\])? (.+)$", mapping, re.M)}
            values = {value for _, _, value in changes(text, f"machine.virtio-blk0.{signal}")}
            self.assertEqual(len(values) > 1, signal == "status", "with MSI-X, ISR says nothing")
            self.assertLessEqual(values, set(names))
        # VIRTIO 1.2, 2.1: what a driver sets last, one after the other.
        bits = {"ACKNOWLEDGE": 1, "DRIVER": 3, "FEATURES_OK": 11, "DRIVER_OK": 15}
        names = dict(re.findall(r"^(0x\w\w) (\w+)$", (MAPPINGS / "virtio_status").read_text(), re.M))
        self.assertEqual({name: int(value, 0) for value, name in names.items()}, {"reset": 0, **bits})

    def test_a_window_is_a_part(self):
        self.shown("swiotlb_block", "--trace", "all.vcd")
        self.shown("swiotlb_block", "--trace", "part.vcd", "--trace-window", "33900us:34000us")
        everything = sum(read_vcd((self.directory / "all.vcd").read_text()).values())
        part = sum(read_vcd((self.directory / "part.vcd").read_text()).values())
        self.assertGreater(part, 0)
        self.assertLess(part, everything / 2)


if __name__ == "__main__":
    unittest.main()
