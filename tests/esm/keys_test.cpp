// SPDX-License-Identifier: Apache-2.0
#include "esm/keys.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/esm/image.h"

namespace pefsim::esm {
namespace {

using testing::bytes_from;
using testing::machine_key;
using testing::owner_key;

std::string pem_of(EVP_PKEY* key, bool secret) {
    BIO* const to = BIO_new(BIO_s_mem());
    if (secret) {
        PEM_write_bio_PKCS8PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr);
    } else {
        PEM_write_bio_PUBKEY(to, key);
    }
    char* text = nullptr;
    const long length = BIO_get_mem_data(to, &text);
    std::string result(text, static_cast<std::size_t>(length));
    BIO_free(to);
    EVP_PKEY_free(key);
    return result;
}

TEST(keys_test, what_one_half_wraps_the_other_unwraps) {
    const bytes wrapped = machine_key().public_half().wrap(bytes_from("secret"));
    EXPECT_EQ(wrapped.size(), 256U);
    EXPECT_EQ(machine_key().unwrap(wrapped), bytes_from("secret"));
    EXPECT_EQ(owner_key().unwrap(wrapped), std::nullopt);
    bytes changed = wrapped;
    changed[100] ^= std::byte{1};
    EXPECT_EQ(machine_key().unwrap(changed), std::nullopt);
    EXPECT_EQ(machine_key().unwrap({}), std::nullopt);
    EXPECT_NE(machine_key().public_half().wrap(bytes_from("secret")), wrapped);
}

TEST(keys_test, a_key_is_the_same_behind_its_pem) {
    const private_key again = private_key::read(machine_key().pem());
    EXPECT_EQ(again.public_half().pem(), machine_key().public_half().pem());
    const public_key known = public_key::read(again.public_half().pem());
    EXPECT_EQ(known.fingerprint(), machine_key().public_half().fingerprint());
    EXPECT_EQ(known.fingerprint(), fingerprint_of(bytes_of(known.pem())));
    EXPECT_EQ(again.unwrap(known.wrap(bytes_from("x"))), bytes_from("x"));
}

TEST(keys_test, what_is_no_key_for_a_blob) {
    for (const std::string& each :
         {std::string(), std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n"), std::string("text")}) {
        EXPECT_THROW(public_key::read(each), std::invalid_argument);
        EXPECT_THROW(private_key::read(each), std::invalid_argument);
    }
    EXPECT_THROW(private_key::read(machine_key().public_half().pem()), std::invalid_argument);
    EXPECT_THROW(public_key::read(machine_key().pem()), std::invalid_argument);
    EXPECT_THROW(public_key::read(pem_of(EVP_RSA_gen(1024), false)), std::invalid_argument) << "too short";
    EXPECT_THROW(private_key::read(pem_of(EVP_EC_gen("P-256"), true)), std::invalid_argument) << "no RSA";
}

}  // namespace
}  // namespace pefsim::esm
