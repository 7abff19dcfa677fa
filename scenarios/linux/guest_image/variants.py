# SPDX-License-Identifier: Apache-2.0
"""Kernels that differ from Debian's source by patches: each folder of ../patches is a series."""

import pathlib
import re

from guest_image.progress import failure

PATCHES = pathlib.Path(__file__).resolve().parent.parent / "patches"
STOCK = "stock"


def series_names():
    return sorted(path.name for path in PATCHES.iterdir() if path.is_dir())


def patches_of(variant):
    """The patches that make a variant, in order: "stock" has none, NAME all of a series, NAME-1 the first one,
    NAME-1-3 the first three; NAME+NAME one series after another.

    Raises failure when there is no such series, or it is shorter
    """
    if variant == STOCK:
        return []
    return [patch for part in variant.split("+") for patch in _beginning_of_series(part)]


def _beginning_of_series(part):
    name, count = re.fullmatch(r"(.*?)(?:-1(?:-(\d+))?)?", part).groups()
    if name not in series_names():
        raise failure(f"there is no series {name}: stock, {', '.join(series_names())}")
    series = sorted((PATCHES / name).glob("*.patch"))
    wanted = len(series) if part == name else int(count or 1)
    if not 0 < wanted <= len(series):
        raise failure(f"{part}: the series {name} has {len(series)} patches")
    return series[:wanted]
