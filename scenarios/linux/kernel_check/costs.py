# SPDX-License-Identifier: Apache-2.0
"""What one request costs a guest, exactly: two boots that differ in the number of requests, subtracted.

A boot is deterministic, so what differs is what the further requests cost. The profile counts every instruction, by the
function that it belongs to.
"""

import contextlib
import functools
import json
import pathlib
import re
import subprocess
import tempfile
from typing import NamedTuple

from guest_image.kernel_tree import CROSS
from guest_image.progress import failure, run

FEWER, MORE = 32, 224  # what the kernel does besides falls into one boot or the other: the more, the less of it
# Part of the way of a request -> its functions. A request's other instructions are the driver's, the block layer's, the
# file layer's and the program's.
PARTS = {
    "virtio core": re.compile(r"virtqueue_|vring_|detach_buf_"),
    "DMA API": re.compile(r"dma_|virtio_direct_|arch_dma_|is_swiotlb"),
    "SWIOTLB": re.compile(r"swiotlb_"),
    "copies": re.compile(r"memcpy|__memcpy"),
}
DISK = "machine.virtio-blk0.block.operations"
LINE = re.compile(r"^ +[\d.]+% +(\d+)  (\S+)$", re.M)
# The operations that the series gives to devices: nobody calls them but through virtio_direct_dma_ops.
OPERATION = re.compile(r"^([0-9a-f]+) t virtio_direct_\w+$", re.M)
RENDER = "models/power/trace_render"  # in the build tree of the scenario
EXECUTED = re.compile(r"^ +\d+  ([0-9a-f]{16})  ", re.M)


class load(NamedTuple):
    """What the init load does over and over."""

    kind: str  # disk: a third of the requests are writes; echo: a datagram to the network's peer and back
    size: int  # bytes
    depth: int  # requests under way

    def words(self, requests):
        """Of the kernel's command line."""
        sizes = (self.size, "none") if self.kind == "disk" else ("none", self.size)
        return (f"pefsim.sizes={sizes[0]}", f"pefsim.echoes={sizes[1]}", f"pefsim.depth={self.depth}",
                f"pefsim.requests={requests}")  # fmt: skip

    def title(self):
        under_way = "one after another" if self.depth == 1 else f"{self.depth} under way"
        if self.kind == "disk":
            return f"One request of {self.size} bytes to the disk (a third of them writes), {under_way}"
        return f"One datagram of {self.size} bytes to the network's peer and back, {under_way}"


def of_request(program, kernel, initrd, how, what):
    """Instructions (all, and by part), simulated time and calls of one request of a load: of those to the disk that the
    device has counted. "indirect calls" are those of virtio_direct_dma_ops.

    None when the guest does not do its I/O
    """
    boot = functools.partial(_boot, program, kernel, initrd, how, what)
    calls = functools.partial(_indirect_calls, pathlib.Path(program).parent.parent / RENDER, boot, _operations(kernel))
    fewer, more = (_counted(boot, calls, what.kind, requests) for requests in (FEWER, MORE))
    if fewer is None or more is None:
        return None
    return {name: (more[name] - fewer[name]) / (more["requests"] - fewer["requests"]) for name in more}


def _counted(boot, calls, kind, requests):
    """None when the guest does not do its I/O."""
    with boot(requests, "--profile", "profile", "--profile.period", "1", "--profile.functions", "0") as (found, folder):
        if found is None:
            return None
        functions = {name: int(number) for number, name in LINE.findall((folder / "profile").read_text())}
    metrics = found["runs"][0]["metrics"]
    counted = {
        "requests": metrics["tallies"][DISK]["total"] if kind == "disk" else requests,
        "instructions": metrics["counters"]["machine.cpu0.instructions"]["value"],
        "us": found["runs"][0]["simulated_time_ns"] / 1e3,
        "hypercalls": metrics["tallies"]["machine.cpu0.hypercalls"]["total"],
        "ultracalls": metrics["tallies"]["machine.cpu0.ultracalls"]["total"],
        "indirect calls": calls(requests),
    }
    return counted | {
        part: sum(number for name, number in functions.items() if pattern.match(name))
        for part, pattern in PARTS.items()
    }


def _operations(kernel):
    """Where they begin, sorted; of a kernel without the series nowhere."""
    symbols = subprocess.run([f"{CROSS}nm", kernel], capture_output=True, text=True, check=False).stdout
    return sorted(OPERATION.findall(symbols))


def _indirect_calls(render, boot, operations, requests):
    if not operations:
        return 0
    where = f"0x{operations[0]}:0x{operations[-1]}"
    with boot(requests, "--instruction-trace", "trace", "--instruction-trace.addresses", where) as (_, folder):
        text = run([render, "trace"], "reading the instructions", cwd=folder, stdout=subprocess.PIPE)
    return sum(address in operations for address in EXECUTED.findall(text.decode()))


@contextlib.contextmanager
def _boot(program, kernel, initrd, how, what, requests, *observed):
    """The report, and the folder with what was observed. None when the guest does not do its I/O."""
    with tempfile.TemporaryDirectory(prefix="pefsim-costs-") as place:
        folder = pathlib.Path(place)
        command = [program, "--kernel", kernel, "--initrd", initrd, "--no-trace", "--quiet"]
        command += ["--network", "no"] if what.kind == "disk" else []
        command += ["--report", "report.json", *observed, *how.options("quiet", *what.words(requests))]
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode not in (0, 1) or not (folder / "report.json").exists():
            raise failure(f"{pathlib.Path(program).name} ended with status {done.returncode}: {done.stderr[-200:]!r}")
        found = json.loads((folder / "report.json").read_text())
        well = f"{what.kind.upper()}-OK {what.size}"
        works = any(well in each for each in found["results"]["said"]) and found["ended"]["kind"] == "finished"
        yield (found if works else None), folder
