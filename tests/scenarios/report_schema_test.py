#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The JSON report keeps to docs/report.schema.json, in every scenario and however it ends; and its figures are the run's."""

import csv
import io
import json
import pathlib
import re
import shlex
import unittest

import scenario

try:
    import jsonschema
except ImportError:
    jsonschema = None

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


class ReportContract(scenario.ScenarioTest):
    def setUp(self):
        super().setUp()
        self.schema = json.loads((DOCS / "report.schema.json").read_text())

    def valid(self, report):
        if jsonschema is None:
            self.skipTest("no jsonschema (Debian package python3-jsonschema)")
        jsonschema.Draft202012Validator(self.schema).validate(report)

    def test_every_scenario_keeps_to_it(self):
        for name, options in scenario.SMALL.items():
            with self.subTest(name):
                self.valid(self.shown(name, "--no-trace", *options))

    def test_a_run_that_fails_or_is_cut_short_does_too(self):
        for name, *options in (["swiotlb_block", "--secure", "no"], ["swiotlb_block", "--time-limit", "34ms"],
                               ["swiotlb_block", "--ultravisor", "no"]):
            scenario.run(name, "--no-trace", "--report", "r.json", *options, cwd=self.directory)
            self.valid(json.loads((self.directory / "r.json").read_text()))

    def test_the_schema_is_one_that_can_fail(self):
        report = self.shown("swiotlb_block", "--no-trace")
        self.valid(report)
        for spoil in (lambda r: r.pop("replay"), lambda r: r["runs"][0].pop("series"),
                      lambda r: r["verdict"][0].update(id="With Capitals"),
                      lambda r: r["runs"][0]["anatomy"]["requests"][0]["mean_ns"].pop()):
            spoilt = json.loads(json.dumps(report))
            spoil(spoilt)
            with self.assertRaises(jsonschema.ValidationError):
                self.valid(spoilt)

    def test_the_document_names_every_member(self):
        text = (DOCS / "report.md").read_text()
        for name in [*self.schema["properties"], *self.schema["$defs"]["run"]["properties"]]:
            self.assertTrue(re.search(rf"`(metrics\.)?{name}(\[\])?[`.]", text) or name in ("metrics", "ended"), name)

    def test_values_of_parameters_are_their_numbers(self):
        report = self.shown("swiotlb_block", "--no-trace", "--chunk", "4KiB", "--quantum", "1.5us", "--clear-buffers", "no")
        values = report["parameter_values"]
        self.assertEqual(values["chunk"], {"value": 4096, "unit": "bytes"})
        self.assertEqual(values["quantum"], {"value": 1500, "unit": "ns"})
        self.assertEqual(values["clear-buffers"]["value"], 0)
        self.assertEqual(values["timing.memcpy"]["value"], 10)
        self.assertNotIn("dma_ops.platform", values)
        self.assertTrue(set(values) <= set(report["parameters"]))

    def test_ids_stay_when_numbers_change(self):
        ids = [[line["id"] for line in self.shown("swiotlb_block", "--no-trace", *options)["verdict"]]
               for options in ([], ["--disk-size", "4MiB", "--canaries", "3"])]
        self.assertEqual(*ids)
        self.assertEqual(len(set(ids[0])), len(ids[0]))

    def test_replay_gives_the_run_again(self):
        report = self.shown("swiotlb_block", "--no-trace", "--seed", "7", "--chunk", "4KiB")
        name, *options = shlex.split(report["replay"])
        self.assertEqual(self.shown(name, "--no-trace", *options)["runs"], report["runs"])

    def test_buckets_hold_all_and_cover_the_percentiles(self):
        [run] = self.shown("swiotlb_block", "--no-trace", "--chunk", "4KiB")["runs"]
        for of in run["metrics"]["histograms"].values():
            self.assertEqual(sum(each[2] for each in of["buckets"]), of["count"])
            if of["count"]:
                self.assertLessEqual(of["buckets"][0][0], of["min"])
                self.assertGreater(of["buckets"][-1][1], of["max"])

    def test_the_series_is_the_workload(self):
        for options in ([], ["--chunk", "4KiB", "--disk-size", "8MiB"]):
            [run] = self.shown("swiotlb_block", "--no-trace", *options)["runs"]
            series, window = run["series"], run["rates_are_of_ns"]
            self.assertEqual([each["name"] for each in series["columns"]],
                             ["at", "requests", "bytes", "latency_mean", "pool_used"])
            rows = series["rows"]
            self.assertLessEqual(len(rows), 512)
            self.assertGreater(len(rows), 100)
            self.assertAlmostEqual(rows[0][0], window["begin"], places=2)
            self.assertLess(rows[-1][0], window["end"])
            self.assertGreater(rows[-1][0] + 2 * series["share_ns"], window["end"] - 60_000)
            requests = sum(of["count"] for of in run["anatomy"]["requests"])
            self.assertEqual(sum(row[1] for row in rows), requests)
            data = sum(run["metrics"]["counters"][f"machine.kernel.virtio_blk{n}.bytes_{way}"]["value"]
                       for n, way in ((0, "read"), (1, "written")))
            self.assertEqual(sum(row[2] for row in rows), data + 17 * requests)  # header and status of each
            mean = sum(row[1] * row[3] for row in rows) / requests
            total = sum(of["count"] * of["total"]["mean_ns"] for of in run["anatomy"]["requests"]) / requests
            self.assertAlmostEqual(mean, total, places=2)
            self.assertLessEqual(max(row[4] for row in rows), run["metrics"]["levels"]["machine.swiotlb.pool_used"]["high_water"])

    def test_csv_is_the_series(self):
        report = self.shown("swiotlb_block", "--no-trace", "--csv", "s.csv")
        rows = list(csv.reader(io.StringIO((self.directory / "s.csv").read_text())))
        series = report["runs"][0]["series"]
        self.assertEqual(rows[0], [each["name"] for each in series["columns"]])
        self.assertEqual([[float(each) for each in row] for row in rows[1:]], series["rows"])

    def test_the_page_map_covers_memory_and_counts_as_the_ledger_does(self):
        for name in ("swiotlb_block", "direct_block"):
            report = self.shown(name, "--no-trace")
            [run] = report["runs"]
            spans = run["page_map"]["spans"]
            at = 0
            for span in spans:
                self.assertEqual(span["first"], at)
                at += span["count"]
            self.assertEqual(at, run["page_map"]["pages"])
            self.assertEqual(at * run["page_map"]["page_bytes"], report["parameter_values"]["memory.size"]["value"])
            self.assertEqual(sum(span["written"] for span in spans),
                             sum(each["bytes_standing"] for each in run["exposure"]["writers"]))
            if name == "swiotlb_block":
                self.assertEqual(sum(span["count"] for span in spans if span["state"] == "SHARED"),
                                 run["exposure"]["pages_exposed"])

    def test_standard_output_has_the_report_alone(self):
        result = scenario.run("swiotlb_block", "--no-trace", "--report", "-", cwd=self.directory)
        self.assertEqual(json.loads(result.output)["scenario"], "swiotlb_block")
        self.assertEqual(result.status, 0)


if __name__ == "__main__":
    unittest.main()
