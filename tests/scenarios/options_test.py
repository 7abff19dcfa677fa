#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The options that every scenario binary takes do what --help says."""

import json
import re
import unittest

from scenario import SMALL, ScenarioTest, run

OPTIONS = ["--config", "--set", "--seed", "--trace", "--no-trace", "--trace-window", "--report", "--html", "--list-signals",
           "--quiet"]


class Options(ScenarioTest):
    def files(self):
        return sorted(path.name for path in self.directory.iterdir())

    def test_help(self):
        for name in SMALL:
            with self.subTest(scenario=name):
                result = run(name, "--help", cwd=self.directory)
                self.assertEqual(result.status, 0)
                self.assertTrue(result.output.startswith(f"{name}: "))
                for option in OPTIONS:
                    self.assertIn(option, result.output)
                parameters = re.findall(r"^  --([a-z_.0-9]+) .*(?:\n {34}.*)*", result.output, re.MULTILINE)
                self.assertIn("memory.size", parameters)
                self.assertIn("timing.hypercall", parameters)
                self.assertRegex(result.output, r"--memory\.size +.*\(bytes\) \[\w+\]")
                self.assertEqual(self.files(), [])

    def test_list_signals(self):
        for name in SMALL:
            with self.subTest(scenario=name):
                result = run(name, "--list-signals", cwd=self.directory)
                self.assertEqual(result.status, 0, result.error)
                self.assertIn("msr_s", result.output)
                self.assertEqual(self.files(), [])

    def test_default_trace_is_named_in_the_report(self):
        result = run("direct_block", cwd=self.directory)
        self.assertEqual(result.status, 0, result.output + result.error)
        self.assertEqual(self.files(), ["direct_block.fst", "direct_block.gtkw", "direct_block.sucl"])
        for file in self.files():
            self.assertIn(file, result.output)

    def test_no_trace(self):
        result = run("direct_block", "--no-trace", cwd=self.directory)
        self.assertEqual(result.status, 0, result.output + result.error)
        self.assertEqual(self.files(), [])

    def test_quiet(self):
        result = run("direct_block", "--quiet", "--no-trace", "--report", "r.json", cwd=self.directory)
        self.assertEqual((result.status, result.output, result.error), (0, "", ""))
        self.assertTrue(json.loads((self.directory / "r.json").read_text())["shown"])

    def test_a_report_tells_equal_things_once(self):
        result = run("dma_ops_compare", "--sizes", "4KiB", "--depths", "8", "--bytes", "4MiB", "--plot", "", "--no-trace",
                     "--report", "r.json", cwd=self.directory)
        self.assertEqual(result.status, 0, result.output + result.error)
        report = json.loads((self.directory / "r.json").read_text())
        self.assertGreater(max(each["exposure"]["canaries"]["sightings"] for each in report["runs"]), 1000)
        self.assertLess((self.directory / "r.json").stat().st_size / len(report["runs"]), 150_000)
        for each in report["runs"]:
            canaries = each["exposure"]["canaries"]
            self.assertEqual(sum(group["count"] for group in canaries["kept"]), canaries["sightings"])

    def test_config_file_and_command_line_have_the_same_names(self):
        (self.directory / "c.toml").write_text('seed_is_not_here = 1\n')
        self.assertEqual(run("direct_block", "--config", "c.toml", cwd=self.directory).status, 2)
        (self.directory / "c.toml").write_text('cpus = 2\n[memory]\nsize = "128MiB"\n[timing]\nhypercall = 123\n')
        by_file = self.shown("direct_block", "--no-trace", "--config", "c.toml")
        by_option = self.shown("direct_block", "--no-trace", "--cpus", 2, "--set", "memory.size=128MiB",
                               "--timing.hypercall", 123)
        self.assertEqual(by_file, by_option)
        self.assertEqual(by_file["parameters"]["memory.size"], "128MiB")

    def test_a_cost_changes_the_time(self):
        cheap = self.shown("swiotlb_block", "--no-trace")
        dear = self.shown("swiotlb_block", "--no-trace", "--timing.mmio_exit", 100000)
        self.assertGreater(dear["runs"][0]["simulated_time_ns"], cheap["runs"][0]["simulated_time_ns"])

    def test_not_shown_is_status_1(self):
        # With a hook that installs bounce buffers nothing goes wrong, so the scenario of what goes wrong fails.
        result = run("direct_in_secure_guest", "--dma_ops.platform", "swiotlb", "--no-trace", cwd=self.directory)
        self.assertEqual(result.status, 1, result.output + result.error)


if __name__ == "__main__":
    unittest.main()
