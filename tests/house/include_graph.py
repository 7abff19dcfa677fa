# SPDX-License-Identifier: Apache-2.0
"""Which folder includes which, read from every #include below models/ and platform/."""

import dataclasses
import pathlib
import re

# What a folder may include besides itself. docs/architecture.md draws the same table; it has four kinds of folders:
#   the ground that all stand on    abi timing output trace power memory cpu
#   the trusted firmware            ultravisor
#   the untrusted host              interrupt backend pci virtio hypervisor
#   the guest                       dma_ops guest
# The last three never include one another: they meet in abi, on the bus, and in calls that the CPU traps.
GROUND = {"abi", "timing", "output", "trace", "power", "memory", "cpu"}
ALLOWED = {
    "abi": set(),
    "timing": {"abi"},
    "output": set(),
    "trace": {"abi", "timing", "output"},
    "power": {"output"},
    "memory": {"abi", "timing", "output", "trace"},
    "cpu": {"abi", "timing", "output", "trace", "power", "memory"},
    "ultravisor": GROUND,
    "interrupt": GROUND,
    "backend": GROUND,
    "pci": GROUND | {"interrupt"},
    "virtio": GROUND | {"interrupt", "backend", "pci"},
    "hypervisor": GROUND | {"interrupt", "pci"},
    "dma_ops": GROUND,
    "guest": GROUND | {"dma_ops"},
}
ALLOWED["platform"] = set(ALLOWED)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclasses.dataclass(frozen=True)
class arrow:
    """One #include that leaves its folder."""

    source: str  # folder
    target: str  # folder, or "tests" / "scenarios"
    where: str  # file:line


def folder_of(path, root):
    """models/memory/x.h -> memory; platform/x.h -> platform; None outside the tree."""
    try:
        parts = path.resolve().relative_to(root.resolve()).parts
    except ValueError:
        return None
    if len(parts) > 2 and parts[0] == "models":
        return parts[1]
    return parts[0] if len(parts) > 1 else None


def target_of(quote, name, source, root):
    """The folder that an include leads to: beside the file first, as the compiler does, then the two include roots."""
    places = ([source.parent] if quote == '"' else []) + [root / "models", root]
    for place in places:
        if (place / name).is_file():
            return folder_of(place / name, root)
    return None


def arrows(root):
    for place in ("models", "platform"):
        for source in sorted((root / place).rglob("*")):
            if source.suffix not in (".h", ".cpp"):
                continue
            folder = folder_of(source, root)
            for number, line in enumerate(source.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                target = match and target_of(match[1], match[2], source, root)
                if target and target != folder:
                    yield arrow(folder, target, f"{source.relative_to(root)}:{number}")


def forbidden(found, allowed):
    """Those arrows that the table does not allow, as messages."""
    return [
        f"{a.where}: {a.source}/ may not include {a.target}/ (allowed: {' '.join(sorted(allowed.get(a.source, ())))})"
        for a in found
        if a.target not in allowed.get(a.source, ())
    ]


def cycle(graph):
    """A path of folders that ends where it began, or None. `graph` maps a folder to the folders that it reaches."""
    done = set()

    def walk(path):
        for after in sorted(graph.get(path[-1], ())):
            if after in path:
                return path[path.index(after) :] + [after]
            if after not in done:
                found = walk(path + [after])
                if found:
                    return found
        done.add(path[-1])
        return None

    for start in sorted(graph):
        found = start not in done and walk([start])
        if found:
            return found
    return None


def graph_of(found):
    graph = {}
    for a in found:
        graph.setdefault(a.source, set()).add(a.target)
    return graph


def reachable(graph, start):
    seen = set()
    ahead = [start]
    while ahead:
        for after in graph.get(ahead.pop(), ()):
            if after not in seen:
                seen.add(after)
                ahead.append(after)
    return seen
