# SPDX-License-Identifier: Apache-2.0
"""GNU parallel: machines without a scheduler, --option=--sshlogin=2/one,2/other; the folder of results must be on all."""

import shutil
import signal
import subprocess

from study import chunks
from study.complaints import trouble

MOST = 100_000  # chunks of a round


def run(work):
    if not shutil.which("parallel"):
        raise trouble("there is no command parallel: GNU parallel is not installed")
    chunks.in_rounds(work, MOST, lambda *of_round: _round(work, *of_round))


def _round(work, plan, number, wait):
    line = chunks.command(work.results, plan, "{}", number)
    with subprocess.Popen(["parallel", f"--jobs={work.processes}", *work.options, line], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True, process_group=0, preexec_fn=_heed_signals) as process:  # fmt: skip
        try:
            process.stdin.write("".join(f"{chunk}\n" for chunk in range(number)))
            process.stdin.close()
            while process.poll() is None:
                wait()
        except BaseException:
            process.terminate()  # twice: the first time it lets what runs come to its end
            process.terminate()
            raise


def _heed_signals():
    """Those that a study waits for are blocked in it, and would be in what it starts."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
