# SPDX-License-Identifier: Apache-2.0
"""Tables in Markdown, and the place that a document has for what a command finds."""

from guest_image.progress import failure


def lines_of(command):
    """The two lines between which a document has what a command finds."""
    return f"<!-- {command}: begin -->", f"<!-- {command}: end -->"


def filled(path, begin, end, text):
    """The text of a document with what was found in its place.

    Raises failure when it has none
    """
    before, first, rest = path.read_text().partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise failure(f"{path} has no lines {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n{end}{after}".replace("\n\n\n", "\n\n")


def table(head, lines):
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
