// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Calls the handler in rax for the veneers, which are made at run time: how to find the caller of translated code is
/// said here, to the assembler (call frame information: System V ABI, AMD64 supplement, 3.7). So exceptions of those
/// whom a handler calls (a trace that cannot be written, a mistake in a device), and debuggers, get past it.
///
/// The stack, from the caller's frame down: the return address to the caller; rbp, rbx, r12, r13, r14, r15; 16 bytes.
/// rcx is lost; the other registers are the handler's.
extern "C" void pefsim_call_handler();
