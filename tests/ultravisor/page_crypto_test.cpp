// SPDX-License-Identifier: Apache-2.0
//
// Against OpenSSL used in its own way, and against a host that changes, replays and swaps ciphertext.
#include "ultravisor/page_crypto.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/evp.h>
#include <optional>
#include <set>
#include <vector>

namespace pefsim::ultravisor {

namespace {

using page = std::vector<std::byte>;

constexpr page_crypto::key_type key{std::byte{0x10}, std::byte{0x21}, std::byte{0x32}, std::byte{0x43},
                                    std::byte{0x54}, std::byte{0x65}, std::byte{0x76}, std::byte{0x87},
                                    std::byte{0x98}, std::byte{0xa9}, std::byte{0xba}, std::byte{0xcb},
                                    std::byte{0xdc}, std::byte{0xed}, std::byte{0xfe}, std::byte{0x0f}};
constexpr std::uint32_t prefix = 0xc0ffee01;

page filled(unsigned char value) { return page(abi::page_size, std::byte{value}); }
page_bytes whole(const page& bytes) { return page_bytes(bytes.data(), abi::page_size); }
writable_page_bytes whole(page& bytes) { return writable_page_bytes(bytes.data(), abi::page_size); }

const unsigned char* octets(const void* bytes) { return static_cast<const unsigned char*>(bytes); }

// Decrypts with nothing of page_crypto's: key, IV, tag and the page's number as eight big-endian bytes.
std::optional<page> decrypted_by_openssl(abi::gfn number, const page_seal& seal, const page& cipher) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                  &EVP_CIPHER_CTX_free);
    std::array<unsigned char, 8> aad{};
    for (int i = 0; i < 8; ++i) {
        aad[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
    }
    page plain(abi::page_size);
    int length = 0;
    auto tag = seal.tag;
    EVP_DecryptInit_ex2(context.get(), EVP_aes_128_gcm(), octets(key.data()), octets(seal.iv.data()),
                        nullptr);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data());
    EVP_DecryptUpdate(context.get(), nullptr, &length, aad.data(), static_cast<int>(aad.size()));
    EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &length,
                      octets(cipher.data()), static_cast<int>(cipher.size()));
    if (EVP_DecryptFinal_ex(context.get(), nullptr, &length) != 1) {
        return std::nullopt;
    }
    return plain;
}

}  // namespace

class page_crypto_test : public ::testing::Test {
protected:
    page_crypto crypto{key, prefix};
    page cipher = filled(0);
    page back = filled(0xaa);
};

TEST_F(page_crypto_test, is_aes_128_gcm_with_the_pages_number_authenticated) {
    page plain(abi::page_size);
    for (std::size_t i = 0; i < plain.size(); ++i) {
        plain[i] = static_cast<std::byte>(i * 7 + (i >> 8));
    }
    const page_seal seal = crypto.seal(0x1234, whole(plain), whole(cipher));
    EXPECT_NE(cipher, plain);
    EXPECT_EQ(decrypted_by_openssl(0x1234, seal, cipher), plain);
    EXPECT_EQ(decrypted_by_openssl(0x1235, seal, cipher), std::nullopt);
    ASSERT_TRUE(crypto.open(0x1234, seal, whole(cipher), whole(back)));
    EXPECT_EQ(back, plain);
}

// I5: the buffer never equals the plaintext, no IV repeats, equal pages look different.
TEST_F(page_crypto_test, no_iv_repeats) {
    std::set<std::array<std::byte, 12>> ivs;
    std::set<page> ciphertexts;
    const page plain = filled(0);
    for (unsigned i = 0; i < 500; ++i) {
        const page_seal seal = crypto.seal(i % 3, whole(plain), whole(cipher));
        EXPECT_TRUE(ivs.insert(seal.iv).second);
        EXPECT_TRUE(ciphertexts.insert(cipher).second);
        EXPECT_NE(cipher, plain);
        EXPECT_EQ(std::memcmp(seal.iv.data(), "\xc0\xff\xee\x01", 4), 0) << "the random part";
    }
}

// I6: changed, replayed, swapped.
TEST_F(page_crypto_test, a_changed_page_is_refused_and_nothing_is_written) {
    const page_seal seal = crypto.seal(5, whole(filled(0x42)), whole(cipher));
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, abi::page_size - 1}) {
        for (const unsigned bit : {0U, 7U}) {
            page changed = cipher;
            changed[at] ^= static_cast<std::byte>(1U << bit);
            EXPECT_FALSE(crypto.open(5, seal, whole(changed), whole(back))) << at;
        }
    }
    EXPECT_EQ(back, filled(0xaa));
    EXPECT_TRUE(crypto.open(5, seal, whole(cipher), whole(back))) << "the refusals left nothing behind";
    EXPECT_EQ(back, filled(0x42));
}

TEST_F(page_crypto_test, every_bit_of_the_seal_counts) {
    const page_seal seal = crypto.seal(5, whole(filled(0x42)), whole(cipher));
    for (std::size_t bit = 0; bit < 8 * sizeof(page_seal); ++bit) {
        page_seal changed = seal;
        auto* const bytes = reinterpret_cast<std::byte*>(&changed);
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        EXPECT_FALSE(crypto.open(5, changed, whole(cipher), whole(back))) << bit;
    }
}

TEST_F(page_crypto_test, a_replayed_or_swapped_page_is_refused) {
    page older = filled(0);
    page of_another = filled(0);
    const page_seal first = crypto.seal(5, whole(filled(1)), whole(older));
    const page_seal other = crypto.seal(6, whole(filled(2)), whole(of_another));
    const page_seal latest = crypto.seal(5, whole(filled(3)), whole(cipher));
    EXPECT_FALSE(crypto.open(5, latest, whole(older), whole(back)));
    EXPECT_FALSE(crypto.open(5, latest, whole(of_another), whole(back)));
    EXPECT_FALSE(crypto.open(5, other, whole(of_another), whole(back)))
        << "with its own seal, in another's place";
    EXPECT_TRUE(crypto.open(5, first, whole(older), whole(back)));
}

TEST_F(page_crypto_test, another_key_does_not_open_it) {
    const page_seal seal = crypto.seal(5, whole(filled(0x42)), whole(cipher));
    auto other_key = key;
    other_key[15] ^= std::byte{1};
    page_crypto other(other_key, prefix);
    EXPECT_FALSE(other.open(5, seal, whole(cipher), whole(back)));
}

}  // namespace pefsim::ultravisor
