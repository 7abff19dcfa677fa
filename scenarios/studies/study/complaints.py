# SPDX-License-Identifier: Apache-2.0
"""How a study says that it does not go on: always one line that names the thing."""

import difflib


class mistake(Exception):
    """What the user asks for cannot be. Nothing has run; exit status 2."""


class trouble(Exception):
    """The host does not let the study go on: a full disk, a scheduler that is gone. Exit status 1; what is finished is
    kept, and the same command goes on.
    """


class stopped(Exception):
    """By a signal. Exit status 128 + its number; the same command goes on."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def unknown(what, word, known):
    """ "unknown axis 'dept'; did you mean 'depth'?" """
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"unknown {what} '{word}'" + (f"; did you mean '{near[0]}'?" if near else "")
