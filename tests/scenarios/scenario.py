# SPDX-License-Identifier: Apache-2.0
"""Runs pefsim's scenario binaries for the tests beside this file.

The directory of the binaries is the environment variable PEFSIM_SCENARIOS.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARIES = pathlib.Path(os.environ["PEFSIM_SCENARIOS"])

# Every scenario, with options that make it small enough to be run several times in a test.
SMALL = {
    "direct_block": [],
    "swiotlb_block": [],
    "iommu_block": [],
    "direct_in_secure_guest": [],
    "swiotlb_net": [],
    "dma_ops_compare": ["--sizes", "512,4KiB", "--depths", "1,8", "--bytes", "128KiB"],
    "dma_policies": ["--policy", "series", "--sizes", "4KiB", "--requests", "8"],
    "swiotlb_pressure": [],
}


@dataclasses.dataclass
class Result:
    status: int
    output: str
    error: str


def run(name, *options, cwd, timeout=300):
    """Runs one scenario in the directory `cwd`."""
    done = subprocess.run([BINARIES / name, *map(str, options)], cwd=cwd, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=timeout, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


class ScenarioTest(unittest.TestCase):
    """A test with a working directory of its own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def shown(self, name, *options, cwd=None):
        """Runs a scenario that must show what it exists to show; returns its JSON report."""
        cwd = cwd or self.directory
        result = run(name, "--report", "report.json", *options, cwd=cwd)
        self.assertEqual(result.status, 0, f"{name} {options}\n{result.output}\n{result.error}")
        return json.loads((cwd / "report.json").read_text())
