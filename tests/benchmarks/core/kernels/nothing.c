/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* What a program costs that computes nothing: taken off the others. */
uint64_t kernel(uint64_t rounds) { return rounds; }
