#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages of the manual: man reads each without a warning, and each tells what its program's --help does.

Environment: PEFSIM_BUILD.
"""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

BUILD = pathlib.Path(os.environ["PEFSIM_BUILD"])
PAGES = sorted((BUILD / "packaging/man").glob("*.1"))


def text_of(page):
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], env={**os.environ, "MANWIDTH": "1000"},
                          capture_output=True, text=True, check=True)  # fmt: skip
    return re.sub(".\b", "", done.stdout), done.stderr


class manual(unittest.TestCase):
    def test_man_has_no_warnings(self):
        self.assertGreater(len(PAGES), 15)
        for page in PAGES:
            with self.subTest(page=page.name):
                text, warnings = text_of(page)
                self.assertEqual(warnings, "")
                self.assertRegex(text, rf"(?m)^NAME\n +{re.escape(page.stem)} - \w")
                for heading in ("SYNOPSIS", "OPTIONS", "SEE ALSO"):
                    self.assertIn(f"\n{heading}\n", text)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_has_no_complaint(self):
        for page in PAGES:
            with self.subTest(page=page.name):
                done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
                self.assertEqual(done.stdout + done.stderr, "")

    def test_a_page_tells_what_help_tells(self):
        program = BUILD / "scenarios/swiotlb_block"
        text, _ = text_of(BUILD / "packaging/man/pefsim-swiotlb_block.1")
        told = " ".join(text.split())
        help_text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
        rows = re.findall(r"^  (--\S+)[^\n]* {2,}(\S[^\n]*(?:\n {34}[^\n]*)*)", help_text, re.MULTILINE)
        self.assertGreater(len(rows), 60)
        for name, description in rows:
            self.assertIn(name + " ", told)
            words = " ".join(description.split()).split(" (")[0]
            self.assertIn(words, told)


if __name__ == "__main__":
    unittest.main()
