# SPDX-License-Identifier: Apache-2.0
"""What a study costs over its bare runs: the same points by xargs, by the local pool and by a Slurm of one node."""

import contextlib
import ctypes
import filecmp
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[3]
for place in ("scenarios/studies", "tests/studies"):
    sys.path.insert(0, str(ROOT / place))

# pylint: disable=wrong-import-position
import one_node_slurm  # noqa: E402
from study import points, scenario, study_file  # noqa: E402

HEADING = "## Studies"
TARGETS = ("swiotlb_block",)
POINTS = 10_000
AIMS = {"local": 10, "slurm": 25}  # % of wall time over the bare runs
ADOPTS_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl(2): who starts Slurm's tasks has ended when they end
STUDY = """\
scenario = "swiotlb_block"
[parameters]
disk-size = "64KiB"
memory.size = "8MiB"
[axes]
swiotlb.size = {{ from = "256KiB", to = "4MiB", factor = 2 }}
depth = {{ from = 1, to = 16, factor = 2 }}
chunk = {{ from = "4KiB", to = "64KiB", factor = 2 }}
seed = {{ from = 1, to = {seeds} }}
[figures]
throughput = "/runs/0/figures/throughput"
bounce_factor = "/runs/0/figures/bounce_factor"
hypercalls = "/runs/0/metrics/tallies/machine.cpu0.hypercalls/total"
"""
COMBINATIONS = 125  # of that study without its seeds
SAMPLED = 4  # of so many points one is run bare, before the others, and one behind them


class cost(NamedTuple):
    points: int
    wall: float  # seconds
    cpu: float  # seconds of this machine's processors, user and system, of everything that was started

    def wall_of_one(self):
        return self.wall / self.points

    def cpu_of_one(self):
        return self.cpu / self.points


def measure(build, number=POINTS):
    """Way of running -> cost; None where there is no Slurm here. Bare runs are measured before and behind the others, as
    what else the machine does changes.

    Raises RuntimeError when the ways' results are not the same
    """
    os.environ["PEFSIM_SCENARIOS"] = str(build / "scenarios")
    with tempfile.TemporaryDirectory(prefix="pefsim-studies-") as place:
        folder = pathlib.Path(place)
        file = folder / "cost.toml"
        file.write_text(STUDY.format(seeds=max(1, number // COMBINATIONS)))
        read = study_file.read(file)
        subject = scenario.scenario(read.scenario)
        found = points.of(read, subject)
        rows = {"before": _bare(folder, subject, found[::SAMPLED])}
        rows["local"] = _study(folder, file, "local", len(found))
        rows["slurm"] = _on_slurm(folder, file, len(found))
        rows["behind"] = _bare(folder, subject, found[1::SAMPLED])
        for name in ("results.csv", "results.jsonl") if rows["slurm"] else ():
            if not filecmp.cmp(folder / "local" / name, folder / "slurm" / name, shallow=False):
                raise RuntimeError(f"{name} of the local pool and of Slurm are not the same")
        return rows


def page(rows):
    bare = [rows["before"], rows["behind"]]
    wall, cpu = (sum(each) / 2 for each in zip(*((each.wall_of_one(), each.cpu_of_one()) for each in bare)))
    lines = [HEADING, "",
             f"{rows['local'].points:,} points of `swiotlb_block` (a disk of 64 KiB), two at once in each row. The bare runs are",
             f"every {SAMPLED}th command line by `xargs`, before and behind the others. CPU time is of everything that was",
             "started, Slurm's daemons and tasks included; wall time also has what else the machine did meanwhile.", "",
             "| way | points | wall s | CPU s | ms of CPU a point | wall, to bare | CPU, to bare | aim |",
             "|---|---:|---:|---:|---:|---:|---:|---|"]
    for key, name in (("before", "bare, before"), ("local", "study, local pool"), ("slurm", "study, Slurm of one node"),
                      ("behind", "bare, behind")):
        row = rows[key]
        if row is None:
            lines.append(f"| {name} | not measured: no Slurm here | | | | | | |")
            continue
        aim = f"at most +{AIMS[key]} %" if key in AIMS else ""
        lines.append(f"| {name} | {row.points:,} | {row.wall:.0f} | {row.cpu:.0f} | {1e3 * row.cpu_of_one():.1f} | "
                     f"{100 * (row.wall_of_one() / wall - 1):+.1f} % | {100 * (row.cpu_of_one() / cpu - 1):+.1f} % | {aim} |")
    if rows["slurm"]:
        lines += ["", "Both engines' result files are equal, byte for byte."]
    return lines + [""]


def _bare(folder, subject, found):
    """All points' commands hold as many words."""
    words = folder / "words"
    words.write_bytes("".join(f"{word}\0" for each in found for word in each.options).encode())
    command = ["xargs", "--null", f"--arg-file={words}", f"--max-procs={_processors()}",
               f"--max-args={len(found[0].options)}", subject.program, "--quiet", "--no-trace", "--report", "report.json"]
    with _measured(len(found)) as taken:
        subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return taken[0]


def _study(folder, file, engine, number, environment=None):
    with _measured(number) as taken:
        subprocess.run([ROOT / "scenarios/study", file, "--in", folder / engine, "--engine", engine], cwd=folder, check=True,
                       env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return taken[0]


def _on_slurm(folder, file, number):
    """Wall time is the study's; CPU time is of the daemons, too."""
    ctypes.CDLL(None).prctl(ADOPTS_ORPHANS, 1)
    (folder / "daemons").mkdir()
    try:
        with _measured(number) as taken, one_node_slurm.one_node_slurm(folder / "daemons") as slurm:
            inner = _study(folder, file, "slurm", number, slurm.environment)
    except one_node_slurm.unavailable as error:
        print(f"no Slurm: {error}", file=sys.stderr)
        return None
    return cost(number, inner.wall, taken[0].cpu)


@contextlib.contextmanager
def _measured(number):
    """Gives a list that holds the cost of the block behind it."""
    taken = []
    begun, before = time.monotonic(), _cpu_of_children()
    yield taken
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    taken.append(cost(number, time.monotonic() - begun, _cpu_of_children() - before))


def _cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _processors():
    return len(os.sched_getaffinity(0))
