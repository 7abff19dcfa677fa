// SPDX-License-Identifier: Apache-2.0
// Memory: mappings, their protection, the heap, code that is written and executed.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 65536L

static void show(const char *what, long result) {
    printf("%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static long call(uint32_t *code) {
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    return ((long (*)(void))code)();
}

int main(void) {
    char *base = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(base, 1, 8 * PAGE);
    show("munmap in the middle", munmap(base + 2 * PAGE, PAGE));
    show("mprotect over the hole", mprotect(base, 8 * PAGE, PROT_READ));
    char *again = mmap(base + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    show("fixed", again - base);
    printf("%d %d\n", base[2 * PAGE - 1], base[2 * PAGE]);
    show("misaligned", munmap(base + 1, PAGE));
    show("no length", (long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    char *part = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(part + PAGE - 3, "across the border");
    part = mremap(part, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
    printf("%s %d\n", part + PAGE - 3, part[99 * PAGE]);
    part = mremap(part, 100 * PAGE, PAGE, 0);
    show("madvise", madvise(part, PAGE, MADV_DONTNEED));
    printf("%d\n", part[PAGE - 3]);
    char *end = sbrk(0);
    show("sbrk", sbrk(3 * PAGE) == end ? 0 : -1);
    memset(end, 5, 3 * PAGE);
    show("shrink", sbrk(-2 * PAGE) == end + 3 * PAGE ? 0 : -1);
    sbrk(2 * PAGE);
    printf("%d %d\n", end[PAGE / 2], end[3 * PAGE - 1]);
    long total = 0;
    for (int i = 0; i < 2000; ++i) {
        size_t size = 1 + (size_t)i * 7919 % 300000;
        char *piece = malloc(size);
        piece[0] = piece[size - 1] = (char)i;
        if (i % 3 != 0) free(piece);
        total += (long)size;
    }
    printf("%ld\n", total);
    uint32_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    code[0] = 0x38600000 | 41;  // li r3, 41
    code[1] = 0x4e800020;       // blr
    printf("%ld ", call(code));
    code[0] = 0x38600000 | 42;
    printf("%ld ", call(code));
    int ends[2];
    if (pipe(ends) == 0 && write(ends[1], "\x2b\x00\x60\x38", 4) == 4 && read(ends[0], code, 4) == 4) {
        printf("%ld ", call(code));
    }
    mprotect(code, PAGE, PROT_READ | PROT_WRITE);
    code[0] = 0x38600000 | 44;
    mprotect(code, PAGE, PROT_READ | PROT_EXEC);
    printf("%ld\n", call(code));
    return 0;
}
