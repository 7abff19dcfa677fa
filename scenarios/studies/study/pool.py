# SPDX-License-Identifier: Apache-2.0
"""Runs points on this machine, some at once: as many as there are processors, and memory for them.

How much a point takes is measured: the largest so far counts for each that has not ended.
"""

import collections
import contextlib
import math
import os
import pathlib
import time

from study import signals
from study.complaints import trouble
from study.run import TRIES, left_behind, run
from study.store import remove

SHARE = 0.9  # of the memory that is there
GROWS = 1.1  # what a point may take, to the largest so far
LOOK_AGAIN = 0.25  # seconds until memory, or what others do, is looked at again
PATIENCE = 2  # time limits of a point that nothing changes where others run it
CGROUP = pathlib.Path("/sys/fs/cgroup")


class pool:
    def __init__(self, results, processes, memory=None):
        """memory: bytes for all points together; without it what the machine has to give."""
        self.results, self.processes, self.memory = results, processes, memory
        self.peak = 0  # bytes of the largest point so far
        self._running = {}  # process -> run
        self._killed = collections.Counter()  # key -> how often somebody else has killed it
        self._plenty_until = 0.0

    def work(self, jobs, heard=lambda record: None, wait_for_others=True):
        """Until each is finished, here or by others. Without wait_for_others, those that others run are left to them.

        Raises stopped, trouble; then nothing is running any more
        """
        due, elsewhere, alone = collections.deque(jobs), [], []
        with signals.waited_for() as numbers:
            try:
                while due or self._running or alone:
                    while due and self._has_room():
                        self._begin(due.popleft(), elsewhere, heard)
                    if alone and not due and not self._running:
                        self._begin(alone.pop(), elsewhere, heard)
                    self._collect(numbers, alone, heard)
                    if not due and not self._running and not alone and wait_for_others:
                        due.extend(self._still_elsewhere(numbers, elsewhere, heard))
            finally:
                self._end_all()

    def _begin(self, job, elsewhere, heard):
        claim = self.results.claim(job.key)
        if claim is None:
            if self.results.finished(job.key):
                heard(None)
            else:
                elsewhere.append(job)
            return
        folder = self.results.running(job.key)
        found = left_behind(job, folder)
        if found:
            self._record(job, found, heard, claim)
        else:
            begun = run(job, folder, claim)
            self._running[begun.process] = begun

    def _collect(self, numbers, alone, heard):
        """What has ended, or is to end, after waiting for it. What somebody else has killed is to be run alone."""
        if not self._running:
            return
        first = min(each.deadline for each in self._running.values())
        signals.wait(numbers, None if first == math.inf else max(0, first - time.monotonic()))
        for each in self._running.values():
            if time.monotonic() >= each.deadline:
                each.end_as_too_long()
        while self._running:
            process, status, used = os.wait4(-1, os.WNOHANG)
            if process == 0:
                break
            ended = self._running.pop(process, None)
            if not ended:
                continue
            self.peak = max(self.peak, used.ru_maxrss * 1024)
            self._killed[ended.job.key] += ended.was_killed(status)
            if ended.was_killed(status) and self._killed[ended.job.key] < TRIES:
                os.close(ended.claim)
                alone.append(ended.job)
            else:
                self._record(ended.job, ended.record(status, used), heard, ended.claim)

    def _still_elsewhere(self, numbers, elsewhere, heard):
        """Waits until one of the points that others run is finished, or may be run here, and returns these."""
        begun = time.monotonic()
        while elsewhere:
            self.results.refresh()
            free = []
            for job in list(elsewhere):
                claim = None if self.results.finished(job.key) else self.results.claim(job.key)
                if claim is not None:
                    os.close(claim)
                    free.append(job)
                elif self.results.finished(job.key):
                    heard(None)
                else:
                    continue
                elsewhere.remove(job)
                begun = time.monotonic()
            if free:
                return free
            if elsewhere and time.monotonic() - begun > PATIENCE * max(job.time_limit for job in elsewhere):
                raise trouble(f"{len(elsewhere)} points are run by processes that do not end; "
                              f"fuser {self.results.folder}/claims names them")  # fmt: skip
            if elsewhere:
                signals.wait(numbers, LOOK_AGAIN)
        return []

    def _record(self, job, record, heard, claim):
        self.results.append(record)
        remove(self.results.running(job.key))
        os.close(claim)
        heard(record)

    def _has_room(self):
        if len(self._running) >= self.processes:
            return False
        expected = self.peak * GROWS
        if not self._running or not expected:
            return True
        if self.memory is not None:
            return (len(self._running) + 1) * expected <= self.memory
        now = time.monotonic()
        if now < self._plenty_until:
            return True
        left = SHARE * memory_to_give()
        if left > self.processes * expected:
            self._plenty_until = now + LOOK_AGAIN
        return expected + sum(max(0, expected - each.memory()) for each in self._running.values()) <= left

    def _end_all(self):
        for process, each in self._running.items():
            each.end()
            os.waitpid(process, 0)
            os.close(each.claim)
        self._running.clear()


def memory_to_give():
    """Bytes that this machine, or the control group that this process is in, has left."""
    found = []
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as file:
        found.append(1024 * int(next(line for line in file if line.startswith("MemAvailable")).split()[1]))
    with contextlib.suppress(OSError, ValueError):
        group = CGROUP / pathlib.Path("/proc/self/cgroup").read_text().splitlines()[-1].rpartition(":")[2].lstrip("/")
        most, now = ((group / f"memory.{word}").read_text() for word in ("max", "current"))
        found.append(int(most) - int(now))
    return min(found, default=2**62)
