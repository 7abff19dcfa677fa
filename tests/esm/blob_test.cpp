// SPDX-License-Identifier: Apache-2.0
#include "esm/blob.h"

#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfdt.h>
#include <openssl/evp.h>

#include "tests/esm/image.h"

namespace pefsim::esm {
namespace {

using testing::blob_for;
using testing::bytes_from;
using ::testing::HasSubstr;
using testing::machine_key;
using testing::owner_key;

measurements sample() { return measure(bytes_from("kernel"), bytes_from("initrd"), "console=hvc0"); }

/// What opening it comes to: nullopt when it opens.
std::optional<defect> defect_of(byte_view blob_bytes, const private_key& by = machine_key()) {
    try {
        const blob read = blob::read(blob_bytes);
        const opened_blob opened = read.open(by);
        for (const auto& [name, attached] : read.files()) {
            static_cast<void>(opened.file(name));
        }
        return std::nullopt;
    } catch (const bad_blob& wrong) {
        EXPECT_STRNE(wrong.what(), "");
        return wrong.kind();
    }
}

TEST(blob_test, tells_what_it_was_made_of) {
    const std::map<std::string, bytes> files{{"passphrase", bytes_from("secret")}, {"empty", {}}};
    const bytes made = blob_for(sample(), files);
    const blob read = blob::read(made);
    EXPECT_EQ(read.size(), made.size());
    ASSERT_EQ(read.lockboxes().size(), 2U);
    EXPECT_EQ(read.lockboxes()[0].name, "origin-lockbox");
    EXPECT_EQ(read.lockboxes()[0].comment, "the owner");
    EXPECT_EQ(read.lockboxes()[0].fingerprint, owner_key().public_half().fingerprint());
    EXPECT_EQ(read.lockboxes()[1].name, "lockbox-1");
    for (const private_key& key : {machine_key(), owner_key()}) {
        const opened_blob opened = read.open(key);
        EXPECT_TRUE(opened.sealed_whole());
        EXPECT_EQ(opened.expected().kernel, digest_of(bytes_from("kernel")));
        EXPECT_EQ(opened.expected().kernel_size, 6U);
        EXPECT_EQ(opened.expected().initrd, digest_of(bytes_from("initrd")));
        EXPECT_EQ(opened.expected().bootargs, digest_of(bytes_from("console=hvc0")));
        EXPECT_EQ(opened.file("passphrase"), bytes_from("secret"));
        EXPECT_EQ(opened.file("empty"), bytes());
        EXPECT_EQ(opened.file("passphras"), std::nullopt);
    }
}

TEST(blob_test, no_byte_of_it_can_change_unseen) {
    const bytes made = blob_for(sample(), {{"passphrase", bytes_from("secret")}});
    ASSERT_EQ(defect_of(made), std::nullopt);
    // Opening takes a while: one byte of each cell, and the bits take turns.
    for (std::size_t cell = 0; 4 * cell < made.size(); ++cell) {
        const std::size_t at = std::min(4 * cell + cell % 4, made.size() - 1);
        bytes changed = made;
        changed[at] ^= std::byte{1} << (cell % 8);
        EXPECT_NE(defect_of(changed), std::nullopt) << "byte " << at;
    }
}

TEST(blob_test, a_piece_of_one_is_none) {
    const bytes made = blob_for(sample());
    for (std::size_t size = 0; size < made.size(); ++size) {
        EXPECT_EQ(defect_of(byte_view(made).first(size)), defect::form) << size;
    }
    bytes longer = made;
    longer.resize(made.size() + 100);
    EXPECT_EQ(defect_of(longer), std::nullopt) << "what stands behind it is no part of it";
}

TEST(blob_test, another_key_does_not_open_it) {
    EXPECT_EQ(defect_of(blob_for(sample()), private_key::make()), defect::key);
}

TEST(blob_test, secrets_stand_nowhere_in_plaintext) {
    const bytes made = blob_for(sample(), {{"passphrase", bytes_from("a long secret of the guest's")}});
    EXPECT_EQ(text_of(made).find("a long secret"), std::string_view::npos);
    const digest kernel = sample().kernel;
    EXPECT_EQ(text_of(made).find(text_of(kernel)), std::string_view::npos);
    EXPECT_NE(made, blob_for(sample(), {{"passphrase", bytes_from("a long secret of the guest's")}}))
        << "keys and IVs are new each time";
}

/// A blob as svm-tool makes it: IVs of 16 bytes, nothing that binds its parts to each other.
class foreign_blob {
public:
    std::vector<std::byte> kernel_digest = bytes_from(std::string(64, 'k'));
    std::size_t mac_size = 16;
    const char* algorithm = "AES256-GCM";

    bytes make() {
        bytes tree(32768);
        fdt_create(tree.data(), static_cast<int>(tree.size()));
        fdt_finish_reservemap(tree.data());
        const auto begin = [&](const char* name) { fdt_begin_node(tree.data(), name); };
        const auto end = [&] { fdt_end_node(tree.data()); };
        const auto put = [&](const char* name, const bytes& value) {
            fdt_property(tree.data(), name, value.data(), static_cast<int>(value.size()));
        };
        begin("");
        put("compatible", bytes_from({"ibm,esm\0", 8}));
        begin("file");
        end();
        begin("digest");
        begin("digests-fdt");
        put("algorithm", bytes_from({algorithm, std::strlen(algorithm) + 1}));
        put("untrusted-comment", bytes_from({"\0", 1}));
        bytes mac;
        put("ciphertext", encrypt(digests(), mac));
        put("iv", iv_);
        mac.resize(mac_size);
        put("mac", mac);
        end();
        end();
        begin("lockboxes");
        for (const auto& [name, key] :
             {std::pair{"origin-lockbox", &owner_key()}, std::pair{"lockbox-1", &machine_key()}}) {
            begin(name);
            put("untrusted-comment", bytes_from({"\0", 1}));
            put("encrypted-symkey", key->public_half().wrap(key_));
            begin("pubkey-fingerprint");
            put("algorithm", bytes_from({"SHA256\0", 7}));
            const fingerprint print = key->public_half().fingerprint();
            put("hash", {print.begin(), print.end()});
            end();
            end();
        }
        end();
        end();
        fdt_finish(tree.data());
        tree.resize(fdt_totalsize(tree.data()));
        return tree;
    }

private:
    bytes digests() {
        bytes tree(8192);
        fdt_create(tree.data(), static_cast<int>(tree.size()));
        fdt_finish_reservemap(tree.data());
        fdt_begin_node(tree.data(), "");
        fdt_property_string(tree.data(), "compatible", "ibm,esm");
        fdt_begin_node(tree.data(), "digests");
        fdt_property_string(tree.data(), "algorithm", "SHA512");
        for (const char* const each : {"rtas", "initrd", "bootargs"}) {
            fdt_property(tree.data(), each, std::string(64, *each).data(), 64);
        }
        fdt_property(tree.data(), "kernel", kernel_digest.data(), static_cast<int>(kernel_digest.size()));
        fdt_property_u32(tree.data(), "kernel-size", 0x1234);
        fdt_end_node(tree.data());
        fdt_end_node(tree.data());
        fdt_finish(tree.data());
        tree.resize(fdt_totalsize(tree.data()));
        return tree;
    }
    bytes encrypt(const bytes& what, bytes& mac) {
        bytes cipher(what.size());
        mac.resize(16);
        EVP_CIPHER_CTX* const with = EVP_CIPHER_CTX_new();
        int length = 0;
        EVP_EncryptInit_ex(with, EVP_aes_256_gcm(), nullptr, nullptr, nullptr);
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_GCM_SET_IVLEN, static_cast<int>(iv_.size()), nullptr);
        EVP_EncryptInit_ex(with, nullptr, nullptr, octets(key_.data()), octets(iv_.data()));
        EVP_EncryptUpdate(with, octets(cipher.data()), &length, octets(what.data()),
                          static_cast<int>(what.size()));
        EVP_EncryptFinal_ex(with, octets(cipher.data()), &length);
        EVP_CIPHER_CTX_ctrl(with, EVP_CTRL_GCM_GET_TAG, 16, mac.data());
        EVP_CIPHER_CTX_free(with);
        return cipher;
    }

    bytes key_ = bytes_from(std::string(32, 's'));
    bytes iv_ = bytes_from(std::string(16, 'i'));
};

TEST(blob_test, reads_what_svm_tool_makes) {
    const opened_blob opened = blob::read(foreign_blob().make()).open(machine_key());
    EXPECT_FALSE(opened.sealed_whole());
    EXPECT_EQ(opened.expected().kernel_size, 0x1234U);
    EXPECT_EQ(opened.expected().kernel[5], std::byte{'k'});
    EXPECT_EQ(opened.expected().rtas[63], std::byte{'r'});
}

TEST(blob_test, says_what_is_missing_or_not_as_it_should_be) {
    foreign_blob short_digest;
    short_digest.kernel_digest.resize(63);
    EXPECT_EQ(defect_of(short_digest.make()), defect::form);
    // A shorter tag would be easier to guess.
    for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{15}}) {
        foreign_blob short_tag;
        short_tag.mac_size = size;
        EXPECT_EQ(defect_of(short_tag.make()), defect::form);
    }
    foreign_blob other_cipher;
    other_cipher.algorithm = "AES128-GCM";
    try {
        blob::read(other_cipher.make());
        FAIL();
    } catch (const bad_blob& wrong) {
        EXPECT_THAT(wrong.what(), HasSubstr("/digest/digests-fdt: algorithm is not \"AES256-GCM\""));
    }
}

TEST(blob_test, what_cannot_be_put_into_a_blob) {
    EXPECT_TRUE(is_file_name("a"));
    EXPECT_TRUE(is_file_name("disk-0.key_2+3,4"));
    EXPECT_TRUE(is_file_name(std::string(31, 'n')));
    for (const std::string& each : {std::string(), std::string("1st"), std::string("a/b"), std::string("a b"),
                                    std::string(32, 'n'), std::string("a\0b", 3)}) {
        EXPECT_FALSE(is_file_name(each)) << each;
        EXPECT_THROW(blob_for(sample(), {{each, bytes_from("x")}}), std::invalid_argument);
    }
    EXPECT_THROW(make_blob({.expected = sample(),
                            .owner = {owner_key().public_half(), "two\nlines"},
                            .machines = {},
                            .files = {}}),
                 std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::esm
