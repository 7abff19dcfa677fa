# SPDX-License-Identifier: Apache-2.0
"""What one disk request costs a guest, exactly: two boots that differ in the number of requests, subtracted.

A boot is deterministic, so what differs is what the further requests cost. The profile counts every instruction, by the
function that it belongs to.
"""

import json
import pathlib
import re
import subprocess
import tempfile

from guest_image.progress import failure

FEWER, MORE = 32, 96
# Part of the way of a request -> its functions. A request's other instructions are the driver's, the block layer's, the
# file layer's and the program's.
PARTS = {
    "virtio core": re.compile(r"virtqueue_|vring_|detach_buf_"),
    "DMA API": re.compile(r"dma_|virtio_direct_|arch_dma_|is_swiotlb"),
    "SWIOTLB": re.compile(r"swiotlb_"),
    "copies": re.compile(r"memcpy|__memcpy"),
}
LINE = re.compile(r"^ +[\d.]+% +(\d+)  (\S+)$", re.M)


def of_request(program, kernel, initrd, how, size):
    """Instructions (all, and by part), simulated time and calls of one request of this size; half are writes.

    None when the guest does not do its I/O
    """
    fewer, more = (_counted(program, kernel, initrd, how, size, requests) for requests in (FEWER, MORE))
    if fewer is None or more is None:
        return None
    # Each run makes so many reads and as many writes.
    return {name: (more[name] - fewer[name]) / (2 * (MORE - FEWER)) for name in more}


def _counted(program, kernel, initrd, how, size, requests):
    with tempfile.TemporaryDirectory(prefix="pefsim-costs-") as folder:
        report, profile = pathlib.Path(folder) / "report.json", pathlib.Path(folder) / "profile"
        words = ("quiet", f"pefsim.sizes={size}", f"pefsim.requests={requests}")
        command = [program, "--kernel", kernel, "--initrd", initrd, "--no-trace", "--quiet", "--network", "no"]
        command += ["--profile", profile, "--profile.period", "1", "--profile.functions", "0"]
        command += ["--report", report, *how.options(*words)]
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode not in (0, 1) or not report.exists():
            raise failure(f"{pathlib.Path(program).name} ended with status {done.returncode}: {done.stderr[-200:]!r}")
        found = json.loads(report.read_text())
        if not any("DISK-OK" in each for each in found["results"]["said"]) or found["ended"]["kind"] != "finished":
            return None
        functions = {name: int(number) for number, name in LINE.findall(profile.read_text())}
    metrics = found["runs"][0]["metrics"]
    counted = {
        "instructions": metrics["counters"]["machine.cpu0.instructions"]["value"],
        "us": found["runs"][0]["simulated_time_ns"] / 1e3,
        "hypercalls": metrics["tallies"]["machine.cpu0.hypercalls"]["total"],
        "ultracalls": metrics["tallies"]["machine.cpu0.ultracalls"]["total"],
    }
    return counted | {
        part: sum(number for name, number in functions.items() if pattern.match(name))
        for part, pattern in PARTS.items()
    }
