# SPDX-License-Identifier: Apache-2.0
"""Linux's own tests of the architecture (tools/testing/selftests/powerpc), as static programs."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from guest_image.files import sha256_of
from guest_image.kernel_tree import CROSS, need_tools
from guest_image.progress import failure, run, say

# Not benchmarks, and not what is about devices or performance counters that this machine has not: benchmarks, eeh, mce,
# nx-gzip, papr_attributes, pmu.
FOLDERS = (
    "alignment cache_shape copyloops dscr math mm primitives ptrace security signal stringloops switch_endian syscalls tm vphn"
).split()
SELFTESTS = "tools/testing/selftests"
# Of the source: the tests, what they share, and the kernel's own functions that some of them try.
NEEDED = (SELFTESTS, "arch/powerpc", "scripts", "tools/include", "tools/scripts", "tools/build", "Makefile")


def identity(source):
    return {"source": source.identity(), "script": sha256_of(__file__)}


def make(archive, source, place):
    """Fills the folder: FOLDER/PROGRAM, all that compile. What does not compile is named.

    Raises failure when hardly any does
    """
    need_tools()
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.source-") as folder:
        tree = pathlib.Path(folder)
        _unpack(archive.fetch(source), source.name, tree)
        made = sum(_make_folder(tree / SELFTESTS / "powerpc", name, place) for name in FOLDERS)
    if made < len(FOLDERS):
        raise failure(f"of {source.name}'s selftests only {made} compile")


def _unpack(deb, name, tree):
    say(f"unpacking the selftests of {name}")
    unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" | tar -xJ -C "$3" --strip-components=1 "${@:4}"'
    members = [f"{name}/{each}" for each in NEEDED]
    run(["bash", "-o", "pipefail", "-c", unpack, "-", str(deb), name, str(tree), *members], f"unpacking {name}")


def _make_folder(tests, name, place):
    say(f"making selftests {name}")
    compiler = f"{'ccache ' if shutil.which('ccache') else ''}{CROSS}gcc"
    command = ["make", "-k", "ARCH=powerpc", f"CROSS_COMPILE={CROSS}", f"CC={compiler}", "LDFLAGS=-static", f"SUB_DIRS={name}",
               name]  # fmt: skip
    done = subprocess.run(command, cwd=tests, env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("make") and "Error" in line:
            say(line)
    (place / name).mkdir()
    programs = [path for path in sorted((tests / name).rglob("*")) if _is_program(path)]
    for path in programs:
        shutil.copy(path, place / name / path.name)
    return len(programs)


def _is_program(path):
    if not path.is_file() or path.is_symlink() or path.suffix in (".o", ".so", ".a"):
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
