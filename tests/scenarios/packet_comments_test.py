#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comment of each frame in --net.pcap, read by tshark: what it says of addresses, slots and pages is what the machine's
own accesses, its pool and its page states say."""

import os
import re
import shutil
import subprocess
import time
import unittest

from scenario import ScenarioTest, run

BUFFER = re.compile(r"DMA (0x[0-9a-f]+), (\d+) bytes(?:, SWIOTLB slots? (\d+)(?: to (\d+))?)?, "
                    r"pages? (0x[0-9a-f]+) \((\w+)\)(?: to (0x[0-9a-f]+) \((\w+)\))?")  # fmt: skip
SLOT = 2048
PAGE = 65536
HEADER = 12  # struct virtio_net_hdr with num_buffers
TO_GUEST = "0x00000001"


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class PacketComments(ScenarioTest):
    def frames(self, scenario, *options):
        """Of each frame: its direction, its length, and the buffers of its comment."""
        self.shown(scenario, "--sizes", "64,1KiB", "--datagrams", "4", "--net.pcap", "f.pcapng", *options)
        fields = ["frame.packet_flags_direction", "frame.len", "frame.comment"]
        lines = subprocess.run(["tshark", "-r", "f.pcapng", "-T", "fields", *(part for each in fields for part in ("-e", each))],
                               cwd=self.directory, check=True, text=True, capture_output=True).stdout.splitlines()  # fmt: skip
        self.assertGreater(len(lines), 16)
        for line in lines:
            direction, length, comment = line.split("\t")
            buffers = [BUFFER.fullmatch(each) for each in comment.split("; ")]
            self.assertTrue(all(buffers), comment)
            yield direction, int(length), buffers

    def test_a_secure_guests_frames_stand_in_slots_of_its_pool(self):
        directions = set()
        pools = set()
        for direction, length, buffers in self.frames("swiotlb_net", "--trace", "t.vcd"):
            directions.add(direction)
            self.assertEqual(sum(int(each[2]) for each in buffers), HEADER + length)
            for each in buffers:
                at, size, slot, page = int(each[1], 16), int(each[2]), int(each[3]), int(each[5], 16)
                self.assertEqual(page, at // PAGE)
                self.assertEqual(each[6], "SHARED")
                self.assertEqual(int(each[4] or slot), slot + (at % SLOT + size - 1) // SLOT)
                pools.add(at // SLOT - slot)
        self.assertEqual(len(directions), 2)
        # One pool, and where the guest's kernel says that it is.
        text = (self.directory / "t.vcd").read_text().replace("\\040", " ")
        begin = re.search(r"software IO TLB: mapped \[mem (0x[0-9a-f]+)-", text)
        self.assertEqual(pools, {int(begin[1], 16) // SLOT})

    def test_the_addresses_are_those_that_the_card_reads_and_writes(self):
        named = {int(each[1], 16) for _, _, buffers in self.frames("swiotlb_net", "--trace", "t.vcd") for each in buffers}
        trace = (self.directory / "t.vcd").read_text()
        code = re.search(r"\$var \S+ \d+ (\S+) host_access_address", trace)[1]
        used = {int(each, 2) for each in re.findall(rf"^b([01]+) {re.escape(code)}$", trace, re.MULTILINE)}
        self.assertLessEqual(named, used)

    def test_who_looks_on_through_a_fifo_sees_the_same(self):
        options = ["--sizes", "64,1KiB", "--datagrams", "4", "--no-trace", "--quiet", "--net.pcap"]
        os.mkfifo(self.directory / "fifo")
        fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment"]
        with subprocess.Popen(["tshark", "-i", "fifo", *fields], cwd=self.directory, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as looking:  # fmt: skip
            while looking.poll() is None and run("swiotlb_net", *options, "fifo", cwd=self.directory).status == 2:
                time.sleep(0.1)  # nobody reads it yet
            live, _ = looking.communicate(timeout=100)
        self.shown("swiotlb_net", *options, "f.pcapng")
        kept = subprocess.run(["tshark", "-r", "f.pcapng", *fields], cwd=self.directory, check=True, text=True,
                              capture_output=True).stdout  # fmt: skip
        self.assertGreater(live.count("SWIOTLB slot"), 16)
        self.assertEqual(live, kept)

    def test_a_capture_changes_nothing(self):
        options = ["--sizes", "64,1KiB", "--datagrams", "4"]
        with_it = self.shown("swiotlb_net", *options, "--net.pcap", "f.pcapng")
        without = self.shown("swiotlb_net", *options)
        for report in (with_it, without):
            for name in ("parameters", "parameter_values", "replay", "files"):
                del report[name]
        self.assertEqual(with_it, without)


if __name__ == "__main__":
    unittest.main()
