#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest copies a real ext4 file system through virtio, byte for byte, under every module of DMA operations."""

import filecmp
import pathlib
import random
import shutil
import subprocess
import unittest

from scenario import ScenarioTest

SIZE = 64 << 20


def make_ext4(image, content):
    """A 64 MiB ext4 image filled with files of many sizes."""
    generator = random.Random(20180720)
    content.mkdir()
    total = 0
    number = 0
    while total < 40 << 20:
        directory = content / f"directory{number % 17}"
        directory.mkdir(exist_ok=True)
        size = generator.choice([0, 1, 511, 4096, 70_000, 300_001, 1 << 20])
        (directory / f"file{number}").write_bytes(generator.randbytes(size))
        total += size
        number += 1
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", content, image, f"{SIZE >> 10}k"], check=True,
                   stdin=subprocess.DEVNULL)


@unittest.skipUnless(shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin"), "e2fsprogs is not installed")
class CopyDisk(ScenarioTest):
    def test_copies_are_equal_and_clean(self):
        image = self.directory / "A.img"
        make_ext4(image, self.directory / "content")
        before = pathlib.Path(self.directory / "A.before")
        shutil.copy(image, before)
        for name in ("swiotlb_block", "direct_block", "iommu_block"):
            with self.subTest(scenario=name):
                copy = self.directory / f"{name}.img"
                report = self.shown(name, "--disk", image, "--copy-to", copy, "--no-trace")
                self.assertTrue(filecmp.cmp(image, copy, shallow=False), "the copy differs")
                self.assertTrue(filecmp.cmp(image, before, shallow=False), "the source was changed")
                check = subprocess.run(["e2fsck", "-fn", copy], capture_output=True, text=True, check=False)
                self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
                self.assertTrue(report["shown"])


if __name__ == "__main__":
    unittest.main()
