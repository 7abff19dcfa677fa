#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--cpus N lets every block and net workload run on N processors; their contention for one area of the bounce pool shows."""

import filecmp
import unittest

from scenario import ScenarioTest

CPUS = 3
WORKLOADS = ["direct_block", "swiotlb_block", "iommu_block", "swiotlb_net", "swiotlb_pressure"]


class Processors(ScenarioTest):
    def counter(self, run, name):
        return run["metrics"]["counters"][f"machine.{name}"]["value"]

    def assert_all_work(self, run):
        """Every processor rang a device's doorbell, and none did all of the work."""
        rung = [self.counter(run, f"cpu{number}.mmio_stores") for number in range(CPUS)]
        for stores in rung[1:]:
            self.assertGreater(stores, 0, rung)

    def test_every_workload_runs_on_every_processor(self):
        for name in WORKLOADS:
            with self.subTest(scenario=name):
                (run,) = self.shown(name, "--no-trace", "--cpus", CPUS)["runs"]
                self.assert_all_work(run)

    def test_each_processor_has_its_part_of_the_comparison(self):
        report = self.shown("dma_ops_compare", "--no-trace", "--cpus", CPUS, "--sizes", "4KiB", "--depths", "8",
                            "--bytes", "256KiB", "--plot", "")
        for run in report["runs"]:
            with self.subTest(run=run["label"]):
                self.assert_all_work(run)

    def test_an_odd_disk_is_copied_whole(self):
        """Parts need not be equal, and some may be empty."""
        for size, chunk in (("1537KiB", "64KiB"), ("96KiB", "64KiB"), ("512B", "512B")):
            with self.subTest(size=size):
                self.shown("swiotlb_block", "--no-trace", "--cpus", CPUS, "--disk-size", size, "--chunk", chunk)

    def test_one_area_for_all_is_contended(self):
        """With eight processors: more waiting for the lock, less throughput, and nothing else goes wrong."""
        def run(areas):
            report = self.shown("dma_ops_compare", "--no-trace", "--cpus", 8, "--sizes", "512", "--depths", "16",
                                "--bytes", "512KiB", "--plot", "", "--swiotlb.areas", areas,
                                "--timing.pci_latency", 5)
            contended = {run["label"].split()[0]: self.counter(run, "swiotlb.lock_contended")
                         for run in report["runs"] if run["label"].startswith("swiotlb")}
            return {row["way"]: row for row in report["results"]["comparison"]}, contended

        one, contended_with_one = run(1)
        own, contended_with_own = run(8)
        for way in ("swiotlb", "swiotlb-secure"):
            with self.subTest(way=way):
                self.assertGreater(contended_with_one[way], 10 * contended_with_own[way] + 100)
                self.assertLess(one[way]["mb_per_s"], own[way]["mb_per_s"])
                self.assertGreater(one[way]["cpu_us_per_request"]["locks"], own[way]["cpu_us_per_request"]["locks"])
        self.assertEqual(one["direct"], own["direct"])

    def test_contention_does_no_harm(self):
        """Every block that was written reads back, also where each processor has but a few requests."""
        for cpus, areas in ((4, 1), (4, 4), (8, 1), (8, 0)):
            with self.subTest(cpus=cpus, areas=areas):
                (run,) = self.shown("swiotlb_pressure", "--no-trace", "--cpus", cpus, "--swiotlb.areas", areas)["runs"]
                self.assertGreater(self.counter(run, "swiotlb.failures"), 0)

    def test_processors_are_deterministic(self):
        for name in ("swiotlb_block", "swiotlb_net"):
            with self.subTest(scenario=name):
                for place in ("first", "again"):
                    directory = self.directory / f"{name}-{place}"
                    directory.mkdir()
                    self.shown(name, "--cpus", CPUS, "--trace", "run.fst", cwd=directory)
                for file in ("run.fst", "report.json"):
                    self.assertTrue(filecmp.cmp(self.directory / f"{name}-first" / file,
                                                self.directory / f"{name}-again" / file, shallow=False), file)


if __name__ == "__main__":
    unittest.main()
