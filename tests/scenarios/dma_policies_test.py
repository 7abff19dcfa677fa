#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dma_policies: what each policy decides in each cell, where a request's time goes, and real kernels' same cells."""

import unittest

from kernel_policies import ROOT, failure, policies
from scenario import ScenarioTest, run

PLATFORMS = ((False, False), (True, False), (True, True))  # offered, accepted
CYCLE_NS, BARRIER_CYCLES, STATIC_CYCLES, CALL_CYCLES, TCE_WALK_NS = 0.263, 68, 1, 60, 40

# What each Linux does, as its sources and mails have it: operations where ACCESS_PLATFORM is not offered, declined,
# accepted.
# An exclamation mark: the guest's I/O does not work.
OWN, DIRECT = ("own path", "own path", "dma-direct"), ("virtio direct", "virtio direct", "dma-direct")
ORDINARY = {
    "before_series": OWN, "rfc_v2": OWN, "series_1_3": DIRECT, "series": DIRECT, "merged": OWN,
    "restricted_memory": OWN, "map_ops": OWN, "cc_shared": OWN,
}  # fmt: skip
UNFORCED = ("own path!", "own path!", "dma-direct!")
FORCED = ("own path!", "own path!", "forced swiotlb")
SERIES = ("virtio direct!", "virtio direct!", "forced swiotlb")
HOOK = ("platform override",) * 3
SECURE = {  # without the hook, with it
    "before_series": (UNFORCED, UNFORCED), "rfc_v2": (UNFORCED, HOOK), "series_1_3": (SERIES, SERIES),
    "series": (SERIES, HOOK), "merged": (FORCED, FORCED),
    "restricted_memory": (FORCED, ("none!", "none!", "forced swiotlb")),
    "map_ops": (FORCED, ("own path!", "own path!", "platform override")), "cc_shared": (FORCED, FORCED),
}  # fmt: skip
# Through a pointer: what is not virtio core's own and not the direct path of today's DMA API.
BY_POINTER = {"virtio direct", "platform override"}


class Policies(ScenarioTest):
    def cells(self, *options):
        report = self.shown("dma_policies", "--no-trace", "--quiet", "--requests", 16, *options)
        return report["results"]["cells"]

    def cell(self, policy, guest, offered, hook, *options):
        """Of a run for this policy alone."""
        return policies.find(self.cells("--policy", policy, *options), policy, guest, offered, hook)


class Decisions(Policies):
    @classmethod
    def setUpClass(cls):
        cls.found = policies.cells_of("--requests", 16, "--sizes", "4KiB")

    def expected(self, cell):
        at = PLATFORMS.index((cell["offered"], cell["accepted"]))
        if cell["guest"] == "ordinary":
            return ORDINARY[cell["policy"]][at]
        return SECURE[cell["policy"]][cell["hook"]][at]

    def test_every_policy_in_every_cell(self):
        self.assertEqual(8 * 12, len(self.found))
        for cell in self.found:
            name = {key: cell[key] for key in ("policy", "guest", "offered", "accepted", "hook")}
            with self.subTest(**name):
                self.assertEqual(self.expected(cell), cell["chosen"] + "!" * (not cell["works"]))

    def test_what_does_not_work_says_why_and_leaves_a_trace(self):
        for cell in self.found:
            with self.subTest(cell=[cell[key] for key in ("policy", "guest", "offered", "accepted", "hook")]):
                self.assertEqual(cell["works"], not cell["reason"])
                self.assertEqual(cell["works"], bool(cell["requests"]))
                self.assertEqual(cell["works"] and cell["guest"] == "secure", cell["bytes_copied"] > 0)
                private = not cell["works"] and cell["chosen"] != "none"
                self.assertEqual(private, cell["private_addresses"] > 0)
                self.assertEqual(private, cell["refused_accesses"] > 0)

    def test_a_refused_device_has_told_the_host_nothing(self):
        refused = [each for each in self.found if each["chosen"] == "none"]
        self.assertEqual(2, len(refused))
        for cell in refused:
            self.assertEqual("device must provide VIRTIO_F_ACCESS_PLATFORM", cell["reason"])
            self.assertEqual((0, 0, 0), tuple(cell[each] for each in
                             ("private_addresses", "refused_accesses", "untranslated_accesses")))  # fmt: skip

    def test_real_kernels_answer_the_same(self):
        real = policies.published_cells(ROOT / "docs/linux_series.md")
        self.assertEqual(12, len(real))
        rows = policies.compared(real, self.found)
        self.assertEqual([], policies.unexplained(rows))

    def test_a_difference_must_be_explained_and_an_explanation_must_be_one(self):
        real = policies.published_cells(ROOT / "docs/linux_series.md")
        other = [each._replace(works=not each.works) if each == real[0] else each for each in real]
        rows = policies.compared(other, self.found)
        self.assertEqual(["stock, ordinary, not offered: works differs, unexplained"], policies.unexplained(rows))
        known = (policies.difference("stock", "ordinary", False, "works", "x"),)
        self.assertEqual([], policies.unexplained(rows, known))
        self.assertEqual(["stock, ordinary, not offered: works is explained and does not differ"],
                         policies.unexplained(policies.compared(real, self.found), known))  # fmt: skip
        by_calls = dict.fromkeys(policies.CALLS, self.found)
        with self.assertRaisesRegex(failure, "^stock, ordinary, not offered: works differs, unexplained$"):
            policies.document(ROOT / "docs/series.md", other, by_calls)


class Costs(Policies):
    def requests(self, *options):
        for cell in self.cells(*options):
            for request in cell["requests"]:
                yield cell, request

    def test_the_parts_are_the_whole(self):
        for cell, request in self.requests("--policy", "series", "--policy", "merged"):
            with self.subTest(chosen=cell["chosen"], guest=cell["guest"], size=request["size"]):
                self.assertAlmostEqual(request["us"], sum(request["parts_us"].values()), places=3)
                self.assertAlmostEqual(
                    request["parts_us"]["iotlb"], request["tce_lookups"] * TCE_WALK_NS / 1e3, places=6
                )
                self.assertEqual(cell["accepted"], request["tce_lookups"] > 0)
                self.assertAlmostEqual(request["parts_us"]["copies"], request["bytes_copied"] / 10e3, places=3)

    def test_a_call_costs_what_the_table_of_costs_says(self):
        every = ("--policy", "before_series", "--policy", "series_1_3", "--policy", "series", "--policy", "merged")
        for calls, cycles in (("direct", 0), ("predicted", 0), ("static_call", 1), ("retpoline", BARRIER_CYCLES)):
            for cell, request in self.requests(*every, "--sizes", "4KiB", "--dma_ops.calls", calls):
                by_pointer = cell["calls"] == "pointer"
                with self.subTest(calls=calls, chosen=cell["chosen"], policy=cell["policy"]):
                    if cell["chosen"] in BY_POINTER:
                        self.assertTrue(by_pointer)
                    if cell["chosen"] in ("own path", "forced swiotlb"):
                        self.assertFalse(by_pointer)
                    expected = request["dma_calls"] * cycles * CYCLE_NS / 1e3 if by_pointer else 0
                    self.assertAlmostEqual(expected, request["parts_us"]["indirect_calls"], places=3)

    def test_the_way_without_the_dma_api_costs_none_of_it(self):
        own = self.cell("before_series", "ordinary", False, False, "--sizes", "4KiB")["requests"][0]
        api = self.cell("series_1_3", "ordinary", False, False, "--sizes", "4KiB")["requests"][0]
        self.assertEqual(0, own["parts_us"]["dma_api"])
        self.assertAlmostEqual(api["dma_calls"] * CALL_CYCLES * CYCLE_NS / 1e3, api["parts_us"]["dma_api"], places=3)
        self.assertAlmostEqual(own["parts_us"]["driver"], api["parts_us"]["driver"], delta=0.02)

    def test_a_parameter_of_a_call_is_heard(self):
        options = ("--sizes", "4KiB", "--dma_ops.calls", "predicted", "--timing.indirect_call")
        (least, most) = (self.cell("series", "ordinary", False, False, *options, cycles)["requests"][0]
                         for cycles in (0, 100))  # fmt: skip
        self.assertAlmostEqual(most["parts_us"]["indirect_calls"] - least["parts_us"]["indirect_calls"],
                               most["dma_calls"] * 100 * CYCLE_NS / 1e3, places=3)  # fmt: skip


class WhatElseThereIs(Policies):
    def answers(self, *options):
        return [(each["chosen"], each["works"], each["private_addresses"] > 0)
                for each in self.cells("--policy", "series", "--policy", "cc_shared", "--sizes", "4KiB", *options)]

    def test_other_machines_decide_the_same(self):
        usual = self.answers()
        for options in (("--memory.size", "6GiB"), ("--cpus", 4), ("--virtio.packed", "yes"),
                        ("--virtio.indirect", "no"), ("--virtio.event_idx", "no"), ("--depth", 8),
                        ("--host.policy", "bus_error"),
                        ("--host.iommu", "no", "--dma_ops.arch", "direct")):  # fmt: skip
            with self.subTest(options=options):
                self.assertEqual(usual, self.answers(*options))

    def test_a_trace_changes_nothing(self):
        options = ("--quiet", "--requests", 8, "--sizes", "4KiB", "--policy", "map_ops")
        plain = self.shown("dma_policies", "--no-trace", *options)
        traced = self.shown("dma_policies", "--trace", "run.vcd", *options)
        self.assertEqual(plain["results"], traced["results"])
        self.assertTrue((self.directory / "run.vcd").stat().st_size)

    def test_without_a_direct_window_physical_addresses_are_refused(self):
        options = ("--iommu.direct_window", "no", "--sizes", "4KiB")
        override = self.cell("series", "secure", True, True, *options)
        self.assertEqual((False, "none", "its addresses are translated, and no window leads to memory", 0, 0),
                         tuple(override[each] for each in ("works", "chosen", "reason", "private_addresses",
                                                           "refused_accesses")))  # fmt: skip
        ordinary = self.cell("series", "ordinary", True, True, *options)
        self.assertEqual((True, "architecture default", "iommu"),
                         tuple(ordinary[each] for each in ("works", "chosen", "operations")))  # fmt: skip

    def test_a_device_that_insists_on_the_bit(self):
        found = self.cells("--policy", "merged", "--sizes", "4KiB", "--virtio.access_platform", "yes",
                           "--virtio.require_access_platform", "yes")  # fmt: skip
        declined = [each for each in found if each["offered"] and not each["accepted"]]
        self.assertEqual(4, len(declined))
        for cell in declined:
            self.assertFalse(cell["works"])
            self.assertIn("the device refuses FEATURES_OK", cell["reason"])

    def test_the_hook_with_access_platform_works_or_says_why(self):
        options = ("--no-trace", "--virtio.access_platform", "yes")
        done = run("swiotlb_block", *options, cwd=self.directory)
        self.assertEqual(1, done.status)
        self.assertIn("its addresses are translated, and no window leads to memory", " ".join(done.output.split()))
        self.shown("swiotlb_block", *options, "--iommu.direct_window", "yes")
        self.shown("swiotlb_block", *options, "--host.iommu", "no", "--dma_ops.arch", "direct")

    def test_a_policy_of_another_scenario(self):
        self.shown("swiotlb_block", "--no-trace", "--dma_ops.policy", "rfc_v2")
        self.shown("direct_in_secure_guest", "--no-trace", "--dma_ops.policy", "series_1_3")
        self.assertEqual(1, run("swiotlb_block", "--no-trace", "--dma_ops.policy", "merged", cwd=self.directory).status)

    def test_wrong_words(self):
        for name, options, words in (
            ("dma_policies", ("--policy", "serie"), ("policy", "'serie'", "series")),
            ("dma_policies", ("--policy", ""), ("policy", "''")),
            ("swiotlb_block", ("--dma_ops.policy", "serie"), ("dma_ops.policy", "serie")),
            ("swiotlb_block", ("--dma_ops.calls", "fast"), ("dma_ops.calls", "fast")),
            ("dma_policies", ("--dma_ops.calls", "no_call"), ("dma_ops.calls", "no_call")),
            ("dma_policies", ("--sizes", "100"), ("sizes", "100B")),
            ("dma_policies", ("--depth", "0"), ("depth: 0",)),
            ("dma_policies", ("--requests", "0"), ("requests: 0",)),
            ("dma_policies", ("--timing.indirect_call", "-1"), ("timing.indirect_call", "-1")),
            ("dma_policies", ("--dma_ops.platform", "none"), ("dma_ops.platform",)),
        ):
            with self.subTest(name=name, options=options):
                done = run(name, "--no-trace", *options, cwd=self.directory)
                self.assertEqual((2, 1), (done.status, len(done.error.splitlines())), done.error)
                for word in words:
                    self.assertIn(word, done.error)


class TheDocument(ScenarioTest):
    def test_its_tables_are_what_the_command_makes(self):
        here = self.directory / "series.md"
        published = (ROOT / "docs/series.md").read_text()
        here.write_text(published)
        real = policies.published_cells(ROOT / "docs/linux_series.md")
        by_calls = {calls: policies.cells_of("--sizes", ",".join(map(str, policies.SIZES)), "--dma_ops.calls", calls)
                    for calls in policies.CALLS}  # fmt: skip
        self.assertEqual(published, policies.document(here, real, by_calls), "scenarios/linux/policies docs/series.md")


if __name__ == "__main__":
    unittest.main()
