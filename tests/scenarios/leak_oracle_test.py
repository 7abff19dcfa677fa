#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The leak oracle over every scenario: canaries planted in the guest's memory and registers must not reach the host through
shared pages, MMIO, ciphertext or registers at hypercalls, except where a scenario exists to show it."""

import unittest

from scenario import SMALL, ScenarioTest

CANARIES = 64
SECURE = ["swiotlb_block", "direct_in_secure_guest", "swiotlb_net", "swiotlb_pressure"]
ORDINARY = ["direct_block", "iommu_block"]
HOST_READABLE = {"SHARED", "SHARED_IMPLICIT"}


class LeakOracle(ScenarioTest):
    def runs(self, name, *options):
        report = self.shown(name, "--no-trace", "--canaries", CANARIES, *SMALL[name], *options)
        return report["runs"]

    def device_accesses(self, run):
        """Pages that devices asked for, by state."""
        counts = run["metrics"]["tallies"]["machine.memory.device_accesses"]["counts"]
        return {state: count for state, count in counts.items() if count}

    def test_every_scenario_is_judged(self):
        self.assertEqual(sorted(SECURE + ORDINARY + ["dma_ops_compare", "dma_policies"]), sorted(SMALL))

    def test_nothing_of_a_secure_guest_reaches_the_host(self):
        for name in SECURE:
            for seed in (1, 2, 3):
                with self.subTest(scenario=name, seed=seed):
                    for run in self.runs(name, "--seed", seed):
                        canaries = run["exposure"]["canaries"]
                        self.assertEqual(canaries["planted"], CANARIES)
                        self.assertEqual(canaries["sightings"], 0, canaries["kept"][:3])

    def test_devices_of_a_secure_guest_meet_shared_pages_only(self):
        for name in ("swiotlb_block", "swiotlb_net", "swiotlb_pressure"):
            with self.subTest(scenario=name):
                for run in self.runs(name):
                    states = set(self.device_accesses(run))
                    self.assertTrue(states)
                    self.assertLessEqual(states, HOST_READABLE)

    def test_an_ordinary_guest_hides_nothing(self):
        """The oracle sees what is there to be seen: every canary, at its exact bytes, with its writer."""
        for name in ORDINARY:
            with self.subTest(scenario=name):
                (run,) = self.runs(name)
                kept = run["exposure"]["canaries"]["kept"]
                in_memory = [s for s in kept if s["channel"] == "shared_page"]
                self.assertEqual(len({s["canary"] for s in in_memory}), CANARIES)
                for sighting in in_memory:
                    self.assertEqual(sighting["size"], 32)
                    self.assertEqual(sighting["writer"]["initiator"], "cpu0")
                self.assertIn("canaries.plant", {s["writer"]["origin"] for s in in_memory})
                self.assertIn("hypercall_register", {s["channel"] for s in kept})

    def test_policies_leak_only_from_ordinary_guests(self):
        """Whether a secure guest's I/O works or not."""
        runs = self.runs("dma_policies")
        self.assertEqual(12, len(runs))
        for run in runs:
            with self.subTest(run=run["label"]):
                self.assertEqual(run["exposure"]["canaries"]["sightings"] > 0, " secure " not in run["label"])

    def test_comparison_leaks_only_from_ordinary_guests(self):
        for run in self.runs("dma_ops_compare", "--plot", ""):
            with self.subTest(run=run["label"]):
                seen = run["exposure"]["canaries"]["sightings"]
                self.assertEqual(seen == 0, "secure" in run["label"])

    def test_recycled_buffers_are_where_swiotlb_leaks(self):
        (run,) = self.runs("swiotlb_block", "--clear-buffers", "no")
        kept = run["exposure"]["canaries"]["kept"]
        self.assertTrue(kept)
        for sighting in kept:
            self.assertEqual(sighting["channel"], "shared_page")
            self.assertGreater(sighting["writer"]["mapping"], 0, "through a mapping")

    def test_ciphertext_is_not_plaintext(self):
        (run,) = self.runs("direct_in_secure_guest")
        refused = [v for v in run["violations"]["kept"] if v["kind"] == "refused_access"]
        self.assertTrue(refused)
        for violation in refused:
            self.assertTrue(violation["who"].startswith("virtio-blk"))
            self.assertIn(violation["page_state"], ("SECURE", "PAGEDOUT"))
            self.assertGreater(violation["size"], 0)


if __name__ == "__main__":
    unittest.main()
