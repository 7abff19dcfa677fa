#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The stock guest of scenarios/linux/image boots on qemu-system-ppc64 and finds its devices working: what the image does
wrong is not looked for in pefsim."""

import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SCENARIO = pathlib.Path(__file__).resolve().parent.parent.parent / "scenarios" / "linux"
QEMU = "qemu-system-ppc64"
MIB = 1 << 20


def image(*options):
    """The folder of an image; None when it cannot be made."""
    done = subprocess.run([SCENARIO / "image", *options], stdout=subprocess.PIPE, text=True, check=False)
    return pathlib.Path(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


@unittest.skipIf(shutil.which(QEMU) is None, f"SKIP: no {QEMU}")
class on_qemu(unittest.TestCase):
    def boot(self, guest, append, devices):
        command = [QEMU, "-M", "pseries,x-vof=on,ic-mode=xics", "-cpu", "POWER9", "-m", "512", "-nographic", "-vga", "none"]
        command += ["-no-reboot", "-kernel", guest / "vmlinux", "-initrd", guest / "initrd"]
        command += ["-append", f"console=hvc0 quiet {append}", *devices]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        return re.findall(r"^### (.*?)\r?$", done.stdout, re.M), done.stdout + done.stderr

    def test_every_device_works(self):
        guest = image("stock")
        if guest is None:
            self.skipTest("SKIP: Debian's ppc64el packages cannot be had: no network?")
        with tempfile.TemporaryDirectory(prefix="guest-image-") as name:
            folder = pathlib.Path(name)
            (folder / "raw.img").write_bytes(bytes(4 * MIB))
            with open(folder / "ext4.img", "wb") as disk:
                disk.truncate(32 * MIB)
            subprocess.run(["mke2fs", "-q", "-t", "ext4", folder / "ext4.img"], check=True)
            (folder / "tftp").mkdir()
            content = bytes(range(256)) * 300
            (folder / "tftp/file").write_bytes(content)
            fetched = f"tftp://10.0.2.2/file,{hashlib.sha256(content).hexdigest()}"
            devices = ["-netdev", f"user,id=n,tftp={folder}/tftp"]
            devices += ["-device", "virtio-net-pci,netdev=n,romfile=,disable-legacy=on"]
            devices += ["-device", "virtio-rng-pci,disable-legacy=on"]
            for disk in ("raw", "ext4"):
                devices += ["-drive", f"file={folder}/{disk}.img,format=raw,if=none,id={disk}"]
                devices += ["-device", f"virtio-blk-pci,drive={disk},disable-legacy=on"]
            lines, output = self.boot(guest, f"pefsim.fetch={fetched} pefsim.fetch=tftp://10.0.2.2/none", devices)

            self.assertEqual("DONE", lines[-1] if lines else None, output)
            expected = {
                "CPUS 1",
                f"BLK-OK vda raw, {4 * MIB} bytes",
                f"BLK-OK vdb file system, {32 * MIB} bytes",
                "NET-OK 10.0.2.2 3 packets transmitted, 3 packets received, 0% packet loss",
                f"FETCH-OK tftp://10.0.2.2/file {len(content)} bytes sha256 {hashlib.sha256(content).hexdigest()}",
                "FETCH-FAIL tftp://10.0.2.2/none cannot be downloaded",
                "RNG-OK virtio_rng.0",
            }
            self.assertEqual(set(), expected - set(lines), output)
            self.assertNotEqual(bytes(MIB), (folder / "raw.img").read_bytes()[MIB : 2 * MIB])
            subprocess.run(["e2fsck", "-fn", folder / "ext4.img"], check=True, capture_output=True)


if __name__ == "__main__":
    unittest.main()
