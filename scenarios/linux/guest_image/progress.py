# SPDX-License-Identifier: Apache-2.0
"""What the maker of images says while it works, and how it fails."""

import subprocess
import sys


class failure(Exception):
    """The image cannot be made; the text is one line that names the thing."""


def say(text):
    print(f"image: {text}", file=sys.stderr, flush=True)


def run(command, what, **options):
    """Runs a command; its output goes to standard error. Returns its standard output when stdout=PIPE is given.

    Raises failure "WHAT failed", with the status
    """
    options.setdefault("stdout", sys.stderr)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False, **options)
    except FileNotFoundError:
        raise failure(f"{what}: there is no command {command[0]}; CMake/dependencies.cmake names the packages") from None
    if done.returncode != 0:
        raise failure(f"{what} failed: {command[0]} ended with status {done.returncode}")
    return done.stdout
