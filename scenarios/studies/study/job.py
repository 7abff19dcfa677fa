# SPDX-License-Identifier: Apache-2.0
"""What it takes to run a point, without the study: jobs travel to other processes and machines as a plan."""

import json
import os
from typing import NamedTuple


class job(NamedTuple):
    key: str
    options: tuple
    least_try: int  # how often it has been run and is to run again
    inputs: tuple  # stamps of the files that a run reads
    program: str
    paths: tuple  # of the figures to keep
    time_limit: float  # seconds


def stamp_of(name):
    """By which a file is known not to have changed: its name, size and time."""
    try:
        found = os.stat(name)
    except OSError:
        return (name, None, None)
    return (name, found.st_size, found.st_mtime_ns)


def write(file, jobs):
    """One line for what they have in common, then one for each."""
    first = jobs[0]
    with open(file, "w", encoding="utf-8") as out:
        common = {"program": first.program, "paths": first.paths, "time_limit": first.time_limit}
        out.write(json.dumps(common) + "\n")
        for each in jobs:
            out.write(json.dumps([each.key, each.options, each.least_try, each.inputs]) + "\n")


def read(file, chunk, of):
    """Every of-th, the chunk-th to begin with: what lies side by side may be equally slow."""
    with open(file, encoding="utf-8") as lines:
        common = json.loads(next(lines))
        rows = [json.loads(line) for number, line in enumerate(lines) if number % of == chunk]
    return [job(key, tuple(options), least, tuple(map(tuple, inputs)), common["program"], tuple(common["paths"]),
                common["time_limit"]) for key, options, least, inputs in rows]  # fmt: skip
