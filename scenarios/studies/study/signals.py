# SPDX-License-Identifier: Apache-2.0
"""Signals come where a study waits, and nowhere else: what it has begun to write is written."""

import contextlib
import signal

from study.complaints import stopped

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def waited_for():
    """A context in which those that stop a study, and SIGCHLD, come in wait() only."""
    numbers = {signal.SIGCHLD, *STOPS}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield numbers
    finally:
        # A second Ctrl-C while the first is obeyed is the same wish.
        while signal.sigtimedwait(STOPS, 0):
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait(numbers, seconds):
    """Until one of them comes, or so long; None: as long as it takes. Raises stopped."""
    came = signal.sigwaitinfo(numbers) if seconds is None else signal.sigtimedwait(numbers, seconds)
    if came and came.si_signo in STOPS:
        raise stopped(came.si_signo)
