#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dma_ops_compare: neighbours differ in one thing, and the parts of a request's cost are what the costs and counts say."""

import unittest

from scenario import ScenarioTest

PARTS = ("driver", "copies", "locks", "hypercalls", "ultracalls", "interrupts", "waiting")

# What the CPUs pay, but for bandwidths: name, default. All doubled together, a guest does the same in twice the time.
CPU_COSTS = {"cpu_cycle": 0.263, "memory_access": 2, "barrier": 10, "interrupt": 500, "spinlock": 15,
             "hypercall": 400, "reflection": 600, "interrupt_return": 300, "ultracall": 500, "mmio_exit": 1200}
MEMCPY_GB_PER_S = 10


class Comparison(ScenarioTest):
    def rows(self, *options):
        """By name of the way, for one size and depth."""
        report = self.shown("dma_ops_compare", "--no-trace", "--plot", "", "--canaries", 0, "--bytes", "1MiB",
                            *options)
        return {row["way"]: row for row in report["results"]["comparison"]}

    def test_neighbours_differ_in_one_thing(self):
        rows = self.rows("--sizes", "4KiB", "--depths", "8")
        self.assertEqual(set(rows), {"direct", "iommu", "swiotlb", "swiotlb-secure"})
        for way, row in rows.items():
            with self.subTest(way=way):
                if way == "direct":
                    self.assertNotIn("compared_with", row)
                    continue
                other = rows[row["compared_with"]]
                different = [what for what in ("dma_ops", "guest") if row[what] != other[what]]
                self.assertEqual(len(different), 1, different)

    def test_the_parts_are_the_whole(self):
        for cpus in (1, 2):
            for way, row in self.rows("--sizes", "4KiB", "--depths", "8", "--cpus", cpus).items():
                with self.subTest(way=way, cpus=cpus):
                    cost = row["cpu_us_per_request"]
                    self.assertAlmostEqual(sum(cost[part] for part in PARTS), cost["together"], places=6)
                    of_all = cost["together"] * row["requests"]
                    self.assertLessEqual(of_all, cpus * row["duration_us"] + 1e-3)
                    self.assertGreater(of_all, cpus * row["duration_us"] * 0.8)
                    if cpus == 1:
                        self.assertAlmostEqual(of_all, row["duration_us"], places=3)

    def test_parts_are_what_was_counted(self):
        """Copies are the bounced bytes at memcpy's bandwidth, calls their number times their cost."""
        for way, row in self.rows("--sizes", "4KiB", "--depths", "8").items():
            with self.subTest(way=way):
                cost = {part: each * row["requests"] for part, each in row["cpu_us_per_request"].items()}
                self.assertAlmostEqual(cost["copies"], row["bytes_bounced"] / MEMCPY_GB_PER_S / 1e3, places=1)
                self.assertEqual(row["bytes_bounced"] > 0, row["dma_ops"] == "swiotlb")
                self.assertEqual(row["ultracalls"], 0)
                self.assertEqual(cost["ultracalls"], 0)
                reflection = CPU_COSTS["reflection"] if row["guest"] == "secure" else 0
                calls = (row["hypercalls"] * (CPU_COSTS["hypercall"] + reflection) +
                         row["mmio"] * (CPU_COSTS["mmio_exit"] + reflection)) / 1e3
                self.assertAlmostEqual(cost["hypercalls"] / calls, 1, delta=0.02)

    def test_each_part_is_made_of_its_own_costs(self):
        """One request at a time, all costs of a CPU doubled: every part doubles, and what is left, the device, does not. Had the
        work of driver and DMA operations a part of anything else in it, it would not."""
        options = ["--sizes", "4KiB", "--depths", "1", "--timing.block_latency", 100]  # after the CPU has ceded
        once = self.rows(*options)
        doubled = [option for name, cost in CPU_COSTS.items() for option in (f"--timing.{name}", 2 * cost)]
        twice = self.rows(*options, *doubled, "--timing.memcpy", MEMCPY_GB_PER_S / 2)
        for way, row in once.items():
            for part in PARTS:
                with self.subTest(way=way, part=part):
                    cost = row["cpu_us_per_request"][part]
                    if part == "waiting":
                        self.assertAlmostEqual(twice[way]["cpu_us_per_request"][part], cost, delta=0.1 * cost)
                    else:
                        self.assertAlmostEqual(twice[way]["cpu_us_per_request"][part], 2 * cost, delta=0.01 * cost)

    def test_the_disk_is_not_the_bottleneck(self):
        for size in ("512", "64KiB"):
            for way, row in self.rows("--sizes", size, "--depths", "32").items():
                with self.subTest(way=way, size=size):
                    self.assertEqual(row["bottleneck"], "cpu")
                    self.assertLess(row["cpu_us_per_request"]["waiting"], 0.1 * row["cpu_us_per_request"]["together"])

    def test_a_slow_disk_is_named(self):
        for way, row in self.rows("--sizes", "4KiB", "--depths", "8", "--timing.block_bandwidth", "0.1").items():
            with self.subTest(way=way):
                self.assertEqual(row["bottleneck"], "device")


if __name__ == "__main__":
    unittest.main()
