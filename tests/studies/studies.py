# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios/study for the tests beside this file.

The directory of the scenarios' binaries is the environment variable PEFSIM_SCENARIOS. Points are runs of swiotlb_block, by
way of a wrapper that writes down who began and ended, and does what the depth of some points asks for.
"""

import csv
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import one_node_slurm

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ["PEFSIM_SCENARIOS"])
STUDY = ROOT / "scenarios/study"
FULL = bool(os.environ.get("PEFSIM_FULL"))
sys.path.insert(0, str(ROOT / "scenarios/studies"))

SMALL = """\
scenario = "swiotlb_block"
time-limit = "60s"
[parameters]
disk-size = "64KiB"
memory.size = "8MiB"
"""
FIGURES = """
[figures]
throughput = "/runs/0/figures/throughput"
hypercalls = "/runs/0/metrics/tallies/machine.cpu0.hypercalls/total"
"""
# What points of a certain depth do in place of a run.
WRAPPER = """#!/bin/sh
point=$(basename "$PWD")
case " $* " in
    *" --help "*) exec '{real}' "$@" ;;
esac
echo "begin $point" >>'{log}'
case " $* " in
    *" depth=101 "*) exec sleep 1000 ;;
    *" depth=102 "*) kill -SEGV $$ ;;
    *" depth=103 "*) echo first >&2; echo "the disk is on fire in $PWD" >&2; exit 3 ;;
    *" depth=104 "*) kill -KILL $$ ;;
    *" depth=105 "*) test -e '{log}.once' || {{ touch '{log}.once'; kill -KILL $$; }} ;;
    *" depth=106 "*) echo "cannot write report.json: No space left on device" >&2; exit 1 ;;
    *" depth=107 "*) test -e '{log}.once' || {{ touch '{log}.once'; exit 3; }} ;;
    *" depth=108 "*)  # its disk is so large that it has not finished by then, on any machine
        test -e '{log}.once' || {{ touch '{log}.once'; '{real}' "$@" --set disk-size=16GiB & sleep 0.2; kill -TERM $!
            wait $!; s=$?; test $s -lt 128 || kill -TERM $$; exit $s; }} ;;
esac
'{real}' "$@"
status=$?
echo "end $point" >>'{log}'
exit $status
"""


@dataclasses.dataclass
class Result:
    status: int
    output: str
    error: str


class StudyTest(unittest.TestCase):
    """A test with a working directory of its own, and a folder of binaries in it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="pefsim-studies-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name).resolve()
        self.binaries = self.directory / "binaries"
        self.binaries.mkdir()
        self.log = self.directory / "log"
        self.log.touch()
        self.environment = {**os.environ, "PEFSIM_SCENARIOS": str(self.binaries)}
        self.install(WRAPPER.format(real=BINARIES / "swiotlb_block", log=self.log))

    def install(self, script):
        """The scenario's binary from now on."""
        file = self.binaries / "swiotlb_block"
        file.write_text(script)
        file.chmod(0o755)

    def slurm(self):
        """A Slurm until the test ends; the studies' environment is its clients'."""
        folder = tempfile.TemporaryDirectory(prefix="pefsim-slurm-")
        self.addCleanup(folder.cleanup)
        try:
            found = self.enterContext(one_node_slurm.one_node_slurm(folder.name))
        except one_node_slurm.unavailable as error:
            self.skipTest(f"no Slurm here: {error}")
        self.environment = {**found.environment, "PEFSIM_SCENARIOS": str(self.binaries)}
        return found

    def study_file(self, axes, name="a.toml", figures=FIGURES, more=""):
        file = self.directory / name
        file.write_text(f"{SMALL}[axes]\n{axes}\n{figures}\n{more}", encoding="utf-8")
        return file

    def study(self, *words, cwd=None, **options):
        done = subprocess.run([STUDY, *words], cwd=cwd or self.directory, env=self.environment, capture_output=True,
                              text=True, errors="surrogateescape", stdin=subprocess.DEVNULL, timeout=3600, check=False,
                              **options)  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    def finished(self, *words, **options):
        """Runs a study that must end well."""
        done = self.study(*words, **options)
        self.assertEqual((0, ""), (done.status, done.error), done.output)
        return done.output

    def begun(self, *words):
        """Starts a study in the background; it is gone when the test ends."""
        process = subprocess.Popen([STUDY, *words], cwd=self.directory, env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip

        def end():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)

        self.addCleanup(end)
        return process

    def events(self, kind):
        """Points of the wrapper's log, in order."""
        return [line.split()[1] for line in self.log.read_text().splitlines() if line.startswith(kind)]

    def await_events(self, kind, number, process, seconds=60):
        """Until so many are there, or the process has gone."""
        deadline = time.monotonic() + seconds
        while len(self.events(kind)) < number and process.poll() is None:
            self.assertLess(time.monotonic(), deadline, f"no {number} points {kind}")
            time.sleep(0.01)

    def rows(self, folder="a.results"):
        with open(self.directory / folder / "results.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def same_results(self, one, other):
        for name in ("results.csv", "results.jsonl"):
            first, second = ((self.directory / folder / name).read_bytes() for folder in (one, other))
            self.assertEqual(first, second, name)


def processes():
    """Those of the whole machine, other tests' too: (id, words of the command, working directory)."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text(errors="replace").split("\0")
            yield int(entry.name), words, os.readlink(entry / "cwd")
        except OSError:  # it has gone
            continue


def missing(*commands):
    """Those of the commands that are not installed, as a reason to skip; "" when all are."""
    found = [each for each in commands if not shutil.which(each)]
    return f"not installed: {', '.join(found)}" if found else ""
