# SPDX-License-Identifier: Apache-2.0
"""Programs on the POWER9 cores of a machine, without an operating system: what they print, what the host sees, how they end.

Environment: PEFSIM_SCENARIOS, and PEFSIM_TRACE_RENDER, the program that renders instruction traces.
"""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import unittest

import scenario

HERE = pathlib.Path(__file__).parent / "bare_metal"
FOLDER = pathlib.Path(__file__).parent.parent.parent / "scenarios" / "bare_metal"
COMPILE = FOLDER / "guest" / "compile"
COMPILER = "powerpc64le-linux-gnu-gcc"
SYMBOLS = "powerpc64le-linux-gnu-nm"

CALLS = """\
ordinary problem state sc 1: system call
ordinary problem state sc 2 UV_SHARE_PAGE: -11
ordinary problem state sc 2 0xf1fc: -2
ordinary problem state sc 0: system call
ordinary system calls: 3
ordinary kernel sc 1 H_RANDOM: 0
ordinary kernel sc 1 0x7777: -2
ordinary kernel sc 2 UV_SHARE_PAGE: -11
ordinary kernel sc 2 0xf1fc: -2
secure problem state sc 1: -3
secure problem state sc 2 UV_SHARE_PAGE: -11
secure problem state sc 2 0xf1fc: -2
secure problem state sc 0: system call
secure system calls: 2
secure kernel sc 1 H_RANDOM: 0
secure kernel sc 1 0x7777: -2
secure kernel sc 2 UV_SHARE_PAGE: 0
secure kernel sc 2 0xf1fc: -2
"""

# Instructions for flat images.
ATTN = 0x00000200
BRANCH_TO_ITSELF = 0x48000000
H_EXIT = [0x38600000, 0x6063F0FC, 0x44000022]  # li r3,0; ori r3,r3,0xf0fc; sc 1
H_CEDE = [0x386000E0, 0x44000022]


class bare_metal_test(scenario.ScenarioTest):
    def bare(self, *options, quiet=True):
        quiet = ["--quiet"] if quiet else []
        return scenario.run("bare_metal", "--no-trace", *quiet, *options, cwd=self.directory)

    def flat(self, words, order="<"):
        """The options that load and start `words` at 64 KiB."""
        (self.directory / "flat.bin").write_bytes(struct.pack(f"{order}{len(words)}I", *words))
        return ["--load", "flat.bin@0x10000", "--pc", "0x10000"]

    def report(self, *options, status=0):
        result = self.bare("--report", "report.json", *options)
        self.assertEqual(result.status, status, result.output + result.error)
        return json.loads((self.directory / "report.json").read_text())

    def state(self, *options, status=0):
        result = self.bare("--dump-state", "state.json", *options)
        self.assertEqual(result.status, status, result.output + result.error)
        return json.loads((self.directory / "state.json").read_text())["cpus"]


class observing(bare_metal_test):
    def test_changes_nothing(self):
        # li r5,1000; mtctr r5; lis r3,8; again: addi r7,r7,1; lwarx r5,0,r3; addi r5,r5,1; b .+4; mfdec r8; mulli r9,r9,31;
        # add r9,r9,r8; stwcx. r5,0,r3; bne again; bdnz again; attn
        words = [0x38A003E8, 0x7CA903A6, 0x3C600008, 0x38E70001, 0x7CA01828, 0x38A50001, 0x48000004, 0x7D1602A6,
                 0x1D29001F, 0x7D294214, 0x7CA0192D, 0x4082FFE0, 0x4200FFDC, ATTN]  # fmt: skip
        program = [*self.flat(words), "--stop-on", "attn", "--quantum", "1us"]
        trace = ["--instruction-trace", "trace"]
        expected = self.state(*program)
        self.assertGreater(expected[0]["instructions"], 10_000)
        for options in (
            trace,
            [*trace, "--instruction-trace.numbers", "3001:9000"],
            [*trace, "--instruction-trace.addresses", "0x10010:0x1001c"],
            [*trace, "--instruction-trace.time", "2us:4us"],
            ["--profile", "profile", "--profile.period", "97"],
            ["--coverage", "yes"],
            [*trace, "--profile", "profile", "--profile.period", "1", "--coverage", "yes"],
        ):
            with self.subTest(options=options):
                self.assertEqual(self.state(*program, *options), expected)


class flat_images(bare_metal_test):
    def test_exit_statuses(self):
        for code, status in ((0, 0), (1, 1), (42, 42), (255, 255), (0x1107, 7), (0x100, 0)):
            with self.subTest(code=code):
                report = self.report(*self.flat(H_EXIT), "--set-register", f"r4={code}", status=status)
                self.assertEqual(report["results"]["exit"], code)
                self.assertEqual(report["results"]["ending"], f"the guest ended itself with status {code}")

    def test_every_register_is_dumped_as_it_was_set(self):
        gpr = [0x1111111111111111 * (n % 15) + n for n in range(32)]
        vsr = [(0x0123456789ABCDEF << 64 | 0xFEDCBA9876543210) + n for n in range(64)]
        special = {
            "lr": 0x10, "ctr": 0x8000000000000001, "xer": 0xE0040000, "cfar": 0x123450, "tar": 0x44,
            "srr0": 0xC000000000000004, "srr1": 0x8000000000000001, "dar": 0xFFFFFFFFFFFFFFFF, "dsisr": 0x40000000,
            "sprg0": 1, "sprg1": 2, "sprg2": 3, "sprg3": 4, "amr": 5, "iamr": 6, "uamor": 7, "dscr": 8, "ppr": 1 << 50,
            "vrsave": 0xFFFF0000, "tidr": 9, "pidr": 10, "fscr": 11, "bescr": 12, "ebbhr": 0x100, "ebbrr": 0x200,
            "mmcr0": 0x80000000, "pmc1": 13, "siar": 14, "sdar": 15, "psscr": 16,
        }  # fmt: skip
        options = []
        for n, value in enumerate(gpr):
            options += ["--set-register", f"r{n}={value:#x}"]
        for n, value in enumerate(vsr):
            options += ["--set-register", f"vs{n}={value:#x}"]
        for name, value in special.items():
            options += ["--set-register", f"{name}={value}"]
        options += ["--set-register", "cr=0x12345678", "--set-register", "fpscr=0x93", "--set-register", "vscr=0x10001"]
        (cpu,) = self.state(*self.flat([ATTN]), "--stop-on", "attn", *options)
        self.assertEqual([int(each, 16) for each in cpu["gpr"]], gpr)
        self.assertEqual([int(each, 16) for each in cpu["vsr"]], vsr)
        for name, value in special.items():
            self.assertEqual(int(cpu["spr"][name], 16), value, name)
        self.assertEqual(cpu["nip"], "0x0000000000010000")
        self.assertEqual(cpu["msr"], "0x8000000000001001")
        self.assertEqual(cpu["cr"], "0x12345678")
        self.assertEqual(cpu["fpscr"], "0x0000000000000093")
        self.assertEqual(cpu["vscr"], "0x00010001")
        self.assertEqual(cpu["spr"]["pvr"], "0x004e1202")
        self.assertEqual(cpu["spr"]["lpidr"], "0x00000001")
        self.assertEqual(cpu["spr"]["pir"], "0x0000000000000000")
        self.assertIsNone(cpu["reservation"])
        self.assertEqual((cpu["ended"], cpu["instructions"]), ("attn", 0))
        self.assertGreater(len(cpu["spr"]), 60)

    def test_classes_of_registers_overlap_as_the_isa_says(self):
        (cpu,) = self.state(*self.flat([ATTN]), "--stop-on", "attn", "--set-register", "f3=0x3ff0000000000000",
                            "--set-register", "v5=0x112233445566778899aabbccddeeff00", "--set-register", "dec=0x7fff")
        self.assertEqual(cpu["vsr"][3], "0x3ff0000000000000" + 16 * "0")
        self.assertEqual(cpu["vsr"][37], "0x112233445566778899aabbccddeeff00")
        self.assertEqual(int(cpu["spr"]["dec"], 16), 0x7FFF)

    def test_big_endian_and_32_bits(self):
        # addis r3,0,0x7fff; addis r3,r3,1: in 32-bit mode CR0 sees the lower word; add. records it.
        words = [0x3C607FFF, 0x3C630001, 0x7C631A15, ATTN]
        (cpu,) = self.state(*self.flat(words, ">"), "--msr", "0x1000", "--stop-on", "attn")
        self.assertEqual(cpu["msr"], "0x0000000000001000")
        self.assertEqual(cpu["cr"][2], "2", "the lower word of 2 * 0x80000000 is 0")
        (cpu,) = self.state(*self.flat(words, ">"), "--msr", "0x8000000000001000", "--stop-on", "attn")
        self.assertEqual(cpu["cr"][2], "4", "in 64-bit mode it is not")

    def test_several_images(self):
        (self.directory / "data.bin").write_bytes(bytes(range(16)))
        # ld r5,0(r4); attn
        (cpu,) = self.state(*self.flat([0xE8A40000, ATTN]), "--load", "data.bin@0x2fffc", "--set-register", "r4=0x2fffd",
                            "--stop-on", "attn")
        self.assertEqual(int(cpu["gpr"][5], 16), int.from_bytes(bytes(range(1, 9)), "little"))

    def test_a_vector_without_code_ends_the_run(self):
        report = self.report(*self.flat([0x00000000]), status=1)
        self.assertEqual(report["results"]["ending"],
                         "an interrupt at its own vector 0x700 on cpu0: nothing there can handle it")
        self.assertEqual(report["results"]["cpus"][0]["ended"], "lost")
        self.assertEqual(report["ended"]["kind"], "halted")
        self.assertEqual(report["ended"]["details"],
                         ["cpu0 at 0x700: .long 0x0",
                          "cpu0 was first interrupted at 0x10000 by 0x00000000, .long 0x0"])
        self.assertEqual(report["results"]["cpus"][0]["first_interrupt"],
                         {"nip": "0x0000000000010000", "instruction": "0x00000000"})

    def test_the_first_interrupt_of_a_cascade_is_named(self):
        # lis r4,0x4000; ld r5,8(r4): no RAM there, and at 0x200 nothing that could handle a Machine Check
        report = self.report(*self.flat([0x3C804000, 0xE8A40008]), status=1)
        first = report["results"]["cpus"][0]["first_interrupt"]
        self.assertEqual(first, {"nip": "0x0000000000010004", "instruction": "0xe8a40008"})
        self.assertIn("cpu0 was first interrupted at 0x10004 by 0xe8a40008, ld r5,8(r4)", report["ended"]["details"])
        # Not one where a branch has led to nothing: b .-0x20000, beyond the end of the address space.
        report = self.report(*self.flat([0x4BFE0000]), status=1)
        self.assertIsNone(report["results"]["cpus"][0]["first_interrupt"]["instruction"])
        self.assertIn("where no instruction can be fetched", report["ended"]["details"][1])
        # A run that ends well names none.
        self.assertNotIn("first_interrupt", self.report(*self.flat(H_EXIT))["results"]["cpus"][0])

    def test_a_flat_image_starts_little_endian_unless_it_is_told(self):
        (cpu,) = self.state(*self.flat([ATTN]), "--stop-on", "attn")
        self.assertEqual(cpu["msr"], "0x8000000000001001")
        self.assertNotEqual(int(cpu["spr"]["lpcr"], 16) & 0x2000000, 0, "LPCR[ILE]")
        (cpu,) = self.state(*self.flat([ATTN], ">"), "--msr", "0x8000000000001000", "--stop-on", "attn")
        self.assertEqual(int(cpu["spr"]["lpcr"], 16) & 0x2000000, 0, "LPCR[ILE]")

    def test_a_machine_check_without_handler(self):
        # ld r5,0(r4) where nothing answers: Machine Check at 0x200, and there is no code at 0x700 either
        report = self.report(*self.flat([0xE8A40000]), "--set-register", "r4=0x7000000000", status=1)
        self.assertEqual(report["results"]["cpus"][0]["ended"], "lost")
        self.assertEqual(report["runs"][0]["violations"]["by_kind"]["bad_address"], 1)

    def test_endless_loops_reach_a_limit(self):
        loop = self.flat([BRANCH_TO_ITSELF])
        report = self.report(*loop, "--instruction_limit", 12345, status=1)
        self.assertEqual(report["results"]["ending"], "cpu0 had not finished at the instruction limit")
        (cpu,) = self.state(*loop, "--instruction_limit", 12345, status=1)
        self.assertEqual(cpu["instructions"], 12345)
        self.assertEqual(report["ended"], {"kind": "instruction_limit", "text": report["results"]["ending"],
                                           "partial": True, "details": ["cpu0 at 0x10000: b 0x10000"]})
        report = self.report(*loop, "--time_limit", "1ms", status=1)
        self.assertEqual((report["ended"]["kind"], report["ended"]["partial"]), ("time_limit", True))
        self.assertEqual(report["results"]["ending"], "the guest had not finished at the time limit of 1.00 ms")

    def test_the_report_says_under_its_verdict_how_the_run_ended(self):
        result = self.bare(*self.flat([BRANCH_TO_ITSELF]), "--time_limit", "1ms", quiet=False)
        _, _, after_verdict = result.output.partition("\nVerdict\n")
        self.assertRegex(after_verdict, "(?m)^Ended: the guest had not finished at the time limit of 1.00 ms "
                                        r"\(this report is partial\)\n  cpu0 at 0x10000: b 0x10000$")

    def test_what_was_not_shown_is_said_on_standard_error(self):
        for quiet in False, True:
            with self.subTest(quiet=quiet):
                result = self.bare(*self.flat([BRANCH_TO_ITSELF]), "--time_limit", "1ms", quiet=quiet)
                self.assertEqual(result.error.count("\n"), 1, result.error)
                self.assertRegex(result.error, "^bare_metal: not shown: the guest ends by H_EXIT, or where it was to stop: ")

    def test_waiting_for_nothing(self):
        report = self.report(*self.flat([*H_CEDE, BRANCH_TO_ITSELF]), "--set-register", "dec=0x7fffffffffffff", status=1)
        self.assertEqual(report["results"]["ending"], "the guest waits for something that will not come")

    def test_several_cpus_end_together(self):
        # mfspr r5,1023 (PIR); cmpdi r5,0; beq 0; attn on the others
        cpus = self.state(*self.flat([0x7CBFFAA6, 0x2C250000, 0x41820000, ATTN]), "--cpus", 3, "--stop-on", "attn")
        self.assertEqual([int(cpu["gpr"][5], 16) for cpu in cpus], [0, 1, 2])
        self.assertEqual([cpu["ended"] for cpu in cpus], ["running", "attn", "attn"])

    def test_a_machine_has_the_devices_of_a_native_one(self):
        (self.directory / "disk.img").write_bytes(bytes(65536))
        flat = self.flat([ATTN])
        report = self.report(*flat, "--stop-on", "attn", "--disk", "disk.img:read_only", "--disk", "disk.img:snapshot",
                             "--network", "yes", "--entropy", "yes")
        modules = {name.split(".")[1] for name in report["runs"][0]["metrics"]["counters"]}
        self.assertLessEqual({"virtio-blk0", "virtio-blk1", "virtio-net0", "virtio-rng0", "peer"}, modules)

    def test_toml(self):
        self.flat([ATTN])
        (self.directory / "config.toml").write_text(
            'load = ["flat.bin@0x10000", "flat.bin@0x20000"]\npc = "0x20000"\nmsr = "0x8000000000001001"\n'
            'stop-on = ["attn", "trap"]\nset-register = ["r3=3", "r4=4"]\n')
        (cpu,) = self.state("--config", "config.toml")
        self.assertEqual(cpu["nip"], "0x0000000000020000")
        self.assertEqual((cpu["gpr"][3][-1], cpu["gpr"][4][-1]), ("3", "4"))


class bad_input(bare_metal_test):
    def test_one_line_says_what_is_wrong(self):
        flat = self.flat([ATTN])
        (self.directory / "no.elf").write_text("not at all")
        (self.directory / "big.bin").write_bytes(bytes(4096))
        for options, words in (
            ([], ["elf:", "--elf FILE", "--load FILE@ADDRESS"]),
            (["--elf", "nowhere"], ["elf: nowhere", "No such file"]),
            (["--elf", "no.elf"], ["elf: no.elf", "not an ELF file"]),
            (["--load", "flat.bin"], ["load: 'flat.bin'", "FILE@ADDRESS"]),
            (["--load", "flat.bin@x", "--pc", "0"], ["load: 'x'", "0x"]),
            (["--load", "nowhere@0", "--pc", "0"], ["load: 'nowhere'", "cannot be read"]),
            (["--load", "big.bin@0xffff800", "--pc", "0"], ["load: big.bin", "4096 bytes", "256MiB"]),
            (["--load", "flat.bin@0"], ["pc:", "--pc ADDRESS"]),
            ([*flat, "--pc", "0x1g"], ["pc: '0x1g'"]),
            ([*flat, "--msr", "-1"], ["msr: '-1'"]),
            ([*flat, "--set-register", "r3"], ["set-register: 'r3'", "NAME=VALUE"]),
            ([*flat, "--set-register", "r32=1"], ["set-register:", "'r32'", "r0..r31"]),
            ([*flat, "--set-register", "r3=0x10000000000000000"], ["set-register: r3 has 64 bits"]),
            ([*flat, "--set-register", "cr=0x100000000"], ["set-register: cr has 32 bits"]),
            ([*flat, "--set-register", "pvr=1"], ["set-register: pvr cannot be written"]),
            ([*flat, "--process-table", "0x1001"], ["process-table: 0x1001", "4 KiB"]),
            ([*flat, "--process-table", "nowhere"], ["process-table: 'nowhere'"]),
            ([*flat, "--stop-on", "trap,nothing"], ["stop-on: 'nothing'", "trap, attn, illegal"]),
            ([*flat, "--dump-state", "no/where.json"], ["dump-state 'no/where.json'"]),
            ([*flat, "--console-input", "nowhere"], ["console-input: 'nowhere'"]),
            ([*flat, "--host-read", "nowhere"], ["host-read: 'nowhere'", "symbol"]),
            ([*flat, "--host-read", "0:5000"], ["host-read: '0:5000'", "4096"]),
            ([*flat, "--secret", "short"], ["secret: 'short'", "8 to 4096"]),
            ([*flat, "--gdb", "70000"], ["gdb: 70000", "65535"]),
            ([*flat, "--instruction-trace", "no/where"], ["no/where"]),
            ([*flat, "--instruction-trace.numbers", "5"], ["instruction-trace.numbers: '5'", "FROM:TO"]),
            ([*flat, "--instruction-trace.numbers", "5:5"], ["instruction-trace.numbers: '5:5'", "empty"]),
            ([*flat, "--instruction-trace.time", "5:6"], ["instruction-trace.time:", "unit"]),
            ([*flat, "--profile", "p", "--profile.period", "0"], ["profile.period:"]),
            ([*flat, "--cpus", "0"], ["cpus: 0"]),
            ([*flat, "--net.pcap", "frames.pcap"], ["net.pcap:", "network=yes"]),
            ([*flat, "--disk", "nowhere"], ["disk image 'nowhere'", "No such file"]),
            ([*flat, "--disk", ":snapshot"], ["disk: ':snapshot' names no file"]),
            ([*flat, "--disk", "big.bin", "--disk", "big.bin"], ["disk: 'big.bin' is the same file as disk"]),
            ([*flat, "--disk", "big.bin:read_only", "--report", "big.bin"], ["'big.bin' is the same file as"]),
            ([*flat, "--swiotlb.size", "1MiB"], ["unknown option 'swiotlb.size'"]),
        ):
            with self.subTest(options=options):
                result = self.bare(*options)
                self.assertEqual(result.status, 2, result.output + result.error)
                self.assertEqual(result.output, "")
                self.assertEqual(result.error.count("\n"), 1, result.error)
                self.assertTrue(result.error.startswith("bare_metal: "), result.error)
                for word in words:
                    self.assertIn(word, result.error)


@unittest.skipUnless(shutil.which(COMPILER), f"{COMPILER} is not installed")
class programs(bare_metal_test):
    def build(self, source):
        program = self.directory / source.stem
        subprocess.run([COMPILE, COMPILER, program, source], check=True, timeout=60)
        return program

    def example(self, name):
        return self.build(FOLDER / "examples" / f"{name}.c")

    def own(self, name):
        return self.build(HERE / f"{name}.c")

    def symbol(self, program, name):
        lines = subprocess.run([SYMBOLS, program], check=True, capture_output=True, text=True, timeout=60).stdout
        return int(re.search(rf"^([0-9a-f]+) \w {name}$", lines, re.M)[1], 16)

    def prints(self, output, program, *options, status=0):
        result = self.bare("--elf", program, *options)
        self.assertEqual((result.output, result.error, result.status), (output, "", status))

    def test_hello(self):
        self.prints("Hello from CPU 0\n", self.example("hello"))

    def test_hello_from_a_big_endian_start(self):
        self.prints("Hello from CPU 0\n", self.example("hello"), "--msr", "0x8000000000001000")

    def test_the_console_gives_what_was_typed(self):
        text = "What was typed,\nto the last character of some lines.\n"
        (self.directory / "typed").write_text(text)
        self.prints(f"Hello from CPU 0\n{text}{len(text)} characters were typed\n", self.example("hello"), "--console-input",
                    "typed")

    def test_the_report_comes_behind_the_console(self):
        result = self.bare("--elf", self.example("hello"), quiet=False)
        self.assertTrue(result.output.startswith("Hello from CPU 0\n"))
        self.assertIn("the guest ends by H_EXIT, or where it was to stop: the guest ended itself with status 0", result.output)
        self.assertIn("POWER9 core 0", result.output)

    def test_timer(self):
        self.prints("".join(f"tick {n} in time\n" for n in range(1, 6)), self.example("timer"))

    def test_two_cpus(self):
        program = self.example("two_cpus")
        self.prints("counted to 2000\n", program, "--cpus", 2)
        self.prints("CPU 1 does not count; was it --cpus 2?\n", program, status=1)

    def test_the_host_sees_the_shared_page_and_no_other(self):
        options = ["--elf", self.example("share_page"), "--host-read", "private_page", "--host-read", "shared_page"]
        for policy, outcome in (("page_out", "ciphertext"), ("bus_error", "bus error")):
            with self.subTest(policy=policy):
                report = self.report(*options, "--host.policy", policy, "--secret", "this is for the guest alone")
                self.assertTrue(report["results"]["secure"])
                private, shared = report["results"]["host_reads"]
                self.assertEqual((private["page_state"], private["outcome"]), ("SECURE", outcome))
                self.assertEqual(len(private["bytes"]), 128 if outcome == "ciphertext" else 0)
                self.assertNotIn("this is for", private["characters"])
                self.assertEqual((shared["page_state"], shared["outcome"]), ("SHARED", "plaintext"))
                self.assertTrue(shared["characters"].startswith("this is for the host as well...."))
                self.assertEqual(report["results"]["secrets"], [{"secret": "this is for the guest alone", "seen": 0}])
        # The oracle is not blind: what is in the shared page is seen.
        report = self.report(*options, "--secret", "this is for the host as well", status=1)
        self.assertGreater(report["results"]["secrets"][0]["seen"], 0)

    def test_without_an_ultravisor_nothing_becomes_secure(self):
        self.prints("UV_ESM failed: -2\n", self.example("share_page"), "--ultravisor", "no", status=1)

    def test_calls_from_every_state(self):
        self.prints(CALLS, self.own("calls"), "--process-table", "process_table")

    def test_code_that_changes_and_the_other_byte_order(self):
        self.prints("changed code: 5050\nthe other byte order: 0x44332211\n", self.own("code"))

    def test_elf_files_of_each_class_and_order(self):
        tools = COMPILER.removesuffix("gcc")
        for name, options, emulation, macro, msr, cr, toc in (
            ("32-bit big-endian", ["-a32", "-mbig"], "elf32ppc", [], 0x1000, "2", 0),
            ("32-bit little-endian", ["-a32", "-mlittle"], "elf32lppc", [], 0x1001, "2", 0),
            ("64-bit big-endian", ["-a64", "-mbig"], "elf64ppc", [], 0x8000000000001000, "4", 0),
            ("64-bit little-endian", ["-a64", "-mlittle"], "elf64lppc", [], 0x8000000000001001, "4", 0),
            ("a descriptor", ["-a64", "-mbig"], "elf64ppc", ["-DDESCRIPTOR"], 0x8000000000001000, "4", 0x1234),
        ):
            with self.subTest(name):
                for command in ([tools + "cpp", "-P", *macro, HERE / "classes.S", "-o", "classes.s"],
                                [tools + "as", *options, "-o", "classes.o", "classes.s"],
                                [tools + "ld", "-m", emulation, "-e", "_start", "-Ttext", "0x20000", "-Tdata", "0x40000",
                                 "-o", "classes", "classes.o"]):
                    subprocess.run(command, cwd=self.directory, check=True, timeout=60)
                (cpu,) = self.state("--elf", "classes", "--stop-on", "attn")
                self.assertEqual(cpu["nip"], "0x0000000000020014")
                self.assertEqual((int(cpu["msr"], 16), cpu["cr"][2], int(cpu["gpr"][2], 16)), (msr, cr, toc))
                self.assertEqual(int(cpu["gpr"][5], 16), 0x11223344)

    def test_stops(self):
        program = self.own("stops")
        self.prints("1 traps, 2 illegal instructions, 0 others\n", program)
        self.prints("", program, "--stop-on", "trap,illegal,attn")
        for option, label in (("trap", "at_trap"), ("illegal", "at_illegal"), ("attn", "at_attn")):
            with self.subTest(option=option):
                at = self.symbol(program, label)
                report = self.report("--elf", program, "--stop-on", option, "--dump-state", "state.json")
                self.assertEqual(report["results"]["ending"],
                                 f"{option} at {at:#x} on cpu0")
                (cpu,) = json.loads((self.directory / "state.json").read_text())["cpus"]
                self.assertEqual(int(cpu["nip"], 16), at)

    def test_runs_are_equal(self):
        for name, options in (("timer", []), ("two_cpus", ["--cpus", 2]), ("share_page", [])):
            with self.subTest(program=name):
                program = self.example(name)
                reports = [self.report("--elf", program, *options) for _ in range(2)]
                self.assertEqual(*reports)
                states = [self.state("--elf", program, *options) for _ in range(2)]
                self.assertEqual(*states)

    def test_instruction_trace(self):
        program = self.own("gdb")
        self.traced(program)
        text = self.render(program)
        self.assertIn("\nmain+0x8:\n", text)
        self.assertTrue(text.splitlines()[-1].endswith("sc 1"), text)
        add = self.symbol(program, "add") + 8  # behind what sets R2 up
        whole = len(text.splitlines())
        self.traced(program, "--instruction-trace.addresses", f"{add:#x}:{add:#x}")
        self.assertEqual(len(re.findall(rf" {add:016x} ", self.render(program))), 4)
        self.assertNotIn("main", self.render(program))
        self.traced(program, "--instruction-trace.numbers", "0:10")
        self.assertEqual(re.findall(r"^ +(\d+) ", self.render(program), re.M), [str(n) for n in range(10)])
        self.assertGreater(whole, 10)
        self.traced(program, "--instruction-trace.time", "1s:2s")
        self.assertNotIn("main", self.render(program))

    def traced(self, program, *options):
        self.prints("4321\n", program, "--instruction-trace", "trace", *options, status=5)

    def render(self, program):
        return subprocess.run([os.environ["PEFSIM_TRACE_RENDER"], "trace", "--elf", program], cwd=self.directory, check=True,
                              capture_output=True, text=True, timeout=60).stdout

    def test_profile_and_coverage(self):
        report = self.report("--elf", self.example("timer"), "--profile", "profile", "--profile.period", 10, "--coverage", "yes")
        self.assertIn("print", (self.directory / "profile").read_text())
        coverage = report["results"]["coverage"]
        self.assertGreater(coverage["executed"]["sc"], 5)
        self.assertEqual(coverage["rows_executed"], len(coverage["executed"]))
        counted = sum(coverage["executed"].values())
        plain = self.state("--elf", self.example("timer"))
        self.assertAlmostEqual(counted, plain[0]["instructions"], delta=plain[0]["instructions"] // 100)

    @unittest.skipUnless(shutil.which("gdb-multiarch"), "gdb-multiarch is not installed")
    def test_gdb(self):
        program = self.own("gdb")
        output = self.gdb(program, """
            break add
            continue
            print value
            stepi
            print/x $pc
            delete
            watch watched
            continue
            print sum
            delete
            set var numbers[3] = 5000
            set var $r31 = 0x1122334455667788
            set var $f1 = 2.5
            set var $vs40.uint128 = 0x11
            set var $cr = 0x12345678
            print/x $r31
            print $f1
            print/x $vs40.uint128
            print/x $cr
            print/x $lr != 0
            print/x $ctr
            print/x $xer
            print/x $msr
            print/x $fpscr
            print/x $vscr
            print/x $vrsave
            kill
            """)
        add = self.symbol(program, "add")
        at = -1
        for line in ("Breakpoint 1, add", "$1 = 1", "$2 = ", "Hardware watchpoint 2: watched", "New value = 77", "$3 = 321",
                     "= 0x1122334455667788", "= 2.5", "= 0x11", "= 0x12345678", "= 0x1", "= 0x8000000000001001"):
            found = output.find(line, at + 1)
            self.assertGreater(found, at, f"{line}\n{output}")
            at = found
        self.assertNotEqual(add, 0)

    @unittest.skipUnless(shutil.which("gdb-multiarch"), "gdb-multiarch is not installed")
    def test_gdb_sees_the_guest_end(self):
        output = self.gdb(self.own("gdb"), "break main\ncontinue\nset var numbers[0] = 679\ncontinue\n", status=5, console="4999\n")
        self.assertIn("exited with code 05", output)

    @unittest.skipUnless(shutil.which("gdb-multiarch"), "gdb-multiarch is not installed")
    def test_gdb_sees_special_purpose_registers_by_name(self):
        (state,) = self.state("--elf", self.own("gdb"), status=5)
        output = self.gdb(self.own("gdb"), """
            info registers spr
            print/x $pvr
            print/x $lpcr
            set var $sprg3 = 0x1234567890
            print/x $sprg3
            set var $dec = 0x7fff
            print $dec <= 0x7fff
            info registers srr0
            continue
            """, status=5, console="4321\n")  # fmt: skip
        listed = set(re.findall(r"^(\w+) +0x", output, re.M))
        known = {"lr", "ctr", "xer", "vrsave"}  # in features of gdb's own
        self.assertEqual(set(state["spr"]) - known, listed - known)
        self.assertGreater(len(listed), 60)
        for line in ("$1 = 0x4e1202\n", "$3 = 0x1234567890\n", "$4 = 1\n"):
            self.assertIn(line, output)
        self.assertIn("srr0           0x0", output)

    @unittest.skipUnless(shutil.which("gdb-multiarch"), "gdb-multiarch is not installed")
    def test_gdb_has_commands_to_the_machine(self):
        program = self.example("share_page")
        output = self.gdb(program, """
            monitor help
            monitor page private_page
            monitor nonsense
            monitor page nowhere
            monitor page
            monitor page 0x7000000000
            monitor trace on
            break exit
            continue
            monitor page private_page
            monitor page shared_page
            monitor ledger shared_page
            monitor ledger private_page
            monitor statistics UV_SHARE_PAGE
            monitor page @0x10000
            continue
            """, status=0, console=None, options=["--instruction-trace", "trace"])  # fmt: skip
        for pattern in (
            r"monitor ledger +PLACE",
            r"page 0x\w+ \.\. 0x\w+: NORMAL, the host can read it",
            r"there is no command 'nonsense'; monitor help",
            r"page: 'nowhere' is neither an address nor a symbol",
            r"page: PLACE is missing",
            r"page: '0x7000000000' is 0x7000000000, where no RAM is",
            r"instructions are recorded from now on",
            r"page 0x\w+ \.\. 0x\w+: SECURE, the host cannot read it",
            r"page 0x\w+ \.\. 0x\w+: SHARED, the host can read it\n  @ \d+ ns UV_SHARE_PAGE by cpu0, ",
            r"\* 0x\w+ \.\. 0x\w+ by cpu0, .*main.*, @ \d+ ns: nobody has looked",
            r"page 0x\w+ is SECURE: the host cannot read it, and nothing of it is on record",
            r"1 calls +machine\.cpu0\.ultracalls UV_SHARE_PAGE",
            r"page 0x10000 \.\. 0x1ffff: SECURE",
        ):
            found = re.search(pattern, output)
            self.assertTrue(found, f"{pattern}\n{output}")
            output = output[found.end():]
        self.assertIn("main", self.render(program))

    def gdb(self, program, script, status=1, console="", options=()):
        script = re.sub(r"^ +", "", script, flags=re.M)
        command = [scenario.BINARIES / "bare_metal", "--no-trace", "--quiet", "--elf", program, "--gdb", "0", *options]
        with subprocess.Popen(command, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as machine:
            port = re.search(r"localhost:(\d+)", machine.stderr.readline())[1]
            (self.directory / "script.gdb").write_text(
                "set pagination off\nset confirm off\nset height 0\nset width 0\nset tcp connect-timeout 30\n"
                f"target remote localhost:{port}\n{script}")
            done = subprocess.run(["gdb-multiarch", "-q", "-nx", "-batch", "-x", "script.gdb", program], cwd=self.directory,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
            output, error = machine.communicate(timeout=100)
        self.assertEqual(machine.returncode, status, error + done.stdout)
        if console is not None:
            self.assertEqual(output, console, error + done.stdout)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
