#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where a request's time goes: the parts add up to the whole, and to what driver, device and waveform say of it."""

import unittest

import scenario

PARTS = ["driver", "map", "copy", "ring", "doorbell", "device", "interrupt", "copy back", "completion"]


def total(parts):
    return sum(each for each in parts if each is not None)


class Anatomy(scenario.ScenarioTest):
    def kinds(self, run):
        self.assertEqual(run["anatomy"]["parts"], PARTS)
        return run["anatomy"]["requests"]

    def parts_add_up(self, run):
        for of in self.kinds(run):
            self.assertAlmostEqual(total(of["mean_ns"]), of["total"]["mean_ns"], delta=1e-3 * of["count"], msg=of)
            for one in (of["first"], of["slowest"]):
                self.assertAlmostEqual(total(one["parts_ns"]), one["end_ns"] - one["begin_ns"], places=2)
            self.assertAlmostEqual(total(of["slowest"]["parts_ns"]), of["total"]["max_ns"], places=2)

    def is_what_the_driver_measures(self, run):
        """Count, mean and maximum of the latency that each disk's driver keeps, request by request."""
        histograms = run["metrics"]["histograms"]
        counters = run["metrics"]["counters"]
        for number in range(2):
            name = f"machine.kernel.virtio_blk{number}"
            measured = histograms[f"{name}.latency"]
            kinds = [of for of in self.kinds(run) if of["device"] == f"virtio-blk{number}"]
            count = sum(of["count"] for of in kinds)
            self.assertEqual(count, measured["count"])
            self.assertEqual(count, counters[f"{name}.device_requests"]["value"])
            mean = sum(of["count"] * of["total"]["mean_ns"] for of in kinds) / count
            self.assertAlmostEqual(mean, measured["mean"], delta=1e-3)
            self.assertAlmostEqual(max(of["total"]["max_ns"] for of in kinds), measured["max"], places=2)

    def test_the_parts_are_the_whole(self):
        for name, *options in (["swiotlb_block"], ["swiotlb_block", "--cpus", "3", "--chunk", "4KiB", "--depth", "32"],
                               ["iommu_block"], ["direct_block"], ["swiotlb_block", "--virtio.indirect", "no"],
                               ["swiotlb_block", "--virtio.packed", "no", "--virtio.event_idx", "no"],
                               ["swiotlb_block", "--quantum", "1us"], ["swiotlb_block", "--swiotlb.areas", "4"]):
            with self.subTest(name, options=options):
                [run] = self.shown(name, "--no-trace", *options)["runs"]
                self.parts_add_up(run)
                self.is_what_the_driver_measures(run)
                self.assertEqual(run["anatomy"]["unfinished"], [])

    def test_a_part_is_what_its_cost_makes_it(self):
        """A cost that is doubled shows in its part, and in those that wait for it."""
        def mean(*options):
            [run] = self.shown("swiotlb_block", "--no-trace", "--depth", "1", *options)["runs"]
            [of] = [of for of in self.kinds(run) if of["kind"] == "read"]
            return dict(zip(PARTS, of["mean_ns"]))

        usual = mean()
        for option, usually, part in (("timing.block_latency", 10, "device"), ("timing.virtqueue_kick", 2000, "doorbell"),
                                      ("timing.interrupt", 500, "interrupt")):
            for name, now in mean(f"--{option}", 2 * usually).items():
                self.assertEqual(now > 1.01 * usual[name] + 1, name == part, (option, name, usual[name], now))
        other = mean("--timing.memcpy", 5)
        for part in ("copy", "copy back"):
            self.assertAlmostEqual(other[part], 2 * usual[part], delta=10)  # and an access each
        for part in ("doorbell", "device"):
            self.assertAlmostEqual(other[part], usual[part], delta=1)

    def test_direct_operations_copy_nothing_and_swiotlb_does(self):
        for name, copies in (("direct_block", False), ("iommu_block", False), ("swiotlb_block", True)):
            [run] = self.shown(name, "--no-trace")["runs"]
            [of] = [of for of in self.kinds(run) if of["kind"] == "read"]
            for part in ("copy", "copy back"):
                self.assertEqual(of["mean_ns"][PARTS.index(part)] > 0, copies, (name, part))

    def test_the_waveform_shows_the_same_moments(self):
        """First and slowest read: submission, device's taking and returning, completion."""
        [run] = self.shown("swiotlb_block", "--trace", "t.vcd", "--depth", "1")["runs"]
        [of] = [of for of in self.kinds(run) if of["kind"] == "read"]
        changes = self.changes("t.vcd", {"machine.kernel.virtio_blk0.submitted": "submitted",
                                         "machine.kernel.virtio_blk0.completed": "completed",
                                         "machine.virtio-blk0.block.queue0.request": "taken",
                                         "machine.virtio-blk0.block.queue0.used_idx": "returned"})
        for one in (of["first"], of["slowest"]):
            at = one["begin_ns"]
            moments = {}
            for part, lasted in zip(PARTS, one["parts_ns"]):
                at += lasted
                moments[part] = at
            number = one["number"]
            for moment, which in ((one["begin_ns"], "submitted"), (moments["doorbell"], "taken"),
                                  (moments["device"], "returned"), (one["end_ns"], "completed")):
                self.assertAlmostEqual(changes[which][number], moment, places=2, msg=(which, one))

    def changes(self, file, signals):
        """Signal: value: time in ns."""
        names, at, seen = {}, 0, {each: {} for each in signals.values()}
        scope = []
        for line in (self.directory / file).read_text().splitlines():
            words = line.split()
            if line.startswith("$scope"):
                scope.append(words[2])
            elif line.startswith("$upscope"):
                scope.pop()
            elif line.startswith("$var"):
                name = ".".join([*scope, words[4]])
                if name in signals:
                    names[words[3]] = signals[name]
            elif line.startswith("#"):
                at = int(line[1:])
            elif line.startswith("b") and words[1] in names:
                seen[names[words[1]]].setdefault(int(words[0][1:], 2), at / 1000)
        return seen

    def test_frames_go_one_way(self):
        [run] = self.shown("swiotlb_net", "--no-trace")["runs"]
        self.parts_add_up(run)
        by_kind = {of["kind"]: of for of in self.kinds(run)}
        sent, received = by_kind["transmit"], by_kind["receive"]
        counters = run["metrics"]["counters"]
        self.assertEqual(sent["count"], counters["machine.kernel.virtio_net0.frames_sent"]["value"])
        self.assertEqual(received["count"], counters["machine.kernel.virtio_net0.frames_received"]["value"])
        self.assertTrue(all(each is None for each in sent["mean_ns"][PARTS.index("interrupt"):]))
        self.assertTrue(all(each is None for each in received["mean_ns"][:PARTS.index("device")]))

    def test_the_report_for_people_shows_them(self):
        text = scenario.run("swiotlb_block", "--no-trace", cwd=self.directory).output
        _, _, section = text.partition("\nLatency anatomy\n")
        lines = section.partition("\n\n")[0].splitlines()
        self.assertEqual(lines[0].split(maxsplit=2)[:2], ["us", "total"])
        self.assertIn("  virtio-blk0 read, 32 requests", lines)
        self.assertTrue(all(len(line) <= 100 for line in lines), section)


if __name__ == "__main__":
    unittest.main()
