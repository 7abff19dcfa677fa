#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every output of a run stands there whole, or what stood there before does; a run that is asked to stop stops."""

import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import time
import unittest

import scenario
from scenario import ScenarioTest, run

# Programs for bare_metal, loaded at 0 (big-endian), and for user_program.
LOOP = [0x48000000]  # b .
EXIT = [0x38600000, 0x6063F0FC, 0x38800000, 0x44000022]  # H_EXIT with status 0
COUNT = [0x38A003E8, 0x7CA903A6, 0x42000000, *EXIT]  # 1,000 turns, then H_EXIT
PRINT = [0x38600058, 0x3C807100, 0x38A00010, 0x3CC04141, 0x3CE04242, 0x44000022, 0x4BFFFFE8]  # 16 characters, for ever
GETPID = [0x3BE000C8, 0x38000014, 0x44000002, 0x3BFFFFFF, 0x2C1F0000, 0x4082FFF0,  # 200 times, then exit(0)
          0x38000001, 0x38600000, 0x44000002]
POLL = [0x3C601000, 0x60630094, 0x38800001, 0x38A0FFFF, 0x380000A7, 0x44000002, 0x4BFFFFE8,  # poll(), for ever, of
        0x00000000, 0x00000001]  # {.fd = 0, .events = POLLIN}
READ = [0x38600000, 0x3C801000, 0x60840094, 0x38A00001, 0x38000003, 0x44000002, 0x4BFFFFE8, 0]  # read(0, ...), for ever
GDB_PROMPT = "waiting for GDB"


def flat_image(words):
    return struct.pack(f"<{len(words)}I", *words)


def elf_program(words):
    """A static ppc64le program of one segment."""
    base, header = 0x10000000, 64 + 56
    code = struct.pack(f"<{len(words)}I", *words)
    size = header + len(code)
    return (struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, 21, 1, base + header, 64, 0, 2, 64, 56, 1, 0, 0, 0)
            + struct.pack("<IIQQQQQQ", 1, 7, 0, base, base, size, size, 0x10000) + code)


def limit_space(space):
    resource.setrlimit(resource.RLIMIT_FSIZE, (space, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


class OutputTest(ScenarioTest):
    def setUp(self):
        super().setUp()
        for name, words in {"loop": LOOP, "count": COUNT, "print": PRINT}.items():
            (self.directory / name).write_bytes(flat_image(words))
        for name, words in {"getpid": GETPID, "poll": POLL, "read": READ}.items():
            (self.directory / name).write_bytes(elf_program(words))

    def files(self):
        return {path.name for path in self.directory.iterdir()}

    def command(self, name, *options):
        return [scenario.BINARIES / name, *map(str, options)]

    def bare_metal(self, image, *options):
        return ["bare_metal", "--load", f"{image}@0", "--pc", "0", "--quiet", *options]

    def with_space(self, space, command):
        """Runs it in a file system that takes files of `space` bytes at most."""
        return subprocess.run(self.command(*command), cwd=self.directory, text=True, capture_output=True, timeout=300,
                              stdin=subprocess.DEVNULL, check=False, preexec_fn=lambda: limit_space(space))


class Space(OutputTest):
    def outputs(self):
        """Command line, and the files that it writes."""
        quiet = ["--no-trace"]
        yield self.bare_metal("count", *quiet, "--report", "out.json"), ["out.json"]
        yield self.bare_metal("count", *quiet, "--html", "out.html"), ["out.html"]
        yield self.bare_metal("count", *quiet, "--timeline", "out.pftrace"), ["out.pftrace"]
        yield self.bare_metal("count", *quiet, "--csv", "out.csv"), ["out.csv"]
        yield self.bare_metal("count", *quiet, "--dump-state", "out.json"), ["out.json"]
        yield self.bare_metal("count", *quiet, "--profile", "out.txt", "--profile.period", "7"), ["out.txt"]
        yield self.bare_metal("count", *quiet, "--instruction-trace", "out.trace"), ["out.trace"]
        yield self.bare_metal("count", "--trace", "out.vcd"), ["out.vcd", "out.gtkw", "out.sucl"]
        yield self.bare_metal("count", "--trace", "out.fst"), ["out.fst", "out.gtkw", "out.sucl"]
        yield ["swiotlb_net", "--quiet", *quiet, "--sizes", "1KiB", "--datagrams", "4", "--net.pcap", "out.pcap"], ["out.pcap"]
        yield ["direct_block", "--quiet", *quiet, "--disk-size", "32KiB", "--chunk", "4KiB", "--copy-to", "out.img"], ["out.img"]
        yield ["dma_ops_compare", "--quiet", *quiet, "--sizes", "512", "--depths", "1", "--bytes", "4KiB", "--plot", "out.png"], \
            ["out.png", "out.svg"]
        yield ["user_program", "--report", "out.json", "getpid"], ["out.json"]
        yield ["user_program", "--trace", "out.txt", "getpid"], ["out.txt"]
        yield ["user_program", "--profile", "out.txt", "--profile.period", "1", "getpid"], ["out.txt"]
        yield ["user_program", "--instruction-trace", "out.trace", "getpid"], ["out.trace"]

    def test_the_old_file_stays_wherever_the_space_runs_out(self):
        before = self.files()
        for command, names in self.outputs():
            if "out.png" in names and run("dma_ops_compare", *command[1:], cwd=self.directory).output.find("No plot") >= 0:
                continue
            with self.subTest(command=command):
                done = self.with_space(resource.RLIM_INFINITY, command)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                whole = {name: (self.directory / name).read_bytes() for name in names}
                largest = max(len(content) for content in whole.values())
                # Every 4 KiB; of large outputs a sample, the ends of which are where something may happen.
                steps = list(range(0, largest, 4096))
                steps = steps if len(steps) <= 16 else steps[:8] + steps[8:-6:len(steps) // 6] + steps[-6:]
                if "PEFSIM_SANITIZED" in os.environ:
                    steps = sorted({steps[0], steps[len(steps) // 2], steps[-1]})
                for space in steps:
                    for name in names:
                        (self.directory / name).write_bytes(b"old")
                    done = self.with_space(space, command)
                    self.assertEqual(done.returncode, 1, f"{space} of {largest}: {done.stdout}{done.stderr}")
                    lost = {name for name in names if (self.directory / name).read_bytes() == b"old"}
                    self.assertGreaterEqual(lost, {name for name in names if len(whole[name]) > space})
                    for name in set(names) - lost:
                        self.assertEqual((self.directory / name).read_bytes(), whole[name])
                    line = done.stderr.splitlines()[-1]
                    self.assertTrue(any(f"'{name}': could not be written in full" in line for name in lost), done.stderr)
                    self.assertEqual(self.files(), before | set(names))
                for name in names:
                    (self.directory / name).unlink()

    def test_a_disk_that_is_full_in_the_middle_of_a_copy(self):
        """A file system of a few KiB, where the host lets us mount one."""
        inside = self.directory / "mounted"
        inside.mkdir()

        def mounted(size, command):
            line = " ".join(f"'{word}'" for word in command)
            script = f"mount -t tmpfs -o size={size} none '{inside}' && cd '{inside}' && echo old > copy.img && {{ {line}; status=$?; " \
                     "ls; wc -c < copy.img; exit $status; }"
            return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script], text=True,
                                  capture_output=True, timeout=60, check=False)

        if mounted(1 << 20, ["true"]).returncode != 0:
            self.skipTest("tmpfs cannot be mounted here")
        command = self.command("direct_block", "--quiet", "--no-trace", "--disk-size", "32KiB", "--chunk", "4KiB",
                               "--copy-to", "copy.img")
        for kib in range(8, 36, 4):
            done = mounted(kib << 10, command)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("copy-to 'copy.img': could not be written in full: No space left on device", done.stderr)
            self.assertEqual(done.stdout.split(), ["copy.img", "4"])
        self.assertEqual(mounted(64 << 10, command).returncode, 0)

    def test_devices(self):
        for option in ("--report", "--dump-state", "--profile", "--instruction-trace"):
            with self.subTest(option=option):
                result = run(*self.bare_metal("count", "--no-trace", option, "/dev/full"), cwd=self.directory)
                self.assertEqual(result.status, 1, result.error)
                self.assertRegex(result.error, r"bare_metal: .*'/dev/full': could not be written in full: No space left on device")
                result = run(*self.bare_metal("count", "--no-trace", option, "/dev/null"), cwd=self.directory)
                self.assertEqual((result.status, result.error), (0, ""))
        result = run("user_program", "--report", "/dev/full", "getpid", cwd=self.directory)
        self.assertEqual(result.status, 1)
        self.assertIn("/dev/full", result.error)
        result = run(*self.bare_metal("count", "--no-trace", "--report", "/dev/stdout"), cwd=self.directory)
        self.assertEqual(json.loads(result.output)["scenario"], "bare_metal")

    def test_standard_output(self):
        for options in (["--no-trace"], ["--help"], ["--list-signals"]):
            for how in ("> /dev/full", ">&-", "| true"):
                with self.subTest(options=options, how=how):
                    line = " ".join(f"'{word}'" for word in self.command("direct_block", *options))
                    script = f"set -o pipefail; {{ sleep 0.2; {line}; }} {how}"
                    done = subprocess.run(["bash", "-c", script], cwd=self.directory, text=True, capture_output=True,
                                          timeout=60, check=False)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertRegex(done.stderr, r"(?m)^direct_block: standard output: could not be written in full: .*\n\Z")
        self.assertNotIn("direct_block.fst", self.files())

    def test_the_report_may_join_standard_output(self):
        out = self.directory / "out.txt"
        with out.open("wb") as stream:
            subprocess.run(self.command("direct_block", "--no-trace", "--report", "out.txt"), cwd=self.directory,
                           stdout=stream, check=True)
        text = out.read_text()
        self.assertIn("Scenario" if "Scenario" in text else "direct_block", text)
        self.assertIn('"scenario": "direct_block"', text)


class Identity(OutputTest):
    def setUp(self):
        super().setUp()
        self.disk = self.directory / "d.img"
        self.disk.write_bytes(os.urandom(1 << 16))
        self.content = self.disk.read_bytes()

    def refuses(self, *command):
        before = {name: (self.directory / name).read_bytes() for name in self.files() if (self.directory / name).is_file()}
        result = run(*command, cwd=self.directory, timeout=20)
        self.assertEqual(result.status, 2, f"{command}\n{result.output}{result.error}")
        self.assertEqual(result.error.count("\n"), 1, result.error)
        after = {name: (self.directory / name).read_bytes() for name in self.files() if (self.directory / name).is_file()}
        self.assertEqual(before, after)
        return result.error

    def test_no_output_is_an_input_or_another_output(self):
        os.link(self.disk, self.directory / "hard.img")
        (self.directory / "soft.img").symlink_to("d.img")
        (self.directory / "c.toml").write_text("cpus = 1\n")
        (self.directory / "trace.fst").symlink_to("d.img")
        block = ["direct_block", "--disk", "d.img"]
        for name in ("d.img", "hard.img", "soft.img", "./d.img"):
            self.assertIn("disk", self.refuses(*block, "--report", name))
            self.assertIn("disk", self.refuses(*block, "--copy-to", name))
        self.refuses(*block, "--trace", "trace.fst")
        self.refuses(*block, "--config", "c.toml", "--report", "c.toml")
        self.refuses(*block, "--copy-to", "new", "--report", "new")
        self.refuses(*block, "--trace", "new.fst", "--report", "new.fst")
        self.refuses(*block, "--trace", "new.fst", "--report", "new.gtkw")
        self.refuses(*block, "--trace", "new.fst", "--report", "new.sucl")
        self.refuses("direct_block", "--report", "direct_block.fst")
        self.refuses("direct_block", "--report", "new", "--html", "new")
        self.refuses(*block, "--html", "d.img")
        self.refuses(*block, "--timeline", "d.img")
        self.refuses(*block, "--csv", "new", "--timeline", "new")
        self.refuses(*block, "--config", "c.toml", "--html", "c.toml")
        self.refuses("swiotlb_net", "--net.pcap", "new", "--report", "new")
        self.refuses("dma_ops_compare", "--plot", "new", "--report", "new")
        self.refuses("dma_ops_compare", "--plot", "new.png", "--report", "new.svg")
        self.refuses("dma_ops_compare", "--plot", "new.svg")
        for option in ("--report", "--dump-state", "--profile", "--instruction-trace"):
            self.refuses(*self.bare_metal("count", "--no-trace", option, "count"))
        self.refuses(*self.bare_metal("count", "--dump-state", "new", "--profile", "new"))
        self.refuses(*self.bare_metal("count", "--cpus", "2", "--instruction-trace", "new", "--report", "new.1"))
        self.refuses(*self.bare_metal("count", "--console-input", "d.img", "--report", "d.img"))
        self.refuses("user_program", "--report", "getpid", "getpid")
        self.refuses("user_program", "--report", "new", "--trace", "new", "getpid")

    def test_an_old_copy_is_kept_by_a_wrong_command_line_and_by_a_run_that_fails(self):
        copy = self.directory / "copy.img"
        copy.write_bytes(b"an old copy")
        self.refuses("direct_block", "--disk", "d.img", "--copy-to", "copy.img", "--report", "no/such/directory")
        result = run("direct_block", "--no-trace", "--disk", "d.img", "--copy-to", "copy.img", "--time_limit", "1us",
                     cwd=self.directory)
        self.assertEqual(result.status, 1)
        self.assertEqual(copy.read_bytes(), b"an old copy")
        self.assertIn("No copy", result.output)
        self.shown("direct_block", "--no-trace", "--disk", "d.img", "--copy-to", "copy.img")
        self.assertEqual(copy.read_bytes(), self.content)
        self.assertEqual([name for name in self.files() if "unfinished" in name], [])

    def test_fifos_are_not_waited_for(self):
        os.mkfifo(self.directory / "fifo")
        os.mkfifo(self.directory / "fifo.fst")
        for option in ("--report", "--copy-to", "--config", "--disk"):
            self.refuses("direct_block", option, "fifo")
        self.refuses("direct_block", "--trace", "fifo.fst")
        self.refuses("swiotlb_net", "--net.pcap", "fifo")
        for option in ("--elf", "--dump-state", "--console-input"):
            self.refuses(*self.bare_metal("count", option, "fifo"))
        self.refuses(*self.bare_metal("fifo"))
        self.refuses("user_program", "--trace", "fifo", "getpid")

    def test_names(self):
        (self.directory / "nul.toml").write_text('disk = "d.img\\u0000B"\n')
        self.assertIn("NUL", self.refuses("direct_block", "--config", "nul.toml"))
        (self.directory / "nul.toml").write_text('load = ["count\\u0000B@0"]\npc = 0\n')
        self.assertIn("NUL", self.refuses("bare_metal", "--config", "nul.toml"))
        name = b"d\xff.img"
        os.link(self.disk, os.fsencode(self.directory) + b"/" + name)
        self.shown("direct_block", "--no-trace", "--quiet", "--disk", os.fsdecode(name))

    def test_a_machine_state_that_needs_an_ultravisor(self):
        self.assertIn("Ultravisor", self.refuses(*self.bare_metal("count", "--msr", "0x8000000000400000", "--ultravisor", "no")))
        self.refuses(*self.bare_metal("count", "--set-register", "msr=0x8000000000400000", "--ultravisor", "no"))

    def test_a_megabyte_of_unknown_key(self):
        (self.directory / "long.toml").write_text("k" * ((1 << 20) - 8) + " = 1\n")
        self.assertLess(len(self.refuses("direct_block", "--config", "long.toml")), 300)


class Stop(OutputTest):
    PATIENCE = 30  # seconds; it takes a fraction of one

    def stopped(self, command, how=signal.SIGTERM, ready=None, waits=False, stdout=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL):  # fmt: skip
        """Sends the signal, when `ready` has been printed on standard error or, without it, a moment after somebody listens;
        or when the program waits for something."""
        (self.directory / "r.json").unlink(missing_ok=True)
        process = subprocess.Popen(self.command(*command), cwd=self.directory, stdin=stdin, stdout=stdout,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        if ready:
            self.assertIn(ready, process.stderr.readline())
        else:
            self.wait_for_handler(process, how)
            moment = 0
            while moment < 5:
                time.sleep(0.1)
                moment = moment + 1 if not waits or "S (sleeping)" in self.status_of(process) else 0
        process.send_signal(how)
        status = process.wait(self.PATIENCE)
        error = process.stderr.read()
        process.stderr.close()
        if process.stdin:
            process.stdin.close()
        report = self.directory / "r.json"
        return status, error, json.loads(report.read_text()) if report.exists() else None

    @staticmethod
    def status_of(process):
        return pathlib.Path(f"/proc/{process.pid}/status").read_text()

    def wait_for_handler(self, process, number):
        """Until the program catches the signal: on a busy machine that takes a while."""
        until = time.monotonic() + self.PATIENCE
        while not int(re.search(r"(?m)^SigCgt:\s*(\w+)", self.status_of(process))[1], 16) & 1 << number - 1:
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), until, "nobody listens")
            time.sleep(0.01)

    def test_a_guest_that_never_ends(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            for options in ([], ["--cpus", "4"], ["--coverage", "yes"]):
                with self.subTest(how=how, options=options):
                    command = self.bare_metal("loop", "--report", "r.json", "--time_limit", "100000s", *options)
                    status, error, report = self.stopped(command, how)
                    self.assertEqual(status, 1, error)
                    self.assertEqual(report["ended"]["kind"], "interrupted")
                    self.assertTrue(report["ended"]["partial"])
                    self.assertIn("bare_metal.fst", self.files())

    def test_a_copy_that_is_under_way(self):
        with (self.directory / "sparse.img").open("wb") as image:
            image.truncate(4 << 40)
        for options in ([], ["--copy-to", "copy.img"]):
            status, error, report = self.stopped(["direct_block", "--quiet", "--no-trace", "--report", "r.json",
                                                  "--time_limit", "100000s", "--disk", "sparse.img", *options])
            self.assertEqual(status, 1, error)
            self.assertEqual(report["ended"]["kind"], "interrupted")
            self.assertNotIn("copy.img", self.files())
        result = run("direct_block", "--no-trace", "--disk", "sparse.img", "--copy-to", "copy.img", "--time_limit", "1ms",
                     "--report", "r.json", cwd=self.directory, timeout=self.PATIENCE)
        self.assertEqual(result.status, 1)
        self.assertTrue(json.loads((self.directory / "r.json").read_text())["ended"]["partial"])

    def test_a_debugger_that_does_not_come(self):
        command = self.bare_metal("loop", "--no-trace", "--report", "r.json", "--gdb", "0")
        status, error, report = self.stopped(command, ready=GDB_PROMPT)
        self.assertEqual(status, 1, error)
        self.assertEqual(report["ended"]["kind"], "interrupted")

    def test_a_reader_that_does_not_read(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):  # full from the beginning
            while True:
                os.write(writer, bytes(4096))
        os.set_blocking(writer, True)
        with os.fdopen(writer, "wb") as end:
            command = self.bare_metal("print", "--no-trace", "--report", "r.json", "--time_limit", "100000s")
            status, error, report = self.stopped(command, waits=True, stdout=end)
        self.assertEqual(status, 1, error)
        self.assertIn("standard output", error)
        self.assertEqual(report["ended"]["kind"], "interrupted")

    def test_a_program_that_waits(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            for program in ("poll", "read"):
                with self.subTest(how=how, program=program):
                    status, error, report = self.stopped(["user_program", "--report", "r.json", program], how, waits=True,
                                                         stdin=subprocess.PIPE)
                    self.assertEqual(status, 128 + how, error)
                    self.assertEqual(report["ended"]["kind"], "interrupted")
                    self.assertTrue(report["ended"]["partial"])


if __name__ == "__main__":
    unittest.main()
