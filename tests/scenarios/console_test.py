# SPDX-License-Identifier: Apache-2.0
"""The guest's console on a terminal, a pseudo-terminal and files: what is typed arrives while the run goes on, and the
terminal is afterwards as it was before.

Environment: PEFSIM_SCENARIOS.
"""

import json
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest

import scenario

# again: li r3,H_GET_TERM_CHAR; lis r4,0x7100; sc 1; cmpdi r4,0; beq again; mr r7,r6; mr r6,r5; mr r5,r4; lis r4,0x7100;
# li r3,H_PUT_TERM_CHAR; sc 1; srdi r8,r6,56; cmpdi r8,'q'; bne again; li r4,0; li r3,0; ori r3,r3,H_EXIT; sc 1
ECHO_UNTIL_Q = [0x38600054, 0x3C807100, 0x44000022, 0x2C240000, 0x4182FFF0, 0x7CC73378, 0x7CA62B78, 0x7C852378,
                0x3C807100, 0x38600058, 0x44000022, 0x78C84620, 0x2C280071, 0x4082FFCC, 0x38800000, 0x38600000,
                0x6063F0FC, 0x44000022]  # fmt: skip
BRANCH_TO_ITSELF = [0x48000000]
PATIENCE = 60
# A sanitizer's own handler would take the fault and give the process a status of its own.
FAULTS_ARE_SIGNALS = {"ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "handle_segv=0")))}


class console_test(scenario.ScenarioTest):
    def options(self, words, *options):
        (self.directory / "flat.bin").write_bytes(struct.pack(f"<{len(words)}I", *words))
        return ["--load", "flat.bin@0x10000", "--pc", "0x10000", "--no-trace",
                "--report", "report.json", *options]  # fmt: skip

    def start(self, words, *options, **streams):
        process = subprocess.Popen([scenario.BINARIES / "bare_metal", *self.options(words, *options)], cwd=self.directory,
                                   env={**os.environ, **FAULTS_ARE_SIGNALS}, start_new_session=True, **streams)  # fmt: skip
        for stream in filter(None, (process.stdout, process.stderr)):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def report(self):
        return json.loads((self.directory / "report.json").read_text())

    def read_until(self, descriptor, text):
        """What `descriptor` gives until `text` is in it."""
        got = b""
        end = time.monotonic() + PATIENCE
        while text not in got:
            ready, _, _ = select.select([descriptor], [], [], max(0, end - time.monotonic()))
            self.assertTrue(ready, f"{text} does not come, only {got}")
            part = os.read(descriptor, 4096)
            self.assertTrue(part, f"{text} does not come, only {got}")
            got += part
        return got


class terminal(console_test):
    def setUp(self):
        super().setUp()
        self.keyboard, self.terminal = os.openpty()
        self.addCleanup(os.close, self.keyboard)
        self.addCleanup(os.close, self.terminal)
        settings = termios.tcgetattr(self.terminal)
        settings[6][termios.VERASE] = b"\x08"  # not as it comes
        termios.tcsetattr(self.terminal, termios.TCSANOW, settings)
        self.before = termios.tcgetattr(self.terminal)

    def run_on_terminal(self, words, *options, errors=subprocess.PIPE):
        """A run whose terminal is raw."""
        process = self.start(words, "--console", "terminal", *options, stdin=self.terminal, stdout=self.terminal,
                             stderr=errors)  # fmt: skip
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.terminal)[3] & termios.ICANON:
            self.assertIsNone(process.poll(), "it has ended")
            self.assertLess(time.monotonic(), end, "the terminal does not become raw")
            time.sleep(0.01)
        return process

    def expect_end(self, process, status):
        # Its report goes to the terminal, which must not become full.
        reader = threading.Thread(target=lambda: self.drain(process))
        reader.start()
        self.assertEqual(process.wait(PATIENCE), status)
        reader.join()
        self.assertEqual(termios.tcgetattr(self.terminal), self.before)

    def drain(self, process):
        while process.poll() is None or select.select([self.keyboard], [], [], 0)[0]:
            if select.select([self.keyboard], [], [], 0.05)[0]:
                self.output += os.read(self.keyboard, 4096)

    output = b""

    def test_keys_reach_the_guest_while_it_runs(self):
        process = self.run_on_terminal(ECHO_UNTIL_Q)
        os.write(self.keyboard, b"no newline")
        self.read_until(self.keyboard, b"no newline")
        os.write(self.keyboard, b"\x03\x1a")  # Ctrl-C, Ctrl-Z
        self.read_until(self.keyboard, b"\x03\x1a")
        os.write(self.keyboard, b"q")
        self.expect_end(process, 0)
        self.assertIn(b"The console was interactive", self.output)
        self.assertIn("Ctrl-A x ends the run", process.stderr.read().decode())
        self.assertIs(self.report()["results"]["deterministic"], False)

    def test_nothing_but_the_guest_with_quiet(self):
        process = self.run_on_terminal(ECHO_UNTIL_Q, "--quiet")
        os.write(self.keyboard, b"q")
        self.expect_end(process, 0)
        self.assertEqual(self.output, b"q")
        self.assertEqual(process.stderr.read(), b"")

    def test_control_a(self):
        process = self.run_on_terminal(ECHO_UNTIL_Q, "--quiet")
        os.write(self.keyboard, b"a\x01h")
        self.assertIn(b"ends the run", self.read_until(self.keyboard, b"to the guest"))
        os.write(self.keyboard, b"\x01\x01b")
        self.read_until(self.keyboard, b"\x01b")
        os.write(self.keyboard, b"\x01x")
        self.expect_end(process, 1)
        self.assertEqual(self.report()["ended"]["text"], "the user ended the run at its console")
        self.assertEqual(self.report()["ended"]["kind"], "interrupted")

    def test_a_guest_that_does_not_read_can_be_ended(self):
        process = self.run_on_terminal(BRANCH_TO_ITSELF, "--quiet")
        os.write(self.keyboard, b"\x01x")
        self.expect_end(process, 1)

    def test_the_terminal_is_as_before_after_signals(self):
        for number, status in ((signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGHUP, -signal.SIGHUP),
                               (signal.SIGQUIT, -signal.SIGQUIT), (signal.SIGSEGV, -signal.SIGSEGV)):  # fmt: skip
            with self.subTest(signal=number):
                process = self.run_on_terminal(BRANCH_TO_ITSELF, "--quiet")
                process.send_signal(number)
                self.expect_end(process, status)

    def test_the_terminal_is_as_before_when_an_output_cannot_be_written(self):
        process = self.run_on_terminal(ECHO_UNTIL_Q, "--quiet", "--dump-state", "/dev/full")
        os.write(self.keyboard, b"q")
        self.expect_end(process, 1)
        self.assertIn("cannot be written", process.stderr.read().decode().replace("could not", "cannot"))

    def test_progress_stays_away(self):
        process = self.run_on_terminal(BRANCH_TO_ITSELF, errors=self.terminal)
        time.sleep(1.5)  # longer than a run has no progress
        os.write(self.keyboard, b"\x01x")
        self.expect_end(process, 1)
        self.assertNotIn(b" simulated, ", self.output)
        self.assertIn(b"this report is partial", self.output)

    def test_it_takes_a_terminal(self):
        result = scenario.run("bare_metal", *self.options(ECHO_UNTIL_Q, "--console", "terminal"), cwd=self.directory)
        self.assertEqual(
            (result.status, result.error),
            (2, "bare_metal: console: 'terminal' needs standard input and output to be one; standard input is not\n"))  # fmt: skip
        result = scenario.run("bare_metal", *self.options(ECHO_UNTIL_Q, "--console", "terminal", "--console-input", "-"),
                              cwd=self.directory)  # fmt: skip
        self.assertEqual(
            (result.status, result.error),
            (2, "bare_metal: console-input: standard input is the terminal of console=terminal\n"))  # fmt: skip


class others(console_test):
    def test_pseudo_terminal(self):
        process = self.start(ECHO_UNTIL_Q, "--console", "pty", "--quiet", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)  # fmt: skip
        name = re.fullmatch(rb"bare_metal: console at (/dev/pts/\d+)\n", process.stderr.readline())[1]
        user = os.open(name, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, user)
        os.write(user, b"hello\r")
        self.assertEqual(self.read_until(user, b"\r"), b"hello\r")
        os.write(user, b"q")
        self.assertEqual(self.read_until(user, b"q"), b"q")
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, output, errors), (0, b"", b""))
        self.assertIs(self.report()["results"]["deterministic"], False)

    def test_file(self):
        (self.directory / "typed").write_text("some textq")
        result = scenario.run("bare_metal", *self.options(ECHO_UNTIL_Q, "--console", "out", "--console-input", "typed",
                                                          "--time_limit", "10ms"),
                              cwd=self.directory)  # fmt: skip
        self.assertEqual(result.status, 1, "time limit: the q is not the first of its call")
        self.assertEqual((self.directory / "out").read_text(), "some textq")
        self.assertNotIn("some text", result.output.replace("console: some text", ""))
        self.assertEqual(self.report()["files"]["console"], "out")
        self.assertNotIn("deterministic", self.report()["results"])

    def test_fifo(self):
        (self.directory / "typed").write_text("q, and that is all")
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        got = []
        reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()), daemon=True)
        reader.start()
        result = None
        end = time.monotonic() + PATIENCE
        while result is None or "nobody reads this FIFO" in result.error:  # until the thread is there
            self.assertLess(time.monotonic(), end)
            result = scenario.run("bare_metal", *self.options(ECHO_UNTIL_Q, "--console", fifo, "--console-input", "typed",
                                                              "--quiet"), cwd=self.directory)  # fmt: skip
        self.assertEqual((result.status, result.output, result.error), (0, "", ""))
        reader.join(PATIENCE)
        self.assertEqual(got, [b"q, and that is a"])

    def test_a_file_that_cannot_be(self):
        result = scenario.run("bare_metal", *self.options(ECHO_UNTIL_Q, "--console", "none/out"), cwd=self.directory)
        self.assertEqual(result.status, 2)
        self.assertIn("console", result.error)
        result = scenario.run("bare_metal", *self.options(ECHO_UNTIL_Q, "--console", "flat.bin"), cwd=self.directory)
        self.assertEqual(result.status, 2, "it is an input")


if __name__ == "__main__":
    unittest.main()
