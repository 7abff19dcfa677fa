/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes itself secure, writes one text into a page of its own and another into a page that it shares with the host. What the
 * host then sees:
 *
 *     bare_metal --elf share_page --host-read private_page --host-read shared_page --secret "this is for the guest alone"
 */
#include "pefsim.h"

/* The image was in the host's hands: a secret in it would be none. So it stands here with each letter one too high, and the
   key that makes it readable is known at run time only. */
static const char private_text[] = "uijt!jt!gps!uif!hvftu!bmpof";
static const char shared_text[] = "this is for the host as well";

whole_page char private_page[PAGE_SIZE];
whole_page char shared_page[PAGE_SIZE];

/* The Ultravisor wants to see the page of a device tree. There is none in it: a program has no RTAS. */
whole_page static const u32 device_tree[PAGE_SIZE / 4] = {0};

int main(u64 cpu) {
    volatile char key = 1;
    const long failed = enter_secure(device_tree);
    if (failed || !(read_msr() & MSR_S)) {
        print("UV_ESM failed: -");
        print_number((u64)-failed);
        print("\n");
        return 1;
    }
    print("secure\n");

    for (u64 i = 0; i < sizeof private_text - 1; ++i)
        private_page[i] = private_text[i] - key;

    if (ultracall(UV_SHARE_PAGE, (u64)shared_page >> PAGE_SHIFT, 1, 0, 0).status != 0) {
        print("UV_SHARE_PAGE failed\n");
        return 1;
    }
    for (u64 i = 0; i < sizeof shared_text - 1; ++i)
        ((volatile char *)shared_page)[i] = shared_text[i];
    print("one page is shared\n");
    return cpu == 0 ? 0 : 1;
}
