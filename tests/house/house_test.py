# SPDX-License-Identifier: Apache-2.0
"""The floor plan holds: who includes whom, which folder is which library, which package is named where.

Environment: PEFSIM_LIBRARIES, "folder: library: library..." by semicolons: the libraries of the build, and which others each
one names. PEFSIM_BUILD, for the tests that take part: the build tree.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import include_graph

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def declared_libraries():
    """Folder -> the folders whose libraries its own names."""
    rows = [[word.strip() for word in line.split(":")] for line in os.environ["PEFSIM_LIBRARIES"].split(";")]
    folder_of = {library: folder for folder, library, _ in rows}
    return {folder: {folder_of[name] for name in names.split()} for folder, _, names in rows}


@contextlib.contextmanager
def planted_tree(files):
    """A tree with these files: name -> text."""
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        yield root


class trust_boundary(unittest.TestCase):
    def test_no_arrow_is_forbidden(self):
        found = list(include_graph.arrows(ROOT))
        self.assertGreater(len(found), 20, "hardly any include was read: is this the tree?")
        self.assertEqual([], include_graph.forbidden(found, include_graph.ALLOWED))

    def test_the_tree_has_no_cycle(self):
        self.assertIsNone(include_graph.cycle(include_graph.graph_of(include_graph.arrows(ROOT))))

    def test_the_table_has_no_cycle(self):
        self.assertIsNone(include_graph.cycle(include_graph.ALLOWED))

    def test_the_table_keeps_the_worlds_apart(self):
        worlds = [
            {"cpu/native", "dma_ops", "guest"},
            {"interrupt", "backend", "pci", "virtio", "hypervisor"},
            {"ultravisor"},
        ]
        for world in worlds:
            others = set().union(*(w for w in worlds if w is not world))
            for folder in world:
                with self.subTest(folder=folder):
                    self.assertEqual(set(), include_graph.reachable(include_graph.ALLOWED, folder) & others)


class power(unittest.TestCase):
    """The core has floors of its own, and no circle between them."""

    def test_no_arrow_is_forbidden(self):
        found = list(include_graph.arrows_in_power(ROOT))
        self.assertGreater(len(found), 40, "hardly any include was read: is this the tree?")
        self.assertEqual([], include_graph.forbidden(found, include_graph.ALLOWED_IN_POWER))

    def test_the_folders_have_no_cycle(self):
        self.assertIsNone(include_graph.cycle(include_graph.graph_of(include_graph.arrows_in_power(ROOT))))

    def test_the_table_has_no_cycle(self):
        self.assertIsNone(include_graph.cycle(include_graph.ALLOWED_IN_POWER))

    def test_every_folder_is_in_the_table(self):
        folders = {f"power/{p.name}" for p in (ROOT / "models" / "power").iterdir() if p.is_dir()}
        self.assertEqual(folders | {"power"}, set(include_graph.ALLOWED_IN_POWER))


class planted(unittest.TestCase):
    """The reader of includes finds what is planted in a small tree."""

    def arrows_of(self, files):
        with planted_tree(files) as root:
            return list(include_graph.arrows(root))

    def test_forbidden_includes_are_found_however_they_are_written(self):
        for line in ('#include "pci/bar.h"', "#include <pci/bar.h>", '#include "../pci/bar.h"', '  # include"pci/bar.h"'):
            with self.subTest(line=line):
                found = self.arrows_of({"models/guest/driver.cpp": "\n" + line, "models/pci/bar.h": ""})
                self.assertEqual(
                    [include_graph.arrow("guest", "pci", "models/guest/driver.cpp:2")], found, "the reader missed it"
                )
                self.assertEqual(1, len(include_graph.forbidden(found, include_graph.ALLOWED)))

    def test_ultravisor_and_models_below_platform(self):
        found = self.arrows_of(
            {
                "models/ultravisor/esm.h": '#include "hypervisor/calls.h"\n#include "guest/driver.h"\n',
                "models/memory/ram.h": '#include "platform/machine.h"\n',
                "models/hypervisor/calls.h": "",
                "models/guest/driver.h": "",
                "platform/machine.h": '#include "tests/support/simulation.h"\n#include "memory/ram.h"\n',
                "tests/support/simulation.h": "",
            }
        )
        self.assertEqual(5, len(found))
        messages = include_graph.forbidden(found, include_graph.ALLOWED)
        self.assertEqual(4, len(messages), messages)

    def test_what_is_no_arrow_is_not_taken_for_one(self):
        found = self.arrows_of(
            {
                "models/guest/driver.cpp": '// #include "pci/bar.h"\n#include "guest/driver.h"\n#include <memory>\n',
                "models/guest/driver.h": '#include "driver_detail.h"\n',
                "models/guest/driver_detail.h": "",
                "models/pci/bar.h": "",
                "models/memory/ram.h": "",
            }
        )
        self.assertEqual([], found)

    def test_an_arrow_that_leads_up_within_power_is_found(self):
        files = {
            "models/power/engine/core.cpp": '#include "power/instructions/add.h"',
            "models/power/instructions/add.h": '#include "power/engine/core.h"\n#include "power/registers.h"',
            "models/power/engine/core.h": '#include "output/file.h"',
            "models/power/registers.h": "",
            "models/output/file.h": "",
        }
        with planted_tree(files) as root:
            found = list(include_graph.arrows_in_power(root))
        self.assertEqual(3, len(found), found)
        messages = include_graph.forbidden(found, include_graph.ALLOWED_IN_POWER)
        self.assertEqual(1, len(messages))
        self.assertIn("power/engine/ may not include power/instructions/", messages[0])
        self.assertIsNotNone(include_graph.cycle(include_graph.graph_of(found)))

    def test_a_folder_that_the_table_does_not_know_may_include_nothing(self):
        found = self.arrows_of({"models/utils/x.h": '#include "abi/y.h"', "models/abi/y.h": ""})
        self.assertEqual(1, len(include_graph.forbidden(found, include_graph.ALLOWED)))

    def test_a_cycle_is_found(self):
        found = self.arrows_of(
            {
                "models/pci/a.h": '#include "virtio/b.h"',
                "models/virtio/b.h": '#include "backend/c.h"',
                "models/backend/c.h": '#include "pci/a.h"',
            }
        )
        self.assertEqual(["backend", "pci", "virtio", "backend"], include_graph.cycle(include_graph.graph_of(found)))


class libraries(unittest.TestCase):
    """One folder, one library; and the graph of libraries is the graph of includes."""

    def test_every_folder_is_a_library(self):
        folders = {p.name for p in (ROOT / "models").iterdir() if p.is_dir()} | {"platform"}
        self.assertEqual(folders, {each for each in declared_libraries() if "/" not in each})

    def test_every_library_is_in_the_table(self):
        self.assertEqual(set(include_graph.ALLOWED), set(declared_libraries()))

    def test_declared_dependencies_are_allowed(self):
        for folder, depends in declared_libraries().items():
            with self.subTest(folder=folder):
                self.assertEqual(set(), depends - include_graph.ALLOWED.get(folder, set()))

    def test_included_folders_are_declared(self):
        declared = declared_libraries()
        for folder, targets in include_graph.graph_of(include_graph.arrows(ROOT)).items():
            with self.subTest(folder=folder):
                self.assertEqual(set(), targets - include_graph.reachable(declared, folder))


class packages(unittest.TestCase):
    """README names exactly the Debian packages of CMake/dependencies.cmake, each in backticks in a table's row."""

    def test_readme_and_dependencies_agree(self):
        text = (ROOT / "CMake" / "dependencies.cmake").read_text()
        listed = set()
        for block in re.findall(r"^set\(PEFSIM_DEBIAN_\w*PACKAGES\n(.*?)^\)", text, re.M | re.S):
            listed |= {line.split()[0] for line in block.splitlines() if line.strip()}
        self.assertGreater(len(listed), 20)

        named = set()
        for section in re.split(r"^## ", (ROOT / "README.md").read_text(), flags=re.M):
            rows = [line for line in section.splitlines() if line.startswith("|")]
            if section.splitlines() and "package" in "".join(rows[:1]).lower():
                named |= {word for row in rows for word in re.findall(r"`([a-z0-9][a-z0-9.+-]*)`", row)}
        self.assertEqual(listed, named)


class tests_take_part(unittest.TestCase):
    """What is a test by its name is one of ctest's: a condition in CMake that is never true leaves nothing out."""

    def test_each_file_is_run(self):
        listed = json.loads(subprocess.run(
            ["ctest", "--test-dir", os.environ["PEFSIM_BUILD"], "--show-only=json-v1"], capture_output=True, check=True).stdout)
        commands = [(" ".join(test["command"]), next((each["value"] for each in test["properties"]
                                                      if each["name"] == "WORKING_DIRECTORY"), ""))
                    for test in listed["tests"] if "command" in test]
        self.assertGreater(len(commands), 1000)
        files = sorted(path for path in (ROOT / "tests").rglob("*_test.py"))
        self.assertGreater(len(files), 40)
        for file in files:
            with self.subTest(file=file.relative_to(ROOT)):
                as_module = re.compile(rf"unittest .*\b{file.stem}\b")
                self.assertTrue(any(str(file) in command or
                                    (pathlib.Path(directory) == file.parent and as_module.search(command))
                                    for command, directory in commands))


if __name__ == "__main__":
    unittest.main()
