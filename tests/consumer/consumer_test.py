#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The installed package builds what is outside of this tree: the examples, as docs/tutorial.md shows them, and what pefsim-new makes.

Environment: PEFSIM_BUILD, PEFSIM_CXX, PEFSIM_VERSION.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ["PEFSIM_BUILD"])
TUTORIAL = (ROOT / "docs/tutorial.md").read_text()
EXAMPLES = sorted(each.stem for each in (ROOT / "examples").glob("*.cpp"))
KINDS = {each.removeprefix("my_").replace("_", "-"): each for each in EXAMPLES}

# Installed once, and moved: a package must not remember where it was installed.
WORK = tempfile.TemporaryDirectory()
PREFIX = pathlib.Path(WORK.name) / "pre fix"


def setUpModule():
    unittest.addModuleCleanup(WORK.cleanup)
    first = PREFIX.with_name("first")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", first], check=True, stdout=subprocess.DEVNULL)
    first.rename(PREFIX)


def run(*words, **others):
    others = {"env": {**os.environ, "CXX": os.environ["PEFSIM_CXX"]}, **others}
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **others)


def without_licence(text):
    return text.partition("SPDX-License-Identifier: Apache-2.0\n")[2]


class case(unittest.TestCase):
    def run_well(self, *words, **others):
        done = run(*words, **others)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout


class examples(case):
    """The tree that is installed, and the page that explains it."""

    @classmethod
    def setUpClass(cls):
        cls.tree = pathlib.Path(WORK.name) / "examples"
        shutil.copytree(PREFIX / "share/pefsim/examples", cls.tree)
        for words in (["-S", cls.tree, "-B", cls.tree / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                       f"-DCMAKE_PREFIX_PATH={PREFIX}"], ["--build", cls.tree / "build"]):  # fmt: skip
            case().run_well("cmake", *words)

    def ran(self, line, status=0):
        name, *options = line.split()
        done = run(self.tree / "build" / name, *options, cwd=self.tree)
        self.assertEqual(done.returncode, status, f"{line}\n{done.stdout[-4000:]}\n{done.stderr}")
        return done.stdout

    def report(self, file):
        """It, but for what it says of the waveform."""
        report = json.loads((self.tree / file).read_text())
        del report["files"]
        for each in report["runs"]:
            del each["trace"]
        return report

    def test_each_shows_what_it_exists_to_show_traced_or_not(self):
        self.assertEqual(EXAMPLES, ["my_block", "my_device", "my_dma_ops", "my_host"])
        for name in EXAMPLES:
            with self.subTest(name=name):
                self.assertIn(f"\n{name}: shown\n", self.ran(f"{name} --no-trace --report untraced.json"))
                self.ran(f"{name} --trace run.vcd --report traced.json")
                self.assertEqual(self.report("untraced.json"), self.report("traced.json"))

    def test_what_they_bring_along_is_in_the_waveform(self):
        for name, scope in (("my_dma_ops", "share_in_place"), ("my_host", "nosy_host"), ("my_device", "virtio-checksum0")):
            with self.subTest(name=name):
                self.assertRegex(self.ran(f"{name} --list-signals"), rf"(?m)^.*machine\.{scope}\b")

    def test_each_fails_when_what_it_rests_on_is_taken_away(self):
        for line, missing in (("my_block --dma_ops.platform none", "the guest read what it had written"),
                              ("my_dma_ops --whole-pages no", "no canary reached the host"),
                              ("my_host --secure no", "no canary reached the host"),
                              ("my_device --dma_ops.platform none", "the device met shared pages only")):  # fmt: skip
            with self.subTest(line=line):
                self.assertRegex(self.ran(f"{line} --no-trace", 1), rf"NOT SHOWN +{missing}")

    def test_the_tutorial_shows_their_code(self):
        shown = re.findall(r"^`(\w+)\.cpp`:\n\n```cpp\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
        self.assertEqual(sorted(name for name, _ in shown), EXAMPLES)
        for name, code in shown:
            self.assertEqual(code, without_licence((ROOT / f"examples/{name}.cpp").read_text()), name)

    def test_the_tutorial_tells_their_output(self):
        told = re.findall(r"`(my_\w+ [^`]*)`[^`]*?\n```text\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
        self.assertEqual(len(told), TUTORIAL.count("```text"))
        for line, output in told:
            with self.subTest(line=line):
                self.assertTrue(self.ran(line, int("NOT SHOWN" in output)).endswith("\n\n" + output))


class pefsim_new(case):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def new(self, *words, **others):
        return run(PREFIX / "bin/pefsim-new", *words, **{"cwd": self.directory, **others})

    def refuses(self, *words, line, **others):
        before = sorted(self.directory.rglob("*"))
        done = self.new(*words, **others)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, rf"\Apefsim-new: .*{line}.*\n\Z")
        self.assertEqual(before, sorted(self.directory.rglob("*")))

    def test_each_kind_builds_and_passes_its_test(self):
        for kind, example in KINDS.items():
            with self.subTest(kind=kind):
                name = f"ring-{kind}2"
                self.assertEqual(self.new(name, "--kind", kind).returncode, 0)
                tree = self.directory / name
                self.assertEqual(sorted(each.name for each in tree.iterdir()),
                                 sorted([".gitignore", "CMakeLists.txt", "CMakePresets.json", "README.md", f"{name}.cpp"]))  # fmt: skip
                text = "".join(each.read_text() for each in tree.iterdir())
                self.assertNotRegex(text.replace(f"example `{example}`", ""), r"my_|SPDX|\$env")
                self.run_well("cmake", "--preset", "release", cwd=tree)
                self.run_well("cmake", "--build", "--preset", "release", cwd=tree)
                self.assertIn("100% tests passed, 0 tests failed out of 1", self.run_well("ctest", "--preset", "release", cwd=tree))
                self.assertIn(f"{name}: shown", self.run_well(f"build/release/{name}", "--no-trace", "--brief", cwd=tree))

    def test_the_first_kind_is_the_tutorials(self):
        (self.directory / "in here").mkdir()
        self.assertEqual(self.new("--directory=in here", "my_block").returncode, 0)
        tree = self.directory / "in here/my_block"
        self.assertEqual((tree / "my_block.cpp").read_text(), without_licence((ROOT / "examples/my_block.cpp").read_text()))
        shown = re.search(r"`CMakeLists.txt`:\n\n((?: {4}.*\n|\n)+)", TUTORIAL).group(1)
        self.assertEqual((tree / "CMakeLists.txt").read_text(), re.sub(r"(?m)^ {4}", "", shown).rstrip("\n") + "\n")
        self.run_well("cmake", "--preset", "debug", cwd=tree)

    def test_a_name_that_cannot_be(self):
        for name in ("", "Ring", "2nd", "a b", "../x", "a--b", "a_", "-a", "ring.cpp"):
            self.refuses(name, line=re.escape(f"'{name}'"))
        for name in ("test", "install", "native"):
            self.refuses(name, line=re.escape(f"'{name}' means something else"))
        self.refuses(line="one NAME is needed, 0")
        self.refuses("one", "two", line="one NAME is needed, 2")

    def test_an_option_that_cannot_be(self):
        self.refuses("ring", "--kind", "disk", line="--kind: 'disk' is none of block, dma-ops, host, device")
        self.refuses("ring", "--kind", line="--kind: its value is missing")
        self.refuses("ring", "--king=block", line="'--king=block' is no option")

    def test_a_place_that_cannot_be(self):
        (self.directory / "file").touch()
        (self.directory / "there").mkdir()
        (self.directory / "nowhere").symlink_to("gone")
        for name in ("file", "there", "nowhere"):
            self.refuses(name, line=f"'{name}' is there already")
        self.refuses("ring", "--directory", "none", line="'none/ring' cannot be made: No such file or directory")
        self.refuses("ring", "--directory", "file", line="'file/ring' cannot be made: Not a directory")
        self.refuses("ring", "--directory", "/proc", line="'/proc/ring' cannot be made")

    def test_what_cannot_be_written_leaves_nothing_behind(self):
        done = self.new("ring", preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_FSIZE, (200, 200)))
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual([], list(self.directory.iterdir()))

    def test_it_says_who_it_is(self):
        self.assertEqual(self.new("--version").stdout, f"pefsim-new {os.environ['PEFSIM_VERSION']}\n")
        self.assertEqual(self.new("-h").stdout, self.new("--help").stdout)
        self.assertIn("\nusage: pefsim-new NAME", self.new("--help").stdout)


if __name__ == "__main__":
    unittest.main()
