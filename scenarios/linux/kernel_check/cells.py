# SPDX-License-Identifier: Apache-2.0
"""The ways in which a kernel is booted, and which of them must be good."""

from typing import NamedTuple

CONSOLE = "console=hvc0"


class cell(NamedTuple):
    """One boot: a guest on a host."""

    secure: bool
    forced: bool  # swiotlb=force on the command line
    platform: bool  # the host offers VIRTIO_F_ACCESS_PLATFORM

    @property
    def name(self):
        what = "+".join(filter(None, ("force" * self.forced, "platform" * self.platform))) or "plain"
        return f"{'secure' if self.secure else 'ordinary'}+{what}"

    @property
    def command_line(self):
        # 4 MiB: the usual 64 MiB cost a secure guest seconds, since what it shares is cleared.
        words = (CONSOLE, "svm=on" * self.secure, "swiotlb=2048,force" * self.forced)
        return " ".join(filter(None, words))

    def options(self, *words):
        """Of the scenario; the words are further ones for the kernel."""
        line = " ".join((self.command_line, *words))
        return ["--append", line, "--virtio.access_platform", "yes" if self.platform else "no"]


EVERY = [
    cell(secure, forced, platform)
    for secure in (False, True)
    for platform in (False, True)
    for forced in (False, True)
]
CELLS = {each.name: each for each in EVERY}

# What --judge takes besides the name of a cell.
GROUPS = {
    "ordinary": [each.name for each in EVERY if not each.secure],
    "secure": ["secure+force+platform"],
    "default-pool": ["secure+platform"],
    "no-platform": ["secure+force"],
    "all": list(CELLS),
}
USUAL = "ordinary,secure"


def chosen(text):
    """The names of cells that a list of groups and cells stands for.

    Raises ValueError naming what is neither
    """
    names = []
    for word in text.split(","):
        if word not in GROUPS and word not in CELLS:
            raise ValueError(f"{word or 'nothing'} is neither of {', '.join(GROUPS)} nor of {', '.join(CELLS)}")
        names += GROUPS.get(word, [word])
    return [name for name in CELLS if name in names]
