# SPDX-License-Identifier: Apache-2.0
"""Debian's kernels, release after release, in one table of docs/kernels.md."""

import json
import pathlib
import subprocess
import sys

from guest_image.progress import say
from kernel_check import cells, places

# Suite, variant, what is added to its configuration. Oldest first; those that do not work once more, mended.
KERNELS = (
    ("bullseye", "stock"),
    ("bullseye", "stock", "processors"),
    ("bookworm", "stock"),
    ("bookworm", "series"),
    ("bookworm", "svm-swiotlb"),
    ("bookworm-backports", "stock"),
    ("sid", "stock"),
    ("sid", "svm-swiotlb"),
    ("sid", "svm-swiotlb+bounce-sync"),
)
BEGIN, END = places.lines_of("check --table")
# The boots that a reader compares, and what they are called.
SHOWN = (
    ("secure+force+platform", "`svm=on swiotlb=2048,force`"),
    ("secure+platform", "`svm=on` alone"),
    ("secure+force", "no ACCESS_PLATFORM, forced"),
    ("secure+plain", "no ACCESS_PLATFORM"),
)


def judged(image, jobs, judge):
    """For each kernel its version and boots, or why there are none. judge(vmlinux) boots it."""
    rows = []
    for suite, variant, *added in KERNELS:
        named = ", ".join([variant, *added])
        say(f"the kernel of {suite}, {named}")
        options = [word for each in added for word in ("--add", each)]
        command = [image, "built", "--suite", suite, "--variant", variant, *options, "--jobs", str(jobs)]
        made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        sys.stderr.write(made.stderr)
        row = {"suite": suite, "variant": named}
        if made.returncode == 0:
            place = pathlib.Path(made.stdout.splitlines()[-1])
            manifest = json.loads((place / "manifest.json").read_text())
            row |= {"package": manifest["packages"][0]["version"], **manifest["known"]}
            row["boots"] = judge(place / "vmlinux")
        else:
            row["why"] = (made.stderr.splitlines() or ["image failed"])[-1].removeprefix("image: ")
        rows.append(row)
    return rows


def document(path, rows):
    """The text of a document, with the table in its place."""
    return places.filled(path, BEGIN, END, table(rows))


def table(rows):
    head = ["Linux", "of", "variant", "ordinary guest", *(title for _, title in SHOWN)]
    lines = []
    for row in rows:
        line = [row.get("version", "?"), row["suite"], row["variant"]]
        if "boots" in row:
            of = {each["name"]: each for each in row["boots"]}
            line += [_ordinary(of), *(_secure(of[name]) for name, _ in SHOWN)]
        else:
            line += [row["why"]] + [""] * len(SHOWN)
        lines.append(line)
    return places.table(head, lines)


def _ordinary(of):
    bad = [name for name in cells.GROUPS["ordinary"] if of[name]["faults"]]
    return f"bad: {', '.join(bad)}" if bad else "good, all four"


def _secure(boot):
    if not boot["faults"]:
        return f"**good**, {boot['bytes_copied']} bytes copied"
    named = ", ".join(f"{each['device']} {each['pages']}" for each in boot["private"])
    return f"bad: {'; '.join(boot['faults'])}{f' ({named})' if named else ''}"
