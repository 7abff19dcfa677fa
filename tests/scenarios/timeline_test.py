#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--timeline: read by protobuf's own compiler, it says what report and waveform say."""

import collections
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import scenario

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from trace_processor import ask  # noqa: E402

SMALL = ("--memory.size", "64MiB", "--swiotlb.size", "4MiB")  # few pages that become secure
BEGIN, END, INSTANT, COUNTER = "TYPE_SLICE_BEGIN", "TYPE_SLICE_END", "TYPE_INSTANT", "TYPE_COUNTER"
TRACK = "process.name || ' / ' || track.name as track"  # as Timeline.name() has it


def message(lines):
    """Of protoc's text: field: [values]; a message is such a dictionary itself."""
    fields = collections.defaultdict(list)
    for line in lines:
        word = line.strip()
        if word == "}":
            return fields
        if word.endswith(" {"):
            fields[word[:-2]].append(message(lines))
        else:
            name, _, value = word.partition(": ")
            fields[name].append(value[1:-1].replace("\\'", "'") if value.startswith('"') else value if value[0].isalpha() else int(value, 0))
    return fields


class Timeline:
    """What a viewer would make of it."""

    def __init__(self, file):
        text = subprocess.run(["protoc", f"--proto_path={HERE}", "--decode=perfetto.protos.Trace", HERE / "perfetto.proto"],
                              input=file.read_bytes(), capture_output=True, check=True).stdout.decode()
        self.unknown = re.findall(r"^\s*\d+[:{ ].*", text, re.MULTILINE)
        packets = message(iter(text.splitlines()))["packet"]
        self.tracks, self.events, names, categories = {}, [], {}, {}
        for packet in packets:
            for each in packet["track_descriptor"]:
                self.tracks[each["uuid"][0]] = each
            for data in packet["interned_data"]:
                names.update({each["iid"][0]: each["name"][0] for each in data["event_names"]})
                categories.update({each["iid"][0]: each["name"][0] for each in data["event_categories"]})
            for event in packet["track_event"]:
                event["at"] = packet["timestamp"][0]
                event["label"] = names[event["name_iid"][0]] if event["name_iid"] else None
                event["category"] = categories[event["category_iids"][0]] if event["category_iids"] else None
                self.events.append(event)
        self.events.sort(key=lambda event: event["at"])  # stable, as trace_processor sorts

    def name(self, track):
        """"process / track"."""
        of = self.tracks[track]
        if of["process"]:
            return of["process"][0]["process_name"][0]
        return f"{self.name(of['parent_uuid'][0])} / {of['name'][0]}"

    def spans(self):
        """(track's name, label, begin, end, event, spans within it); raises where spans do not nest."""
        open_spans, done = collections.defaultdict(list), []
        for event in self.events:
            track = event["track_uuid"][0]
            if event["type"][0] == BEGIN:
                span = [self.name(track), event["label"], event["at"], None, event, []]
                if open_spans[track]:
                    open_spans[track][-1][5].append(span)
                open_spans[track].append(span)
                done.append(span)
            elif event["type"][0] == END:
                open_spans[track].pop()[3] = event["at"]
        if any(open_spans.values()):
            raise AssertionError("a span does not end")
        return done


@unittest.skipUnless(shutil.which("protoc"), "no protoc (Debian package protobuf-compiler)")
class TimelineTest(scenario.ScenarioTest):
    def timeline(self, *options, name="swiotlb_block"):
        report = self.shown(name, "--no-trace", "--timeline", "t.pftrace", *SMALL, *options)
        read = Timeline(self.directory / "t.pftrace")
        self.assertEqual(read.unknown, [])
        return report["runs"][0], read

    def check_requests(self, run, read):
        """Every request of the report, with its parts, its span in the device, and its arrows."""
        spans = read.spans()
        requests = [span for span in spans if span[0].startswith("Requests / ") and span[4]["flow_ids"] and
                    span[4]["debug_annotations"]]
        by_kind = collections.Counter((span[0].removeprefix("Requests / "), span[1]) for span in requests)
        self.assertEqual(by_kind, {(of["device"], of["kind"]): of["count"] for of in run["anatomy"]["requests"]})
        in_device = {span[4]["flow_ids"][0]: span for span in spans if re.match(r"Device .* / requests", span[0])}
        parts = run["anatomy"]["parts"]
        for span in requests:
            [flow] = span[4]["flow_ids"]
            within = [each[1] for each in span[5]]
            self.assertEqual(within, sorted(within, key=parts.index))
            at = span[2]
            for each in span[5]:
                self.assertGreaterEqual(each[2], at)
                at = each[3]
            self.assertEqual(at, span[3], span)
            [device] = [each for each in span[5] if each[1] == "device"]
            self.assertEqual(in_device[flow][2:4], device[2:4])
            ends = [each for each in span[5] if each[4]["terminating_flow_ids"] == [flow]]
            self.assertEqual([each[1] for each in ends], ["interrupt"] if "interrupt" in within else [])
        for of in run["anatomy"]["requests"]:
            slowest = of["slowest"]
            [span] = [span for span in requests if span[0] == f"Requests / {of['device']}" and
                      span[4]["debug_annotations"][0]["uint_value"] == [slowest["number"]]]
            self.assertEqual(span[2:4], [int(slowest["begin_ns"]), int(slowest["end_ns"])])

    def test_requests_stand_in_it_with_their_parts(self):
        for options in ([], ["--cpus", "3", "--depth", "32", "--chunk", "4KiB"]):
            self.check_requests(*self.timeline(*options))
        self.check_requests(*self.timeline(name="swiotlb_net"))

    def test_calls_interrupts_and_pool_are_those_of_the_report(self):
        run, read = self.timeline()
        spans = read.spans()
        tallies, counters = run["metrics"]["tallies"], run["metrics"]["counters"]
        for track, tally in (("Guest CPU 0 / call", "machine.cpu0.ultracalls"),
                             ("Ultravisor (trusted) / ultracall", "machine.ultravisor.ultracalls")):
            seen = collections.Counter(span[1] for span in spans if span[0] == track and span[1].startswith("UV_"))
            counts = {name: count for name, count in tallies[tally]["counts"].items() if count}
            if track.startswith("Guest"):
                self.assertEqual(seen, counts)
            else:
                self.assertEqual(set(seen), set(counts))
        interrupts = [event for event in read.events if event["type"] == [INSTANT] and event["label"] == "interrupt" and
                      read.name(event["track_uuid"][0]) == "Guest CPU 0 / interrupt"]
        self.assertEqual(len(interrupts), counters["machine.cpu0.interrupts"]["value"])
        doorbells = [event for event in read.events if event["label"] == "doorbell" and event["type"] == [INSTANT]]
        self.assertEqual(len(doorbells), sum(counters[f"machine.virtio-blk{n}.block.doorbells"]["value"] for n in range(2)))
        pool = [event for event in read.events if event["type"] == [COUNTER] and
                read.name(event["track_uuid"][0]).endswith(" / pool_used")]
        level = run["metrics"]["levels"]["machine.swiotlb.pool_used"]
        self.assertEqual(max(event["counter_value"][0] for event in pool), level["high_water"])
        self.assertEqual(pool[-1]["counter_value"][0], level["value"])

    def test_sides_of_the_trust_boundary_are_told_apart(self):
        _, read = self.timeline()
        sides = collections.defaultdict(set)
        for event in read.events:
            if event["category"]:
                sides[read.name(event["track_uuid"][0]).partition(" / ")[0]].add(event["category"])
                self.assertEqual(len(event["correlation_id"]), 1)
        self.assertEqual(sides["Guest CPU 0"], {"guest"})
        self.assertEqual(sides["Ultravisor (trusted)"], {"trusted"})
        self.assertEqual(sides["Hypervisor (untrusted)"], {"untrusted"})
        self.assertEqual(sides["Device virtio-blk0 (untrusted)"], {"untrusted"})

    def test_a_counter_has_one_value_at_a_time_and_none_when_it_was_never_anything(self):
        _, read = self.timeline()
        values = collections.defaultdict(list)
        for event in read.events:
            if event["type"] == [COUNTER]:
                values[read.name(event["track_uuid"][0])].append((event["at"], event["counter_value"][0]))
        self.assertGreater(len(values), 8)
        for track, told in values.items():
            with self.subTest(track=track):
                self.assertEqual(len({at for at, _ in told}), len(told))
                self.assertTrue(any(value for _, value in told))

    def test_perfetto_reads_what_protoc_reads(self):
        for name, options in (("swiotlb_block", ()), ("swiotlb_block", ("--cpus", "3", "--depth", "32")), ("swiotlb_net", ())):
            with self.subTest(scenario=name, options=options):
                run, read = self.timeline(*options, name=name)
                found = ask(self.with_older_flows(), {
                    "faults": "select name from stats where severity in ('error', 'data_loss') and value > 0",
                    "slices": f"""select {TRACK}, slice.name, ts, dur from slice
                                  join process_track as track on slice.track_id = track.id join process using (upid)""",
                    "values": f"""select {TRACK}, ts, value from counter
                                  join process_counter_track as track on counter.track_id = track.id join process using (upid)""",
                    "flows": """select source.name as leaves, sink.name as arrives, number.int_value as request,
                                sink.ts - source.ts as later from flow
                                join slice as source on slice_out = source.id join slice as sink on slice_in = sink.id
                                left join args as number on sink.arg_set_id = number.arg_set_id and number.key = 'debug.request'"""})
                if found is None:
                    self.skipTest("SKIP: Perfetto's trace_processor cannot be had: no node, or no network")
                self.assertEqual(found["faults"], [])
                spans = [(span[0], span[1], span[2], span[3] - span[2]) for span in read.spans()]
                instants = [(read.name(event["track_uuid"][0]), event["label"], event["at"], 0)
                            for event in read.events if event["type"] == [INSTANT]]  # fmt: skip
                self.same_rows(found["slices"], spans + instants)
                values = [(read.name(event["track_uuid"][0]), event["at"], event["counter_value"][0])
                          for event in read.events if event["type"] == [COUNTER]]  # fmt: skip
                self.same_rows(found["values"], values)
                # From the driver's request to the device's, and from there to the interrupt.
                kinds = collections.Counter()
                for of in run["anatomy"]["requests"]:
                    kinds[of["kind"]] += of["count"]
                arrows = collections.Counter((row["leaves"], row["arrives"]) for row in found["flows"])
                self.assertEqual({kind: arrows[kind, kind] for kind in kinds}, dict(kinds))
                self.assertEqual(set(arrows), {(kind, to) for kind in kinds for to in (kind, "interrupt") if arrows[kind, to]})
                self.assertGreater(sum(arrows[kind, "interrupt"] for kind in kinds), 0)
                self.assertTrue(all(row["later"] >= 0 for row in found["flows"]))
                self.assertTrue(all(row["request"] for row in found["flows"] if row["arrives"] in kinds))

    def same_rows(self, found, expected):
        found, expected = collections.Counter(tuple(row.values()) for row in found), collections.Counter(expected)
        self.assertEqual((list((found - expected).items())[:5], list((expected - found).items())[:5]), ([], []))

    def with_older_flows(self):
        """The timeline, with flows in the fields where that version of Perfetto looks for them."""
        schema = (HERE / "perfetto.proto").read_text()
        schema = re.sub(r"fixed64 (flow_ids|terminating_flow_ids) = \d+",
                        lambda match: f"uint64 {match[1]} = {36 if match[1] == 'flow_ids' else 42}", schema)
        (self.directory / "older.proto").write_text(schema)
        text = subprocess.run(["protoc", f"--proto_path={HERE}", "--decode=perfetto.protos.Trace", HERE / "perfetto.proto"],
                              input=(self.directory / "t.pftrace").read_bytes(), capture_output=True, check=True).stdout
        older = self.directory / "older.pftrace"
        older.write_bytes(subprocess.run(["protoc", f"--proto_path={self.directory}", "--encode=perfetto.protos.Trace", "older.proto"],
                                         input=text, cwd=self.directory, capture_output=True, check=True).stdout)
        return older

    def test_the_same_run_gives_the_same_bytes_traced_or_not(self):
        files = []
        for options in (["--no-trace"], ["--no-trace"], ["--trace", "t.vcd"]):
            self.shown("swiotlb_block", "--timeline", "t.pftrace", *options)
            files.append((self.directory / "t.pftrace").read_bytes())
        self.assertEqual(files[0], files[1])
        self.assertEqual(files[0], files[2])
        beside = (self.directory / "t.vcd").read_bytes()
        self.shown("swiotlb_block", "--trace", "t.vcd")
        self.assertEqual((self.directory / "t.vcd").read_bytes(), beside)

    def test_a_limit_is_kept_and_what_is_left_out_counted(self):
        size = ["--disk-size", "1MiB", "--chunk", "4KiB"]
        whole, read = self.timeline(*size)
        events = whole["timeline"]["events"]
        self.assertEqual(whole["timeline"]["left_out"], 0)
        cut, short = self.timeline(*size, "--timeline-limit", "300KiB")
        self.assertLessEqual((self.directory / "t.pftrace").stat().st_size, 300 << 10)
        self.assertGreater((self.directory / "t.pftrace").stat().st_size, 200 << 10)
        self.assertEqual(cut["timeline"]["events"] + cut["timeline"]["left_out"], events)
        self.assertGreater(cut["timeline"]["left_out"], 0)
        short.spans()
        [note] = [event for event in short.events if read.tracks and event["label"] and "left out" in event["label"]]
        self.assertIn(str(cut["timeline"]["left_out"]), note["label"])

    def test_a_window_shows_what_begins_in_it(self):
        run, read = self.timeline("--trace-window", "9.3ms:9.8ms")
        self.assertTrue(all(event["at"] >= 9_300_000 for event in read.events))
        spans = [span for span in read.spans() if span[0].startswith("Requests / ") and span[4]["debug_annotations"]]
        total = sum(of["count"] for of in run["anatomy"]["requests"])
        self.assertTrue(0 < len(spans) < total)
        self.assertTrue(all(9_300_000 <= span[2] and span[3] <= 9_800_000 for span in spans))

    def test_mistakes_are_one_line(self):
        for options, line in (
                (["--timeline-limit", "1KiB"], "--timeline-limit: '1KiB' is too small; at least 256KiB are needed"),
                (["--timeline", "no/such"], "timeline 'no/such': cannot be written: No such file or directory"),
                (["--timeline", "a", "--report", "a"], "timeline: 'a' is the same file as report 'a'")):
            result = scenario.run("swiotlb_block", *options, cwd=self.directory)
            self.assertEqual((result.status, result.error), (2, f"swiotlb_block: {line}\n"))
        full = scenario.run("swiotlb_block", "--no-trace", "--timeline", "/dev/full", "--report", "r", cwd=self.directory)
        self.assertEqual(full.status, 1)
        self.assertIn("timeline '/dev/full'", full.error)
        self.assertTrue((self.directory / "r").exists())


if __name__ == "__main__":
    unittest.main()
