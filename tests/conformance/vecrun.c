/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vecrun VECTORS RESULTS: executes the vectors of a file (vector_file.h) on the processor it runs on.
 *
 * A static ppc64le program for a POWER9 under Linux, qemu-ppc64le or pefsim. Besides what its C library does to start, it
 * uses the system calls open, read, write, mmap, rt_sigaction, sigaltstack and exit. Status 2: a file is bad; 3: a fault
 * that is not of a vector's words.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include "vector_file.h"

#define STATE ((struct vector_state*)VECTOR_STATE_AT)
#define CODE ((uint32_t*)VECTOR_CODE_AT)
#define ENTER (CODE + 0x10000 / 4) /* enter_vector.S wants this distance */
#define MEMORY ((void*)VECTOR_MEMORY_AT)
#define REGION_TAIL ((void*)(VECTOR_REGION_AT + VECTOR_REGION_SIZE - VECTOR_TAIL_SIZE))

extern const uint32_t enter_vector[], leave_vector[], end_of_vector[];

_Static_assert(offsetof(struct vector_state, vsr) == 256, "enter_vector.S");
_Static_assert(offsetof(struct vector_state, lr) == 1280, "enter_vector.S");
_Static_assert(offsetof(struct vector_state, fpscr) == 1320, "enter_vector.S");
_Static_assert(offsetof(struct vector_state, vscr) == 1328, "enter_vector.S");

static uint64_t bytes_of_words; /* of the group that is being executed */

/* Notes a fault in the words and goes on behind them. */
static void on_fault(int number, siginfo_t* info, void* context) {
    unsigned long* const nip = &((ucontext_t*)context)->uc_mcontext.gp_regs[32];
    const uint64_t offset = *nip - VECTOR_CODE_AT;
    if (offset >= bytes_of_words) {
        _exit(3);
    }
    STATE->signal = (uint64_t)number;
    STATE->nip = offset;
    STATE->address = number == SIGSEGV || number == SIGBUS ? (uint64_t)info->si_addr : 0;
    *nip = VECTOR_CODE_AT + bytes_of_words;
}

static void catch_faults(void) {
    static char stack[65536] __attribute__((aligned(16)));
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const int numbers[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
        sigaction(numbers[i], &action, NULL);
    }
}

static int map(uint64_t at, uint64_t size, int protection) {
    return mmap((void*)at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void place_words(const struct vector_group* group) {
    const uint32_t leave = (uint32_t)((ENTER - CODE) + (leave_vector - enter_vector) - group->words) * 4;
    memcpy(CODE, group->word, 4 * group->words);
    CODE[group->words] = 0x48000000u | (leave & 0x03fffffcu);
    __builtin___clear_cache((char*)CODE, (char*)(CODE + group->words + 1));
    bytes_of_words = 4 * group->words;
}

static void execute(void) {
    memcpy(MEMORY, STATE->memory, VECTOR_MEMORY_SIZE);
    memset(REGION_TAIL, 0, VECTOR_TAIL_SIZE);
    STATE->signal = STATE->nip = STATE->address = 0;
    register void* enter __asm__("r12") = ENTER;
    __asm__ volatile("mtctr %0; bctrl"
                     : "+r"(enter)::"r0", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "ctr",
                       "xer", "memory", "cr0", "cr1", "cr5", "cr6", "cr7", "fr0", "fr1", "fr2", "fr3", "fr4",
                       "fr5", "fr6", "fr7", "fr8", "fr9", "fr10", "fr11", "fr12", "fr13", "v0", "v1", "v2",
                       "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
                       "v16", "v17", "v18", "v19");
    memcpy(STATE->memory, MEMORY, VECTOR_MEMORY_SIZE);
}

static int read_all(int file, void* to, size_t size) {
    char* bytes = to;
    while (size > 0) {
        const ssize_t n = read(file, bytes, size);
        if (n <= 0) {
            return 0;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return 1;
}

#define BATCH 64 /* states read and written at a time */

/* The group's inputs, a batch at a time. */
static int run_group(const struct vector_group* group, int in, int out) {
    static struct vector_state batch[BATCH];
    place_words(group);
    for (uint32_t done = 0; done < group->inputs;) {
        const uint32_t n = group->inputs - done < BATCH ? group->inputs - done : BATCH;
        if (!read_all(in, batch, n * sizeof *batch)) {
            return 0;
        }
        for (uint32_t i = 0; i < n; ++i) {
            *STATE = batch[i];
            execute();
            batch[i] = *STATE;
        }
        if (write(out, batch, n * sizeof *batch) != (ssize_t)(n * sizeof *batch)) {
            return 0;
        }
        done += n;
    }
    return 1;
}

int main(int argc, char** argv) {
    const int in = argc == 3 ? open(argv[1], O_RDONLY) : -1;
    const int out = argc == 3 ? open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
    if (in < 0 || out < 0 || !map(VECTOR_STATE_AT, 0x10000, PROT_READ | PROT_WRITE) ||
        !map(VECTOR_CODE_AT, 0x20000, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        !map(VECTOR_REGION_AT, VECTOR_REGION_SIZE, PROT_READ | PROT_WRITE)) {
        return 2;
    }
    prctl(PR_SET_FPEXC, PR_FP_EXC_PRECISE); /* qemu-ppc64le has no other mode, and does not know the call */
    catch_faults();
    memcpy(ENTER, enter_vector, (size_t)(end_of_vector - enter_vector) * 4);
    __builtin___clear_cache((char*)ENTER, (char*)(ENTER + (end_of_vector - enter_vector)));

    struct vector_group group;
    while (read_all(in, &group, sizeof group)) {
        if (group.magic != VECTOR_MAGIC || group.words == 0 || group.words > VECTOR_WORDS ||
            !run_group(&group, in, out)) {
            return 2;
        }
    }
    return 0;
}
