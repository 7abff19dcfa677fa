#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bash completes options, words of enumerations and file names, asking the program itself.

Environment: PEFSIM_SCENARIOS, PEFSIM_BUILD.
"""

import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "packaging/pefsim.bash-completion"
PROGRAM = pathlib.Path(os.environ["PEFSIM_SCENARIOS"]) / "swiotlb_block"
PEFSIM_NEW = pathlib.Path(os.environ["PEFSIM_BUILD"]) / "packaging/bin/pefsim-new"


class completion(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        for name in ("disk.img", "disk 2.img"):
            (self.directory / name).touch()

    def completed(self, *words, function="_pefsim_scenario", program=PROGRAM):
        """What the last of the words may become."""
        line = shlex.join([str(program), *words])
        script = f"source {shlex.quote(str(SCRIPT))}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; " \
                 f"{function} {shlex.quote(str(program))}; printf '%s\\n' \"${{COMPREPLY[@]}}\""  # fmt: skip
        done = subprocess.run(["bash", "--norc", "-uo", "pipefail", "-c", script], cwd=self.directory, capture_output=True,
                              text=True, timeout=60, check=True)  # fmt: skip
        self.assertEqual(done.stderr, "")
        return sorted(filter(None, done.stdout.splitlines()))

    def test_options(self):
        self.assertEqual(self.completed("--trac"), ["--trace", "--trace-window"])
        self.assertEqual(self.completed("--no-trace", "--swiotlb.si"), ["--swiotlb.size"])
        every = self.completed("")
        self.assertIn("--memory.size", every)
        self.assertIn("--dump-config", every)
        self.assertEqual(self.completed("x"), [])

    def test_words_of_an_enumeration_however_the_option_is_spelled(self):
        for option in ("--dma_ops.arch", "--dma-ops.arch"):
            self.assertEqual(self.completed(option, ""), ["direct", "iommu", "swiotlb"])
            self.assertEqual(self.completed(option, "s"), ["swiotlb"])
            self.assertEqual(self.completed(option, "=", "s"), ["swiotlb"])
            self.assertEqual(self.completed(option, "="), ["direct", "iommu", "swiotlb"])
        self.assertEqual(self.completed("--secure", "y"), ["yes"])
        policies = self.completed("--dma_ops.policy", "")  # --help breaks these into lines
        self.assertIn("cc_shared", policies)
        self.assertNotIn("", policies)
        self.assertEqual(self.completed("--dma_ops.policy", "map"), ["map_ops"])

    def test_files(self):
        self.assertEqual(self.completed("--disk", "disk"), ["disk 2.img", "disk.img"])
        self.assertEqual(self.completed("--report", "disk."), ["disk.img"])
        self.assertEqual(self.completed("--config", "=", "disk."), ["disk.img"])

    def test_names_and_values_of_set(self):
        self.assertEqual(self.completed("--set", "memory.si"), ["memory.size="])
        self.assertEqual(self.completed("--set", "host.policy", "=", ""), ["bus_error", "page_out"])
        self.assertEqual(self.completed("--set", "host.policy", "=", "p"), ["page_out"])

    def test_what_cannot_be_known_is_left_alone(self):
        self.assertEqual(self.completed("--seed", "1"), [])
        self.assertEqual(self.completed("--memory.size", ""), [])

    def test_a_scenario_that_is_begun(self):
        self.assertEqual(self.completed("--", program=PEFSIM_NEW), ["--directory", "--help", "--kind", "--version"])
        self.assertEqual(self.completed("ring", "--kind", "d", program=PEFSIM_NEW), ["device", "dma-ops"])
        self.assertEqual(self.completed("--directory", "disk.", program=PEFSIM_NEW), ["disk.img"])

    def test_scenarios_of_the_front_command(self):
        front = self.directory / "pefsim"
        front.write_text(f"#!/bin/sh\n[ \"$1\" = --list ] && printf 'Usage\\n\\n  swiotlb_block  a\\n  bare_metal  b\\n' && exit\n"
                         f"shift; exec {shlex.quote(str(PROGRAM))} \"$@\"\n")  # fmt: skip
        front.chmod(0o755)
        self.assertEqual(self.completed("sw", function="_pefsim", program=front), ["swiotlb_block"])
        self.assertEqual(self.completed("--l", function="_pefsim", program=front), ["--list"])
        self.assertEqual(self.completed("swiotlb_block", "--trac", function="_pefsim", program=front), ["--trace", "--trace-window"])


if __name__ == "__main__":
    unittest.main()
