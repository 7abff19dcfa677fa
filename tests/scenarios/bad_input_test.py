#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input is one clear line on standard error that names the thing, and exit status 2."""

import os
import unittest

from scenario import SMALL, ScenarioTest, run

# options, words that the line must contain
EVERY_SCENARIO = [
    (["--frobnicate"], ["unknown option 'frobnicate'"]),
    (["--seeed", "1"], ["unknown option 'seeed'", "did you mean 'seed'?"]),
    (["--seed", "one"], ["--seed", "'one'"]),
    (["stray"], ["stands alone"]),
    (["--set", "memory.sise=1GiB"], ["unknown parameter 'memory.sise'", "did you mean 'memory.size'?"]),
    (["--set", "memory.size"], ["--set", "'memory.size'", "NAME=VALUE"]),
    (["--memory.size", "lots"], ["memory.size", "'lots'", "size"]),
    (["--memory.size", "100GiB"], ["memory.size", "100GiB", "64GiB"]),
    (["--memory.size", "1000"], ["memory.size", "64KiB"]),
    (["--cpus", "0"], ["cpus", "1 to 64"]),
    (["--quantum", "0"], ["quantum"]),
    (["--quantum", "10"], ["quantum", "'10'", "us"]),
    (["--timing.memcpy", "0"], ["timing.memcpy", "1e-06 to 1000000 GB/s"]),
    (["--timing.memcpy", "1e-18"], ["timing.memcpy", "1e-06 to 1000000 GB/s"]),
    (["--virtio.queue_size", "100"], ["virtio.queue_size", "100", "power of two"]),
    (["--watch-page", "page"], ["watch-page", "'page'"]),
    (["--watch-page", "0x10000000"], ["watch-page", "0x10000000", "256MiB"]),
    (["--watch-page", "-1"], ["watch-page", "-1"]),
    (["--watch-range", "0x1000"], ["watch-range", "'0x1000'", "BASE+SIZE"]),
    (["--watch-range", "0x1000+0"], ["watch-range", "0x1000+0"]),
    (["--watch-range", "0xffff000+64KiB"], ["watch-range", "0xffff000+64KiB", "256MiB"]),
    (["--watch-range", "0xfffffffffffff000+64KiB"], ["watch-range", "256MiB"]),
    (["--watch-range", "0x1000+lots"], ["watch-range", "'lots'"]),
    (["--host.policy", "shrug"], ["host.policy", "'shrug'", "page_out, bus_error"]),
    (["--config", "missing.toml"], ["missing.toml"]),
    (["--config", "wrong.toml"], ["wrong.toml:2", "unknown parameter 'cpuss'", "'cpus'"]),
    (["--config", "syntax.toml"], ["syntax.toml:1"]),
    (["--trace", "no/such/directory/t.fst"], ["no/such/directory/t.fst"]),
    (["--trace", "t.png"], ["t.png", ".vcd", ".fst"]),
    (["--trace", "directory.vcd"], ["directory.vcd"]),
    (["--trace-window", "2us:1us"], ["--trace-window", "2us:1us"]),
    (["--report", "no/such/directory/r.json"], ["no/such/directory/r.json"]),
    (["--html", "no/such/directory/r.html"], ["no/such/directory/r.html"]),
    (["--html", "-"], ["--html", "/dev/stdout"]),
]

ONE_SCENARIO = [
    ("swiotlb_block", ["--disk", "missing.img"], ["missing.img"]),
    ("swiotlb_block", ["--disk", "empty.img"], ["empty.img"]),
    ("swiotlb_block", ["--disk", "odd.img"], ["odd.img", "512"]),
    ("swiotlb_block", ["--disk", "directory.vcd"], ["directory.vcd"]),
    ("swiotlb_block", ["--disk", "good.img", "--copy-to", "no/such/directory/B.img"], ["no/such/directory/B.img"]),
    ("swiotlb_block", ["--disk", "good.img", "--copy-to", "good.img"], ["good.img"]),
    ("swiotlb_block", ["--ultravisor", "no"], ["secure", "ultravisor=no"]),
    ("direct_in_secure_guest", ["--ultravisor", "no"], ["secure", "ultravisor=no"]),
    ("swiotlb_block", ["--swiotlb.size", "1GiB"], ["swiotlb.size", "memory.size"]),
    ("swiotlb_block", ["--swiotlb.size", "100KiB"], ["swiotlb.size", "256KiB"]),
    ("swiotlb_block", ["--swiotlb.areas", "64"], ["swiotlb.areas", "pool"]),
    ("iommu_block", ["--host.iommu", "no"], ["iommu", "host.iommu"]),
    ("swiotlb_net", ["--net.mtu", "20"], ["net.mtu", "68"]),
    ("swiotlb_net", ["--net.pcap", "no/such/directory/f.pcap"], ["no/such/directory/f.pcap"]),
    ("dma_ops_compare", ["--sizes", "100"], ["sizes", "512"]),
    ("dma_ops_compare", ["--depths", "0"], ["depths"]),
    ("dma_ops_compare", ["--sizes", ""], ["sizes"]),
]


class BadInput(ScenarioTest):
    def setUp(self):
        super().setUp()
        (self.directory / "wrong.toml").write_text("cpus = 2\ncpuss = 2\n")
        (self.directory / "syntax.toml").write_text("cpus = = 2\n")
        (self.directory / "directory.vcd").mkdir()
        (self.directory / "empty.img").write_bytes(b"")
        (self.directory / "odd.img").write_bytes(bytes(1000))
        (self.directory / "good.img").write_bytes(bytes(1 << 20))

    def refuses(self, name, options, words):
        result = run(name, *options, cwd=self.directory)
        self.assertEqual(result.status, 2, result.output + result.error)
        self.assertEqual(result.output, "")
        self.assertEqual(result.error.count("\n"), 1, result.error)
        self.assertTrue(result.error.startswith(name + ": "), result.error)
        for word in words:
            self.assertIn(word, result.error)

    def test_options_of_every_scenario(self):
        for name in SMALL:
            for options, words in EVERY_SCENARIO:
                with self.subTest(scenario=name, options=options):
                    self.refuses(name, options, words)

    def test_parameters_of_one_scenario(self):
        for name, options, words in ONE_SCENARIO:
            with self.subTest(scenario=name, options=options):
                self.refuses(name, options, words)

    @unittest.skipIf(os.geteuid() == 0, "root may read and write everything")
    def test_unreadable_files(self):
        image = self.directory / "good.img"
        image.chmod(0)
        self.refuses("swiotlb_block", ["--disk", image], ["good.img"])


if __name__ == "__main__":
    unittest.main()
