#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scenario linux with a kernel that is not Linux (tests/firmware/kernel): what firmware gives an operating system, and what a
user may do wrong."""

import pathlib
import shutil
import struct
import subprocess
import unittest

import scenario

ROOT = pathlib.Path(__file__).parent.parent.parent
KERNEL = ROOT / "tests" / "firmware" / "kernel"
SUPPORT = ROOT / "scenarios" / "bare_metal" / "guest"
COMPILER = "powerpc64le-linux-gnu-gcc"
QEMU = "qemu-system-ppc64"
# As scenarios/bare_metal/guest/compile, with a start-up file and a layout of its own.
OPTIONS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-mcpu=power9", "-mno-altivec", "-mno-vsx", "-msoft-float",
           "-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-nostdlib", "-static",
           "-no-pie", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,--no-warn-rwx-segments"]  # fmt: skip

MIB = 1 << 20


class operating_system_test(scenario.ScenarioTest):
    def linux(self, *options):
        return scenario.run("linux", "--no-trace", "--quiet", "--network", "no", "--entropy", "no", *options, cwd=self.directory, timeout=100)

    def file(self, name, content):
        (self.directory / name).write_bytes(content)
        return name

    def compile(self, *options):
        sources = [KERNEL / "head.S", KERNEL / "kernel.c", SUPPORT / "pefsim.c"]
        subprocess.run([COMPILER, *OPTIONS, *options, "-I", SUPPORT, "-T", KERNEL / "kernel.lds",
                        "-o", self.directory / "kernel", *sources], check=True, timeout=100)  # fmt: skip


@unittest.skipUnless(shutil.which(COMPILER), f"no {COMPILER}")
class boots(operating_system_test):
    def setUp(self):
        super().setUp()
        self.compile()

    def told(self, *options):
        result = self.linux("--kernel", "kernel", "--memory.size", "64MiB", *options)
        self.assertEqual(result.status, 0, result.output + result.error)
        self.assertEqual(result.error, "")
        return result.output.splitlines()

    def test_in_both_modes(self):
        beginnings = {
            "of": ["started by Open Firmware", "written by the client interface"],
            "fdt": ["started with a flat tree"],
        }
        for mode, beginning in beginnings.items():
            with self.subTest(mode=mode):
                lines = self.told("--boot", mode, "--cpus", "3", "--append", "hello there")
                self.assertEqual(lines, [
                    *beginning,
                    # /, cpus and three of them, memory, rtas, vdevice and two of them, the interrupt controller, the bridge and
                    # its disk, chosen
                    "nodes 14",
                    "processors 3",
                    "model pefsim pSeries",
                    "bootargs hello there",
                    "time 2018 7 20 0 0 0",
                    "decrementer 1",
                    "processors started 2",
                    "messages 2",
                    "server of source 0x1003 0",  # 3 modulo the number of servers
                    "translated",
                    "interrupts at the alternate location 1",
                    "time 2018 7 20 0 0 0",
                ])  # fmt: skip

    def test_on_one_processor_and_on_all(self):
        for mode in ("of", "fdt"):
            for cpus in (1, 64):
                with self.subTest(mode=mode, cpus=cpus):
                    lines = self.told("--boot", mode, "--cpus", cpus)
                    self.assertIn(f"processors started {cpus - 1}", lines)
                    self.assertIn(f"nodes {cpus + 11}", lines)

    @unittest.skipUnless(shutil.which(QEMU), f"no {QEMU}")
    def test_is_what_another_machine_runs_too(self):
        """What the kernel expects of a platform is PAPR's, and not only pefsim's."""
        self.compile("-DOTHER_FIRMWARE=1")
        machine = "pseries,x-vof=on,kernel-addr=0,ic-mode=xics,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
        done = subprocess.run([QEMU, "-M", machine, "-cpu", "POWER9", "-smp", "3", "-m", "512", "-nographic", "-nodefaults",
                               "-serial", "stdio", "-kernel", "kernel", "-append", "hello there"], cwd=self.directory,
                              text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=100, check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertNotIn("FAILED", done.stdout)
        for line in ("processors 3", "bootargs hello there", "processors started 2", "messages 2", "translated",
                     "interrupts at the alternate location 1"):  # fmt: skip
            self.assertIn(line, lines)

    def test_flat_image_at_another_address(self):
        # li r3,0; ori r3,r3,0xf0fc; li r4,0; sc 1 (H_EXIT), in the byte order in which a client of Open Firmware begins.
        words = [0x38600000, 0x6063F0FC, 0x38800007, 0x44000022]
        self.file("flat", struct.pack(f">{len(words)}I", *words))
        for address in ("0x10000", "0x800000", "0x3ff0000"):
            result = self.linux("--kernel", "flat", "--kernel.address", address, "--memory.size", "64MiB")
            self.assertEqual(result.status, 7, result.error)

    def test_is_told_where_its_initrd_is(self):
        # A client of Open Firmware has it in r3 and r4: bytes first word, and their number, as the exit status.
        words = [0x80630000, 0x7C832214, 0x38600000, 0x6063F0FC, 0x44000022]  # lwz r3,0(r3); add r4,r3,r4; H_EXIT
        self.file("flat", struct.pack(f">{len(words)}I", *words))
        self.file("initrd", struct.pack(">I", 40) + bytes(96))
        result = self.linux("--kernel", "flat", "--initrd", "initrd", "--memory.size", "64MiB")
        self.assertEqual(result.status, 140, result.error)


class mistakes(operating_system_test):
    def elf(self, machine=21, wide=True, size=0x1000, segments=1):
        """A little-endian ELF file whose only segment takes `size` bytes of memory."""
        ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
        if not wide:
            header = struct.pack("<HHIIIIIHHHHHH", 2, 20, 1, 0, 52, 0, 0, 52, 32, segments, 40, 0, 0)
            return ident + header + struct.pack("<IIIIIIII", 1, 0, 0, 0, 64, size, 7, 4) * segments
        header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 2, 64, 56, segments, 64, 0, 0)
        return ident + header + struct.pack("<IIQQQQQQ", 1, 7, 0, 0, 0, 64, size, 65536) * segments

    def test_one_clear_line(self):
        self.file("empty", b"")
        self.file("flat", bytes(0x1000))
        self.file("flat2M", bytes(2 * MIB))
        self.file("flat17M", bytes(17 * MIB))
        self.file("cut", self.elf()[:70])
        self.file("magic", b"\x7fELF")
        self.file("x86", self.elf(machine=62))
        self.file("narrow", self.elf(wide=False))
        self.file("nothing", self.elf(segments=0))
        self.file("large", self.elf(size=13 * MIB))
        self.file("huge", self.elf(size=1 << 63))
        self.file("initrd12M", bytes(12 * MIB))
        (self.directory / "directory").mkdir()
        flat = ["--kernel", "flat"]
        rows = [
            ([], ["kernel", "--kernel FILE"]),
            (["--kernel", ""], ["kernel"]),
            (["--kernel", "missing"], ["missing", "No such file"]),
            (["--kernel", "directory"], ["directory"]),
            (["--kernel", "empty"], ["kernel", "empty is empty"]),
            (["--kernel", "magic"], ["kernel", "cut short"]),
            (["--kernel", "cut"], ["kernel"]),
            (["--kernel", "x86"], ["kernel", "another machine", "62"]),
            (["--kernel", "narrow"], ["kernel", "narrow", "ELF64"]),
            (["--kernel", "nothing"], ["kernel"]),
            (["--kernel", "large"], ["kernel", "13631488 bytes at 0x400000", "RAM of 16777216 bytes"]),
            (["--kernel", "huge"], ["kernel"]),
            (["--kernel", "flat17M"], ["flat17M", "16MiB"]),
            (["--kernel", "flat2M", "--kernel.address", "0xf00000"], ["kernel", "0xf00000", "RAM"]),
            ([*flat, "--kernel.address", "0x1000000"], ["kernel", "0x1000000", "RAM"]),
            ([*flat, "--kernel.address", "0xffffffffffff0000"], ["kernel", "0xffffffffffff0000", "RAM"]),
            ([*flat, "--kernel.address", "0x400004"], ["kernel.address", "0x400004", "64 KiB"]),
            ([*flat, "--kernel.address", "0"], ["kernel", "0x0"]),
            ([*flat, "--kernel.address", "here"], ["kernel.address", "'here'"]),
            ([*flat, "--initrd", "missing"], ["missing", "No such file"]),
            ([*flat, "--initrd", "directory"], ["directory"]),
            ([*flat, "--initrd", "empty"], ["initrd", "empty is empty"]),
            ([*flat, "--initrd", "initrd12M"], ["initrd", "12582912 bytes at 0x410000", "RAM of 16777216 bytes"]),
            ([*flat, "--initrd", "flat17M"], ["flat17M", "16MiB"]),
            ([*flat, "--disk", "missing"], ["missing", "No such file"]),
            ([*flat, "--boot", "frobnicate"], ["boot", "'frobnicate'", "of, fdt"]),
        ]
        for options, words in rows:
            with self.subTest(options=options):
                result = self.linux("--memory.size", "16MiB", *options)
                self.assertEqual(result.status, 2, result.error)
                self.assertRegex(result.error, r"\Alinux: [^\n]+\n\Z")
                self.assertEqual(result.output, "")
                for word in words:
                    self.assertIn(word, result.error)

    def test_files_of_an_image_are_inputs(self):
        image = self.directory / "image"
        image.mkdir()
        for name in ("vmlinux", "initrd"):
            (image / name).write_bytes(self.elf())
        for name in ("vmlinux", "initrd"):
            with self.subTest(name):
                result = self.linux("--image", "image", "--report", f"image/{name}")
                self.assertEqual(result.status, 2, result.error)
                self.assertIn("is the same file as", result.error)
                self.assertEqual((image / name).read_bytes(), self.elf())

    def test_no_room_for_the_flat_tree(self):
        self.file("flat", bytes(0x1000))
        self.file("initrd", bytes(16 * MIB - 0x20000))
        options = ["--memory.size", "16MiB", "--kernel", "flat", "--kernel.address", "0x10000", "--initrd", "initrd"]
        result = self.linux(*options, "--boot", "fdt")
        self.assertEqual(result.status, 2, result.error)
        self.assertRegex(result.error, r"\Alinux: [^\n]+ RAM\n\Z")
        self.file("initrd", bytes(16 * MIB - 0x30000))  # room for RTAS, not for the tree
        result = self.linux(*options, "--boot", "fdt")
        self.assertEqual(result.status, 2, result.error)
        self.assertRegex(result.error, r"\Alinux: [^\n]*device tree[^\n]+ RAM\n\Z")


if __name__ == "__main__":
    unittest.main()
