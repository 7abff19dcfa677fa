# SPDX-License-Identifier: Apache-2.0
"""How far a study is, how fast it goes, how long it will take: on a terminal one line that changes, elsewhere a line now
and then. On standard error.
"""

import collections
import sys
import time

from study.quantities import of_duration

REDRAWN, LINE = 0.2, 60.0  # seconds between two of them: on a terminal, elsewhere
RECENT = 30.0  # seconds that a rate is of


class progress:
    def __init__(self, name, total, finished, failed, stream=sys.stderr):
        self.name, self.total, self.finished, self.failed = name, total, finished, failed
        self._failed_before = failed
        self._stream, self._terminal = stream, stream.isatty()
        self._shown = time.monotonic()
        self._marks = collections.deque([(self._shown, finished)])
        self._width = 0

    def heard(self, record):
        """A point is finished: by this record, or by somebody else's."""
        self._count(self.finished + 1, self.failed + (record is not None and record["status"] == "failed"))

    def at(self, records):
        """Of all points that were to be run; None where one is not finished."""
        found = [each for each in records if each]
        failed = sum(each["status"] == "failed" for each in found)
        self._count(self.total - len(records) + len(found), self._failed_before + failed)

    def note(self, text):
        self._clear()
        print(f"{self.name}: {text}", file=self._stream, flush=True)

    def end(self):
        self._clear()

    def text(self):
        return line(self.finished, self.total, self.failed, self._rate())

    def _count(self, finished, failed):
        self.finished, self.failed = finished, failed
        now = time.monotonic()
        if now - self._shown < (REDRAWN if self._terminal else LINE):
            return
        self._shown = now
        self._marks.append((now, finished))
        while len(self._marks) > 2 and now - self._marks[1][0] > RECENT:
            self._marks.popleft()
        if self._terminal:
            text = f"{self.name}: {self.text()}"
            self._stream.write(f"\r{text.ljust(self._width)}")
            self._stream.flush()
            self._width = len(text)
        else:
            self.note(self.text())

    def _rate(self):
        (begun, before), now = self._marks[0], time.monotonic()
        return (self.finished - before) / (now - begun) if now > begun else 0.0

    def _clear(self):
        if self._width:
            self._stream.write(f"\r{' ' * self._width}\r")
            self._stream.flush()
            self._width = 0


def line(finished, total, failed, rate):
    """ "1,234 of 10,000 points, 3 failed; 45.2 a second, 3 min left" """
    text = f"{finished:,} of {total:,} points" + f", {failed:,} failed" * bool(failed)
    if rate > 0 and finished < total:
        text += f"; {rate:.3g} a second, {of_duration((total - finished) / rate)} left"
    return text
