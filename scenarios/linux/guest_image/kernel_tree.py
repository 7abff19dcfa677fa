# SPDX-License-Identifier: Apache-2.0
"""A kernel's source tree: patched, configured from the fragments of ../config, compiled for a pseries guest.

What stands here decides what a kernel is, so kernels are kept by the hash of this file too.
"""

import os
import pathlib
import re
import shutil
import subprocess
import time

from guest_image.progress import failure, run, say

CONFIGURATIONS = pathlib.Path(__file__).resolve().parent.parent / "config"
CROSS = "powerpc64le-linux-gnu-"
# Command -> Debian's package.
TOOLS = {
    f"{CROSS}gcc": "gcc-powerpc64le-linux-gnu",
    "gcc": "gcc",
    "make": "make",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
    "xz": "xz-utils",
    "patch": "patch",
}
SECONDS_BETWEEN_LINES = 10
DEFINED = re.compile(r"^\s*(?:menu)?config\s+(\w+)", re.M)


def configuration_names():
    return sorted(path.stem for path in CONFIGURATIONS.glob("*.config") if path.stem != "base")


def wanted_options(name, pages):
    """The text of the fragments for a configuration."""
    text = "".join((CONFIGURATIONS / f"{each}.config").read_text() for each in ("base", name))
    return text if pages == "64K" else text.replace("CONFIG_PPC_64K_PAGES=y", "CONFIG_PPC_4K_PAGES=y")


def options_of(text):
    """Option -> value of a configuration; what is not set is "n"."""
    found = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M))
    return {**found, **{name: "n" for name in re.findall(r"^# (CONFIG_\w+) is not set$", text, re.M)}}


def defined_options(tree):
    """Every option that this version has for powerpc."""
    found = set()
    for folder, below, files in os.walk(tree):
        if pathlib.Path(folder) == tree / "arch":
            below[:] = [each for each in below if each == "powerpc"]
        for file in files:
            if file.startswith("Kconfig"):
                found.update(DEFINED.findall((pathlib.Path(folder) / file).read_text(errors="replace")))
    return {f"CONFIG_{name}" for name in found}


def check(wanted, result, defined):
    """The options that are wanted and that this version does not have.

    Raises failure when an option that it has is not what is wanted; it names each
    """
    got = options_of(result)
    missed = {name: value for name, value in options_of(wanted).items() if got.get(name, "n") != value}
    wrong = [f"{name}={value} (is {got.get(name, 'n')})" for name, value in missed.items() if name in defined]
    if wrong:
        raise failure(f"the kernel's configuration does not come out as wanted: {', '.join(wrong)}")
    return sorted(missed)


def need_tools():
    missing = [package for command, package in TOOLS.items() if not shutil.which(command)]
    if missing:
        raise failure(f"a kernel needs Debian's packages {' '.join(missing)}")


def tools():
    """Compiler and linker, by the first line of what they say of themselves."""
    need_tools()
    said = []
    for tool in ("gcc", "ld"):
        done = subprocess.run([CROSS + tool, "--version"], capture_output=True, text=True, check=True)
        said.append(done.stdout.splitlines()[0])
    return said


def apply(patches, tree):
    """Raises failure for a patch that does not fit exactly, or that is there already; it names the patch"""
    for path in patches:
        say(f"applying {path.name}")
        run(
            ["patch", "--directory", str(tree), "-p1", "--fuzz=0", "--forward", "--silent", "--input", str(path)],
            f"applying {path.name}",
        )


def configure(tree, wanted, build=None):
    """Writes .config. Returns what is known of the kernel: its version, and options that this version does not have."""
    place = build or tree
    fragment = place / "wanted.config"
    fragment.write_text(wanted)
    make(tree, ["allnoconfig"], build, KCONFIG_ALLCONFIG=str(fragment))
    not_there = check(wanted, (place / ".config").read_text(), defined_options(tree))
    for name in not_there:
        say(f"this version has no option {name}")
    return {"version": version_of(tree), "options not in this version": not_there}


def version_of(tree):
    """As the top of its Makefile has it."""
    text = (tree / "Makefile").read_text(errors="replace")
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) =[ \t]*(.*)$", text, re.M))
    if "VERSION" not in found:
        raise failure(f"{tree} has no Makefile of a kernel")
    numbers = ".".join(found.get(name, "") for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    return numbers + found.get("EXTRAVERSION", "")


def make(tree, targets, build=None, local_version="", **variables):
    """Runs the kernel's make, in the tree itself or for a build folder: a line now and then; what it said last when it
    fails.
    """
    compiler = f"{CROSS}gcc"
    command = [
        "make",
        "--no-print-directory",
        "ARCH=powerpc",
        f"CROSS_COMPILE={CROSS}",
        f"CC={'ccache ' if shutil.which('ccache') else ''}{compiler}",
        f"LOCALVERSION={local_version}",
        *([f"O={build}"] if build else []),
        *targets,
    ]
    # The same kernel, whoever builds it and when.
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "KBUILD_BUILD_TIMESTAMP": "1970-01-01",
        "KBUILD_BUILD_USER": "pefsim",
        "KBUILD_BUILD_HOST": "pefsim",
        "KBUILD_BUILD_VERSION": "1",
        **variables,
    }
    said, files, due = [], 0, 0.0
    with subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            said = [*said[-30:], line.rstrip()]
            files += line.startswith(("  CC ", "  AS "))
            if time.monotonic() >= due:
                due = time.monotonic() + SECONDS_BETWEEN_LINES
                say(f"making {targets[-1]}: {files} files compiled, {line.strip()}")
    if process.returncode != 0:
        for line in said:
            say(line)
        raise failure(f"making {targets[-1]} failed: make ended with status {process.returncode}")
