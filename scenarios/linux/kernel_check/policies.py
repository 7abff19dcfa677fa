# SPDX-License-Identifier: Apache-2.0
"""What the scenario dma_policies finds, in the tables of docs/series.md, beside the cells of real kernels.

The cells of real kernels are those that docs/linux_series.md publishes. Where a native guest's answer is another one
the difference must stand in EXPLAINED, or there is no document.
"""

import json
import pathlib
import subprocess
import tempfile
from typing import NamedTuple

from guest_image.progress import failure
from kernel_check import boots, places

SCENARIO = "dma_policies"
BEGIN, END = places.lines_of("policies")
# Kernel of docs/linux_series.md -> the policy of a native guest that is to give its answers; whether it has the hook.
KERNELS = {"stock": ("merged", False), "series-1-3": ("series_1_3", False), "series": ("series", True)}
# Ways of calling an operation behind a pointer, in order of the table.
CALLS = ("direct", "predicted", "static_call", "retpoline")
SIZES = (512, 4096, 65536)


class published(NamedTuple):
    """One row of docs/linux_series.md."""

    kernel: str
    guest: str
    offered: bool
    works: bool
    refused: int
    private: int
    copied: int


class difference(NamedTuple):
    """What a native guest answers otherwise, in which cells, and why."""

    kernel: str
    guest: str
    offered: bool
    fact: str
    why: str


# None is known. A row of it without a difference fails as well as a difference without a row.
EXPLAINED = ()
# What a table compares: each as yes or no, since numbers of pages and bytes are those of another workload.
FACTS = {
    "works": (lambda real: real.works, lambda cell: cell["works"]),
    "accesses are refused": (lambda real: real.refused > 0, lambda cell: cell["refused_accesses"] > 0),
    "private pages are named": (lambda real: real.private > 0, lambda cell: cell["private_addresses"] > 0),
    "data is copied": (lambda real: real.copied > 0, lambda cell: cell["bytes_copied"] > 0),
}


def published_cells(document):
    """The rows of the first table of docs/linux_series.md.

    Raises failure when it has none
    """
    text = document.read_text().partition("<!-- series: begin -->")[2]
    rows = []
    for line in text.splitlines():
        columns = [each.strip() for each in line.strip("| ").split("|")] if line.startswith("|") else []
        if len(columns) < 6 or columns[0] not in KERNELS:
            if rows:
                break
            continue
        kernel, guest, offered, said, refused, private = columns[:6]
        copied = columns[6] if len(columns) > 6 else ""
        rows.append(published(kernel, guest, offered == "offered", said == "works", int(refused), int(private),
                              int(copied or 0)))  # fmt: skip
    if not rows:
        raise failure(f"{document} has no cells of kernels")
    return rows


def cells_of(*options):
    """The report of a run of the scenario, as its cells; each with the cycle that its costs are made of, too.

    Raises failure when it does not show what it is to show
    """
    program = boots.binary(SCENARIO)
    with tempfile.TemporaryDirectory(prefix="pefsim-policies-") as place:
        report = pathlib.Path(place) / "report.json"
        command = [program, "--no-trace", "--quiet", "--report", report, *map(str, options)]
        done = subprocess.run(command, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise failure(f"{SCENARIO} ended with status {done.returncode}: {done.stderr[-300:].strip()}")
        found = json.loads(report.read_text())
    cycle = float(found["parameters"]["timing.cpu_cycle"])
    return [{**cell, "cycle_ns": cycle} for cell in found["results"]["cells"]]


def find(cells, policy, guest, offered, hook, accepted=True):
    (found,) = (each for each in cells if (each["policy"], each["guest"], each["offered"], each["hook"]) ==
                (policy, guest, offered, hook) and each["accepted"] == (offered and accepted))  # fmt: skip
    return found


def compared(real, cells):
    """For each published cell the native one, and the facts in which they differ."""
    rows = []
    for each in real:
        policy, hook = KERNELS[each.kernel]
        native = find(cells, policy, each.guest, each.offered, hook)
        rows.append((each, native, [fact for fact, (of_real, of_native) in FACTS.items()
                                    if of_real(each) != of_native(native)]))  # fmt: skip
    return rows


def unexplained(rows, explained=EXPLAINED):
    """Differences that are in no table, and explanations of none: one clause each."""
    found = {(real.kernel, real.guest, real.offered, fact) for real, _, facts in rows for fact in facts}
    known = {(each.kernel, each.guest, each.offered, each.fact) for each in explained}
    return [f"{_name(*cell[:3])}: {cell[3]} differs, unexplained" for cell in sorted(found - known)] + [
        f"{_name(*cell[:3])}: {cell[3]} is explained and does not differ" for cell in sorted(known - found)
    ]


def document(path, real, by_calls):
    """The text of docs/series.md with its tables in their place; by_calls: the cells of the scenario by way of calling.

    Raises failure when a difference is not explained
    """
    cells = by_calls["direct"]
    rows = compared(real, cells)
    if unexplained(rows):
        raise failure("; ".join(unexplained(rows)))
    text = (
        "What each policy does, in each cell:\n\n" + decisions(cells)
        + "\nThe same cells of real kernels, from [linux_series.md](linux_series.md), and of a native guest:\n\n"
        + beside(rows)
        + "".join(f"\nOne request of {size} bytes, one at a time, half of them reads, in us:\n\n" + costs(cells, size)
                  for size in SIZES[1:])
        + "\nWhat patch 3 adds to a request of an ordinary guest without ACCESS_PLATFORM (`series_1_3` against\n"
        + "`before_series`), by the way in which an operation is called:\n\n" + indirection(by_calls)
    )  # fmt: skip
    return places.filled(path, BEGIN, END, text)


def decisions(cells):
    kinds = [(guest, offered, accepted) for guest in ("ordinary", "secure")
             for offered, accepted in ((False, True), (True, False), (True, True))]  # fmt: skip
    head = ["policy", "hook", *(f"{guest}, {_platform(offered, accepted)}" for guest, offered, accepted in kinds)]
    lines = []
    for policy in dict.fromkeys(each["policy"] for each in cells):
        with_hook = [[find(cells, policy, guest, offered, hook, accepted) for guest, offered, accepted in kinds]
                     for hook in (False, True)]  # fmt: skip
        said = [[_decision(each) for each in line] for line in with_hook]
        if said[0] == said[1]:
            lines.append([f"`{policy}`", "with and without", *said[0]])
        else:
            lines += [[f"`{policy}`", word, *line] for word, line in zip(("without", "with"), said)]
    return places.table(head, lines)


def beside(rows):
    head = ["kernel", "native policy", "guest", "ACCESS_PLATFORM", "I/O of the kernel", "of the native guest",
            "private pages named", "native", "bytes copied", "native"]  # fmt: skip
    lines = []
    for real, native, facts in rows:
        policy, hook = KERNELS[real.kernel]
        lines.append([
            real.kernel, f"`{policy}`{', hook' if hook else ''}", real.guest, "offered" if real.offered else "",
            "works" if real.works else "**does not**",
            ("works" if native["works"] else "**does not**") + (" (explained)" if facts else ""),
            real.private, native["private_addresses"], real.copied, native["bytes_copied"],
        ])  # fmt: skip
    return places.table(head, lines)


PARTS = ("driver", "dma_api", "indirect_calls", "copies", "locks", "hypercalls", "ultracalls", "interrupts", "iotlb",
         "device")  # fmt: skip


def costs(cells, size):
    """Of one request, by part; policies that cost the same stand in one row."""
    head = ["guest", "ACCESS_PLATFORM", "policy", "request", *(part.replace("_", " ") for part in PARTS), "DMA calls",
            "look-ups"]  # fmt: skip
    rows = {}
    for cell in cells:
        # A bit that is declined is one that is not there.
        for request in cell["requests"] if cell["offered"] == cell["accepted"] else ():
            if request["size"] == size:
                key = (cell["guest"], "accepted" if cell["accepted"] else "", f"{request['us']:.2f}",
                       *(f"{request['parts_us'][part]:.3f}" for part in PARTS),
                       f"{request['dma_calls']:.0f}", f"{request['tce_lookups']:.1f}")  # fmt: skip
                hooks = rows.setdefault(key, {}).setdefault(cell["policy"], set())
                hooks.add(cell["hook"])
    # With and without a hook: without a word for it.
    words = {frozenset({False}): " without hook", frozenset({True}): " with hook", frozenset({False, True}): ""}
    lines = [[*key[:2], ", ".join(f"`{name}`{words[frozenset(hooks)]}" for name, hooks in of.items()), *key[2:]]
             for key, of in rows.items()]  # fmt: skip
    return places.table(head, sorted(lines, key=lambda line: line[:2]))


def indirection(by_calls):
    head = ["size", "call", "DMA calls", "cycles", "us", "of the CPU's work", "of the request"]
    lines = []
    for size in SIZES:
        for calls in CALLS:
            (before, cycle), (after, _) = (patch_3(by_calls[calls], policy, size) for policy in ("before_series", "series_1_3"))
            us = after["cpu_us"] - before["cpu_us"]
            lines.append([size, calls.replace("_", " "), f"{after['dma_calls']:.0f}", f"{us * 1e3 / cycle:.0f}",
                          f"{us:.3f}", f"{us / before['cpu_us']:.1%}", f"{us / before['us']:.1%}"])  # fmt: skip
    return places.table(head, lines)


def patch_3(cells, policy, size):
    """The requests of this size of an ordinary guest whose host offers no ACCESS_PLATFORM; what a cycle is to it."""
    cell = find(cells, policy, "ordinary", False, False)
    (request,) = (each for each in cell["requests"] if each["size"] == size)
    return request, cell["cycle_ns"]


def _decision(cell):
    if not cell["works"]:
        return "**no**: private pages are named" if cell["private_addresses"] else f"**no**: {cell['reason']}"
    return f"{cell['chosen']}, {cell['calls']} call" if cell["calls"] != "none" else cell["chosen"]


def _platform(offered, accepted):
    return "not offered" if not offered else "accepted" if accepted else "declined"


def _name(kernel, guest, offered):
    return f"{kernel}, {guest}, {'offered' if offered else 'not offered'}"
