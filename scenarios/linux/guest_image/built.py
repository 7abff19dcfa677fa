# SPDX-License-Identifier: Apache-2.0
"""An image with a kernel compiled from Debian's source package: for what Debian's own kernel leaves out (PPC_SVM)."""

import pathlib
import re
import shutil
import tempfile

from guest_image import cache, initramfs, kernel_tree, variants
from guest_image.files import sha256_of
from guest_image.progress import failure, run, say

BUSYBOX = "busybox-static"
# The same programs with every kernel, so that only the kernel makes a difference.
PROGRAMS_SUITE = "bookworm"
ADDED = kernel_tree.CONFIGURATIONS / "added"


def resolve_source(archive):
    """The package with the suite's newest kernel; downloaded."""
    archive.update()
    depends = archive.candidate("linux-source").depends
    named = re.search(r"linux-source-\d+\.\d+", depends)
    if not named:
        raise failure(f"linux-source of {archive.suite} names no kernel")
    source = archive.candidate(named[0])
    archive.fetch(source)
    return [source]


def resolve_busybox(archive):
    """Downloaded."""
    archive.update()
    busybox = archive.candidate(BUSYBOX)
    archive.fetch(busybox)
    return [busybox]


def added_names():
    """Fragments that any configuration may have besides."""
    return sorted(path.stem for path in ADDED.glob("*.config"))


def kernel(folder, archive, source, variant, configuration, pages, jobs):
    """The folder of the cache with vmlinux, System.map and config. A configuration is its name, and those of what is added."""
    name, *added = configuration
    wanted = kernel_tree.wanted_options(name, pages) + "".join((ADDED / f"{each}.config").read_text() for each in added)
    patches = variants.patches_of(variant)
    identity = {
        "kind": "kernel",
        "source": source.identity(),
        "variant": variant,
        "patches": {path.name: sha256_of(path) for path in patches},
        "options": kernel_tree.options_of(wanted),
        "tools": kernel_tree.tools(),
        "script": sha256_of(kernel_tree.__file__),
    }
    local_version = "" if variant == variants.STOCK else f"-{variant}"

    def build(place):
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.source-") as unpacked:
            tree = pathlib.Path(unpacked)
            _unpack(archive, source, tree)
            kernel_tree.apply(patches, tree)
            known = kernel_tree.configure(tree, wanted)
            kernel_tree.make(tree, [f"-j{jobs}", "vmlinux"], local_version=local_version)
            for made, result in (("vmlinux", "vmlinux"), ("System.map", "System.map"), (".config", "config")):
                shutil.copyfile(tree / made, place / result)
            return known

    return cache.made(folder, "kernels", identity, build)


def make(kernel_folder, archive, busybox_package, init, place):
    """Fills the folder: vmlinux and System.map, config, initrd. Returns what is known of the kernel."""
    for name in ("vmlinux", "System.map", "config"):
        shutil.copyfile(kernel_folder / name, place / name)
    (place / "initrd").write_bytes(initrd(archive, busybox_package, init, place.parent))
    return cache.known_of(kernel_folder)


def initrd(archive, busybox_package, init, scratch):
    """The bytes of an initramfs for a kernel that has all it needs built in."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".busybox-") as folder:
        run(["dpkg-deb", "--extract", str(archive.fetch(busybox_package)), folder], f"unpacking {BUSYBOX}")
        say(f"writing the initramfs: init {init}")
        return initramfs.build((pathlib.Path(folder) / "bin/busybox").read_bytes(), init)


def _unpack(archive, source, tree):
    say(f"unpacking {source.name} {source.version}")
    unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" | tar -xJ -C "$3" --strip-components=1'
    deb = archive.fetch(source)
    run(["bash", "-o", "pipefail", "-c", unpack, "-", str(deb), source.name, str(tree)], f"unpacking {source.name}")
