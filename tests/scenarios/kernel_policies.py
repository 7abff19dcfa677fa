# SPDX-License-Identifier: Apache-2.0
"""scenarios/linux/kernel_check/policies.py, for the tests beside this file."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scenarios/linux"))

# pylint: disable=wrong-import-position
from guest_image.progress import failure  # noqa: E402
from kernel_check import policies  # noqa: E402

__all__ = ["ROOT", "failure", "policies"]
