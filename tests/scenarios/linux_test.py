#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's own kernel on the scenario `linux`: its init checks disk, network and random numbers with Linux's drivers."""

import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import time
import unittest

from scenario import BINARIES, ScenarioTest, run
from waveform_test import read_vcd

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHECKS = ("BLK-OK", "NET-OK", "FETCH-OK", "RNG-OK")


def image(*options):
    """The folder of the stock image; None when it cannot be made."""
    made = subprocess.run([ROOT / "scenarios/linux/image", "stock", *options], stdout=subprocess.PIPE, text=True,
                          check=False)  # fmt: skip
    return made.stdout.splitlines()[-1] if made.returncode == 0 else None


class LinuxTest(ScenarioTest):
    @classmethod
    def setUpClass(cls):
        cls.image = image()
        if cls.image is None:
            raise unittest.SkipTest("SKIP: Debian's ppc64el packages cannot be had: no network?")

    def boot(self, *options, trace=("--no-trace",)):
        report = self.shown("linux", "--image", self.image, *trace, *options)
        points = " ".join(point["text"] for point in report["verdict"])
        for check in CHECKS:
            self.assertIn(check, points)
        return report

    def test_boots_as_a_client_of_open_firmware(self):
        self.boot()

    @unittest.skipUnless(shutil.which("fst2vcd"), "gtkwave is not installed")
    def test_a_flat_tree_and_a_waveform_of_the_drivers_start(self):
        self.boot("--boot", "fdt", trace=("--trace", "boot.fst", "--trace-window", "200ms:300ms"))
        subprocess.run(["fst2vcd", "-f", "boot.fst", "-o", "boot.vcd"], cwd=self.directory, check=True, capture_output=True)
        changes = read_vcd((self.directory / "boot.vcd").read_text())
        for device in ("blk", "net", "rng"):
            self.assertGreater(changes[f"machine.virtio-{device}0.status"], 3, device)
        for signal in ("machine.hypervisor.hypercall", "machine.firmware.rtas", "machine.virtio-blk0.request"):
            self.assertGreater(changes[signal], 0, signal)
        save = (self.directory / "boot.gtkw").read_text()
        shown = {re.sub(r"\[.*\]$", "", line) for line in save.splitlines() if line.startswith("machine.")}
        self.assertEqual(set(), shown - changes.keys())

    def test_four_processors_through_the_iommu(self):
        self.boot("--cpus", 4, "--virtio.access_platform", "yes", "--iommu.dynamic_windows", "no")

    def test_dynamic_windows(self):
        self.boot("--virtio.access_platform", "yes")

    def test_without_an_iommu(self):
        self.boot("--virtio.access_platform", "yes", "--host.iommu", "no", "--append", "console=hvc0 iommu=off")

    def test_four_processors_that_exploit_xive(self):
        report = self.boot("--cpus", 4, "--ic", "xive")
        tallies = report["runs"][0]["metrics"]["tallies"]
        self.assertEqual(tallies["machine.xics.interrupts_presented"]["total"], 0)
        kinds = tallies["machine.xive.interrupts_by_kind"]["counts"]
        self.assertGreater(kinds["ipi"], 0)
        self.assertGreater(kinds["message"], 0)
        for server, presented in tallies["machine.xive.interrupts_presented"]["counts"].items():
            self.assertGreater(presented, 0, server)

    def test_a_flat_tree_on_a_machine_that_has_xive(self):
        report = self.boot("--boot", "fdt", "--ic", "xive", "--cpus", 2)
        tallies = report["runs"][0]["metrics"]["tallies"]
        self.assertEqual(tallies["machine.xics.interrupts_presented"]["total"], 0)
        self.assertGreater(tallies["machine.xive.interrupts_by_kind"]["counts"]["message"], 0)

    def test_what_is_typed_comes_by_interrupt(self):
        shell = image("--init", "shell")
        for controller in ("xics", "xive"):
            with self.subTest(controller=controller):
                process = subprocess.Popen(
                    [BINARIES / "linux", "--image", shell, "--ic", controller, "--console", "pty", "--quiet", "--no-trace",
                     "--report", "report.json"], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE)  # fmt: skip
                self.addCleanup(process.wait)
                self.addCleanup(process.kill)
                self.addCleanup(process.stderr.close)
                name = re.fullmatch(rb"linux: console at (/dev/pts/\d+)\n", process.stderr.readline())[1]
                with open(os.open(name, os.O_RDWR | os.O_NOCTTY), "r+b", buffering=0) as console:
                    self.read_until(console, rb"guest:\S*# ")
                    console.write(b"cat /proc/interrupts\n")
                    line = self.read_until(console, rb"(?m)^.*\bhvc_console\r?$")[0].decode()
                    self.assertGreater(int(line.split()[1]), 0, line)
                    console.write(b"exit\n")
                    self.read_until(console, b"### DONE")
                process.wait(60)
                report = json.loads((self.directory / "report.json").read_text())
                raised = report["runs"][0]["metrics"]["counters"]["machine.hypervisor.console_interrupts"]["value"]
                self.assertGreaterEqual(raised, 2)

    def read_until(self, console, pattern):
        """What `console` gives until `pattern` is found in it: the match."""
        got = b""
        end = time.monotonic() + 600
        while (found := re.search(pattern, got)) is None:
            ready, _, _ = select.select([console], [], [], max(0, end - time.monotonic()))
            part = os.read(console.fileno(), 4096) if ready else b""
            self.assertTrue(part, f"{pattern} does not come, only {got[-2000:]}")
            got += part
        return found

    def test_more_than_4_gib_and_eight_processors(self):
        self.boot("--memory.size", "16GiB", "--cpus", 8)

    def test_a_file_system_is_whole_afterwards(self):
        disk = self.directory / "disk.img"
        subprocess.run(["truncate", "--size", "256M", disk], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
        self.boot("--disk", disk)
        subprocess.run(["e2fsck", "-fn", disk], check=True, capture_output=True)

    def test_the_same_seed_gives_the_same_run(self):
        folders = [self.directory / each for each in ("first", "second")]
        for folder in folders:
            folder.mkdir()
            self.shown("linux", "--image", self.image, "--cpus", 2, "--trace", "linux.vcd", cwd=folder)
        for name in ("report.json", "linux.vcd"):
            first, second = ((folder / name).read_bytes() for folder in folders)
            self.assertEqual(first, second, name)

    def test_a_mistake_in_the_guests_own_check_is_not_shown(self):
        result = run("linux", "--image", self.image, "--no-trace", "--append",
                     "console=hvc0 pefsim.net=192.0.2.2/24,192.0.2.9", cwd=self.directory)
        self.assertEqual(result.status, 1)
        self.assertIn("NET-FAIL 192.0.2.9 does not answer", result.output)


if __name__ == "__main__":
    unittest.main()
