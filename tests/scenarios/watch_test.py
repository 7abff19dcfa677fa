#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--watch-page and --watch-range: the report tells what happened to a page, and nothing else of the run is changed by it."""

import pathlib
import shutil
import struct
import subprocess
import unittest

import scenario

FOLDER = pathlib.Path(__file__).parent.parent.parent / "scenarios" / "bare_metal"
COMPILER = "powerpc64le-linux-gnu-gcc"
SYMBOLS = "powerpc64le-linux-gnu-nm"
PAGE = 65536
STORES = 100_000


class Watching(scenario.ScenarioTest):
    def report(self, name, *options, status=0, trace="--no-trace"):
        report = self.shown(name, *([trace] if trace == "--no-trace" else ["--trace", trace]), *options)
        return report

    def compiled(self, source):
        program = self.directory / source.stem
        subprocess.run([FOLDER / "guest" / "compile", COMPILER, program, source], check=True)
        return program

    def watched(self, report):
        (run,) = report["runs"]
        return {each["address"]: each for each in run["watched"]}

    def without_stories(self, report):
        for run in report["runs"]:
            run.pop("watched", None)
        report.pop("replay")
        for name in ("watch-page", "watch-range"):
            report["parameters"].pop(name)
        for cpu in report["results"].get("cpus", []):
            cpu.pop("translator", None)  # what is watched is no matter of translated code
        return report

    def changes_nothing(self, name, plain, *watching):
        """The same report, instructions and waveform with and without."""
        reports, traces = [], []
        for options in ((), watching):
            reports.append(self.without_stories(self.report(name, *plain, *options, trace="watch.vcd")))
            traces.append((self.directory / "watch.vcd").read_bytes())
        self.assertEqual(*reports)
        self.assertEqual(*traces)


class NativeGuest(Watching):
    def shared_and_private(self):
        """A page that devices read, and one that only the guest uses."""
        report = self.report("swiotlb_block", "--watch-range", "0+256MiB")
        pages = report["runs"][0]["watched"]
        shared = [p for p in pages if p["state"] == "SHARED" and any(e["what"] == "read" for e in p["events"])]
        private = [p for p in pages if p["state"] == "SECURE" and any(e["what"] == "written" for e in p["events"])]
        return shared, private

    def test_the_story_of_pages(self):
        shared, private = self.shared_and_private()
        self.assertTrue(shared and private)
        for page in shared:
            states = [e["detail"] for e in page["events"] if e["what"] == "became"]
            self.assertEqual(states[-1].partition(" in ")[2], "UV_SHARE_PAGE")
            self.assertTrue(states[-1].startswith("HV_SHARED -> SHARED"))
            readers = {e["who"] for e in page["events"] if e["what"] == "read"}
            self.assertTrue(any(who.startswith("virtio-") for who in readers), readers)
        functions = {e["function"] for p in shared for e in p["events"] if e["what"] == "written" and e["who"] == "cpu0"}
        self.assertTrue(any("swiotlb" in f or "virtio" in f for f in functions), functions)
        for page in private:  # nobody else
            self.assertEqual({e["who"] for e in page["events"] if e["what"] in ("written", "read")} - {"cpu0"}, set())

    def test_changes_nothing(self):
        shared, private = self.shared_and_private()
        self.changes_nothing("swiotlb_block", [], "--watch-page", shared[0]["page"], "--watch-page",
                             hex(private[0]["address"] + 5), "--watch-range", f"{shared[-1]['address']}+4KiB")  # fmt: skip

    def test_a_configuration_file_says_the_same(self):
        (self.directory / "c.toml").write_text('watch-page = ["1", "0x20000"]\nwatch-range = "0x30010+0x20"\n')
        by_file = self.report("direct_block", "--config", "c.toml")
        by_option = self.report("direct_block", "--watch-page", 1, "--watch-page", "0x20000", "--watch-range",
                                "0x30010+32")  # fmt: skip
        for each in (by_file, by_option):
            each["parameters"].pop("watch-range")
            each.pop("replay")
        self.assertEqual(by_file, by_option)
        self.assertEqual(list(self.watched(by_file)), [PAGE, 2 * PAGE, 3 * PAGE])

    def test_the_text_tells_it_as_well(self):
        shared, _ = self.shared_and_private()
        result = scenario.run("swiotlb_block", "--no-trace", "--watch-page", shared[0]["page"], cwd=self.directory)
        self.assertIn("Watched pages", result.output)
        self.assertIn(f"page {shared[0]['page']:#x}, guest physical {shared[0]['address']:#x}, SHARED at the end",
                      result.output)  # fmt: skip
        self.assertRegex(result.output, r"virtio-blk\d reads")

    def test_an_access_that_is_refused(self):
        report = self.report("direct_in_secure_guest", "--watch-range", "0+256MiB")
        refused = [e for p in report["runs"][0]["watched"] for e in p["events"] if e["what"] == "refused"]
        self.assertTrue(any(e["detail"] == "reads ciphertext" for e in refused), refused)


class PowerGuest(Watching):
    def program(self):
        # lis r3,8; lis r4,1; ori r4,r4,0x86a0; mtctr r4; again: std r4,8(r3); stw r4,4094(r3); bdnz again; li r3,0; H_EXIT
        words = [0x3C600008, 0x3C800001, 0x608486A0, 0x7C8903A6, 0xF8830008, 0x90830FFE, 0x4200FFF8, 0x38800000,
                 0x38600000, 0x6063F0FC, 0x44000022]  # fmt: skip
        (self.directory / "flat.bin").write_bytes(struct.pack(f"<{len(words)}I", *words))
        return ["--load", "flat.bin@0x10000", "--pc", "0x10000"]

    def test_a_hundred_thousand_stores_are_a_line(self):
        for options in ([], ["--report_stores", "yes"]):
            report = self.report("bare_metal", *self.program(), "--watch-page", "0x80000", "--watch-range", "0x81000+2",
                                 *options)  # fmt: skip
            (page,) = report["runs"][0]["watched"]
            # Without symbols each instruction is a writer. The word that crosses 4 KiB is stored in two parts.
            for line, place, bounds in zip(page["events"], ("0x10010", "0x10014"), ((8, 16), (0xFFE, 0x1002)), strict=True):
                self.assertEqual((line["what"], line["who"], line["places"]), ("written", "cpu0", [place]))
                self.assertEqual(line["bytes"], STORES * (bounds[1] - bounds[0]))
                self.assertEqual((line["begin"], line["end"]), bounds)

    def test_changes_nothing(self):
        for options in ([], ["--report_stores", "yes"], ["--cpus", 2]):
            with self.subTest(options=options):
                self.changes_nothing("bare_metal", [*self.program(), *options], "--watch-page", "0x80000",
                                     "--watch-page", "1")  # fmt: skip

    @unittest.skipUnless(shutil.which(COMPILER), COMPILER)
    def test_a_secure_guest(self):
        elf = self.compiled(FOLDER / "examples" / "share_page.c")
        names = subprocess.run([SYMBOLS, elf], check=True, capture_output=True, text=True).stdout.splitlines()
        place = {name: int(at, 16) for at, _, name in (line.split() for line in names if len(line.split()) == 3)}
        watch = ["--watch-page", hex(place["private_page"]), "--watch-page", hex(place["shared_page"])]
        looks = ["--host-read", "private_page", "--host-read", "shared_page"]
        report = self.report("bare_metal", "--elf", elf, *looks, *watch)
        private, shared = (self.watched(report)[place[name]] for name in ("private_page", "shared_page"))

        (written,) = [e for e in private["events"] if e["what"] == "written"]
        self.assertEqual((written["who"], written["function"], written["bytes"]), ("cpu0", "main", 27))
        self.assertIn("refused", [e["what"] for e in private["events"]])
        self.assertEqual(private["state"], "PAGEDOUT")
        became = [e for e in shared["events"] if e["what"] == "became"]
        self.assertEqual([e["detail"] for e in became][-3:],
                         ["SECURE -> HV_SHARING in UV_SHARE_PAGE", "HV_SHARING -> HV_SHARED in UV_SHARE_PAGE",
                          "HV_SHARED -> SHARED in UV_SHARE_PAGE"])  # fmt: skip
        self.assertEqual({e["function"] for e in became[-3:]}, {"main"})
        after = [(e["what"], e["who"], e["bytes"]) for e in shared["events"] if e["what"] in ("written", "read")][-2:]
        self.assertEqual(after, [("written", "cpu0", 28), ("read", "hypervisor", 64)])
        self.changes_nothing("bare_metal", ["--elf", elf, *looks], *watch)


@unittest.skipUnless(shutil.which(COMPILER), COMPILER)
class CallChains(Watching):
    def test_who_called_whom(self):
        elf = self.compiled(pathlib.Path(__file__).parent / "bare_metal" / "chain.c")
        (run,) = self.report("bare_metal", "--elf", elf)["runs"]
        exposure = run["exposure"]
        chains = {tuple(each["functions"][:4]): each for each in exposure["call_chains"]}
        block = chains["memcpy_words", "swiotlb_bounce", "send_block", "main"]
        frame = chains["memcpy_words", "swiotlb_bounce", "send_frame", "main"]
        own = next(each for names, each in chains.items() if names[0] == "main")
        self.assertEqual([each["bytes_written"] for each in (block, frame, own)], [10 * 512, 10 * 128, 8])
        self.assertEqual([each["driver"] for each in (block, frame, own)], ["send_block", "send_frame", "main"])
        self.assertEqual(sum(each["bytes_written"] for each in exposure["call_chains"]), exposure["guest_bytes_written"])
        # However many called it, a place is one writer.
        places = [(each["initiator"], each["origin"]) for each in exposure["writers"]]
        self.assertEqual(len(places), len(set(places)))
        (shared,) = [each for each in exposure["shares"] if each["call"] == "UV_SHARE_PAGE"]
        self.assertEqual((shared["pages"], shared["still_exposed"], shared["state"]), (1, 1, "SHARED"))
        self.assertEqual(shared["functions"][:2], ["uv_share_page", "main"])


@unittest.skipUnless(shutil.which(COMPILER), COMPILER)
class Canaries(Watching):
    KEPT, SENT = "this is for the guest alone", "this is for the host as well"

    def test_where_they_come_out_and_who_wrote_them(self):
        elf = self.compiled(FOLDER / "examples" / "share_page.c")
        (self.directory / "canaries").write_text(f"{self.KEPT}\n")
        report = self.report("bare_metal", "--elf", elf, "--canary", self.SENT, "--canaries", "canaries")
        found = {each["canary"]: each for each in report["results"]["canaries"]}
        (shared,) = [each for each in report["runs"][0]["exposure"]["shares"] if each["call"] == "UV_SHARE_PAGE"]
        self.assertEqual(found[self.SENT]["in_memory"], [shared["first_page"] * PAGE])
        self.assertEqual((found[self.KEPT]["seen"], found[self.KEPT]["in_memory"]), (0, []))
        (seen,) = report["runs"][0]["exposure"]["canaries"]["kept"]
        self.assertEqual((seen["canary"], seen["channel"], seen["count"]), (self.SENT, "shared_page", 1))
        self.assertEqual((seen["writer"]["functions"][0], seen["writer"]["driver"]), ("main", "main"))

    def test_bad_ones(self):
        (self.directory / "short").write_text("long enough\nshort\n")
        for options, words in ((["--canary", "short"], ["canary", "'short'"]), (["--canaries", "short"], ["'short'"]),
                               (["--canaries", "missing"], ["canaries", "missing"])):  # fmt: skip
            result = scenario.run("bare_metal", "--load", "short@0x10000", "--pc", "0x10000", *options, cwd=self.directory)
            self.assertEqual(result.status, 2, result.error)
            for word in words:
                self.assertIn(word, result.error)


if __name__ == "__main__":
    unittest.main()
