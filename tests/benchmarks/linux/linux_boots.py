# SPDX-License-Identifier: Apache-2.0
"""Whole boots of Linux: pefsim beside qemu-system-ppc64, with the same kernel, initrd and kinds of devices."""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROUNDS = 3
QEMU = "qemu-system-ppc64"

# Image, most CPU seconds to qemu's.
GUESTS = {"stock": 1.0, "built": 1.0}

HEADING = "## Linux boots"
TARGETS = ("linux",)


def cpu_seconds(command, folder):
    """CPU time of a process and of those that it started; it must end well and have done all."""
    with open(folder / "console", "w+") as console:
        process = subprocess.Popen([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=console,
                                   stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        console.seek(0)
        text = console.read()
    if status != 0 or "### DONE" not in text:
        raise RuntimeError(f"{command[0]} did not boot:\n{text[-2000:]}")
    return usage.ru_utime + usage.ru_stime


def pefsim(build, image):
    return [build / "scenarios" / "linux", "--image", image, "--no-trace", "--report", "report.json", "--fetch", 0]


def qemu(image):
    """Without QEMU's own mitigations, which pefsim's processors do not need either."""
    machine = "pseries,x-vof=on,ic-mode=xics,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
    return [QEMU, "-M", machine, "-cpu", "POWER9", "-m", 512, "-nographic", "-nodefaults", "-serial", "stdio", "-no-reboot",
            "-kernel", f"{image}/vmlinux", "-initrd", f"{image}/initrd", "-append", "console=hvc0",
            "-drive", "file=disk.img,format=raw,if=none,id=d", "-device", "virtio-blk-pci,drive=d,disable-legacy=on,romfile=",
            "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,disable-legacy=on,romfile=",
            "-device", "virtio-rng-pci,disable-legacy=on"]


def measure(build):
    """Guest: (instructions, CPU seconds of pefsim, of qemu), medians of runs that take turns."""
    rows = {}
    for guest in GUESTS:
        made = subprocess.run([ROOT / "scenarios/linux/image", guest], stdout=subprocess.PIPE, text=True, check=True)
        image = made.stdout.splitlines()[-1]
        times = {"pefsim": [], "qemu": []}
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for _ in range(ROUNDS):
                (folder / "disk.img").write_bytes(bytes(16 << 20))
                times["pefsim"].append(cpu_seconds(pefsim(build, image), folder))
                times["qemu"].append(cpu_seconds(qemu(image), folder))
            [run] = json.loads((folder / "report.json").read_text())["runs"]
        instructions = run["metrics"]["counters"]["machine.cpu0.instructions"]["value"]
        rows[guest] = (instructions, statistics.median(times["pefsim"]), statistics.median(times["qemu"]))
    return rows


def page(rows):
    lines = [HEADING, "",
             "From the first instruction to power-off, with the checks of the image's init (disk, network, random numbers),",
             f"one processor, 512 MiB, XICS: CPU seconds, user and system, medians of {ROUNDS} runs that take turns with",
             "qemu-system-ppc64, the same kernel and initrd, disk, network card and entropy device.", "",
             "| image | million instructions | pefsim | qemu-system-ppc64 | to qemu | aim |", "|---|---:|---:|---:|---:|---|"]
    for guest, (instructions, ours, theirs) in rows.items():
        lines.append(f"| {guest} | {instructions / 1e6:,.0f} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} | "
                     f"at most {GUESTS[guest]:.0f} |")
    return lines + [""]
