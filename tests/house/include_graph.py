# SPDX-License-Identifier: Apache-2.0
"""Which folder includes which, read from every #include below models/ and platform/."""

import dataclasses
import pathlib
import re

# What a room may include besides itself. A room is a folder of models/ or platform/, or one within that this table names; an
# include between such an inner room and the one around it is an arrow like any other. docs/architecture.md draws the table:
#   the ground that all stand on    abi timing output exposure report trace power memory cpu
#   the trusted firmware            ultravisor, and esm, what it reads of a guest's owner
#   the untrusted host              interrupt backend pci virtio hypervisor firmware
#   the guest                       cpu/native dma_ops guest; cpu/power_cpu; linux_user
# Firmware, host and guest never include one another: they meet in abi, on the bus, and in calls that the CPU traps.
OBSERVERS = {"abi", "timing", "output", "exposure", "report", "trace"}
GROUND = OBSERVERS | {"power", "memory", "cpu"}
ALLOWED = {
    "abi": set(),
    "timing": {"abi"},
    "device_tree": {"abi"},
    "output": set(),
    "exposure": {"abi"},
    "report": {"abi", "output", "exposure"},
    "trace": {"abi", "output", "exposure", "report"},
    "power": {"output"},
    "esm": {"abi", "device_tree", "output", "power"},
    "memory": OBSERVERS,
    "cpu": GROUND - {"cpu"},
    "cpu/native": GROUND,
    "cpu/power_cpu": GROUND,
    "ultravisor": GROUND | {"device_tree", "esm"},
    "interrupt": GROUND,
    "backend": GROUND,
    "pci": GROUND | {"interrupt"},
    "virtio": GROUND | {"interrupt", "backend", "pci"},
    "hypervisor": GROUND | {"interrupt", "pci"},
    "firmware": GROUND | {"device_tree", "interrupt", "pci", "hypervisor"},
    "dma_ops": GROUND | {"cpu/native"},
    "guest": GROUND | {"cpu/native", "dma_ops"},
    "linux_user": {"timing", "output", "report", "power"},
}
ALLOWED["platform"] = GROUND | {"ultravisor", "interrupt", "backend", "pci", "virtio", "hypervisor", "device_tree", "esm", "firmware"}
ALLOWED["platform/native"] = ALLOWED["platform"] | {"platform", "cpu/native", "dma_ops", "guest"}
ALLOWED["platform/power"] = ALLOWED["platform"] | {"platform", "cpu/power_cpu"}

# The same within power/, whose folders are one library. "power" are the files that stand in none of them: what all the rest
# stands on. The engine knows no instruction: a core is made with a decoder (engine/decoder.h), and instructions/ has it.
ALLOWED_IN_POWER = {
    "power": set(),
    "power/isa": {"power"},
    "power/ieee": {"power"},
    "power/decfloat": {"power", "power/ieee"},
    "power/engine": {"power", "power/isa", "power/ieee"},
    "power/mmu": {"power", "power/engine"},
    "power/instructions": {"power", "power/isa", "power/ieee", "power/decfloat", "power/engine"},
    "power/translator": {"power", "power/isa", "power/ieee", "power/engine", "power/instructions"},
    "power/debug": {"power", "power/isa", "power/engine", "power/instructions"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclasses.dataclass(frozen=True)
class arrow:
    """One #include that leaves its folder."""

    source: str  # folder
    target: str  # folder, or "tests" / "scenarios"
    where: str  # file:line


def folder_of(path, root, rooms):
    """models/memory/x.h -> memory; models/cpu/native/x.h -> cpu/native if that is in `rooms`; None outside the tree."""
    try:
        parts = path.resolve().relative_to(root.resolve()).parts
    except ValueError:
        return None
    if len(parts) > 2 and parts[0] == "models":
        parts = parts[1:]
    for inner in range(len(parts) - 1, 1, -1):
        if "/".join(parts[:inner]) in rooms:
            return "/".join(parts[:inner])
    return parts[0] if len(parts) > 1 else None


def target_of(quote, name, source, root, rooms):
    """The folder that an include leads to: beside the file first, as the compiler does, then the two include roots."""
    places = ([source.parent] if quote == '"' else []) + [root / "models", root]
    for place in places:
        if (place / name).is_file():
            return folder_of(place / name, root, rooms)
    return None


def arrows(root, rooms=ALLOWED, places=("models", "platform")):
    """Every #include below `places` that leads from one room to another. `rooms` names those that lie within others."""
    for place in places:
        for source in sorted((root / place).rglob("*")):
            if source.suffix not in (".h", ".cpp"):
                continue
            folder = folder_of(source, root, rooms)
            for number, line in enumerate(source.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                target = match and target_of(match[1], match[2], source, root, rooms)
                if target and target != folder:
                    yield arrow(folder, target, f"{source.relative_to(root)}:{number}")


def arrows_in_power(root):
    """Those between the folders of power/."""
    for each in arrows(root, ALLOWED_IN_POWER, ("models/power",)):
        if each.target.split("/")[0] == "power":
            yield each


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
