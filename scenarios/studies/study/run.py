# SPDX-License-Identifier: Apache-2.0
"""One run of a point: the scenario's process in a folder of its own, and the record of what came of it.

A report appears whole or not at all. One that has been left behind, by a run whose study did not live to see its end, is
the result of a run to its end, and is taken instead of running the point once more.
"""

import json
import math
import os
import resource
import signal
import socket
import time

from study import claims, figures, store
from study.complaints import trouble
from study.job import stamp_of

REPORT, ERRORS = "report.json", "errors"
KILLS = (signal.SIGKILL, signal.SIGTERM)
FULL = ("No space left on device", "Disk quota exceeded")
LONGEST = 300  # characters of a reason
ENVIRONMENT = dict(os.environb)  # as it is: taken apart and encoded for each run it would cost a millisecond
TRIES = 3  # of a run that somebody else kills: for its memory, or by mistake


class run:
    """Has started when it is made. Raises trouble when it cannot."""

    def __init__(self, job, folder, claim):
        self.job, self.folder, self.claim = job, folder, claim
        self.begun = time.monotonic()
        self.deadline = self.begun + job.time_limit
        try:
            self._make_folder()
            self.process = self._start()
        except OSError as error:
            raise trouble(f"{error.filename or folder}: {error.strerror}") from None

    def memory(self):
        """Bytes that it has in memory now."""
        try:
            with open(f"/proc/{self.process}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * resource.getpagesize()
        except (OSError, IndexError):
            return 0

    def end(self):
        """It is killed, with all that it has started; it must still be waited for."""
        os.killpg(self.process, signal.SIGKILL)

    def end_as_too_long(self):
        self.deadline = math.inf
        self.end()

    def was_killed(self, status):
        """By somebody else: it died of that, or ended because of it, as scenarios do of SIGTERM."""
        if self.deadline == math.inf:
            return False
        if os.WIFSIGNALED(status):
            return os.WTERMSIG(status) in KILLS
        return os.WEXITSTATUS(status) == 1 and _interrupted(_report_in(self.folder))

    def record(self, status, used):
        """Of a process that has ended so, with wait4's rusage. Raises trouble when the host is to blame."""
        check_inputs(self.job)
        signalled = os.WIFSIGNALED(status)
        code = -os.WTERMSIG(status) if signalled else os.WEXITSTATUS(status)
        host = {
            "seconds": round(time.monotonic() - self.begun, 4),
            "cpu": round(used.ru_utime + used.ru_stime, 4),
            "peak": used.ru_maxrss * 1024,
            "at": round(time.time(), 3),
            "host": socket.gethostname(),
        }
        found = None if self.deadline == math.inf or code not in (0, 1) else _from_report(self.job, self.folder)
        return (found or self._failure(code)) | host

    def _make_folder(self):
        try:
            os.mkdir(self.folder)
        except FileExistsError:  # of a run that did not get to its end
            store.remove(self.folder)
            os.mkdir(self.folder)

    def _start(self):
        """By posix_spawn, which copies nothing of this process: a fork would cost as much as a short point. The folder is
        changed around it, since only this process could do that for the other."""
        back = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
        os.chdir(self.folder)
        try:
            with claims.inherited(self.claim):
                return os.posix_spawn(
                    self.job.program, command(self.job), ENVIRONMENT, setpgroup=0, setsigmask=(),
                    setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
                        (os.POSIX_SPAWN_DUP2, 0, 1),
                        (os.POSIX_SPAWN_OPEN, 2, ERRORS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666),
                    ],
                )  # fmt: skip
        finally:
            os.fchdir(back)
            os.close(back)

    def _failure(self, code):
        said = _last_line(self.folder)
        if any(word in said for word in FULL):
            raise trouble(f"{self.folder}: {said}")
        if self.deadline == math.inf:
            reason = f"did not end within {self.job.time_limit:g} s"
        elif code < 0:
            reason = f"killed by {signal.Signals(-code).name}" + f", {TRIES} times" * (-code in KILLS)
        elif _interrupted(_report_in(self.folder)):
            reason = f"ended by a signal, {TRIES} times"
        else:
            reason = f"exit status {code}" + f": {said}" * bool(said)
        return _record(self.job, "failed", reason, {})


def check_inputs(job):
    """Raises trouble when a file is not what it was when the job's key was made of it."""
    for name, *was in job.inputs:
        if stamp_of(name) != (name, *was):
            raise trouble(f"{name} has changed while the study ran")


def left_behind(job, folder):
    """The record of a run to its end that nobody has recorded; None when there is none."""
    found = _from_report(job, folder)
    return found and found | {"seconds": None, "cpu": None, "peak": None, "at": round(time.time(), 3),
                              "host": socket.gethostname()}  # fmt: skip


def command(job):
    """A list of words, the program first."""
    return [job.program, "--quiet", "--no-trace", "--report", REPORT, *job.options]


def _report_in(folder):
    """None when there is none."""
    try:
        with open(f"{folder}/{REPORT}", "rb") as file:
            return json.loads(file.read())
    except (OSError, ValueError):
        return None


def _interrupted(report):
    """By a signal: it is of a run that was not let to its end."""
    return report is not None and report.get("ended", {}).get("kind") == "interrupted"


def _from_report(job, folder):
    report = _report_in(folder)
    if report is None or _interrupted(report):
        return None
    kept = {}
    for path in job.paths:
        try:
            kept[path] = figures.look_up(report, path, figures.steps_of(path, path))
        except figures.absent:
            kept[path] = (None, "")
    missed = [each["text"] for each in report.get("verdict", ()) if not each["shown"]]
    reason = f"not shown: {missed[0]}" if missed else ""
    if report.get("ended", {}).get("partial"):
        reason = report["ended"]["text"]
    return _record(job, "shown" if report.get("shown", True) else "not shown", reason, kept)


def _record(job, status, reason, kept):
    return {"key": job.key, "try": job.least_try, "status": status, "reason": reason[:LONGEST], "figures": kept}


def _last_line(folder):
    try:
        with open(f"{folder}/{ERRORS}", encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return ""
    said = next((line for line in reversed(lines) if line.strip()), "")
    return said.strip().replace(folder, ".")
