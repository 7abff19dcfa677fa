# SPDX-License-Identifier: Apache-2.0
"""Boots a kernel in pefsim, and reads what came of it from the report."""

import json
import os
import pathlib
import resource
import subprocess
import tempfile

from guest_image.progress import failure, say

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
SCENARIO = "linux_check"
# What init says of its checks; a disk is compared from outside as well.
CHECKS = {"disk": "BLK", "network": "NET", "entropy": "RNG"}
NOT_REACHED = "not reached"
# Where the kernel copies into the pool (arch/powerpc/lib/copy*, memcpy_64.S): as the exposure ledger names it.
COPIES = ("memcpy", "__memcpy", "memcpy_power7", "swiotlb_bounce", "__copy_tofrom_user")


def binary(scenario=SCENARIO):
    """A scenario's binary, built when it is not there. PEFSIM_SCENARIOS is the folder of others."""
    folder = os.environ.get("PEFSIM_SCENARIOS")
    path = pathlib.Path(folder or ROOT / "build/release/scenarios") / scenario
    if not path.exists() and not folder:
        say(f"building the scenario {scenario}")
        subprocess.run([ROOT / "scenarios/run", scenario, "--help"], stdout=subprocess.DEVNULL, check=False)
    if not path.exists():
        raise failure(f"there is no {path}")
    return path


def boot(program, vmlinux, initrd, how):
    """What a boot in the way of a cell came to."""
    say(f"booting {how.name}: {how.command_line}")
    with tempfile.TemporaryDirectory(prefix="pefsim-check-") as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [program, "--kernel", vmlinux, "--initrd", initrd, "--no-trace", "--report", report, *how.options()]
        before = _cpu_seconds()
        with open(pathlib.Path(folder) / "said", "w+", encoding="utf-8", errors="replace") as said:
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, check=False
            )
            # 1: it ended, and something was not shown. Anything else is no judgement on a kernel.
            if done.returncode not in (0, 1) or not report.exists():
                said.seek(0)
                raise failure(f"{SCENARIO} ended with status {done.returncode}: {said.read()[-300:].strip()}")
        facts = facts_of(json.loads(report.read_text()), how)
    facts["cpu_seconds"] = round(_cpu_seconds() - before, 1)
    return facts


def facts_of(report, how):
    """From a report of the scenario: what a table shows, and what a judgement needs."""
    run, results = report["runs"][0], report["results"]
    counters = run["metrics"]["counters"]
    said = " ".join(results["said"])
    devices = {name: _state_of(word, said) for name, word in CHECKS.items()}
    for line in report["verdict"]:
        if "stands what the guest wrote" in line["text"] and not line["shown"]:
            devices["disk"] = "other on the disk"
    return {
        "name": how.name,
        "command_line": how.command_line,
        "access_platform": how.platform,
        "boots": "### UP" in said,
        # A guest that was ended is not secure any more; only one that was shares pages.
        "became_secure": results["secure"] or bool(results["shared"]),
        "ended": report["ended"]["text"],
        "finished": "### DONE" in said and report["ended"]["kind"] == "finished",
        **devices,
        "private_pages": sum(each["pages"] for each in results["named"]),
        "private": results["named"],
        "refused_accesses": counters["machine.memory.refused_accesses"]["value"],
        "bytes_copied": sum(
            each["bytes_written"]
            for each in run["exposure"]["writers"]
            if not each["host"] and _function(each["origin"]).startswith(COPIES)
        ),
        "shared_pages": sum(each["pages"] for each in results["shared"]),
        "shared": results["shared"],
        "warnings": results["warnings"],
    }


def faults_of(facts, how):
    """Why a boot is not good, one clause each; empty when it is."""
    faults = []
    if not facts["boots"]:
        faults.append(f"does not reach user space: {facts['ended']}")
    elif not facts["finished"]:
        faults.append(f"does not end: {facts['ended']}")
    if how.secure and not facts["became_secure"]:
        faults.append("does not become secure")
    # A guest that stands still says so once.
    fine = ("OK",) if facts["finished"] else ("OK", NOT_REACHED)
    faults += [f"{name}: {facts[name]}" for name in CHECKS if facts[name] not in fine]
    faults += [f"{facts['private_pages']} private pages named to devices"] * (facts["private_pages"] != 0)
    faults += [f"{facts['refused_accesses']} accesses to secure pages"] * (facts["refused_accesses"] != 0)
    faults += [f"{len(facts['warnings'])} warnings of the kernel"] * bool(facts["warnings"])
    return faults


def _state_of(word, said):
    for state in ("FAIL", "NONE", "OK"):
        if f"### {word}-{state}" in said:
            return state
    return NOT_REACHED


def _function(origin):
    """The name in "0xc000000000010004 <main+0x4>"."""
    return origin.partition("<")[2].partition("+")[0].rstrip(">")


def _cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
