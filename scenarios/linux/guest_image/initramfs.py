# SPDX-License-Identifier: Apache-2.0
"""What the guest's first file system holds: busybox, one of the programs in ../init as /init, and modules of the kernel."""

import pathlib
import tempfile

from guest_image import cpio
from guest_image.kernel_modules import plain_name
from guest_image.progress import run

HERE = pathlib.Path(__file__).resolve().parent
INITS = HERE.parent / "init"

# What every init loads, in this order: the transport, then each device.
LOADED = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "virtio_console")
# What the kernel itself asks for when somebody mounts a disk: found through modules.alias. ext4 asks the crypto layer for
# crc32c by that name, which newer kernels have in their library.
ON_DEMAND = ("ext4",)
ON_DEMAND_WHERE_PRESENT = ("crc32c_generic", "crc32c_vpmsum")
# What the init suites tries, where the kernel has it: folders below a kernel's modules, and names.
TESTED_FOLDERS = ("arch/powerpc/crypto", "crypto", "drivers/crypto/vmx")
TESTED = ("raid6_pq", "test_bpf", "test_firmware", "test_static_keys", "test_user_copy")


def init_names():
    return sorted(path.name for path in INITS.iterdir() if path.is_file())


def build(busybox, init, modules=None, more_modules=()):
    """The bytes of an initramfs. The lean one has no module that it does not load; more_modules are for modprobe."""
    files = cpio.writer()
    for folder in ("dev", "etc", "mnt", "proc", "root", "sbin", "sys", "tmp"):
        files.directory(folder)
    files.character_device("dev/console", 5, 1)
    files.character_device("dev/null", 1, 3, 0o666)
    files.file("bin/busybox", busybox, executable=True)
    files.link("bin/sh", "busybox")
    files.link("sbin/modprobe", "../bin/busybox")
    files.file("etc/setup", (INITS / "common/setup").read_bytes())
    files.file("init", (INITS / init).read_bytes(), executable=True)
    if init == "load":
        for name in ("direct", "echoes"):
            files.file(f"bin/{name}", _compiled(HERE / f"{name}.c"), executable=True)
    if modules:
        on_demand = [] if init == "lean" else [*ON_DEMAND, *filter(modules.has, ON_DEMAND_WHERE_PRESENT)]
        if init == "suites":
            on_demand += [*modules.in_folders(TESTED_FOLDERS), *filter(modules.has, TESTED)]
        _add_modules(files, modules, [*on_demand, *more_modules])
    return files.image()


def _compiled(program):
    command = ["powerpc64le-linux-gnu-gcc", "-O2", "-Wall", "-Werror", "-static", "-s", "-Wl,--build-id=none"]
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / program.stem
        run([*command, "-o", str(result), str(program)], f"compiling {program.name}")
        return result.read_bytes()


def _add_modules(files, modules, others):
    """The modules, and the three texts that modprobe reads. /etc/modules: what init loads."""
    folder = f"lib/modules/{modules.version}"
    loaded = [name for name in LOADED if not modules.is_builtin(name)]
    order = modules.in_load_order([*loaded, *others])
    dependencies, aliases = [], []
    for name in order:
        files.file(f"{folder}/{name}.ko", modules.content(name))
        needs = [need for need in modules.in_load_order([name]) if need != name]
        dependencies.append(" ".join([f"{name}.ko:", *(f"{need}.ko" for need in reversed(needs))]))
        aliases += [f"alias {alias} {name}" for alias in modules.info(name).get("alias", [])]
    files.file(f"{folder}/modules.dep", _lines(dependencies))
    files.file(f"{folder}/modules.alias", _lines(aliases))
    files.file(f"{folder}/modules.symbols", b"")
    files.file("etc/modules", _lines(plain_name(name) for name in loaded))


def _lines(texts):
    return "".join(f"{text}\n" for text in texts).encode()
