# SPDX-License-Identifier: Apache-2.0
"""What is to be judged: a built kernel, or a source that is built first."""

import os
import pathlib
import re
import tempfile

from guest_image import built, cache, initramfs, kernel_tree
from guest_image.archive import archive, package
from guest_image.files import locked, sha256_of
from guest_image.progress import failure, run, say

BANNER = re.compile(rb"Linux version (\d[^ \0]*) \(")
CONFIGURATION, PAGES = "lean", "64K"


class wrong_input(failure):
    """What the user named is none of the three."""


def kernel_of(place, jobs):
    """The vmlinux of a tree, of a source archive, or the file itself; and its version.

    Raises wrong_input; failure when it cannot be built
    """
    if place.is_dir():
        return _built_in(place.resolve(), jobs)
    if not place.is_file():
        raise wrong_input(f"{place} is neither a folder nor a file")
    with open(place, "rb") as file:
        beginning = file.read(6)
    if beginning[:4] == b"\x7fELF":
        return place.resolve(), _version_in(place)
    if place.name.endswith((".tar", ".tar.xz", ".tar.gz", ".tar.bz2", ".tar.zst")):
        return _built_from(place.resolve(), jobs)
    raise wrong_input(f"{place} is neither a kernel's tree, nor a source archive (.tar.xz), nor an ELF file vmlinux")


def initrd(init):
    """An initramfs for every kernel with this init: busybox of one suite, kept in the cache."""
    folder = cache.default_folder()
    programs = archive(folder, built.PROGRAMS_SUITE)
    rows = cache.remembered(
        folder,
        f"{built.PROGRAMS_SUITE}-check",
        lambda: [each._asdict() for each in built.resolve_busybox(programs)],
        update=False,
    )
    busybox = package(**rows[0])
    identity = {
        "kind": "initrd",
        "init": init,
        "busybox": busybox.identity(),
        "scripts": cache.texts_of(pathlib.Path(built.__file__).parent),
        "init texts": cache.texts_of(initramfs.INITS),
    }
    place = cache.made(
        folder,
        "images",
        identity,
        lambda place: (place / "initrd").write_bytes(built.initrd(programs, busybox, init, place.parent)) and None,
    )
    return place / "initrd"


def _built_in(tree, jobs):
    """In a build folder of the cache, one for each tree: what has not changed is not compiled again."""
    if not (tree / "Makefile").is_file() or not (tree / "arch/powerpc").is_dir():
        raise wrong_input(f"{tree} is no source tree of a kernel")
    kernel_tree.need_tools()
    folder = cache.default_folder()
    wanted = kernel_tree.wanted_options(CONFIGURATION, PAGES)
    build = folder / "builds" / cache.key_of({"tree": os.fspath(tree), "options": kernel_tree.options_of(wanted)})
    build.mkdir(parents=True, exist_ok=True)
    say(f"building {tree} in {build}")
    with locked(folder, f"builds-{build.name}"):
        known = kernel_tree.configure(tree, wanted, build)
        kernel_tree.make(tree, [f"-j{jobs}", "vmlinux"], build)
    return build / "vmlinux", known["version"]


def _built_from(source, jobs):
    folder = cache.default_folder()
    wanted = kernel_tree.wanted_options(CONFIGURATION, PAGES)
    identity = {
        "kind": "kernel",
        "source": sha256_of(source),
        "options": kernel_tree.options_of(wanted),
        "tools": kernel_tree.tools(),
        "script": sha256_of(kernel_tree.__file__),
    }

    def build(place):
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.source-") as unpacked:
            tree = pathlib.Path(unpacked)
            say(f"unpacking {source.name}")
            run(["tar", "-xf", str(source), "-C", unpacked, "--strip-components=1"], f"unpacking {source.name}")
            known = kernel_tree.configure(tree, wanted)
            kernel_tree.make(tree, [f"-j{jobs}", "vmlinux"])
            (tree / "vmlinux").rename(place / "vmlinux")
            return known

    place = cache.made(folder, "kernels", identity, build)
    return place / "vmlinux", cache.known_of(place)["version"]


def _version_in(vmlinux):
    found = BANNER.search(vmlinux.read_bytes())
    return found[1].decode(errors="replace") if found else "unknown"
