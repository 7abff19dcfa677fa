#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scenarios/linux/check: what it takes for good, what it says, how it ends; on a compiled kernel, as `git bisect run`.

PEFSIM_FULL=1: compiles the kernel where there is none yet.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINUX = ROOT / "scenarios/linux"
sys.path.insert(0, str(LINUX))

from guest_image.progress import failure  # noqa: E402
from kernel_check import boots, cells, costs, releases, text, twelve  # noqa: E402

FULL = bool(os.environ.get("PEFSIM_FULL"))
AT_BEST = cells.CELLS["secure+force+platform"]


def report(said=("### UP 6.1", "### BLK-OK vda", "### NET-OK", "### RNG-OK", "### DONE"), kind="finished", named=(),
           refused=0, warnings=(), verdict=()):  # fmt: skip
    """As the scenario writes it, as far as it is read."""
    writers = [
        {"host": False, "origin": "0xc000000000012344 <memcpy_power7+0x44>", "bytes_written": 300},
        {"host": False, "origin": "0xc000000000022344 <virtqueue_add_split+0x44>", "bytes_written": 50},
        {"host": True, "origin": "", "bytes_written": 7},
    ]
    return {
        "ended": {"kind": kind, "text": "the end"},
        "verdict": list(verdict),
        "results": {"secure": True, "said": list(said), "warnings": list(warnings), "named": list(named),
                    "shared": [{"by": ["set_memory_decrypted", "init_svm"], "pages": 64}]},
        "runs": [{"metrics": {"counters": {"machine.memory.refused_accesses": {"value": refused}}},
                  "exposure": {"writers": writers}}],
    }  # fmt: skip


class what_is_good(unittest.TestCase):
    def faults(self, **how):
        return boots.faults_of(boots.facts_of(report(**how), AT_BEST), AT_BEST)

    def test_a_boot_without_a_fault(self):
        facts = boots.facts_of(report(), AT_BEST)
        self.assertEqual([], boots.faults_of(facts, AT_BEST))
        self.assertEqual((300, 64, "OK"), (facts["bytes_copied"], facts["shared_pages"], facts["disk"]))

    def test_each_fault_is_told(self):
        named = [{"device": "virtio-blk0", "what": "a descriptor", "pages": 3, "while": []}]
        for how, fault in (
            ({"said": (), "kind": "panicked"}, "does not reach user space: the end"),
            ({"said": ("### UP", "### BLK-OK", "### NET-OK", "### RNG-OK"), "kind": "time_limit"},
             "does not end: the end"),
            ({"said": ("### UP", "### BLK-FAIL", "### NET-OK", "### RNG-OK", "### DONE")}, "disk: FAIL"),
            ({"said": ("### UP", "### BLK-OK", "### NET-OK", "### RNG-NONE", "### DONE")}, "entropy: NONE"),
            ({"said": ("### UP", "### BLK-OK", "### RNG-OK", "### DONE")}, "network: not reached"),
            ({"named": named}, "3 private pages named to devices"),
            ({"refused": 4}, "4 accesses to secure pages"),
            ({"warnings": ("WARNING: at kernel/x.c",)}, "1 warnings of the kernel"),
            ({"verdict": ({"shown": False, "text": "on the disk, ... stands what the guest wrote: x"},)},
             "disk: other on the disk"),
        ):  # fmt: skip
            with self.subTest(fault=fault):
                self.assertIn(fault, self.faults(**how))

    def test_a_guest_that_stays_ordinary_is_none(self):
        ordinary = report()
        ordinary["results"].update(secure=False)
        self.assertTrue(boots.facts_of(ordinary, AT_BEST)["became_secure"], "it has shared pages")
        ordinary["results"].update(shared=[])
        facts = boots.facts_of(ordinary, AT_BEST)
        self.assertEqual(["does not become secure"], boots.faults_of(facts, AT_BEST))
        self.assertEqual([], boots.faults_of(facts, cells.CELLS["ordinary+plain"]))

    def test_which_boots_count(self):
        self.assertEqual(8, len(cells.CELLS))
        self.assertEqual(5, len(cells.chosen(cells.USUAL)))
        self.assertEqual(["secure+plain", "secure+platform"], cells.chosen("default-pool,secure+plain"))
        with self.assertRaisesRegex(ValueError, "^serial is neither of ordinary, "):
            cells.chosen("secure,serial")

    def test_the_command_lines(self):
        lines = {name: cell.command_line for name, cell in cells.CELLS.items()}
        self.assertEqual("console=hvc0", lines["ordinary+plain"])
        self.assertEqual("console=hvc0 svm=on", lines["secure+platform"])
        self.assertEqual("console=hvc0 svm=on swiotlb=2048,force", lines["secure+force"])


class what_is_said(unittest.TestCase):
    def rows(self):
        named = [{"device": "virtio-net0", "what": "a descriptor", "pages": 2,
                  "while": [{"by": ["virtqueue_kick", "try_fill_recv"], "times": 2}]}]  # fmt: skip
        rows = []
        for name in ("secure+force+platform", "secure+platform"):
            facts = boots.facts_of(report(named=named if name == "secure+platform" else ()), cells.CELLS[name])
            rows.append({**facts, "faults": boots.faults_of(facts, cells.CELLS[name]), "judged": True})
        return rows

    def test_the_table_and_who_did_it(self):
        lines = text.table(self.rows()).splitlines()
        self.assertRegex(lines[0], r"^guest +swiotlb +platform +boots +disk ")
        self.assertRegex(lines[1], r"^secure +force +offered +yes +OK +OK +OK +0 +0 +300 +64 +0 +good$")
        self.assertRegex(lines[2], r" 2 +0 +300 +64 +0 +BAD$")
        details = text.details(self.rows())
        self.assertIn("shared by set_memory_decrypted < init_svm: 64 pages\n    [secure+force+platform, sec", details)
        self.assertIn("2 times, the processor in virtqueue_kick < try_fill_recv\n    [secure+platform]", details)
        self.assertEqual("secure+platform: 2 private pages named to devices\n", text.faults(self.rows()))

    def test_the_table_of_releases_goes_where_the_document_has_its_place(self):
        boot = {name: {"name": name, "faults": [], "private": [], "bytes_copied": 5} for name in cells.CELLS}
        boot["secure+platform"].update(faults=["2 private pages named to devices"],
                                       private=[{"device": "virtio-rng0", "pages": 2}])  # fmt: skip
        rows = [
            {"suite": "bookworm", "variant": "stock", "version": "6.1.9", "boots": list(boot.values())},
            {"suite": "bullseye", "variant": "stock", "why": "making vmlinux failed"},
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "kernels.md"
            path.write_text(f"before\n{releases.BEGIN}\nold\n{releases.END}\nafter\n")
            made = releases.document(path, rows)
            path.write_text("no place\n")
            with self.assertRaisesRegex(failure, "has no lines <!-- check --table: begin -->"):
                releases.document(path, rows)
        self.assertNotIn("old", made)
        self.assertTrue(made.startswith("before\n") and made.endswith("\nafter\n"))
        self.assertIn("| 6.1.9 | bookworm | stock | good, all four | **good**, 5 bytes copied | bad: 2 private pages "
                      "named to devices (virtio-rng0 2) |", made)  # fmt: skip
        self.assertIn("| ? | bullseye | stock | making vmlinux failed |", made)


# Stands for the scenario: what a run with so many requests of each kind counts.
COUNTING = """#!/usr/bin/env python3
import json, re, sys
option = dict(zip(sys.argv, sys.argv[1:]))
requests = int(re.search(r"pefsim.requests=(\\d+)", option["--append"])[1])
works = "svm=on" not in option["--append"] or option["--virtio.access_platform"] == "yes"
value = lambda first, each: {"value": first + each * 3 * requests}
total = lambda first, each: {"total": first + each * 3 * requests}
json.dump({
    "ended": {"kind": "finished" if works else "time_limit"},
    "results": {"said": ["### ECHO-OK 64" if "pefsim.echoes=64" in option["--append"] else "### DISK-OK 4096"] if works else []},
    "runs": [{"simulated_time_ns": 1e6 + 2500 * 3 * requests, "metrics": {
        "counters": {"machine.cpu0.instructions": value(5000, 700)},
        "tallies": {"machine.cpu0.hypercalls": total(9, 2), "machine.cpu0.ultracalls": total(4, 0),
                    "machine.virtio-blk0.block.operations": total(7, 1)}}}],
}, open(option["--report"], "w"))
with open(option.get("--profile", "trace"), "w") as file:
    if "--instruction-trace" in option:
        first, last = option["--instruction-trace.addresses"].split(":")
        assert first < last
        file.write(f"    40  {first[2:]}  7c0802a6  mflr r0\\n" * 3 + f"    41  {int(first, 16) + 4:016x}  4e800020  blr\\n")
        file.write(f"    42  {last[2:]}  4e800020  blr\\n" * 3 * requests)
        sys.exit()
    file.write("9 samples, one each 1 instructions\\n")
    for name, each in (("virtqueue_add_split", 100), ("vring_map_one_sg", 20), ("dma_map_page_attrs", 30),
                       ("swiotlb_tbl_map_single", 40), ("memcpy_power7", 50), ("virtio_queue_rq", 60)):
        file.write(f"  10.00% {1000 + each * 3 * requests:>10}  {name}\\n")
"""


class what_a_request_costs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kernel-check-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.executable("scenarios/counting", COUNTING)
        self.executable(costs.RENDER, '#!/bin/sh\nexec cat "$1"\n')

    def executable(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def cost(self, name, kernel="vmlinux", what=costs.load("disk", 4096, 1)):
        return costs.of_request(self.program, kernel, "initrd", cells.CELLS[name], what)

    def test_it_is_the_difference_of_two_runs(self):
        self.assertEqual(
            {"requests": 1, "instructions": 700, "us": 2.5, "hypercalls": 2, "ultracalls": 0,
             "indirect calls": 0, "virtio core": 120, "DMA API": 30, "SWIOTLB": 40, "copies": 50},
            self.cost("secure+force+platform"),
        )  # fmt: skip

    @unittest.skipUnless(shutil.which("powerpc64le-linux-gnu-gcc"), "SKIP: no compiler for a kernel")
    def test_calls_of_what_stands_behind_the_pointers_of_the_series(self):
        source = self.folder / "kernel.s"
        source.write_text("dma_map_page_attrs: nop; nop\nvirtio_direct_map_page: nop; nop\nvirtio_direct_free: blr\n")
        command = ["powerpc64le-linux-gnu-gcc", "-c", "-x", "assembler", source, "-o", self.folder / "kernel"]
        subprocess.run(command, check=True)
        self.assertEqual(1, self.cost("secure+force+platform", self.folder / "kernel")["indirect calls"])

    def test_a_datagram_is_one_request_and_a_disk_has_three_of_each(self):
        disk, echo = (self.cost("ordinary+plain", what=costs.load(*what)) for what in (("disk", 4096, 8), ("echo", 64, 8)))
        self.assertEqual((700, 2100), (disk["instructions"], echo["instructions"]))

    def test_a_guest_without_io_has_none(self):
        self.assertIsNone(self.cost("secure+force"))
        self.assertIsNone(self.cost("ordinary+platform", what=costs.load("echo", 1400, 1)))

    def test_the_twelve_cells_in_a_document_and_a_plot(self):
        rows = []
        for variant in ("stock", "series"):
            for name in ("secure+force", "ordinary+platform"):
                fault = ["does not end: x"] if (variant, name) == ("stock", "secure+force") else []
                cost = None if fault else self.cost("secure+force+platform")
                rows.append({"variant": variant, "name": name, "access_platform": "platform" in name, "faults": fault,
                             "refused_accesses": len(fault), "private_pages": 2 * len(fault), "bytes_copied": 7,
                             "costs": dict.fromkeys(twelve.LOADS, cost)})  # fmt: skip
        path = self.folder / "series.md"
        path.write_text(f"before\n\n{twelve.BEGIN}\n{twelve.END}\n\nafter\n")
        made = twelve.document(path, rows)
        self.assertIn("| stock | secure |  | **does not**: does not end | 1 | 2 | 7 |\n", made)
        self.assertIn("| series | secure |  | works | 0 | 0 | 7 |\n", made)
        self.assertIn("| series | ordinary | offered | 700 | 120 | 30 | 40 | 50 | 460 | 2.50 | 0.00 | 2.00 | 0.00 |\n", made)
        self.assertEqual(3 * len(twelve.LOADS), made.count("| 700 | 120 |"))
        path.write_text(made)
        self.assertEqual(made, twelve.document(path, rows), "a second time the same")
        if shutil.which("gnuplot"):
            twelve.plot(rows, self.folder / "plot.png")
            self.assertEqual(b"\x89PNG", (self.folder / "plot.png").read_bytes()[:4])
            self.assertTrue((self.folder / "plot.svg").read_text().rstrip().endswith("</svg>"))


def check(*arguments, cwd=None, **variables):
    return subprocess.run([LINUX / "check", *arguments], cwd=cwd, env={**os.environ, **variables}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)  # fmt: skip


class how_it_ends(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kernel-check-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_what_is_no_kernel_is_named(self):
        (self.folder / "notes").write_text("x")
        for name, why in (
            ("nothing", "is neither a folder nor a file"),
            (".", "is no source tree of a kernel"),
            ("notes", "is neither a kernel's tree, nor a source archive (.tar.xz), nor an ELF file vmlinux"),
        ):
            with self.subTest(name=name):
                done = check(self.folder / name)
                self.assertEqual((2, f"check: {self.folder / name} {why}\n"), (done.returncode, done.stderr))

    def test_options_that_are_wrong(self):
        for options in ((), ("x", "--judge", "serial"), ("x", "--table", "y"), ("x", "--jobs", "0")):
            self.assertEqual(2, check(*options).returncode, options)

    @unittest.skipUnless(shutil.which("powerpc64le-linux-gnu-gcc"), "SKIP: no compiler for a kernel")
    def test_a_tree_that_does_not_build_is_not_judged(self):
        toy_tree(self.folder, "allnoconfig:\n\t@touch $(O)/.config\nvmlinux:\n\t@echo 'x.c: error'; false\n")
        done = check(self.folder, PEFSIM_CACHE=str(self.folder / "cache"))
        self.assertEqual(125, done.returncode, done.stderr)
        self.assertIn("x.c: error", done.stderr)
        self.assertTrue(done.stderr.endswith("check: no judgement: making vmlinux failed: make ended with status 2\n"))


def toy_tree(folder, rules):
    """What check takes for a kernel's source; it builds what the rules make."""
    (folder / "arch/powerpc").mkdir(parents=True, exist_ok=True)
    (folder / "Makefile").write_text(f"VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION = -toy\n\n{rules}")


def without_sharing(vmlinux, system_map):
    """The bytes of a kernel whose set_memory_decrypted() does nothing: `li r3,0; blr` at its local entry."""
    (address,) = (int(line.split()[0], 16) for line in system_map.read_text().splitlines()
                  if line.endswith(" set_memory_decrypted"))  # fmt: skip
    image = bytearray(vmlinux.read_bytes())
    table, = struct.unpack_from("<Q", image, 32)
    size, number = struct.unpack_from("<HH", image, 54)
    for at in range(table, table + size * number, size):
        kind, _, offset, begin, _, length = struct.unpack_from("<IIQQQQ", image, at)
        if kind == 1 and begin <= address < begin + length:
            struct.pack_into("<II", image, offset + address - begin + 8, 0x38600000, 0x4E800020)
            return bytes(image)
    raise AssertionError("no segment has set_memory_decrypted")


class on_a_compiled_kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cache = pathlib.Path(os.environ.get("PEFSIM_CACHE") or pathlib.Path.home() / ".cache/pefsim")
        if not FULL and not list(cache.glob("kernels/*/manifest.json")):
            raise unittest.SkipTest("SKIP: no kernel has been compiled yet (scenarios/run linux_secure, PEFSIM_FULL=1)")
        made = subprocess.run([LINUX / "image", "built"], stdout=subprocess.PIPE, text=True, check=False)
        if made.returncode != 0:
            raise unittest.SkipTest("SKIP: Debian's source package or its tools cannot be had: no network?")
        cls.image = pathlib.Path(made.stdout.splitlines()[-1])

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kernel-check-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_kernel_is_judged_and_the_report_says_who(self):
        done = check(self.image / "vmlinux", "--judge", "secure,default-pool", "--only-judged", "--report",
                     self.folder / "report.json")  # fmt: skip
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertTrue(done.stdout.endswith("\nbad: secure+platform\n"), done.stdout)
        found = json.loads((self.folder / "report.json").read_text())
        self.assertFalse(found["good"])
        of = {each["name"]: each for each in found["boots"]}
        self.assertEqual([], of["secure+force+platform"]["faults"])
        shared = {name: each["pages"] for each in of["secure+force+platform"]["shared"] for name in each["by"]}
        self.assertEqual(64, shared["swiotlb_update_mem_attributes"])
        self.assertGreater(of["secure+force+platform"]["bytes_copied"], 4096)
        self.assertGreater(of["secure+platform"]["private_pages"], 0)

    def test_git_bisect_finds_the_commit_that_broke_it(self):
        tree = self.folder / "tree"
        tree.mkdir()
        (self.folder / "broken").write_bytes(without_sharing(self.image / "vmlinux", self.image / "System.map"))
        copy = "cp -f $$(cat $(CURDIR)/kernel) $(O)/vmlinux"
        rules = f"allnoconfig:\n\t@touch $(O)/.config\nvmlinux:\n\t@{copy}\n"
        toy_tree(tree, rules)
        (tree / "arch/powerpc/Kconfig").write_text("")

        def git(*arguments):
            command = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *arguments]
            done = subprocess.run(command, cwd=tree, text=True, capture_output=True, check=False)
            self.assertEqual(0, done.returncode, f"{arguments}\n{done.stdout}\n{done.stderr}")
            return done.stdout

        git("init", "--quiet")
        commits = []
        good, bad = self.image / "vmlinux", self.folder / "broken"
        for message, kernel in (("first", good), ("harmless", good), ("culprit", bad), ("after it", bad)):
            (tree / "kernel").write_text(f"{kernel}\n")
            (tree / "notes").write_text(message)
            git("add", "--all")
            git("commit", "--quiet", "--message", message)
            commits.append(git("rev-parse", "HEAD").strip())
        git("bisect", "start", commits[3], commits[0])
        said = git("bisect", "run", str(LINUX / "check"), ".", "--judge", "secure", "--only-judged")
        self.assertIn(f"{commits[2]} is the first bad commit", said)


if __name__ == "__main__":
    unittest.main()
