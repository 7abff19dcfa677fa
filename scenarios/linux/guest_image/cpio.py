# SPDX-License-Identifier: Apache-2.0
"""An initramfs as the kernel reads it: cpio "newc" (Documentation/driver-api/early-userspace/buffer-format.rst).

The same entries give the same bytes: sorted by path, inode numbers counted from 1, owner root, time 0.
"""

import stat

ALIGNMENT = 4
END = "TRAILER!!!"


class writer:
    """Collects entries; image() is the archive. A path's folders come by themselves."""

    def __init__(self):
        self._entries = {}

    def directory(self, path):
        self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, content, executable=False):
        self._add(path, stat.S_IFREG | (0o755 if executable else 0o644), content)

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor, mode=0o600):
        self._add(path, stat.S_IFCHR | mode, device=(major, minor))

    def _add(self, path, mode, content=b"", device=(0, 0)):
        parent = path.rpartition("/")[0]
        if parent and parent not in self._entries:
            self.directory(parent)
        self._entries[path] = (mode, content, device)

    def image(self):
        parts = [
            _entry(path, inode, *self._entries[path]) for inode, path in enumerate(sorted(self._entries), start=1)
        ]
        parts.append(_entry(END, 0, 0, b"", (0, 0)))
        return b"".join(parts)


def _entry(path, inode, mode, content, device):
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(content)


def _padded(part):
    return part + bytes(-len(part) % ALIGNMENT)
