# SPDX-License-Identifier: Apache-2.0
"""Slurm: array jobs whose tasks are chunks of points; the folder of results must be on all nodes."""

import re
import subprocess
import uuid

from study import chunks
from study.complaints import trouble

WORKER = 64 << 20  # bytes that a task takes besides its point
MEBIBYTE = 1 << 20
POINTS_DIFFER = 1.5  # in memory: what a task asks for, to the largest that was measured
ARRAY = 1001  # Slurm's own MaxArraySize, where it does not tell
GONE = "Invalid job id"


def run(work):
    chunks.in_rounds(work, _largest_array(), lambda *of_round: _round(work, *of_round))


def _round(work, plan, number, wait):
    folder = work.results.folder / "slurm"
    folder.mkdir(exist_ok=True)
    script = folder / f"{uuid.uuid4().hex}.sh"
    line = chunks.command(work.results, plan, '"$SLURM_ARRAY_TASK_ID"', number)
    script.write_bytes(f"#!/bin/sh\nexec {line}\n".encode(errors="surrogateescape"))
    megabytes = int((work.peak * POINTS_DIFFER + WORKER) / MEBIBYTE) + 1
    try:
        job = _ask("sbatch", "--parsable", f"--array=0-{number - 1}", f"--job-name=study-{_plain(work.name)}",
                   "--cpus-per-task=1", f"--mem={megabytes}M", "--output=%A_%a.out", "--open-mode=append",
                   f"--chdir={folder}", *work.options, script).strip().partition(";")[0]  # fmt: skip
    finally:
        script.unlink()
    try:
        while _in_queue(job):
            wait()
    except BaseException:
        subprocess.run(["scancel", job], capture_output=True, check=False)
        raise
    _tell_errors(work, folder, job)


def _in_queue(job):
    """True as well when the controller does not answer: it may be started anew."""
    done = _client("squeue", "--noheader", f"--jobs={job}", "--format=%T")
    return GONE not in done.stderr if done.returncode else bool(done.stdout.strip())


def _tell_errors(work, folder, job):
    """What tasks have said goes to whoever reads on, and the files of those that said nothing go."""
    said = []
    for file in sorted(folder.glob(f"{job}_*.out")):
        said += file.read_text(errors="replace").splitlines()
        if not file.stat().st_size:
            file.unlink()
    if said and work.unfinished():
        work.progress.note(said[-1])


def _largest_array():
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask("scontrol", "show", "config"), re.MULTILINE)
    return int(found[1]) - 1 if found else ARRAY - 1


def _ask(*command):
    done = _client(*command)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise trouble(f"{command[0]}: {lines[-1]}")
    return done.stdout


def _client(*command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              errors="surrogateescape")  # fmt: skip
    except FileNotFoundError:
        raise trouble(f"there is no command {command[0]}: Slurm's clients are not installed") from None


def _plain(name):
    return re.sub(r"[^\w.-]", "_", name)
