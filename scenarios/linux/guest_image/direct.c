// SPDX-License-Identifier: Apache-2.0
//
// direct DISK SIZE COUNT: COUNT requests of SIZE bytes to the disk, one after another and past the page cache, first
// writes, then reads of the same; and compares. (busybox's dd goes back to the page cache: its buffers are not aligned.)
// The load init calls it; what its lines mean is said there.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WARM_UP = 2 };

// What stands behind the first word of each request, which is its number.
static void fill(unsigned* buffer, size_t size) {
    for (size_t i = 0; i < size / sizeof *buffer; ++i) {
        buffer[i] = (unsigned)(i * 2654435761u);
    }
}

static int fail(const char* what, size_t size) {
    printf("### DISK-FAIL %zu %s\n", size, what);
    return 1;
}

int main(int argc, char** argv) {
    if (argc != 4) {
        return 2;
    }
    const size_t size = strtoul(argv[2], NULL, 10);
    const unsigned count = (unsigned)strtoul(argv[3], NULL, 10);
    setvbuf(stdout, NULL, _IOLBF, 0);
    void *mine = NULL, *back = NULL;
    const int disk = open(argv[1], O_RDWR | O_DIRECT);
    if (disk < 0 || posix_memalign(&mine, 65536, size) != 0 || posix_memalign(&back, 65536, size) != 0) {
        return fail("cannot begin", size);
    }
    fill(mine, size);
    memset(back, 0, size);
    // What is done for the first time costs more: page tables, caches of the kernel.
    for (unsigned n = 0; n < WARM_UP + count; ++n) {
        if (n == WARM_UP) {
            printf("### LOAD-BEGIN write %zu\n", size);
        }
        *(unsigned*)mine = n;
        if (pwrite(disk, mine, size, (off_t)(n * size)) != (ssize_t)size) {
            return fail("cannot be written", size);
        }
    }
    printf("### LOAD-END write %zu %u\n", size, count);
    int differ = 0;
    for (unsigned n = 0; n < WARM_UP + count; ++n) {
        if (n == WARM_UP) {
            printf("### LOAD-BEGIN read %zu\n", size);
        }
        if (pread(disk, back, size, (off_t)(n * size)) != (ssize_t)size) {
            return fail("cannot be read", size);
        }
        differ |= *(unsigned*)back != n;
    }
    printf("### LOAD-END read %zu %u\n", size, count);
    for (unsigned n = 0; n < WARM_UP + count; ++n) {
        *(unsigned*)mine = n;
        differ |= pread(disk, back, size, (off_t)(n * size)) != (ssize_t)size || memcmp(mine, back, size) != 0;
    }
    if (differ) {
        return fail("differs", size);
    }
    printf("### DISK-OK %zu\n", size);
    return 0;
}
