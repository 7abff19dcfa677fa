/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Bytes of vectors put into another order: tables of 16 and 32 bytes, merges, packs, shifts, transposition, bit permutes. */

enum { size = 64 };

typedef __vector unsigned char v_bytes;
typedef __vector unsigned short v_halves;
typedef __vector unsigned int v_words;
typedef __vector unsigned long long v_dwords;

static v_bytes data[size];

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < size; ++i) {
        sum = xorshift(sum);
        data[i] = (v_bytes)(v_dwords){sum, sum * 31};
    }
    const v_bytes nibbles = vec_splats((unsigned char)15);
    v_bytes low = data[0];
    v_bytes high = data[1];
    v_dwords bits = {0, 0};
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < size; i += 2) {
            const v_bytes a = data[i];
            const v_bytes b = data[i + 1];
            /* a look-up of nibbles, as codecs and checksums do it */
            const v_bytes found = vec_perm(low, low, a & nibbles) ^
                                  vec_perm(high, high, vec_sr(a, vec_splats((unsigned char)4)));
            const v_bytes mix = vec_perm(a, b, found);
            const v_bytes merged = vec_mergeh(mix, b) ^ (v_bytes)vec_mergel((v_halves)a, (v_halves)mix);
            const v_bytes packed = vec_pack((v_halves)merged, (v_halves)mix);
            const v_bytes turned = (v_bytes)vec_sld((v_words)packed, (v_words)b, 5) ^
                                   (v_bytes)vec_splat((v_words)merged, 2);
            bits ^= vec_vbpermq(turned, a) ^ (v_dwords)vec_gb(packed);
            data[i] = turned + b;
            data[i + 1] = vec_xxpermdi(merged, turned, 1);
        }
        low ^= data[round % size];
        high += data[(round + 7) % size];
        sum = mixed(sum, bits[0] ^ bits[1] ^ ((v_dwords)low)[1] ^ ((v_dwords)high)[0]);
    }
    return sum;
}
