# SPDX-License-Identifier: Apache-2.0
"""Where points run. A file NAME.py here is `--engine NAME`.

It has a docstring, of which --help shows the first line, and run(work), which returns when every job of a chunks.work is
finished and raises complaints.trouble when it cannot go on, complaints.stopped when a signal says so.
"""

import importlib
import pathlib


def names():
    return sorted(each.stem for each in pathlib.Path(__file__).parent.glob("[a-z]*.py"))


def named(name):
    return importlib.import_module(f"study.engines.{name}")
