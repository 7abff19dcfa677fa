// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <asmjit/core.h>

#include "power/translator/code_memory.h"
#include "power/translator/engine_access.h"
#include "power/translator/run_counters.h"

namespace pefsim::power::host_code {

/// Host code that all regions share, by address: the ways in and out. In translated code
///   rbp  is the core
///   r15  the instructions that are left of the budget when the branch that was taken last had been counted
///   r14  the data TLB
///   rax, rcx, rdx are free
/// and the rest holds guest registers.
struct veneers {
    /// From an op's handler. rax: where to go on; r10: the interpreter's handler, for a state without translated code.
    std::uint64_t enter = 0;
    /// To the interpreter. rsi: the op of the shadow page where it goes on. All is counted.
    std::uint64_t leave = 0;
    /// The budget is used up. esi: word of the branch; edx: of its target.
    std::uint64_t leave_near = 0;
    /// A branch to another small page. rsi: its op of the shadow page; rax: the target.
    std::uint64_t far = 0;
    /// Calls of handlers, which come back when the instructions are complete, else leave. rax: the handler; rsi: its
    /// op; r8: the op behind the last one; rdx: bytes of ops since the last one that was counted. All but rbx, r12 and
    /// r13 are lost.
    std::uint64_t call = 0;
    /// The same when nothing was counted since the last call. rdx: anything.
    std::uint64_t call_again = 0;
    /// call, for an access that is not in the TLB.
    std::uint64_t access = 0;
    /// Looks in the TLB's second level. rax: the effective address, which stays; ecx: bytes. The host's Z flag is clear
    /// when the first level has it now. rcx and rdx are lost.
    std::uint64_t refill_load = 0;
    std::uint64_t refill_store = 0;
};

/// Makes them at the beginning of `memory`, for one core, which `counters` outlives.
veneers make_veneers(code_memory& memory, core& engine, run_counters& counters);
/// Puts finished code behind what is in `memory` already. False: there is no room for it.
bool place(asmjit::CodeHolder& code, code_memory& memory);

}  // namespace pefsim::power::host_code
