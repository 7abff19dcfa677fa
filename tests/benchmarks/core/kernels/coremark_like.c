/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/*
 * What embedded benchmarks are made of: a linked list that is searched, reversed and sorted by two keys; matrices of 16-bit
 * numbers; a state machine that tells numbers apart in a text; a CRC over all results.
 */

enum { items = 64, side = 12, text_size = 320 };

struct item {
    struct item* next;
    int16_t key;
    uint16_t place;
};

static struct item storage[items];
static int16_t left[side][side], right[side][side];
static int32_t product[side][side];
static char text[text_size];

static uint16_t crc(uint16_t sum, uint32_t value) {
    for (int byte = 0; byte < 4; ++byte, value >>= 8) {
        sum = (uint16_t)(sum ^ (value & 0xff));
        for (int bit = 0; bit < 8; ++bit) {
            sum = (uint16_t)((sum & 1) != 0 ? sum >> 1 ^ 0xa001 : sum >> 1);
        }
    }
    return sum;
}

static int by_key(const struct item* a, const struct item* b) { return a->key - b->key; }
static int by_place(const struct item* a, const struct item* b) { return a->place - b->place; }

/* Merge sort from below: runs of one, two, four ... items. */
static struct item* sorted(struct item* list, int (*order)(const struct item*, const struct item*)) {
    for (int size = 1;; size *= 2) {
        struct item head = {0, 0, 0};
        struct item* tail = &head;
        int merges = 0;
        for (struct item* p = list; p != 0;) {
            ++merges;
            struct item* q = p;
            int p_left = 0;
            for (; p_left < size && q != 0; ++p_left) {
                q = q->next;
            }
            int q_left = size;
            while (p_left > 0 || (q_left > 0 && q != 0)) {
                struct item* taken;
                if (p_left > 0 && (q_left == 0 || q == 0 || order(p, q) <= 0)) {
                    taken = p;
                    p = p->next;
                    --p_left;
                } else {
                    taken = q;
                    q = q->next;
                    --q_left;
                }
                tail->next = taken;
                tail = taken;
            }
            p = q;
        }
        tail->next = 0;
        list = head.next;
        if (merges <= 1) {
            return list;
        }
    }
}

static struct item* reversed(struct item* list) {
    struct item* done = 0;
    while (list != 0) {
        struct item* next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static uint16_t lists(uint16_t sum, uint32_t seed) {
    for (int i = 0; i < items; ++i) {
        seed = seed * 1103515245 + 12345;
        storage[i].key = (int16_t)(seed >> 16 & 0x3ff);
        storage[i].place = (uint16_t)i;
        storage[i].next = i + 1 < items ? &storage[i + 1] : 0;
    }
    struct item* list = storage;
    for (int wanted = 0; wanted < 40; ++wanted) {
        const struct item* found = list;
        while (found != 0 && (found->key & 0x3f) != wanted) {
            found = found->next;
        }
        sum = crc(sum, found != 0 ? found->place : 0xffff);
        list = reversed(list);
    }
    list = sorted(list, by_key);
    for (const struct item* each = list; each != 0; each = each->next) {
        sum = crc(sum, (uint32_t)each->key);
    }
    list = sorted(list, by_place);
    return crc(sum, (uint32_t)list->key);
}

static uint16_t matrices(uint16_t sum, int16_t value) {
    for (int i = 0; i < side; ++i) {
        for (int j = 0; j < side; ++j) {
            left[i][j] = (int16_t)(value + i * j);
            right[i][j] = (int16_t)(value * j - i);
        }
    }
    for (int i = 0; i < side; ++i) {
        for (int j = 0; j < side; ++j) {
            int32_t total = 0;
            for (int k = 0; k < side; ++k) {
                const int32_t term = left[i][k] * right[k][j];
                total += (term >> 2 & 15) * (term >> 5 & 127);
            }
            product[i][j] = total;
        }
    }
    int32_t total = 0;
    int32_t last = 0;
    for (int i = 0; i < side; ++i) {
        for (int j = 0; j < side; ++j) {
            total += product[i][j] > last ? 10 : 1;
            last = product[i][j];
        }
    }
    return crc(sum, (uint32_t)total);
}

enum state { start, sign, integer, point, exponent, exponent_sign, scientific, invalid, states };

static enum state advance(enum state from, char c) {
    const int digit = c >= '0' && c <= '9';
    switch (from) {
    case start:
        return digit ? integer : c == '+' || c == '-' ? sign : c == '.' ? point : invalid;
    case sign:
        return digit ? integer : c == '.' ? point : invalid;
    case integer:
        return digit ? integer : c == '.' ? point : c == 'e' ? exponent : invalid;
    case point:
        return digit ? point : c == 'e' ? exponent : invalid;
    case exponent:
        return digit ? scientific : c == '+' || c == '-' ? exponent_sign : invalid;
    case exponent_sign:
    case scientific:
        return digit ? scientific : invalid;
    default:
        return invalid;
    }
}

static uint16_t words(uint16_t sum, uint32_t seed) {
    static const char alphabet[] = "0123456789+-.e,0123,456,";
    for (int i = 0; i < text_size; ++i) {
        seed = seed * 1103515245 + 12345;
        text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
    }
    uint32_t ends[states] = {0};
    enum state now = start;
    for (int i = 0; i < text_size; ++i) {
        if (text[i] == ',') {
            ++ends[now];
            now = start;
        } else {
            now = advance(now, text[i]);
        }
    }
    for (int i = 0; i < states; ++i) {
        sum = crc(sum, ends[i]);
    }
    return sum;
}

uint64_t kernel(uint64_t rounds) {
    uint64_t result = 0;
    uint16_t sum = 0;
    for (uint64_t round = 0; round < rounds; ++round) {
        sum = lists(sum, (uint32_t)round);
        sum = matrices(sum, (int16_t)(sum & 0xff));
        sum = words(sum, sum);
        result = mixed(result, sum);
    }
    return result;
}
