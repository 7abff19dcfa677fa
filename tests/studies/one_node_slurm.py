# SPDX-License-Identifier: Apache-2.0
"""A Slurm of one node, this machine, with a folder, a key, ports and a configuration of its own.

Nothing of it is the site's: three daemons of Debian's munge and slurm-wlm, started and stopped here. SLURM_CONF names its
configuration to the clients.
"""

import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import time

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "squeue", "scancel", "sinfo", "scontrol")
PATIENCE = 30  # seconds until it must be ready
CONFIGURATION = """\
ClusterName=study
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=20
SchedulerParameters=batch_sched_delay=0,sched_min_interval=200000
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory={memory} State=UNKNOWN
PartitionName=study Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class unavailable(Exception):
    """There can be none here; the text says why."""


class one_node_slurm:
    """A context: entered, it is ready to take jobs. `environment` is what its clients need."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.daemons = {}
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def __enter__(self):
        missing = [name for name in DAEMONS + CLIENTS if not shutil.which(name, path=_path())]
        if missing:
            raise unavailable(f"not installed: {', '.join(missing)} (Debian's slurm-wlm and munge)")
        if os.geteuid() != 0:
            raise unavailable("slurmd starts jobs as root only")
        try:
            self._configure()
            self._start("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key",
                        f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                        f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed")  # fmt: skip
            self._await("munged makes no socket", (self.folder / "munge.socket").exists)
            self._start("slurmctld", "-D", "-i")
            self.start_node()
            self._await("the node is not idle", lambda: "idle" in self._ask("sinfo", "--noheader", "--format=%t"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if "slurmctld" in self.daemons and self.daemons["slurmctld"].poll() is None:
            self._ask("scancel", "--user=root")
            deadline = time.monotonic() + 10
            while self._ask("squeue", "--noheader") and time.monotonic() < deadline:
                time.sleep(0.2)
        for name in reversed(self.daemons):
            self.stop(name, signal.SIGTERM)
        self.daemons.clear()

    def start_node(self):
        self._start("slurmd", "-D")

    def stop(self, name, number=signal.SIGKILL):
        """Ends one of the daemons, the only one that this object has started by that name."""
        daemon = self.daemons[name]
        if daemon.poll() is None:
            daemon.send_signal(number)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def _configure(self):
        self.folder.chmod(0o755)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        ports = _free_ports(2)
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0], folder=self.folder, user="root", controller_port=ports[0],
                node_port=ports[1], processors=len(os.sched_getaffinity(0)), memory=_megabytes(),
            )
        )  # fmt: skip

    def _start(self, name, *options):
        log = open(self.folder / f"{name}.said", "ab")  # pylint: disable=consider-using-with
        with log:
            self.daemons[name] = subprocess.Popen(  # pylint: disable=consider-using-with
                [shutil.which(name, path=_path()), *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, cwd=self.folder)  # fmt: skip

    def _await(self, what, ready):
        deadline = time.monotonic() + PATIENCE
        while not ready():
            gone = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
            if gone or time.monotonic() > deadline:
                said = [line for name in gone or self.daemons for line in self._last_words(name)]
                raise unavailable(f"{what}: {' '.join(said) or 'and nobody says why'}")
            time.sleep(0.1)

    def _last_words(self, name):
        return (self.folder / f"{name}.said").read_text(errors="replace").splitlines()[-1:]

    def _ask(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        return done.stdout.strip()


def _path():
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _free_ports(number):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _megabytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 // 2
