/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The file that vecrun executes, and what it writes: C, for the guest program and for the host's side of it.
 *
 * Input: groups until the end of the file. A group is a struct vector_group and then `inputs` times a struct
 * vector_state: the words are executed once for each of these states. Output: the state after each of them.
 * Everything is little-endian.
 */

#define VECTOR_MAGIC 0x31434556u /* "VEC1" */
#define VECTOR_WORDS 4

/* Where things stand in the program's address space. The bytes that a vector may touch lie across the end of a page,
   of 4 KiB and of 64 KiB, in a region of their own. */
#define VECTOR_STATE_AT 0x20000000ull
#define VECTOR_CODE_AT 0x21000000ull
#define VECTOR_REGION_AT 0x40000000ull
#define VECTOR_REGION_SIZE 0x20000ull
#define VECTOR_TAIL_SIZE 128 /* the end of the region, which vectors touch as they fault: zero before each */
#define VECTOR_MEMORY_SIZE 256
#define VECTOR_MEMORY_AT (VECTOR_REGION_AT + 0x10000ull - VECTOR_MEMORY_SIZE / 2)

struct vector_group {
    uint32_t magic;
    uint32_t inputs;
    uint32_t words; /* 1 .. VECTOR_WORDS */
    uint32_t word[VECTOR_WORDS];
    uint32_t reserved;
};

struct vector_state {
    uint64_t gpr[32];
    uint64_t vsr[64][2]; /* doubleword 1, doubleword 0: a little-endian 128-bit integer */
    uint64_t lr, ctr, xer, cr;
    uint64_t tar; /* before only; the program needs it afterwards */
    uint64_t fpscr;
    uint64_t vscr[2]; /* as a vector register */
    uint64_t signal;  /* after: 0, or the signal number of the fault; Linux's numbers */
    uint64_t nip;     /* of the fault, relative to the first word */
    uint64_t address; /* of SIGSEGV and SIGBUS */
    uint64_t reserved[5];
    uint8_t memory[VECTOR_MEMORY_SIZE];
};
