/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* Sorts a list, multiplies matrices of 10 x 10, computes a CRC, runs a state machine, mixes 64-bit numbers. */

struct node {
    struct node* next;
    int value;
};

static struct node pool[256];
static int a[100], b[100], c[100];
static unsigned char text[1024];

static struct node* merge(struct node* left, struct node* right) {
    struct node head;
    struct node* tail = &head;
    while (left != 0 && right != 0) {
        struct node** from = left->value <= right->value ? &left : &right;
        tail->next = *from;
        *from = (*from)->next;
        tail = tail->next;
    }
    tail->next = left != 0 ? left : right;
    return head.next;
}

static struct node* sort(struct node* list) {
    if (list == 0 || list->next == 0) {
        return list;
    }
    struct node* middle = list;
    for (struct node* end = list->next; end != 0 && end->next != 0; end = end->next->next) {
        middle = middle->next;
    }
    struct node* right = middle->next;
    middle->next = 0;
    return merge(sort(list), sort(right));
}

static uint32_t crc16(uint32_t crc, const unsigned char* bytes, int size) {
    for (int i = 0; i < size; ++i) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xa001 : crc >> 1;
        }
    }
    return crc;
}

static int machine(const unsigned char* bytes, int size) {
    int state = 0;
    int count = 0;
    for (int i = 0; i < size; ++i) {
        const unsigned char x = bytes[i];
        switch (state) {
        case 0:
            state = x < 64 ? 1 : x < 128 ? 2 : 0;
            break;
        case 1:
            state = (x & 1) != 0 ? 3 : 0;
            break;
        case 2:
            state = (x & 2) != 0 ? 0 : 3;
            ++count;
            break;
        default:
            state = x > 200 ? 0 : state;
            count += 2;
        }
    }
    return count;
}

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 0;
    uint32_t seed = 1;
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < 256; ++i) {
            seed = seed * 1103515245 + 12345;
            pool[i].value = (int)(seed >> 16);
            pool[i].next = i < 255 ? &pool[i + 1] : 0;
            text[i * 4] = (unsigned char)(seed >> 8);
            text[i * 4 + 1] = (unsigned char)(seed >> 16);
            text[i * 4 + 2] = (unsigned char)(seed >> 24);
            text[i * 4 + 3] = (unsigned char)i;
        }
        sum += (uint64_t)sort(pool)->value;
        for (int i = 0; i < 100; ++i) {
            a[i] = i + (int)(round & 0xffff);
            b[i] = i * 3;
        }
        for (int i = 0; i < 10; ++i) {
            for (int j = 0; j < 10; ++j) {
                int product = 0;
                for (int k = 0; k < 10; ++k) {
                    product += a[i * 10 + k] * b[k * 10 + j];
                }
                c[i * 10 + j] = product;
            }
        }
        sum += (uint64_t)c[37];
        sum += crc16((uint32_t)sum, text, sizeof text);
        sum += (uint64_t)machine(text, sizeof text);
        uint64_t x = sum;
        for (int i = 0; i < 1000; ++i) {
            x = xorshift(x);
        }
        sum += x;
    }
    return sum;
}
