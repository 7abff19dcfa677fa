#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kernel computes the same in the machine, under user_program and under qemu-ppc64le. Nothing is measured."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import core_runs

ROUNDS = 3  # of the files *.short


def printed(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def main():
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("kernels", "machine", "user-program", "qemu"):
        options.add_argument(f"--{name}", type=pathlib.Path, required=True)
    given = options.parse_args()
    wrong = []
    names = [name for name, _ in core_runs.kernels(given.kernels)]
    for name in names:
        expected = printed(given.qemu, "-cpu", "power9", given.kernels / name, ROUNDS)
        bare = given.kernels / f"{name}.short"
        machine = json.loads(printed(given.machine, bare))
        with tempfile.NamedTemporaryFile() as trace:
            traced = json.loads(printed(given.machine, bare, trace.name))
        results = {
            "user_program": printed(given.user_program, given.kernels / name, ROUNDS),
            "machine": machine["output"],
            "machine with a trace": traced["output"],
        }
        wrong += [f"{name}, {where}: {found.strip()}, qemu-ppc64le: {expected.strip()}"
                  for where, found in results.items() if found != expected]
        if traced["recorded"] < traced["instructions"] or machine["instructions"] != traced["instructions"]:
            wrong.append(f"{name}: {traced['recorded']} records of {machine['instructions']} instructions")
    print(f"{len(names)} kernels", *wrong, sep="\n")
    return 1 if wrong or len(names) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
