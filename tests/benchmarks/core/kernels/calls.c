/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* Calls and returns across pages of 4 KiB, as in programs that are larger than a loop: direct ones, from several places
 * to one function, a recursion, and some through a table whose order only the data know. */

#define OWN_PAGE __attribute__((noinline, aligned(4096)))

OWN_PAGE static uint64_t leaf(uint64_t x) { return xorshift(x); }
OWN_PAGE static uint64_t first(uint64_t x) { return leaf(x + 1) ^ 0x55; }
OWN_PAGE static uint64_t second(uint64_t x) { return leaf(x) + first(x >> 1); }
OWN_PAGE static uint64_t third(uint64_t x) { return (x & 1) != 0 ? leaf(x * 3) : second(x); }
OWN_PAGE static uint64_t tree(uint64_t depth, uint64_t x) {
    return depth == 0 ? x : tree(depth - 1, x + 1) + 3 * tree(depth - 1, x ^ depth);
}

typedef uint64_t function(uint64_t);
static function* const table[] = {leaf, first, second, third};

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < 100; ++i) {
            sum = mixed(sum, third(sum));
            sum = mixed(sum, first(second(sum)));
            if (i % 8 == 0) {
                sum = mixed(sum, table[sum >> 32 & 3](sum));
            }
        }
        sum = mixed(sum, tree(6, sum));
    }
    return sum;
}
