/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* AES-128 both ways, SHA-256 and SHA-512 message schedules, carry-less sums of products, permute and exclusive-or. */

typedef __vector unsigned char v_bytes;
typedef __vector unsigned short v_halves;
typedef __vector unsigned int v_words;
typedef __vector unsigned long long v_dwords;

static v_dwords keys[11];
static v_dwords blocks[32];

static v_dwords encrypted(v_dwords state) {
    state ^= keys[0];
    for (int i = 1; i < 10; ++i) {
        state = __builtin_crypto_vcipher(state, keys[i]);
    }
    return __builtin_crypto_vcipherlast(state, keys[10]);
}

static v_dwords decrypted(v_dwords state) {
    state ^= keys[10];
    for (int i = 9; i > 0; --i) {
        state = __builtin_crypto_vncipher(state, keys[i]);
    }
    return __builtin_crypto_vncipherlast(state, keys[0]);
}

/* Karatsuba's product of 128 bits and a reduction, as GCM has them. */
static v_dwords hashed(v_dwords x, v_dwords h) {
    const v_dwords zero = {0, 0};
    const v_dwords low = __builtin_crypto_vpmsumd(x, (v_dwords){h[0], 0});
    const v_dwords high = __builtin_crypto_vpmsumd(x, (v_dwords){0, h[1]});
    const v_dwords cross = __builtin_crypto_vpmsumd(x, (v_dwords){h[1], h[0]});
    const v_dwords folded = __builtin_crypto_vpmsumd(
        high ^ (v_dwords)vec_sld((v_words)cross, (v_words)zero, 8), (v_dwords){0xc200000000000000, 0});
    return low ^ high ^ folded ^ (v_dwords)vec_sld((v_words)zero, (v_words)cross, 8);
}

static v_words schedule(v_words w, v_words before) {
    return w + __builtin_crypto_vshasigmaw(w, 0, 0) + __builtin_crypto_vshasigmaw(before, 0, 0xf) +
           __builtin_crypto_vshasigmaw(w ^ before, 1, 0) + __builtin_crypto_vshasigmaw(before, 1, 0xf);
}

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < 32; ++i) {
        sum = xorshift(sum);
        blocks[i] = (v_dwords){sum, sum * 37};
        keys[i % 11] ^= (v_dwords){sum * 41, sum};
    }
    v_dwords hash = {3, 5};
    v_words words = {1, 2, 3, 4};
    v_dwords parity = {0, 0};
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < 32; ++i) {
            const v_dwords c = encrypted(blocks[i] ^ hash);
            hash = hashed(hash ^ c, keys[1]);
            words = schedule(words, (v_words)c);
            parity ^= __builtin_crypto_vshasigmad(c, 1, 5);
            const v_bytes mixed_up = __builtin_crypto_vpermxor((v_bytes)parity, (v_bytes)hash,
                                                               (v_bytes)words);
            parity += (v_dwords)__builtin_crypto_vpmsumb(mixed_up, (v_bytes)c) ^
                      (v_dwords)__builtin_crypto_vpmsumw((v_words)mixed_up, words);
            blocks[i] = decrypted(c ^ parity);
        }
        sum = mixed(sum, hash[0] ^ parity[1] ^ ((v_dwords)words)[0]);
    }
    return sum;
}
