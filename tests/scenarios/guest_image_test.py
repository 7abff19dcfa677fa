#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scenarios/linux/image without the network: the initramfs, the order of modules, the cache, and whom apt believes."""

import errno
import hashlib
import json
import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

SCENARIO = pathlib.Path(__file__).resolve().parent.parent.parent / "scenarios" / "linux"
sys.path.insert(0, str(SCENARIO))

from guest_image import built, cache, cpio, initramfs, kernel_tree, root, stock, variants  # noqa: E402
from guest_image.archive import archive, not_there, package  # noqa: E402
from guest_image.files import sha256_of  # noqa: E402
from guest_image.kernel_modules import modinfo, module_tree  # noqa: E402
from guest_image.progress import failure  # noqa: E402


def fake_module(depends="", alias=()):
    """An ELF file with the one section that is read."""
    strings = [f"depends={depends}", "license=GPL", *(f"alias={each}" for each in alias)]
    info = b"".join(text.encode() + b"\0" for text in strings)
    names = b"\0.modinfo\0.shstrtab\0"
    table = 64 + len(info) + len(names)
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 1, 21, 1, 0, 0, table, 0, 64, 0, 0, 64, 3, 2)
    sections = [(0, 0, 0), (1, 64, len(info)), (10, 64 + len(info), len(names))]
    rows = [struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 1, 0) for name, offset, size in sections]
    return header + info + names + b"".join(rows)


class in_a_folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="guest-image-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        nowhere = self.enterContext(open(os.devnull, "w"))
        self.enterContext(mock.patch("sys.stderr", nowhere))

    def modules(self, files, builtin=()):
        folder = self.folder / "lib/modules/1.2.3-test"
        for name, content in files.items():
            path = folder / "kernel" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "modules.builtin").write_text("".join(f"kernel/{name}.ko\n" for name in builtin))
        return module_tree(folder)


class the_archive_file(in_a_folder):
    def archive_of(self, order):
        files = cpio.writer()
        entries = {
            "init": lambda: files.file("init", b"#!/bin/sh\n", executable=True),
            "bin/sh": lambda: files.link("bin/sh", "busybox"),
            "dev/console": lambda: files.character_device("dev/console", 5, 1),
            "lib/modules/a.ko": lambda: files.file("lib/modules/a.ko", b"abc"),
        }
        for name in order:
            entries[name]()
        return files.image()

    def test_cpio_reads_it(self):
        image = self.archive_of(["init", "bin/sh", "dev/console", "lib/modules/a.ko"])
        listed = subprocess.run(
            ["cpio", "-tv", "--quiet", "--numeric-uid-gid"], input=image, capture_output=True, check=True
        )
        rows = [line.split() for line in listed.stdout.decode().splitlines()]
        self.assertEqual(
            ["bin", "bin/sh -> busybox", "dev", "dev/console", "init", "lib", "lib/modules", "lib/modules/a.ko"],
            [" ".join(row[9:] if row[0].startswith("c") else row[8:]) for row in rows],
        )
        self.assertEqual("drwxr-xr-x lrwxrwxrwx crw------- -rwxr-xr-x -rw-r--r--".split(),
                         [rows[at][0] for at in (0, 1, 3, 4, 7)])
        self.assertEqual({"0"}, {row[2] for row in rows} | {row[3] for row in rows})
        subprocess.run(["cpio", "-id", "--quiet", "init", "lib/*"], input=image, cwd=self.folder, check=True)
        self.assertEqual(b"#!/bin/sh\n", (self.folder / "init").read_bytes())
        self.assertEqual(b"abc", (self.folder / "lib/modules/a.ko").read_bytes())

    def test_the_order_of_entries_does_not_matter(self):
        names = ["init", "bin/sh", "dev/console", "lib/modules/a.ko"]
        self.assertEqual(self.archive_of(names), self.archive_of(reversed(names)))


class kernel_modules(in_a_folder):
    def test_each_comes_after_what_it_needs(self):
        tree = self.modules(
            {
                "virtio-net.ko": fake_module("net_failover,virtio_ring"),
                "net_failover.ko.xz": lzma.compress(fake_module("failover")),
                "failover.ko": fake_module(),
                "virtio_ring.ko": fake_module("virtio,built_in"),
                "virtio.ko": fake_module(),
            },
            builtin=["built-in"],
        )
        self.assertEqual(
            ["failover", "net_failover", "virtio", "virtio_ring", "virtio_net"], tree.in_load_order(["virtio-net"])
        )
        self.assertEqual([], tree.in_load_order(["built_in"]))

    def test_what_is_not_there_is_named(self):
        tree = self.modules({"a.ko": fake_module("b")})
        with self.assertRaisesRegex(failure, "1.2.3-test has no module b, which a needs"):
            tree.in_load_order(["a"])
        with self.assertRaisesRegex(failure, "has no module ext9$"):
            tree.in_load_order(["ext9"])

    def test_a_circle_is_an_error(self):
        tree = self.modules({"a.ko": fake_module("b"), "b.ko": fake_module("a")})
        with self.assertRaisesRegex(failure, "need each other: a b"):
            tree.in_load_order(["a"])

    def test_what_is_no_module_is_an_error(self):
        with self.assertRaisesRegex(failure, "no 64-bit little-endian ELF"):
            modinfo(b"\x7fELF\x01\x01")


class what_the_cache_makes(in_a_folder):
    def setUp(self):
        super().setUp()
        self.calls = 0

    def make(self, place):
        self.calls += 1
        (place / "vmlinux").write_bytes(b"kernel")

    def made(self, identity="one"):
        return cache.made(self.folder, "images", {"identity": identity}, self.make)

    def left(self):
        return sorted(path.name for path in (self.folder / "images").iterdir())

    def test_once(self):
        first = self.made()
        self.assertEqual(first, self.made())
        self.assertEqual(1, self.calls)
        self.assertNotEqual(first, self.made("another"))
        self.assertEqual(2, self.calls)
        manifest = json.loads((first / "manifest.json").read_text())
        self.assertEqual({"vmlinux": {"size": 6, "sha256": sha256_of(first / "vmlinux")}}, manifest["outputs"])

    def test_what_is_damaged_again(self):
        for damage in (
            lambda place: (place / "vmlinux").write_bytes(b"kerneL"),
            lambda place: (place / "vmlinux").unlink(),
            lambda place: (place / "manifest.json").write_text("{"),
            lambda place: (place / "manifest.json").unlink(),
        ):
            place = self.made()
            before = self.calls
            damage(place)
            self.assertEqual(b"kernel", (self.made() / "vmlinux").read_bytes())
            self.assertEqual(before + 1, self.calls)

    def test_nothing_stays_of_what_failed(self):
        for error in (OSError(errno.ENOSPC, "No space left on device"), failure("cut"), KeyboardInterrupt()):

            def make(place, error=error):
                (place / "vmlinux").write_bytes(b"ker")
                raise error

            with self.assertRaises(type(error)):
                cache.made(self.folder, "images", {}, make)
            self.assertEqual([], self.left())

    def test_what_a_killed_run_left_goes(self):
        place = self.made()
        shutil.rmtree(place)
        (place.parent / f".{place.name}.left").mkdir()
        self.made()
        self.assertEqual([place.name], self.left())

    def test_by_one_of_two_runs_at_once(self):
        started, go_on = threading.Event(), threading.Event()

        def slow(place):
            started.set()
            go_on.wait()
            self.make(place)

        first = threading.Thread(target=cache.made, args=(self.folder, "images", {"identity": "one"}, slow))
        second = threading.Thread(target=self.made)
        first.start()
        started.wait()
        second.start()
        go_on.set()
        first.join()
        second.join()
        self.assertEqual(1, self.calls)

    def test_what_was_resolved_is_remembered_until_an_update(self):
        answers = iter((["1"], ["2"]))

        def ask(update):
            return cache.remembered(self.folder, "suite", lambda: next(answers), update)

        self.assertEqual([["1"], ["1"], ["2"], ["2"]], [ask(False), ask(False), ask(True), ask(False)])


class fake_archive:
    """Packages that dpkg-deb makes here."""

    suite = "fake"

    def __init__(self, folder):
        self._folder = folder
        self._debs = {}
        self.refused = set()
        self.refusal = not_there

    def add(self, name, files, depends="", version="1.2-1"):
        root = self._folder / name
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: ppc64el\nMaintainer: n\nDescription: d\n"
        )
        deb = self._folder / f"{name}.deb"
        subprocess.run(
            ["dpkg-deb", "--build", "--root-owner-group", str(root), str(deb)], check=True, stdout=subprocess.DEVNULL
        )
        self._debs[name] = (deb, package(name, version, sha256_of(deb), depends))

    def update(self):
        pass

    def names(self, beginning):
        return sorted(name for name in self._debs if name.startswith(beginning))

    def candidate(self, name):
        return self._debs[name][1]

    def fetch(self, wanted):
        if wanted.name in self.refused:
            raise self.refusal(f"{wanted.name} is not there")
        return self._debs[wanted.name][0]


@unittest.skipIf(shutil.which("dpkg-deb") is None, "no dpkg-deb: not Debian")
class of_packages(in_a_folder):
    def setUp(self):
        super().setUp()
        self.source = fake_archive(self.folder)


class the_stock_image(of_packages):
    def setUp(self):
        super().setUp()
        self.source.add("busybox-static", {"bin/busybox": b"\x7fELF busybox"})
        self.source.add("linux-image-powerpc64le", {}, depends="linux-image-1.2.3-powerpc64le (= 1.2-1)")
        modules = {
            f"kernel/{name}.ko": fake_module(depends, alias)
            for name, depends, alias in (
                ("virtio_pci", "virtio", ()),
                ("virtio", "", ()),
                ("virtio_blk", "virtio", ("virtio:d00000002v*",)),
                ("virtio-rng", "virtio", ()),
                ("virtio_net", "virtio", ()),
                ("ext4", "", ("fs-ext4",)),
                ("test_bpf", "", ()),
                ("crypto/tcrypt", "", ()),
                ("drivers/crypto/vmx/vmx-crypto", "", ()),
                ("drivers/crypto/other", "", ()),
            )
        }
        modules["modules.builtin"] = b"kernel/drivers/char/virtio_console.ko\n"
        for version in ("1.2.2", "1.2.3"):
            name = f"linux-image-{version}-powerpc64le"
            files = {f"lib/modules/{version}/{path}": content for path, content in modules.items()}
            self.source.add(name, {**files, f"boot/vmlinux-{version}": b"\x7fELF" + version.encode()})

    def contents(self, init, more=()):
        place = self.folder / "place"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        stock.make(self.source, stock.resolve(self.source, "powerpc64le"), init, more, place)
        into = self.folder / "unpacked"
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        with open(place / "initrd", "rb") as initrd:
            subprocess.run(["cpio", "-id", "--quiet", "-f", "dev/*"], stdin=initrd, cwd=into, check=True)
        return place, into

    def test_holds_kernel_busybox_init_and_modules(self):
        place, root = self.contents("check")
        self.assertEqual(b"\x7fELF1.2.3", (place / "vmlinux").read_bytes())
        self.assertEqual(b"\x7fELF busybox", (root / "bin/busybox").read_bytes())
        self.assertEqual((SCENARIO / "init/check").read_bytes(), (root / "init").read_bytes())
        self.assertEqual("virtio_pci\nvirtio_blk\nvirtio_net\nvirtio_rng\n", (root / "etc/modules").read_text())
        modules = root / "lib/modules/1.2.3"
        self.assertIn("virtio_blk.ko: virtio.ko\n", (modules / "modules.dep").read_text())
        self.assertIn("alias fs-ext4 ext4\n", (modules / "modules.alias").read_text())
        self.assertFalse((modules / "test_bpf.ko").exists())

    def test_the_lean_one_has_no_more_than_it_loads(self):
        _, root = self.contents("lean")
        self.assertFalse((root / "lib/modules/1.2.3/ext4.ko").exists())

    def test_more_modules_for_modprobe(self):
        _, root = self.contents("shell", ["test_bpf"])
        self.assertTrue((root / "lib/modules/1.2.3/test_bpf.ko").exists())
        self.assertNotIn("test_bpf", (root / "etc/modules").read_text())

    def test_the_suites_have_those_of_the_tests_that_the_kernel_has(self):
        _, root = self.contents("suites")
        names = {path.stem for path in (root / "lib/modules/1.2.3").glob("*.ko")}
        self.assertEqual({"tcrypt", "vmx_crypto", "test_bpf"}, names & {"tcrypt", "vmx_crypto", "test_bpf", "other"})

    def test_the_same_packages_give_the_same_bytes(self):
        first = sha256_of(self.contents("check")[0] / "initrd")
        self.assertEqual(first, sha256_of(self.contents("check")[0] / "initrd"))

    def test_a_kernel_that_the_mirror_only_lists(self):
        self.source.refused = {"linux-image-1.2.3-powerpc64le"}
        names = [each.name for each in stock.resolve(self.source, "powerpc64le")]
        self.assertEqual(["linux-image-1.2.2-powerpc64le", "busybox-static"], names)
        self.source.refused.add("linux-image-1.2.2-powerpc64le")
        with self.assertRaisesRegex(failure, "linux-image-1.2.2-powerpc64le is not there"):
            stock.resolve(self.source, "powerpc64le")

    def test_a_download_that_is_cut_is_no_reason_for_an_older_kernel(self):
        self.source.refused = {"linux-image-1.2.3-powerpc64le"}
        self.source.refusal = failure
        with self.assertRaisesRegex(failure, "linux-image-1.2.3-powerpc64le is not there"):
            stock.resolve(self.source, "powerpc64le")

    def test_page_sizes(self):
        self.assertEqual("powerpc64le", stock.flavour_of("bookworm", "64K"))
        self.assertEqual("powerpc64le-64k", stock.flavour_of("trixie", "64K"))
        self.assertEqual("powerpc64le", stock.flavour_of("trixie", "4K"))
        with self.assertRaisesRegex(failure, "bookworm has no kernel with 4K pages"):
            stock.flavour_of("bookworm", "4K")


class the_root_file_system(of_packages):
    def content(self, name):
        disk = self.folder / "place/root.ext4"
        return subprocess.run(["debugfs", "-R", f"cat {name}", disk], capture_output=True, check=True).stdout

    def test_holds_the_files_of_the_packages_and_their_sums(self):
        self.source.add("old-layout", {"bin/old": b"old", "usr/share/doc/old": b"text"})
        self.source.add("new-layout", {"usr/bin/new": b"new"})
        place = self.folder / "place"
        place.mkdir()
        root.make(self.source, [self.source.candidate("old-layout"), self.source.candidate("new-layout")], 16, place)
        subprocess.run(["e2fsck", "-fn", place / "root.ext4"], check=True, capture_output=True)
        self.assertEqual(16 << 20, (place / "root.ext4").stat().st_size)
        self.assertEqual(b"old", self.content("/usr/bin/old"))
        self.assertEqual(b"new", self.content("/usr/bin/new"))
        self.assertEqual((SCENARIO / "root/check").read_bytes(), self.content("/pefsim/check"))
        sums = [f"{hashlib.sha256(name.encode()).hexdigest()}  /usr/bin/{name}" for name in ("new", "old")]
        self.assertEqual(sums, self.content("/pefsim/usr.sha256").decode().splitlines())


class configurations(in_a_folder):
    def test_an_option_that_is_missed_is_named(self):
        wanted = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=17\n"
        every = {"CONFIG_A", "CONFIG_B", "CONFIG_C", "CONFIG_D"}
        self.assertEqual([], kernel_tree.check(wanted, "CONFIG_A=y\nCONFIG_C=17\nCONFIG_D=y\n", every))
        with self.assertRaisesRegex(failure, r"CONFIG_A=y \(is n\), CONFIG_C=17 \(is 18\), CONFIG_B=n \(is y\)$"):
            kernel_tree.check(wanted, "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=18\n", every)

    def test_an_option_that_a_version_does_not_have_is_told(self):
        wanted = "CONFIG_A=y\nCONFIG_C=17\n"
        self.assertEqual(["CONFIG_C"], kernel_tree.check(wanted, "CONFIG_A=y\n", {"CONFIG_A"}))
        with self.assertRaisesRegex(failure, r"wanted: CONFIG_A=y \(is n\)$"):
            kernel_tree.check(wanted, "", {"CONFIG_A"})

    def test_the_options_of_a_tree_are_those_for_powerpc(self):
        for name, text in (
            ("Kconfig", "config A\n\tbool\n"),
            ("drivers/Kconfig.more", "\tmenuconfig B\n"),
            ("arch/Kconfig", "config C\n"),
            ("arch/powerpc/Kconfig", "config D\n"),
            ("arch/x86/Kconfig", "config E\n"),
            ("drivers/notes", "config F\n"),
        ):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        self.assertEqual({f"CONFIG_{each}" for each in "ABCD"}, kernel_tree.defined_options(self.folder))

    def test_the_version_is_that_of_the_makefile(self):
        makefile = self.folder / "Makefile"
        makefile.write_text("VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\nNAME = x\n")
        self.assertEqual("7.3.0-rc1", kernel_tree.version_of(self.folder))
        makefile.write_text("all:\n")
        with self.assertRaisesRegex(failure, "has no Makefile of a kernel$"):
            kernel_tree.version_of(self.folder)

    def test_a_secure_guest_of_either_page_size(self):
        self.assertEqual(["full", "lean"], kernel_tree.configuration_names())
        for name in kernel_tree.configuration_names():
            for pages, other in (("64K", "4K"), ("4K", "64K")):
                options = kernel_tree.options_of(kernel_tree.wanted_options(name, pages))
                self.assertEqual("y", options["CONFIG_PPC_SVM"])
                self.assertEqual("y", options[f"CONFIG_PPC_{pages}_PAGES"])
                self.assertNotIn(f"CONFIG_PPC_{other}_PAGES", options)


class patched_kernels(in_a_folder):
    def numbers(self, variant):
        return [path.name[:4] for path in variants.patches_of(variant)]

    def test_a_variant_is_a_series_or_its_beginning(self):
        self.assertEqual([], self.numbers("stock"))
        self.assertEqual(["0001"], self.numbers("series-1"))
        self.assertEqual(["0001", "0002", "0003"], self.numbers("series-1-3"))
        self.assertEqual(["0001", "0002", "0003", "0004"], self.numbers("series"))
        self.assertEqual(["0001", "0002", "0001"], self.numbers("series-1-2+svm-swiotlb"))

    def test_what_is_no_variant_is_named(self):
        with self.assertRaisesRegex(failure, "^there is no series serial: stock, bounce-sync, series, svm-swiotlb$"):
            variants.patches_of("serial")
        with self.assertRaisesRegex(failure, "^series-1-5: the series series has 4 patches$"):
            variants.patches_of("series-1-5")

    def test_every_patch_is_signed_and_licensed_as_the_kernel_is(self):
        for name in variants.series_names():
            for path in variants.patches_of(name):
                text = path.read_text()
                self.assertRegex(text, r"(?m)^Signed-off-by: pefsim <", path.name)
                self.assertRegex(text, r"\AFrom 0{40} .*\n(?:.*\n)*?Subject: \[PATCH", path.name)
        self.assertIn("GPL-2.0", (variants.PATCHES / "README.md").read_text())

    def test_one_that_does_not_fit_exactly_is_named(self):
        (self.folder / "file").write_text("one\ntwo\n")
        patch = self.folder / "0001-x.patch"
        patch.write_text("--- a/file\n+++ b/file\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n")
        kernel_tree.apply([patch], self.folder)
        self.assertEqual("one\nthree\n", (self.folder / "file").read_text())
        with self.assertRaisesRegex(failure, "^applying 0001-x.patch failed"):
            kernel_tree.apply([patch], self.folder)


@unittest.skipIf(shutil.which("apt-get") is None, "no apt-get: not Debian")
class whom_apt_believes(in_a_folder):
    def test_not_an_archive_that_debian_did_not_sign(self):
        index = self.folder / "mirror/dists/bookworm/main/binary-ppc64el/Packages"
        index.parent.mkdir(parents=True)
        index.write_text("Package: busybox-static\nVersion: 1\nArchitecture: ppc64el\nFilename: x.deb\nSize: 1\n"
                         f"SHA256: {'0' * 64}\n")
        (self.folder / "mirror/dists/bookworm/Release").write_text(
            "Suite: bookworm\nCodename: bookworm\nArchitectures: ppc64el\nComponents: main\nSHA256:\n"
            f" {sha256_of(index)} {index.stat().st_size} main/binary-ppc64el/Packages\n"
        )
        source = archive(self.folder / "cache", "bookworm", f"file:{self.folder}/mirror")
        with self.assertRaisesRegex(failure, "^bookworm for ppc64el cannot be had from file:"):
            source.update()


class the_command(in_a_folder):
    def run_image(self, *arguments):
        return subprocess.run(
            [SCENARIO / "image", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PEFSIM_CACHE": str(self.folder / "cache")},
        )

    def test_what_it_does_not_know_is_named(self):
        for arguments, said in (
            (["stock", "--suite", "sarge"], "sarge"),
            (["stock", "--init", "systemd"], "systemd"),
            (["frozen"], "frozen"),
        ):
            done = self.run_image(*arguments)
            self.assertEqual(2, done.returncode)
            self.assertIn(said, done.stderr.splitlines()[-1])

    def test_a_failure_is_one_line(self):
        done = self.run_image("stock", "--pages", "4K")
        self.assertEqual((1, "", "image: bookworm has no kernel with 4K pages (64K only)\n"),
                         (done.returncode, done.stdout, done.stderr))

    def test_a_cache_that_cannot_be_written(self):
        (self.folder / "cache").write_text("a file")
        done = self.run_image("stock")
        self.assertEqual((1, ""), (done.returncode, done.stdout))
        self.assertRegex(done.stderr, r"^image: .*/cache\S*: [^\n]*\n$")


class programs_of_the_guest(unittest.TestCase):
    def test_each_init_is_a_script_of_busybox_that_ends(self):
        self.assertEqual(["check", "lean", "load", "root", "shell", "suites"], initramfs.init_names())
        for name in initramfs.init_names():
            text = (SCENARIO / "init" / name).read_text()
            self.assertTrue(text.startswith("#!/bin/busybox sh\n"))
            self.assertRegex(text, r'(say "|echo "### )DONE"\n(sync\n)?(/bin/busybox |\$B |)poweroff -f\n$')
            subprocess.run(["sh", "-n"], input=text, text=True, check=True)


if __name__ == "__main__":
    unittest.main()
