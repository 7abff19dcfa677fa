#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The studies of scenarios/studies are studies, and what docs/studies.md shows of them is theirs.

With PEFSIM_FULL they are run and drawn.
"""

import os
import re
import unittest

from studies import BINARIES, FULL, ROOT, StudyTest
from study import study_file

EXAMPLES = sorted((ROOT / "scenarios/studies").glob("*.toml"))
NATIVE = [each for each in EXAMPLES if "linux" not in each.stem]
DOCUMENT = ROOT / "docs/studies.md"


class Examples(StudyTest):
    def test_the_document_shows_each_picture_with_its_sentence(self):
        self.assertEqual(3, len(EXAMPLES))
        text = " ".join(DOCUMENT.read_text().split())
        for file in EXAMPLES:
            for picture in study_file.read(file).pictures:
                with self.subTest(picture=picture.name):
                    self.assertTrue((DOCUMENT.parent / f"studies/{picture.name}.png").is_file())
                    self.assertIn(f"](studies/{picture.name}.png)", text)
                    self.assertTrue(picture.proves)
                    self.assertIn(picture.proves, text)
        shown = re.findall(r"\]\(studies/(\w+)\.png\)", text)
        self.assertEqual(sorted(shown), sorted(each.stem for each in (DOCUMENT.parent / "studies").glob("*.png")))

    def test_their_first_points_run(self):
        self.environment["PEFSIM_SCENARIOS"] = str(BINARIES)
        for file in EXAMPLES if FULL else NATIVE:
            with self.subTest(study=file.stem):
                self.assertIn("as measured", self.finished(file, "--dry-run"))

    @unittest.skipUnless(FULL, "with PEFSIM_FULL")
    def test_all_of_them(self):
        self.environment["PEFSIM_SCENARIOS"] = os.fspath(BINARIES)
        for file in EXAMPLES:
            with self.subTest(study=file.stem):
                self.assertIn(", 0 failed", self.finished(file))
                self.finished("plot", file)


if __name__ == "__main__":
    unittest.main()
