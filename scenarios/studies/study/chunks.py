# SPDX-License-Identifier: Apache-2.0
"""Work for schedulers: points in chunks, each large enough that starting a task does not count.

A task runs one chunk by the command that command() gives, writes what is finished to the folder of results, and may die at
any time: what it has not finished is in a chunk of the next round.
"""

import math
import os
import shlex
import sys
import uuid
from typing import NamedTuple

from study import job, scenario, signals
from study.complaints import trouble

TASK_SECONDS = 30  # of a chunk: a task costs its scheduler about one
SHORT_SECONDS = 5  # of a chunk when there are few of them
FEW = 8  # tasks that a small study is spread over
LOOK_AGAIN = 1.0  # seconds until results are looked for again


class work(NamedTuple):
    """What an engine is given. It is done when every job is finished, whoever has done it."""

    jobs: list
    results: object  # store
    seconds: float  # that a point takes, as measured
    peak: int  # bytes that it takes
    processes: int  # at once, on this machine
    memory: int | None  # bytes for them together; None: what the machine has to give
    options: tuple  # for the scheduler, of the user's
    progress: object
    name: str  # of the study

    def unfinished(self):
        self.results.refresh()
        return [each for each in self.jobs if not self.results.finished(each.key)]


def number_of(points, seconds, most):
    """Of chunks."""
    total = points * seconds
    number = max(total / TASK_SECONDS, min(FEW, total / SHORT_SECONDS))
    return max(1, min(points, most, math.ceil(number)))


def command(results, plan, chunk, of):
    """The line for a shell that runs a chunk. `chunk` is one of the first `of` numbers, or what a shell makes one of."""
    words = [sys.executable, "-B", scenario.ROOT / "scenarios/study", "work", results.folder, plan]
    return f"{shlex.join(map(str, words))} {chunk} {of}"


def in_rounds(of, most, run_round):
    """run_round(plan, number of chunks, wait) returns when the tasks of a round have ended; it calls wait(), which shows
    how far the study is, between its looks at them. Raises trouble when a round brings nothing.
    """
    folder = of.results.folder / "plans"
    folder.mkdir(exist_ok=True)
    left = of.unfinished()
    with signals.waited_for() as numbers:

        def wait(seconds=LOOK_AGAIN):
            signals.wait(numbers - {signals.signal.SIGCHLD}, seconds)
            _show(of)

        while left:
            plan = folder / f"{uuid.uuid4().hex}.jsonl"
            job.write(plan, left)
            try:
                run_round(plan, number_of(len(left), of.seconds, most), wait)
            finally:
                plan.unlink()
            before, left = left, of.unfinished()
            _show(of)
            if len(left) == len(before):
                if not _run_elsewhere(of.results, left):
                    raise trouble(f"{of.name}: tasks end and have finished nothing")
                wait()


def _show(of):
    of.results.refresh()
    of.progress.at([of.results.finished(each.key) for each in of.jobs])


def _run_elsewhere(results, jobs):
    """Whether another study in this folder has them all."""
    for each in jobs:
        claim = results.claim(each.key)
        if claim is not None:
            os.close(claim)
            return False
    return True
