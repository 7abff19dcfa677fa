#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ESM blobs: pefsim-esm, judged by dtc, openssl and a GCM of our own, and guests whose images are checked by them (scenario
linux with the kernel of tests/firmware/kernel, which asks for UV_ESM)."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import operating_system_test
import scenario

TOOL = pathlib.Path(os.environ["PEFSIM_ESM"])
# svm_tool/esm_digest/rtas_sha512.py of open-power/svm-tools
RTAS = ("189698638580422ea58a0968ecce2436daeb2c91a339c14b0ab2bc623c1649fe"
        "274074a4a92679dc61e5528d68778ba3c82f1b1f7e9a5958238b80497fc37f48")  # fmt: skip
OAEP = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"]
LINE = "svm=on quiet"
PASSPHRASE = b"correct horse battery staple, and more than sixty-four bytes of it"


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True, timeout=100).stdout


def aes(key, block):
    return openssl("enc", "-aes-256-ecb", "-nopad", "-K", key.hex(), data=block)


def multiplied(x, y):
    """In GF(2^128): NIST SP 800-38D, 6.3."""
    product = 0
    for bit in range(127, -1, -1):
        product ^= y if x >> bit & 1 else 0
        y = (y >> 1) ^ (0xE1 << 120 if y & 1 else 0)
    return product


def ghash(key, *parts):
    """NIST SP 800-38D, 6.4, of parts that are filled up to whole blocks each."""
    h = int.from_bytes(aes(key, bytes(16)), "big")
    result = 0
    for part in parts:
        for at in range(0, len(part), 16):
            result = multiplied(result ^ int.from_bytes(part[at : at + 16].ljust(16, b"\0"), "big"), h)
    return result.to_bytes(16, "big")


class tool_test(scenario.ScenarioTest):
    made = None  # what takes a while, made once: a machine's keys

    def setUp(self):
        super().setUp()
        if tool_test.made is None:
            tool_test.made = tempfile.TemporaryDirectory()
            unittest.addModuleCleanup(tool_test.made.cleanup)
            self.keys("machine")
            for name in ("machine.pem", "machine.pub"):
                shutil.copy2(self.directory / name, tool_test.made.name)
        else:
            shutil.copytree(tool_test.made.name, self.directory, dirs_exist_ok=True)

    def tool(self, *options):
        return subprocess.run([TOOL, *map(str, options)], cwd=self.directory, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=100, check=False)  # fmt: skip

    def done(self, *options):
        result = self.tool(*options)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def keys(self, name):
        self.done("keys", "--private", f"{name}.pem", "--public", f"{name}.pub")

    def write(self, name, content):
        (self.directory / name).write_bytes(content)
        return name


@unittest.skipUnless(shutil.which("dtc") and shutil.which("openssl"), "no dtc or no openssl")
class blobs(tool_test):
    def setUp(self):
        super().setUp()
        self.kernel = bytes(range(256)) * 30
        self.initrd = b"initrd" * 1000
        self.write("kernel", self.kernel)
        self.write("initrd", self.initrd)
        self.write("secret", PASSPHRASE)
        self.image = ["--kernel", "kernel", "--initrd", "initrd", "--append", LINE]

    def make(self, *options):
        owner = [] if "--owner-key" in options else ["--owner-key", "machine.pub"]  # a new one would take a while
        self.done("make", *self.image, "--machine-key", "machine.pub", "--output", "blob", *owner, *options)

    def get(self, name, path, prop):
        """A property's bytes, as fdtget reads them."""
        words = subprocess.run(["fdtget", "-t", "bx", name, path, prop], cwd=self.directory, capture_output=True,
                               text=True, check=True, timeout=100).stdout.split()  # fmt: skip
        return bytes(int(each, 16) for each in words)

    def master_key(self, lockbox="lockbox-1", key="machine.pem"):
        wrapped = self.get("blob", f"/lockboxes/{lockbox}", "encrypted-symkey")
        return openssl("pkeyutl", "-decrypt", "-inkey", self.directory / key, *OAEP, data=wrapped)

    def opened(self, key, name, path):
        """What is in a box; its tag is right."""
        iv, mac, cipher = (self.get(name, path, each) for each in ("iv", "mac", "ciphertext"))
        self.assertEqual(self.get(name, path, "algorithm"), b"AES256-GCM\0")
        self.assertEqual((len(iv), len(mac)), (12, 16))
        lengths = bytes(8) + (8 * len(cipher)).to_bytes(8, "big")
        mask = aes(key, iv + bytes((0, 0, 0, 1)))
        tag = bytes(a ^ b for a, b in zip(ghash(key, cipher, lengths), mask))
        self.assertEqual(tag, mac)
        return openssl("enc", "-aes-256-ctr", "-K", key.hex(), "-iv", (iv + bytes((0, 0, 0, 2))).hex(), data=cipher)

    def test_others_read_what_it_makes(self):
        self.keys("owner")
        self.make("--owner-key", "owner.pub", "--file", "passphrase=secret", "--comment", "hello")
        text = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", "blob"], cwd=self.directory, text=True, capture_output=True,
                              check=True, timeout=100).stdout  # fmt: skip
        self.assertIn('compatible = "ibm,esm"', text)
        self.assertIn('untrusted-comment = "hello"', text)
        self.assertNotIn("phandle", text)
        key = self.master_key()
        self.assertEqual(len(key), 32)
        self.assertEqual(self.master_key("origin-lockbox", "owner.pem"), key)
        for lockbox, name in (("lockbox-1", "machine"), ("origin-lockbox", "owner")):
            known = openssl("pkey", "-in", self.directory / f"{name}.pem", "-pubout")
            self.assertEqual(known, (self.directory / f"{name}.pub").read_bytes())
            path = f"/lockboxes/{lockbox}/pubkey-fingerprint"
            self.assertEqual(self.get("blob", path, "hash"), hashlib.sha256(known).digest())

        self.write("digests", self.opened(key, "blob", "/digest/digests-fdt"))
        digests = {each: self.get("digests", "/digests", each) for each in ("kernel", "initrd", "bootargs", "rtas")}
        self.assertEqual(digests, {
            "kernel": hashlib.sha512(self.kernel).digest(),
            "initrd": hashlib.sha512(self.initrd).digest(),
            "bootargs": hashlib.sha512(LINE.encode()).digest(),
            "rtas": bytes.fromhex(RTAS),
        })  # fmt: skip
        self.assertEqual(self.get("digests", "/digests", "kernel-size"), len(self.kernel).to_bytes(4, "big"))
        self.write("files", self.get("blob", "/file", "files-fdt"))
        self.assertEqual(self.opened(key, "files", "/files/passphrase"), PASSPHRASE)

    def test_its_envelope_is_a_digest_of_the_rest(self):
        self.make()
        blob = bytearray((self.directory / "blob").read_bytes())
        path = "/digest/digests-fdt"
        self.write("digests", self.opened(self.master_key(), "blob", path))
        for each in ("iv", "mac", "ciphertext"):
            value = self.get("blob", path, each)
            self.assertEqual(blob.count(value), 1)
            at = blob.index(value)
            blob[at : at + len(value)] = bytes(len(value))
        self.assertEqual(self.get("digests", "/digests", "pefsim,envelope"), hashlib.sha512(blob).digest())

    def test_check_names_what_is_not_as_the_blob_says(self):
        self.make("--file", "passphrase=secret", "--comment", "hello")
        check = ["check", "--blob", "blob", "--key", "machine.pem"]
        told = self.done(*check, *self.image)
        self.assertEqual(told, "".join(f"{each}: as the blob says\n" if each != "blob" else "blob: as it was made\n" for each in
                                       ("blob", "kernel", "initrd", "command line", "RTAS"))
                         + f"file passphrase: {len(PASSPHRASE)} bytes\n")  # fmt: skip
        self.write("other", self.kernel[:-1] + b"\0")
        for options, wrong in [
            (["--kernel", "other", "--initrd", "initrd", "--append", LINE], "kernel"),
            (["--kernel", "kernel", "--initrd", "other", "--append", LINE], "initrd"),
            (["--kernel", "kernel", "--append", LINE], "initrd"),
            (["--kernel", "kernel", "--initrd", "initrd", "--append", LINE + " "], "command line"),
        ]:
            result = self.tool(*check, *options)
            self.assertEqual(result.returncode, 1)
            self.assertEqual([line for line in result.stdout.splitlines() if "NOT" in line], [f"{wrong}: NOT as the blob says"])
        blob = bytearray((self.directory / "blob").read_bytes())
        blob[blob.index(b"hello")] ^= 1
        self.write("changed", blob)
        result = self.tool("check", "--blob", "changed", "--key", "machine.pem", *self.image)
        self.assertEqual(result.returncode, 1)
        self.assertIn("blob: NOT good: something outside its digests has been changed", result.stdout)

    def test_an_archive_for_an_initrd(self):
        self.make("--archive")
        whole = (self.directory / "blob").read_bytes() + self.initrd
        self.write("whole", whole)
        for blob, initrd in (("blob", "initrd"), ("whole", "whole"), ("blob", "whole")):
            self.done("check", "--blob", blob, "--key", "machine.pem", "--kernel", "kernel", "--initrd", initrd, "--append", LINE)
        if shutil.which("cpio"):
            names = subprocess.run(["cpio", "-it", "--quiet"], input=(self.directory / "blob").read_bytes(), capture_output=True,
                                   check=True, timeout=100).stdout.split()  # fmt: skip
            self.assertEqual(names, [b"opt", b"opt/ibm", b"opt/ibm/pef", b"opt/ibm/pef/esm-blob"])

    def test_show_tells_no_secret(self):
        self.make("--file", "passphrase=secret")
        self.assertIn(f"file passphrase: {len(PASSPHRASE)} bytes", self.done("show", "--blob", "blob"))
        told = self.done("show", "--blob", "blob", "--key", "machine.pem")
        self.assertIn(f"kernel: {len(self.kernel)} bytes, SHA-512 {hashlib.sha512(self.kernel).hexdigest()}", told)
        self.assertNotIn("correct", told)

    def test_private_keys_are_private_and_stay(self):
        self.assertEqual((self.directory / "machine.pem").stat().st_mode & 0o777, 0o600)
        before = (self.directory / "machine.pem").read_bytes()
        for pair in (("machine.pem", "new.pub"), ("new.pem", "machine.pub")):
            result = self.tool("keys", "--private", pair[0], "--public", pair[1])
            self.assertEqual(result.returncode, 2)
            self.assertIn("exists", result.stderr)
        self.assertEqual((self.directory / "machine.pem").read_bytes(), before)

    def test_one_clear_line_for_a_mistake(self):
        make = ["make", "--output", "out"]
        for options, words in [
            ([], ["no command"]),
            (["frobnicate"], ["'frobnicate'"]),
            (["make", "--frobnicate"], ["frobnicate"]),
            ([*make, "--kernel", "kernel"], ["--machine-key"]),
            ([*make, "--machine-key", "machine.pub"], ["--kernel"]),
            (["make", "--machine-key", "machine.pub", "--kernel", "kernel"], ["--output"]),
            ([*make, "--machine-key", "missing", "--kernel", "kernel"], ["machine-key", "'missing'", "No such file"]),
            ([*make, "--machine-key", "machine.pem", "--kernel", "kernel"], ["machine-key", "machine.pem", "public key"]),
            ([*make, "--machine-key", "machine.pub", "--kernel", "."], ["kernel", "directory"]),
            ([*make, "--machine-key", "machine.pub", "--kernel", "kernel", "--file", "1=secret"], ["'1'", "name"]),
            ([*make, "--machine-key", "machine.pub", "--kernel", "kernel", "--file", "a=secret", "--file", "a=initrd"], ["a", "twice"]),
            (["check", "--blob", "kernel", "--key", "machine.pem", "--kernel", "kernel"], ["blob", "kernel", "no flat device tree"]),
            (["show"], ["--blob"]),
        ]:
            with self.subTest(options=options):
                result = self.tool(*options)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertRegex(result.stderr, r"\Apefsim-esm: [^\n]+\n\Z")
                for word in words:
                    self.assertIn(word, result.stderr)
        self.assertFalse((self.directory / "out").exists())


@unittest.skipUnless(shutil.which(operating_system_test.COMPILER), f"no {operating_system_test.COMPILER}")
class guests(tool_test, operating_system_test.operating_system_test):
    """A kernel that asks for UV_ESM. When it is refused, it goes on as an ordinary guest and ends its boot."""

    def setUp(self):
        super().setUp()
        self.compile()
        self.write("initrd", b"initrd" * 20000)
        self.write("secret", PASSPHRASE)
        self.done("make", "--kernel", "kernel", "--initrd", "initrd", "--append", LINE, "--machine-key", "machine.pub",
                  "--owner-key", "machine.pub", "--file", "passphrase=secret", "--output", "blob")  # fmt: skip

    def boot(self, *options, **changed):
        given = {"kernel": "kernel", "initrd": "initrd", "append": LINE, "esm.blob": "blob", "esm.key": "machine.pem", **changed}
        words = [word for name, value in given.items() if value is not None for word in (f"--{name}", value)]
        result = self.linux("--boot", "fdt", "--memory.size", "64MiB", "--report", "report.json", *words, *options)
        report = json.loads((self.directory / "report.json").read_text())["runs"][0]
        images = report["metrics"]["tallies"]["machine.ultravisor.esm_images"]["counts"]
        return result, [each["detail"] for each in report["violations"]["kept"] if each["kind"] == "image_unverified"], images

    def written(self):
        """What the guest wrote where the host can read it, as the last report tells."""
        return json.loads((self.directory / "report.json").read_text())["runs"][0]["exposure"]["guest_bytes_written"]

    def changed(self, name, at):
        content = bytearray((self.directory / name).read_bytes())
        content[at] ^= 1
        return self.write(f"changed-{name}", content)

    def test_an_image_that_its_blob_knows_becomes_secure_and_gets_its_secret(self):
        result, wrong, images = self.boot()
        self.assertEqual(result.output.splitlines(), ["started with a flat tree", "secure", PASSPHRASE.decode()], result.error)
        self.assertEqual(result.status, 0)
        self.assertEqual((wrong, images["verified"]), ([], 1))
        self.assertEqual(self.written(), 0, "it shares nothing")

    def test_a_blob_in_front_of_the_initrd(self):
        self.done("make", "--kernel", "kernel", "--initrd", "initrd", "--append", LINE, "--machine-key", "machine.pub",
                  "--archive", "--output", "archive")  # fmt: skip
        self.write("whole", (self.directory / "archive").read_bytes() + (self.directory / "initrd").read_bytes())
        result, _, _ = self.boot(initrd="whole", **{"esm.blob": None})
        self.assertEqual(result.output.splitlines()[1:], ["secure", "no passphrase"], result.error)

    def test_what_has_been_changed_is_refused_and_the_boot_goes_on(self):
        for named, changed in [
            # Unused bytes at the end of its file's first segment: it runs all the same.
            ("the kernel is not as its ESM blob says", {"kernel": self.changed("kernel", self.end_of_segment())}),
            ("the initrd is not as its ESM blob says", {"initrd": self.changed("initrd", 12345)}),
            ('the command line "svm=on loud" is not', {"append": "svm=on loud"}),
            ("the ESM blob: ", {"esm.blob": self.changed("blob", 900)}),
            ("there is no ESM blob", {"esm.blob": None}),
            ("the machine has no key", {"esm.key": None}),
        ]:
            with self.subTest(named):
                result, wrong, images = self.boot(**changed)
                lines = result.output.splitlines()
                self.assertEqual(result.status, 0, result.output + result.error)
                self.assertIn("UV_ESM failed", lines[1])
                self.assertNotIn("secure", lines)
                self.assertIn("interrupts at the alternate location 1", lines)
                self.assertEqual((len(wrong), images["refused"]), (1, 1), wrong)
                self.assertIn(named, wrong[0])
                self.assertIsNone(self.written(), "an ordinary guest again: its stores are left out")

    def test_warn_goes_on_and_says_so(self):
        result, wrong, images = self.boot("--esm.check", "warn", append="svm=on loud")
        self.assertEqual(result.output.splitlines()[1], "secure", result.error)
        self.assertEqual((len(wrong), images["warned"]), (1, 1))
        self.assertIn("it goes on", wrong[0])

    def test_without_blob_and_key_nothing_is_verified(self):
        result, wrong, images = self.boot(**{"esm.blob": None, "esm.key": None})
        self.assertEqual(result.output.splitlines()[1], "secure", result.error)
        self.assertEqual((wrong, images["unverified"]), ([], 1))

    def end_of_segment(self):
        """Where in the file the last byte stands that is loaded."""
        file = (self.directory / "kernel").read_bytes()
        headers = int.from_bytes(file[32:40], "little")
        return int.from_bytes(file[headers + 8 : headers + 16], "little") + int.from_bytes(file[headers + 32 : headers + 40], "little") - 1

    def test_mistakes(self):
        for options, words in [
            (["--esm.blob", "missing"], ["missing", "No such file"]),
            (["--esm.blob", "empty"], ["esm.blob", "empty is empty"]),
            (["--esm.key", "missing"], ["missing", "No such file"]),
            (["--esm.key", "initrd"], ["esm.key", "initrd", "private key"]),
            (["--esm.key", "machine.pub"], ["esm.key", "machine.pub", "private key"]),
            (["--esm.check", "perhaps"], ["esm.check", "'perhaps'", "strict, warn"]),
        ]:
            self.write("empty", b"")
            with self.subTest(options=options):
                result = self.linux("--kernel", "kernel", "--initrd", "initrd", *options)
                self.assertEqual(result.status, 2, result.error)
                self.assertRegex(result.error, r"\Alinux: [^\n]+\n\Z")
                for word in words:
                    self.assertIn(word, result.error)


if __name__ == "__main__":
    unittest.main()
