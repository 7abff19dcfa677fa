// SPDX-License-Identifier: Apache-2.0
//
// Ciphers and hashes made of VMX instructions give what OpenSSL gives; products of polynomials what the definition
// gives.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "power/instructions/vector_element.h"
#include "tests/power/flat_core.h"

namespace pefsim::power {
namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using isa::element;
using isa::set_element;

class vector_unit {
public:
    vector_register binary(std::string_view mnemonic, const vector_register& a, const vector_register& b) {
        machine_.state().vsr[34] = a;
        machine_.state().vsr[35] = b;
        EXPECT_TRUE(machine_.execute(assemble(mnemonic, {1, 2, 3})));
        return machine_.state().vsr[33];
    }
    vector_register unary(std::string_view mnemonic, const vector_register& a) {
        machine_.state().vsr[34] = a;
        EXPECT_TRUE(machine_.execute(assemble(mnemonic, {1, 2})));
        return machine_.state().vsr[33];
    }
    vector_register sigma(std::string_view mnemonic, const vector_register& a, int st, int six) {
        machine_.state().vsr[34] = a;
        EXPECT_TRUE(machine_.execute(assemble(mnemonic, {1, 2, st, six})));
        return machine_.state().vsr[33];
    }

private:
    flat_core machine_;
};

vector_register from_bytes(std::span<const u8> bytes) {
    vector_register v;
    for (unsigned i = 0; i < 16; ++i) {
        set_element<u8>(v, i, bytes[i]);
    }
    return v;
}

/// FIPS 197 key expansion for 256-bit keys, with vsbox as SubWord: 15 round keys.
std::vector<vector_register> expanded(vector_unit& unit, const std::array<u8, 32>& key) {
    std::vector<u32> words;
    for (unsigned i = 0; i < 8; ++i) {
        words.push_back(static_cast<u32>(key[4 * i] << 24U | key[4 * i + 1] << 16U | key[4 * i + 2] << 8U |
                                         key[4 * i + 3]));
    }
    const auto sub_word = [&](u32 word) {
        return static_cast<u32>(unit.unary("vsbox", {.low = word, .high = 0}).low);
    };
    u32 rcon = 1;
    for (unsigned i = 8; i < 60; ++i) {
        u32 word = words.back();
        if (i % 8 == 0) {
            word = sub_word(std::rotl(word, 8)) ^ rcon << 24;
            rcon <<= 1;
        } else if (i % 8 == 4) {
            word = sub_word(word);
        }
        words.push_back(words[i - 8] ^ word);
    }
    std::vector<vector_register> keys;
    for (unsigned i = 0; i < 60; i += 4) {
        keys.push_back(
            {.low = u64{words[i + 2]} << 32 | words[i + 3], .high = u64{words[i]} << 32 | words[i + 1]});
    }
    return keys;
}

TEST(vmx_crypto, aes_256_is_openssl_s) {
    vector_unit unit;
    std::mt19937_64 bits(4);
    for (unsigned trial = 0; trial < 50; ++trial) {
        std::array<u8, 32> key{};
        std::array<u8, 16> plain{};
        std::ranges::generate(key, [&] { return static_cast<u8>(bits()); });
        std::ranges::generate(plain, [&] { return static_cast<u8>(bits()); });
        std::array<u8, 32> cipher{};
        int size = 0;
        EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
        ASSERT_EQ(EVP_EncryptInit_ex(context, EVP_aes_256_ecb(), nullptr, key.data(), nullptr), 1);
        ASSERT_EQ(EVP_EncryptUpdate(context, cipher.data(), &size, plain.data(), 16), 1);
        EVP_CIPHER_CTX_free(context);

        const std::vector<vector_register> keys = expanded(unit, key);
        const vector_register expected = from_bytes(cipher);
        vector_register state = unit.binary("vxor", from_bytes(plain), keys[0]);
        for (unsigned round = 1; round < 14; ++round) {
            state = unit.binary("vcipher", state, keys[round]);
        }
        state = unit.binary("vcipherlast", state, keys[14]);
        EXPECT_EQ(state, expected);

        state = unit.binary("vxor", expected, keys[14]);
        for (unsigned round = 13; round > 0; --round) {
            state = unit.binary("vncipher", state, keys[round]);
        }
        EXPECT_EQ(unit.binary("vncipherlast", state, keys[0]), from_bytes(plain));
    }
}

/// What differs between SHA-256 and SHA-512, besides the width of a word.
template <typename Word>
struct sha2;
template <>
struct sha2<u32> {
    static constexpr std::string_view sigma = "vshasigmaw";
    static constexpr unsigned rounds = 64;
    static constexpr int all_small_one = 0xf;
    static auto digest(std::span<const u8> data, u8* to) { return SHA256(data.data(), data.size(), to); }
};
template <>
struct sha2<u64> {
    static constexpr std::string_view sigma = "vshasigmad";
    static constexpr unsigned rounds = 80;
    static constexpr int all_small_one = 0xf;
    static auto digest(std::span<const u8> data, u8* to) { return SHA512(data.data(), data.size(), to); }
};

/// The first bits of the fractional part of the n-th prime's root: FIPS 180-4 4.2.2 to 5.3.5, by integer arithmetic.
template <typename Word>
Word root_fraction(unsigned n, unsigned degree) {
    unsigned prime = 1;
    for (unsigned found = 0; found <= n;) {
        ++prime;
        bool is_prime = true;
        for (unsigned d = 2; d * d <= prime; ++d) {
            is_prime = is_prime && prime % d != 0;
        }
        found += is_prime ? 1 : 0;
    }
    // The greatest x with x^degree <= prime * 2^(degree * width), in limbs of 32 bits.
    using number = std::vector<u64>;
    const auto multiply = [](const number& a, const number& b) {
        number product(a.size() + b.size(), 0);
        for (std::size_t i = 0; i < a.size(); ++i) {
            u64 carry = 0;
            for (std::size_t k = 0; k < b.size() || carry != 0; ++k) {
                const u64 sum = product[i + k] + carry + (k < b.size() ? a[i] * b[k] : 0);
                product[i + k] = sum & 0xffff'ffff;
                carry = sum >> 32;
            }
        }
        return product;
    };
    const auto at_most = [](number a, number b) {
        a.resize(std::max(a.size(), b.size()));
        b.resize(a.size());
        return !std::lexicographical_compare(b.rbegin(), b.rend(), a.rbegin(), a.rend());
    };
    constexpr unsigned limbs = sizeof(Word) / 4;
    number target(degree * limbs, 0);
    target.push_back(prime);
    number x(limbs + 1, 0);
    for (int bit = static_cast<int>(32 * limbs + 5); bit >= 0; --bit) {
        const std::size_t limb = static_cast<std::size_t>(bit) / 32;
        x[limb] |= u64{1} << bit % 32;
        number power = x;
        for (unsigned i = 1; i < degree; ++i) {
            power = multiply(power, x);
        }
        if (!at_most(power, target)) {
            x[limb] &= ~(u64{1} << bit % 32);
        }
    }
    return static_cast<Word>(limbs == 1 ? x[0] : x[1] << 32 | x[0]);
}

template <typename Word>
void hashes_as_openssl_does() {
    constexpr unsigned block_size = 16 * sizeof(Word);
    vector_unit unit;
    std::mt19937_64 bits(5);
    // Each lane of the vector is a message of its own.
    constexpr unsigned lanes = isa::elements<Word>::count;
    std::array<std::vector<u8>, lanes> messages;
    for (auto& each : messages) {
        each.resize(block_size - 2 * sizeof(Word) - 1);  // one block with its padding
        std::ranges::generate(each, [&] { return static_cast<u8>(bits()); });
    }
    const auto lanewise = [&](auto f) { return isa::build<Word>(f); };
    const auto sigma = [&](int st, bool one, const vector_register& x) {
        return unit.sigma(sha2<Word>::sigma, x, st, one ? sha2<Word>::all_small_one : 0);
    };
    const auto add = [&](const vector_register& a, const vector_register& b) {
        return unit.binary(sizeof(Word) == 4 ? "vadduwm" : "vaddudm", a, b);
    };
    std::vector<vector_register> w;
    for (unsigned t = 0; t < 16; ++t) {
        w.push_back(lanewise([&](unsigned lane) {
            std::vector<u8> padded = messages[lane];
            padded.push_back(0x80);
            padded.resize(block_size, 0);
            padded[block_size - 2] = static_cast<u8>(messages[lane].size() * 8 >> 8);
            padded[block_size - 1] = static_cast<u8>(messages[lane].size() * 8);
            Word word = 0;
            for (unsigned i = 0; i < sizeof(Word); ++i) {
                word = static_cast<Word>(word << 8 | padded[t * sizeof(Word) + i]);
            }
            return word;
        }));
    }
    for (unsigned t = 16; t < sha2<Word>::rounds; ++t) {
        w.push_back(add(add(sigma(0, true, w[t - 2]), w[t - 7]), add(sigma(0, false, w[t - 15]), w[t - 16])));
    }
    std::array<vector_register, 8> initial;
    for (unsigned i = 0; i < 8; ++i) {
        initial[i] = isa::splat(root_fraction<Word>(i, 2));
    }
    auto [a, b, c, d, e, f, g, h] = initial;
    for (unsigned t = 0; t < sha2<Word>::rounds; ++t) {
        const vector_register k = isa::splat(root_fraction<Word>(t, 3));
        const vector_register choice = lanewise([&](unsigned i) {
            return (element<Word>(e, i) & element<Word>(f, i)) ^ (~element<Word>(e, i) & element<Word>(g, i));
        });
        const vector_register majority = lanewise([&](unsigned i) {
            const Word x = element<Word>(a, i);
            const Word y = element<Word>(b, i);
            const Word z = element<Word>(c, i);
            return (x & y) ^ (x & z) ^ (y & z);
        });
        const vector_register t1 = add(add(add(h, sigma(1, true, e)), add(choice, k)), w[t]);
        const vector_register t2 = add(sigma(1, false, a), majority);
        h = g;
        g = f;
        f = e;
        e = add(d, t1);
        d = c;
        c = b;
        b = a;
        a = add(t1, t2);
    }
    const std::array<vector_register, 8> last{a, b, c, d, e, f, g, h};
    for (unsigned lane = 0; lane < lanes; ++lane) {
        std::array<u8, 64> digest{};
        sha2<Word>::digest(messages[lane], digest.data());
        for (unsigned i = 0; i < 8; ++i) {
            Word expected = 0;
            for (unsigned n = 0; n < sizeof(Word); ++n) {
                expected = static_cast<Word>(expected << 8 | digest[i * sizeof(Word) + n]);
            }
            EXPECT_EQ(element<Word>(add(initial[i], last[i]), lane), expected) << lane << ' ' << i;
        }
    }
}

TEST(vmx_crypto, sha_256_is_openssl_s) { hashes_as_openssl_does<u32>(); }
TEST(vmx_crypto, sha_512_is_openssl_s) { hashes_as_openssl_does<u64>(); }

TEST(vmx_crypto, sigma_chooses_by_element) {
    vector_unit unit;
    const vector_register x = vector_from("0123456789abcdef0f1e2d3c4b5a6978");
    for (int six = 0; six < 16; ++six) {
        for (int st = 0; st < 2; ++st) {
            const vector_register words = unit.sigma("vshasigmaw", x, st, six);
            for (unsigned i = 0; i < 4; ++i) {
                const int same = (six >> (3 - i) & 1) != 0 ? 15 : 0;
                EXPECT_EQ(element<u32>(words, i), element<u32>(unit.sigma("vshasigmaw", x, st, same), i));
            }
            const vector_register dwords = unit.sigma("vshasigmad", x, st, six);
            for (unsigned i = 0; i < 2; ++i) {
                const int same = (six >> (3 - 2 * i) & 1) != 0 ? 15 : 0;
                EXPECT_EQ(element<u64>(dwords, i), element<u64>(unit.sigma("vshasigmad", x, st, same), i));
            }
        }
    }
}

template <typename T, typename Product>
void sums_products_of_polynomials(std::string_view mnemonic) {
    vector_unit unit;
    std::mt19937_64 bits(6);
    for (unsigned trial = 0; trial < 500; ++trial) {
        const auto dword = [&] { return trial < 4 ? ~u64{0} >> trial : bits(); };
        const vector_register a{.low = dword(), .high = dword()};
        const vector_register b{.low = dword(), .high = dword()};
        const vector_register got = unit.binary(mnemonic, a, b);
        for (unsigned i = 0; i < 16 / sizeof(Product); ++i) {
            Product sum = 0;
            for (unsigned half = 2 * i; half < 2 * i + 2; ++half) {
                for (unsigned bit = 0; bit < 8 * sizeof(T); ++bit) {
                    if ((element<T>(b, half) >> bit & 1) != 0) {
                        sum ^= static_cast<Product>(static_cast<Product>(element<T>(a, half)) << bit);
                    }
                }
            }
            EXPECT_TRUE(element<Product>(got, i) == sum) << mnemonic << ' ' << hex_of(a) << ' ' << hex_of(b);
        }
    }
}

TEST(vmx_crypto, polynomials) {
    sums_products_of_polynomials<u8, std::uint16_t>("vpmsumb");
    sums_products_of_polynomials<std::uint16_t, u32>("vpmsumh");
    sums_products_of_polynomials<u32, u64>("vpmsumw");
    sums_products_of_polynomials<u64, isa::quadword>("vpmsumd");
}

}  // namespace
}  // namespace pefsim::power
