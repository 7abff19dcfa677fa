# SPDX-License-Identifier: Apache-2.0
"""Who runs which point now: a byte of the file `claims` for each point, locked and never written.

The lock belongs to an open file, and the scenario's process inherits that. So a claim lasts until both the study and the
run are gone: a run whose study was killed goes on to its end with nobody beginning it a second time, and no claim is left
behind by anything that dies. `fuser claims` names the processes.
"""

import contextlib
import errno
import fcntl
import os
import struct

from study.complaints import trouble

FLOCK = "@hhqqi0q"  # struct flock of fcntl(2)


def take(file, key):
    """A descriptor, the claim, which close() ends; None when another has it. Raises trouble."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise trouble(f"{file}: {error.strerror}") from None
    place = int(key[:15], 16)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return None
        raise trouble(f"{file}: {error.strerror}") from None
    return descriptor


@contextlib.contextmanager
def inherited(descriptor):
    """What is started inside has the claim as well."""
    os.set_inheritable(descriptor, True)
    try:
        yield
    finally:
        os.set_inheritable(descriptor, False)
