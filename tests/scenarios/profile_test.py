#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Profiles of POWER guests: stacks that add up, the same with and without the translator, in files that others read."""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from linux_secure_test import image
from scenario import BINARIES, ScenarioTest, run
from timeline_test import message

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from npm_package import package  # noqa: E402

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
COMPILER = "powerpc64le-linux-gnu-gcc"
SPEEDSCOPE = ("speedscope", "1.25.0",
              "cpf9HWTZf1ijLXBJrk87Ve/54tnYx6rlf0gUThvn3ook6h63hLXVOQiMf44PT+XoV503cPfvfiT5gP5vojp6Ag==")  # fmt: skip


def stacks_of(text):
    """Collapsed stacks as a table."""
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in text.splitlines()}


def ends_of(stacks):
    """Samples by innermost function."""
    sums = collections.Counter()
    for stack, count in stacks.items():
        sums[stack.rpartition(";")[2]] += count
    return sums


def packets_of(file):
    """Of a profile in Perfetto's format, as protoc reads it."""
    text = subprocess.run(["protoc", f"--proto_path={HERE}", "--decode=perfetto.protos.Trace", HERE / "perfetto.proto"],
                          input=file.read_bytes(), capture_output=True, check=True, timeout=60).stdout.decode()  # fmt: skip
    assert not re.search(r"^\s*\d+[:{ ]", text, re.MULTILINE), "a field that there is not"
    return message(iter(text.splitlines()))["packet"]


def interned(packets, kind):
    return {each["iid"][0]: each for packet in packets for data in packet["interned_data"] for each in data[kind]}


def perfetto_functions(packets):
    """Function: where it begins."""
    names, mappings = interned(packets, "function_names"), interned(packets, "mappings")
    frames = interned(packets, "frames").values()
    assert all(frame["mapping_id"][0] in mappings for frame in frames)
    return {names[frame["function_name_id"][0]]["name"][0]: frame["rel_pc"][0] for frame in frames}


def perfetto_stacks(packets):
    """"outer;inner": samples; and the periods that are named. Perfetto's callstacks have the outermost frame first."""
    names, frames, callstacks = (interned(packets, kind) for kind in ("function_names", "frames", "callstacks"))
    stacks = collections.Counter()
    for packet in packets:
        for sample in packet["perf_sample"]:
            of = callstacks[sample["callstack_iid"][0]]["frame_ids"]
            stacks[";".join(names[frames[each]["function_name_id"][0]]["name"][0] for each in of)] += 1
    periods = [each["perf_sample_defaults"][0]["timebase"][0]["period"][0]
               for packet in packets for each in packet["trace_packet_defaults"]]  # fmt: skip
    return dict(stacks), periods


@unittest.skipUnless(shutil.which(COMPILER), f"SKIP: {COMPILER} is not installed")
class ProfileTest(ScenarioTest):
    @classmethod
    def setUpClass(cls):
        cls.programs = BINARIES / "bare_metal_programs"

    def build(self, source):
        program = self.directory / source.stem
        subprocess.run([ROOT / "scenarios/bare_metal/guest/compile", COMPILER, program, source], check=True, timeout=60)
        return program

    def profile(self, name, program, *options):
        """The profile's file and the run's report."""
        report = self.shown("bare_metal", "--no-trace", "--elf", program, "--profile", name, "--profile.period", "1", *options)
        return (self.directory / name).read_text(), report

    def test_stacks_are_the_calls_of_the_program(self):
        program = self.build(HERE / "bare_metal/calls_deep.c")
        text, report = self.profile("p.collapsed", program)
        stacks = stacks_of(text)
        shown = report["runs"][0]["profile"]
        self.assertEqual((shown["unit"], shown["period"], shown["total"]), ("samples", 1, sum(stacks.values())))
        self.assertEqual(dict(shown["stacks"]), stacks)
        self.assertEqual([count for _, count in shown["stacks"]], sorted(stacks.values(), reverse=True))
        self.assertEqual(shown["left_out"], {"stacks": 0, "samples": 0})
        # countdown makes its frame before it saves LR, for which there stands what an earlier call has left: the ABI does
        # not tell the two apart.
        left = {stack for stack in stacks if "outer;outer" in stack}
        self.assertEqual({stack[stack.index("main"):] for stack in left}, {"main;outer;outer;countdown"})
        self.assertLess(sum(stacks[stack] for stack in left), 0.005 * sum(stacks.values()))
        ours = {stack: count for stack, count in stacks.items() if "outer" in stack and stack not in left}
        # Not one instruction of inner has another way to it than the program has.
        self.assertEqual({stack[stack.index("main"):] for stack in ours},
                         {"main;outer", "main;outer;middle", "main;outer;middle;inner", "main;outer;inner",
                          "main;outer;countdown", "main;outer;countdown;countdown",
                          "main;outer;countdown;countdown;countdown"})  # fmt: skip
        self.assertEqual(len({stack[:stack.index("main")] for stack in ours}), 1)

    def test_a_table_and_collapsed_stacks_agree(self):
        text, _ = self.profile("p.folded", self.programs / "timer")
        table, _ = self.profile("p.txt", self.programs / "timer", "--profile.functions", "0")
        of_table = {line.split()[2]: int(line.split()[1]) for line in table.splitlines()[1:]}
        self.assertEqual(of_table, dict(ends_of(stacks_of(text))))
        self.assertEqual(int(table.split()[0]), sum(of_table.values()))

    def test_the_format_may_be_said(self):
        named, _ = self.profile("p.collapsed", self.programs / "timer")
        said, _ = self.profile("p.txt", self.programs / "timer", "--profile.format", "collapsed")
        self.assertEqual(named, said)
        result = run("bare_metal", "--elf", self.programs / "timer", "--profile", "p", "--profile.format", "svg",
                     cwd=self.directory)  # fmt: skip
        self.assertEqual((result.status, result.error.count("\n")), (2, 1), result.error)
        self.assertIn("profile.format", result.error)

    def test_events_are_counted_by_function(self):
        _, report = self.profile("p.txt", self.programs / "timer")
        events = {each["what"]: each for each in report["runs"][0]["profile"]["events"]}
        calls = report["runs"][0]["metrics"]["tallies"]["machine.cpu0.hypercalls"]
        counts = {name: count for name, count in calls["counts"].items() if count}
        self.assertEqual({f"hypercall {name}": count for name, count in counts.items()},
                         {what: each["total"] for what, each in events.items()})
        stack, count = events["hypercall H_CEDE"]["stacks"][0]
        self.assertEqual(stack.split(";"), ["_start", "main"])
        self.assertEqual(count, counts["H_CEDE"])
        text = run("bare_metal", "--no-trace", "--elf", self.programs / "timer", "--profile", "p.txt", cwd=self.directory).output
        self.assertRegex(text, rf"hypercall H_CEDE: {count}\n +{count}  main < _start\n")

    def test_nothing_of_it_without_a_profile(self):
        report = self.shown("bare_metal", "--no-trace", "--elf", self.programs / "timer")
        self.assertNotIn("profile", report["runs"][0])

    def test_a_profile_changes_nothing(self):
        plain = self.shown("bare_metal", "--no-trace", "--elf", self.programs / "timer")
        _, observed = self.profile("p.txt", self.programs / "timer")
        del observed["runs"][0]["profile"]
        for cpu in [*plain["results"]["cpus"], *observed["results"]["cpus"]]:
            cpu.pop("translator", None)
            del cpu["flushes"]  # one when the engine learns that it is looked at
        for name in ("parameters", "parameter_values", "replay", "files"):
            del plain[name], observed[name]
        self.assertEqual(plain, observed)

    def test_the_translator_changes_nothing_of_it(self):
        for program, options in (("timer", ()), ("two_cpus", ("--cpus", "2")), ("share_page", ()), ("hello", ())):
            for period in ("1", "97"):
                with self.subTest(program=program, period=period):
                    shown = [self.profile("p.collapsed", self.programs / program, "--translator", translator,
                                          "--profile.period", period, *options) for translator in ("yes", "no")]  # fmt: skip
                    self.assertEqual(shown[0][0], shown[1][0])
                    self.assertEqual(*(report["runs"][0]["profile"] for _, report in shown))

    def test_no_stack_leads_anywhere(self):
        # R1 and LR are what a program makes of them: addresses of devices, of nothing, unaligned ones.
        for r1 in ("0x10000000000", "0xffffffffffffffff", "0x8", "0x10000", "0xc000000000000000", "0x4000000000000000"):
            with self.subTest(r1=r1):
                report = self.garbage(r1)
                self.assertEqual(report["runs"][0]["violations"]["total"], 0)

    def garbage(self, r1):
        (self.directory / "loop.bin").write_bytes(bytes.fromhex("0000803800000048"))
        result = run("bare_metal", "--no-trace", "--quiet", "--load", "loop.bin@0x10000", "--pc", "0x10000", "--msr",
                     "0x8000000000001001", "--set-register", f"r1={r1}", "--set-register", "lr=0x123456789abcdef0",
                     "--instruction_limit", "1000", "--profile", "p.collapsed", "--profile.period", "1", "--report",
                     "report.json", cwd=self.directory)  # fmt: skip
        self.assertEqual(result.status, 1, result.error)
        report = json.loads((self.directory / "report.json").read_text())
        self.assertGreaterEqual(report["runs"][0]["profile"]["total"], 1000)
        return report

    @unittest.skipUnless(shutil.which("protoc"), "no protoc (Debian package protobuf-compiler)")
    def test_perfetto_has_the_same_stacks(self):
        collapsed, _ = self.profile("p.collapsed", self.programs / "timer", "--profile.period", "3")
        for name, options in (("p.pftrace", []), ("p.perfetto-trace", []), ("p.bin", ["--profile.format", "perfetto"])):
            with self.subTest(file=name):
                report = self.shown("bare_metal", "--no-trace", "--elf", self.programs / "timer", "--profile", name,
                                    "--profile.period", "3", *options)  # fmt: skip
                packets = packets_of(self.directory / name)
                stacks, periods = perfetto_stacks(packets)
                self.assertEqual(stacks, stacks_of(collapsed))
                self.assertEqual(periods, [3])
                self.assertEqual(sum(stacks.values()), report["runs"][0]["profile"]["total"])
                times = [packet["timestamp"][0] for packet in packets if packet["perf_sample"]]
                self.assertEqual(times, [3 * (n + 1) for n in range(len(times))])
        # Functions are where the program has them.
        symbols = subprocess.run([COMPILER.replace("gcc", "nm"), self.programs / "timer"], check=True, capture_output=True,
                                 text=True, timeout=60).stdout  # fmt: skip
        begins = {words[2]: int(words[0], 16) for words in map(str.split, symbols.splitlines()) if len(words) == 3}
        found = perfetto_functions(packets)
        self.assertIn("main", found)
        for function, address in found.items():
            self.assertEqual(address, begins.get(function, 0), function)

    def test_speedscope_reads_both_formats(self):
        reader = package(*SPEEDSCOPE) if shutil.which("node") else None
        if reader is None:
            self.skipTest("SKIP: npm's speedscope cannot be had: no node, or no network")
        (bundle,) = (reader / "dist/release").glob("speedscope-*.js")
        collapsed, _ = self.profile("p.collapsed", self.programs / "timer", "--profile.period", "3")
        self.profile("p.speedscope.json", self.programs / "timer", "--profile.period", "3")
        stacks = stacks_of(collapsed)
        for name, weight, title in (("p.collapsed", 1, "p.collapsed"), ("p.speedscope.json", 3, "instructions")):
            with self.subTest(file=name):
                done = subprocess.run(["node", HERE / "read_profile.js", bundle, self.directory / name], check=True,
                                      capture_output=True, text=True, timeout=60)  # fmt: skip
                (profile,) = json.loads(done.stdout)["profiles"]
                self.assertEqual((profile["unit"], profile["name"]), ("none", title))
                self.assertEqual(profile["total"], weight * sum(stacks.values()))
                self.assertEqual(profile["stacks"], {stack: weight * count for stack, count in stacks.items()})


class LinuxProfileTest(ScenarioTest):
    """A boot of a Linux that makes itself secure."""

    def boot(self, *options):
        return self.shown("linux_secure", "--image", self.image, "--memory.size", "256MiB", "--no-trace", *options)

    def setUp(self):
        super().setUp()
        self.image = image()
        if self.image is None:
            self.skipTest("SKIP: Debian's source package or its tools cannot be had: no network?")

    def test_stacks_cross_interrupts_and_nothing_changes(self):
        plain = self.boot()
        observed = self.boot("--profile", "p.collapsed", "--profile.period", "4999")
        stacks = stacks_of((self.directory / "p.collapsed").read_text())
        profile = observed["runs"][0].pop("profile")
        total = sum(stacks.values())
        self.assertEqual(profile["total"], total)
        self.assertLessEqual(len(profile["stacks"]), 1000)
        kept = sum(count for _, count in profile["stacks"])
        self.assertEqual(profile["left_out"], {"stacks": len(stacks) - len(profile["stacks"]), "samples": total - kept})

        def share(predicate):
            return sum(count for stack, count in stacks.items() if predicate(stack.split(";"))) / total

        # Most of this boot is busybox's; the kernel's share is of its first thread, and of system calls.
        self.assertGreater(share(lambda functions: "start_kernel" in functions or "kernel_init" in functions), 0.1)
        self.assertGreater(share(lambda functions: any(each.startswith("system_call") for each in functions)), 0.1)
        # Interrupts stand on what they interrupted, with the way into the kernel between.
        self.assertTrue(any("do_IRQ" in stack or "timer_interrupt" in stack for stack in stacks))
        interrupted = [stack.split(";") for stack in stacks if "timer_interrupt" in stack.split(";")]
        self.assertTrue(interrupted)
        self.assertTrue(all(functions.index("timer_interrupt") >= 2 for functions in interrupted), interrupted[:5])
        self.assertLess(share(lambda functions: len(functions) == 1), 0.1, "samples without callers")

        events = {each["what"]: each for each in profile["events"]}
        for call, function in (("ultracall UV_SHARE_PAGE", "swiotlb"), ("hypercall H_CEDE", "lpar_idle"),
                               ("hypercall H_PUT_TERM_CHAR", "hvc")):
            self.assertTrue(any(function in stack for stack, _ in events[call]["stacks"]), events[call]["stacks"][:3])
        self.assertTrue(any("vp_notify" in stack for stack, _ in events["MMIO store"]["stacks"]), events["MMIO store"]["stacks"])
        self.assertGreater(events["data page fault"]["total"], 10)

        # The engine forgets what it has decoded when it learns that it is looked at, and may fetch a page again.
        [before], [after] = plain["results"]["cpus"], observed["results"]["cpus"]
        lookups = [report["runs"][0]["metrics"]["counters"].pop("machine.cpu0.translations")["value"]
                   for report in (plain, observed)]  # fmt: skip
        more = after["fetch_misses"] - before["fetch_misses"]
        self.assertEqual(lookups[1] - lookups[0], more)
        self.assertLess(abs(more), 10)
        for report in (plain, observed):
            for cpu in report["results"]["cpus"]:
                cpu.pop("translator", None)
                del cpu["decoded"], cpu["flushes"], cpu["fetch_misses"]
            for name in ("parameters", "parameter_values", "replay", "files"):
                del report[name]
        self.assertEqual(plain, observed)


if __name__ == "__main__":
    unittest.main()
