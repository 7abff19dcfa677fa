# SPDX-License-Identifier: Apache-2.0
"""An image with Debian's own kernel, as downloaded: nothing is compiled."""

import pathlib
import re
import shutil
import tempfile

from guest_image import initramfs
from guest_image.archive import not_there
from guest_image.kernel_modules import module_tree
from guest_image.progress import failure, run, say

# Since 6.12 Debian has a kernel of each page size; before, 64K only.
FLAVOUR = {"default": "powerpc64le", "4K": "powerpc64le", "64K": "powerpc64le-64k"}
ONLY_64K = ("bullseye", "bookworm")
# The packages beside linux-image-VERSION into which newer releases split a kernel.
PARTS = re.compile(r"\b(linux-(?:image|binary|modules|base)-\d[\w.+~-]*)")


def flavour_of(suite, pages):
    """Raises failure when the suite's kernel has another page size"""
    if suite in ONLY_64K:
        if pages == "4K":
            raise failure(f"{suite} has no kernel with 4K pages (64K only)")
        return FLAVOUR["default"]
    return FLAVOUR[pages]


def resolve(archive, flavour):
    """The packages: a kernel with all its parts, and busybox; downloaded.

    The kernel is the one that linux-image-FLAVOUR stands for. A mirror may list it before it has it: then the newest other
    kernel of the same series.
    """
    archive.update()
    current = archive.candidate(f"linux-image-{flavour}")
    series = re.match(r"\d+\.\d+|", current.version)[0]
    older = [
        name
        for name in archive.names(f"linux-image-{series}.")
        if name.endswith(f"-{flavour}") and name not in current.depends
    ]
    busybox = archive.candidate("busybox-static")
    why = failure(f"linux-image-{flavour} of {archive.suite} names no kernel")
    for kernel in [*re.findall(r"linux-image-\d[\w.+~-]*", current.depends)[:1], *reversed(older)]:
        packages = [*_with_parts(archive, kernel), busybox]
        try:
            for package in packages:
                archive.fetch(package)
            return packages
        except not_there as error:
            say(str(error))
            why = error
    raise why


def _with_parts(archive, kernel):
    chosen = {}
    names = [kernel]
    while names:
        name = names.pop()
        if name not in chosen:
            chosen[name] = archive.candidate(name)
            names += PARTS.findall(chosen[name].depends)
    return [chosen[name] for name in sorted(chosen)]


def make(archive, packages, init, more_modules, place):
    """Fills the folder: vmlinux (with symbols), config, initrd."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.unpacked-") as folder:
        root = pathlib.Path(folder)
        for package in packages:
            deb = archive.fetch(package)
            say(f"unpacking {package.name}")
            run(["dpkg-deb", "--extract", str(deb), folder], f"unpacking {package.name}")
        kernels = [*root.glob("boot/vmlinux-*"), *root.glob("usr/lib/modules/*/vmlinu[xz]")]
        if len(kernels) != 1:
            raise failure(f"the packages have {len(kernels)} files vmlinux: {' '.join(p.name for p in packages)}")
        with open(kernels[0], "rb") as kernel:
            if kernel.read(4) != b"\x7fELF":
                raise failure(f"{kernels[0].name} is no ELF file")
        shutil.copyfile(kernels[0], place / "vmlinux")
        # Debian's System.map is one line that names another package: vmlinux has the symbols.
        for path in (*root.glob("boot/config-*"), *root.glob("usr/lib/modules/*/config")):
            shutil.copyfile(path, place / "config")
        trees = [*root.glob("lib/modules/*"), *root.glob("usr/lib/modules/*")]
        if len(trees) != 1:
            raise failure(f"the packages have the modules of {len(trees)} kernels")
        say(f"writing the initramfs: init {init}")
        busybox = next(path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.exists())
        (place / "initrd").write_bytes(
            initramfs.build(busybox.read_bytes(), init, module_tree(trees[0]), more_modules)
        )
