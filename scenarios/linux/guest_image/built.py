# SPDX-License-Identifier: Apache-2.0
"""An image with a kernel compiled from Debian's source package: for what Debian's own kernel leaves out (PPC_SVM)."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from guest_image import cache, initramfs
from guest_image.progress import failure, run, say

CONFIGURATIONS = pathlib.Path(__file__).resolve().parent.parent / "config"
SOURCE = "linux-source-6.1"
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
}
SECONDS_BETWEEN_LINES = 10


def configuration_names():
    return sorted(path.stem for path in CONFIGURATIONS.glob("*.config") if path.stem != "base")


def resolve(archive):
    """The packages: the kernel's source and busybox; downloaded."""
    archive.update()
    packages = [archive.candidate(SOURCE), archive.candidate("busybox-static")]
    for package in packages:
        archive.fetch(package)
    return packages


def wanted_options(name, pages):
    """The text of the fragments for a configuration."""
    text = "".join((CONFIGURATIONS / f"{each}.config").read_text() for each in ("base", name))
    return text if pages == "64K" else text.replace("CONFIG_PPC_64K_PAGES=y", "CONFIG_PPC_4K_PAGES=y")


def options_of(text):
    """Option -> value of a configuration; what is not set is "n"."""
    found = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M))
    return {**found, **{name: "n" for name in re.findall(r"^# (CONFIG_\w+) is not set$", text, re.M)}}


def check(wanted, result):
    """Raises failure when an option that is wanted is not what results; it names each"""
    got = options_of(result)
    missed = [
        f"{name}={value} (is {got.get(name, 'n')})"
        for name, value in options_of(wanted).items()
        if got.get(name, "n") != value
    ]
    if missed:
        raise failure(f"the kernel's configuration does not come out as wanted: {', '.join(missed)}")


def kernel(folder, archive, source, name, pages, jobs):
    """The folder of the cache with vmlinux, System.map and config."""
    missing = [package for command, package in TOOLS.items() if not shutil.which(command)]
    if missing:
        raise failure(f"a kernel needs Debian's packages {' '.join(missing)}")
    wanted = wanted_options(name, pages)
    compiler = subprocess.run([f"{CROSS}gcc", "--version"], capture_output=True, text=True, check=True).stdout
    linker = subprocess.run([f"{CROSS}ld", "--version"], capture_output=True, text=True, check=True).stdout
    identity = {
        "kind": "kernel",
        "source": source.identity(),
        "options": options_of(wanted),
        "tools": [compiler.splitlines()[0], linker.splitlines()[0]],
        "script": cache.sha256_of(__file__),
    }
    return cache.made(folder, "kernels", identity, lambda place: _build(archive, source, wanted, jobs, place))


def make(kernel_folder, archive, busybox_package, init, place):
    """Fills the folder: vmlinux and System.map, config, initrd."""
    for name in ("vmlinux", "System.map", "config"):
        shutil.copyfile(kernel_folder / name, place / name)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.unpacked-") as folder:
        run(["dpkg-deb", "--extract", str(archive.fetch(busybox_package)), folder], "unpacking busybox-static")
        say(f"writing the initramfs: init {init}")
        (place / "initrd").write_bytes(initramfs.build((pathlib.Path(folder) / "bin/busybox").read_bytes(), init))


def _build(archive, source, wanted, jobs, place):
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.source-") as folder:
        tree = pathlib.Path(folder)
        say(f"unpacking {source.name} {source.version}")
        unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" | tar -xJ -C "$3" --strip-components=1'
        deb = archive.fetch(source)
        run(["bash", "-o", "pipefail", "-c", unpack, "-", str(deb), source.name, folder], f"unpacking {source.name}")
        fragment = tree / "wanted.config"
        fragment.write_text(wanted)
        _make(tree, ["allnoconfig"], KCONFIG_ALLCONFIG=str(fragment))
        check(wanted, (tree / ".config").read_text())
        _make(tree, [f"-j{jobs}", "vmlinux"])
        for name, result in (("vmlinux", "vmlinux"), ("System.map", "System.map"), (".config", "config")):
            shutil.copyfile(tree / name, place / result)


def _make(tree, targets, **variables):
    """Runs the kernel's make: a line now and then; all it said last when it fails."""
    compiler = f"{CROSS}gcc"
    command = [
        "make",
        "ARCH=powerpc",
        f"CROSS_COMPILE={CROSS}",
        f"CC={'ccache ' if shutil.which('ccache') else ''}{compiler}",
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
