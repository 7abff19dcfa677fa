// SPDX-License-Identifier: Apache-2.0
//
// direct DISK SIZE COUNT [DEPTH]: COUNT requests of SIZE bytes to the disk, past the page cache, first writes, then reads of
// the same; and compares. DEPTH of them are under way, each of a process of its own; default 1, without a process.
// (busybox's dd goes back to the page cache: its buffers are not aligned.) The load init calls it; what its lines mean is
// said there.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARM_UP = 2 };
enum outcome { WELL, NOT_MOVED, DIFFERS };

struct load {
    int disk;
    size_t size;
    unsigned count, depth;
    unsigned *mine, *back;  // of one request; its first word is its number
};

// Requests first, first + step and so on, before end.
static enum outcome move(const struct load* of, int writes, unsigned first, unsigned end, unsigned step) {
    enum outcome result = WELL;
    for (unsigned n = first; n < end; n += step) {
        const off_t at = (off_t)(n * of->size);
        *of->mine = n;
        const ssize_t moved = writes ? pwrite(of->disk, of->mine, of->size, at) : pread(of->disk, of->back, of->size, at);
        if (moved != (ssize_t)of->size) {
            return NOT_MOVED;
        }
        if (!writes && *of->back != n) {
            result = DIFFERS;
        }
    }
    return result;
}

// The same by `depth` processes: the worst that one came to.
static enum outcome move_at_once(const struct load* of, int writes, unsigned first, unsigned end) {
    for (unsigned n = 0; n < of->depth; ++n) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(move(of, writes, first + n, end, of->depth));
        }
        if (child < 0) {
            return NOT_MOVED;
        }
    }
    enum outcome worst = WELL;
    int status;
    while (wait(&status) > 0) {
        const enum outcome result = WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : NOT_MOVED;
        worst = result > worst ? result : worst;
    }
    return worst;
}

static enum outcome run(const struct load* of, int writes) {
    const char* const name = writes ? "write" : "read";
    // What is done for the first time costs more: page tables, caches of the kernel.
    enum outcome result = move(of, writes, 0, WARM_UP, 1);
    if (result != WELL) {
        return result;
    }
    printf("### LOAD-BEGIN %s %zu\n", name, of->size);
    const unsigned end = WARM_UP + of->count;
    result = of->depth == 1 ? move(of, writes, WARM_UP, end, 1) : move_at_once(of, writes, WARM_UP, end);
    if (result == WELL) {
        printf("### LOAD-END %s %zu %u\n", name, of->size, of->count);
    }
    return result;
}

// Every byte of what was written.
static enum outcome compare(const struct load* of) {
    for (unsigned n = 0; n < WARM_UP + of->count; ++n) {
        *of->mine = n;
        if (pread(of->disk, of->back, of->size, (off_t)(n * of->size)) != (ssize_t)of->size) {
            return NOT_MOVED;
        }
        if (memcmp(of->mine, of->back, of->size) != 0) {
            return DIFFERS;
        }
    }
    return WELL;
}

static int fail(const char* what, size_t size) {
    printf("### DISK-FAIL %zu %s\n", size, what);
    return 1;
}

int main(int argc, char** argv) {
    if (argc != 4 && argc != 5) {
        return 2;
    }
    struct load of = {.size = strtoul(argv[2], NULL, 10),
                      .count = (unsigned)strtoul(argv[3], NULL, 10),
                      .depth = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 1};
    setvbuf(stdout, NULL, _IOLBF, 0);
    void *mine = NULL, *back = NULL;
    of.disk = open(argv[1], O_RDWR | O_DIRECT);
    if (of.disk < 0 || of.depth == 0 || posix_memalign(&mine, 65536, of.size) != 0 ||
        posix_memalign(&back, 65536, of.size) != 0) {
        return fail("cannot begin", of.size);
    }
    of.mine = mine;
    of.back = back;
    for (size_t i = 0; i < of.size / sizeof *of.mine; ++i) {
        of.mine[i] = (unsigned)(i * 2654435761u);
    }
    memset(back, 0, of.size);
    enum outcome result = run(&of, 1);
    if (result == NOT_MOVED) {
        return fail("cannot be written", of.size);
    }
    result = run(&of, 0);
    if (result == WELL) {
        result = compare(&of);
    }
    if (result != WELL) {
        return fail(result == NOT_MOVED ? "cannot be read" : "differs", of.size);
    }
    printf("### DISK-OK %zu\n", of.size);
    return 0;
}
