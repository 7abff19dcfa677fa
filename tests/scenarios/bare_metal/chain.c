/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes to a shared page in the depth of calls that are named like those of Linux: who called whom?
 */
#include "pefsim.h"

#define apart __attribute__((noinline, noclone))

whole_page char shared_page[PAGE_SIZE];
whole_page static const u32 device_tree[PAGE_SIZE / 4] = {0};

apart static void memcpy_words(volatile u64* to, u64 value, u64 words) {
    for (u64 i = 0; i < words; ++i)
        to[i] = value;
}
apart static void swiotlb_bounce(u64 at, u64 words) {
    memcpy_words((volatile u64*)(shared_page + at), at, words);
    __asm__ volatile("" : : : "memory");
}
apart static void send_block(u64 at) {
    swiotlb_bounce(at, 64);
    __asm__ volatile("" : : : "memory");
}
apart static void send_frame(u64 at) {
    swiotlb_bounce(at, 16);
    __asm__ volatile("" : : : "memory");
}
apart static u64 uv_share_page(u64 page) {
    return (u64)ultracall(UV_SHARE_PAGE, page, 1, 0, 0).status;
}

int main(u64 cpu) {
    if (cpu != 0 || enter_secure(device_tree) || uv_share_page((u64)shared_page >> PAGE_SHIFT))
        return 1;
    for (u64 i = 0; i < 10; ++i) {
        send_block(0x1000 * i);
        send_frame(0x1000 * i + 0x800);
    }
    ((volatile u64*)shared_page)[1] = 1;
    return 0;
}
