# SPDX-License-Identifier: Apache-2.0
"""The modules of a kernel, as its package brings them: names, what each needs, and in which order they load.

A package has no modules.dep (depmod writes it where the package is installed): needs are read from each module's own
section .modinfo.
"""

import lzma
import pathlib
import struct

from guest_image.progress import failure


def plain_name(name):
    """What the kernel calls a module whose file is NAME.ko or NAME.ko.xz."""
    return pathlib.PurePath(name).name.split(".ko")[0].replace("-", "_")


def modinfo(module):
    """Key -> values, from the bytes of a module (64-bit little-endian ELF)."""
    if module[:6] != b"\x7fELF\x02\x01":
        raise failure("a kernel module is no 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", module, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", module, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", module, table + index * entry_size) for index in range(count)]
    names = headers[names_index][4]
    found = {}
    for name, _, _, _, offset, size in headers:
        if module.startswith(b".modinfo\0", names + name):
            for line in module[offset : offset + size].split(b"\0"):
                key, separator, value = line.decode(errors="replace").partition("=")
                if separator:
                    found.setdefault(key, []).append(value)
    return found


class module_tree:
    """The folder /lib/modules/VERSION of a package."""

    def __init__(self, folder):
        self.version = folder.name
        self._kernel = folder / "kernel"
        self._files = {plain_name(path): path for path in sorted(folder.rglob("*.ko*"))}
        builtin = folder / "modules.builtin"
        self._builtin = {plain_name(line) for line in builtin.read_text().split()} if builtin.exists() else set()
        self._content = {}
        self._info = {}

    def is_builtin(self, name):
        return name in self._builtin

    def has(self, name):
        return name in self._files

    def in_folders(self, folders):
        """The names of all modules there and below; a folder is named from the kernel's own, such as "crypto"."""
        places = [self._kernel / folder for folder in folders]
        return [name for name, path in self._files.items() if any(place in path.parents for place in places)]

    def content(self, name):
        """The module as insmod takes it: not compressed."""
        if name not in self._content:
            path = self._files[name]
            packed = path.read_bytes()
            if path.suffix == ".xz":
                packed = lzma.decompress(packed)
            elif path.suffix != ".ko":
                raise failure(f"{path.name}: only .ko and .ko.xz are known")
            self._content[name] = packed
        return self._content[name]

    def info(self, name):
        if name not in self._info:
            self._info[name] = modinfo(self.content(name))
        return self._info[name]

    def needs(self, name):
        """The modules that this one names as its own needs, without what the kernel has built in."""
        listed = ",".join(self.info(name).get("depends", [])).split(",")
        return [each for each in map(plain_name, listed) if each and not self.is_builtin(each)]

    def in_load_order(self, wanted):
        """The modules wanted and all that they need, each after what it needs.

        Raises failure for a module that the kernel has neither as a file nor built in
        """
        order = []
        visiting = []

        def visit(name):
            if name in order or self.is_builtin(name):
                return
            if name in visiting:
                raise failure(f"kernel modules need each other: {' '.join(visiting)}")
            if not self.has(name):
                needed_by = f", which {visiting[-1]} needs" if visiting else ""
                raise failure(f"the kernel {self.version} has no module {name}{needed_by}")
            visiting.append(name)
            for need in self.needs(name):
                visit(need)
            visiting.pop()
            order.append(name)

        for name in wanted:
            visit(plain_name(name))
        return order
