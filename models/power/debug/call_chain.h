// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "power/registers.h"

namespace pefsim::power::debug {

/// A guest's storage, for those who walk its stacks.
class stack_storage {
public:
    virtual ~stack_storage() = default;
    /// The doubleword at `ea`, a multiple of 8, whatever the protection of its page, with data relocation, byte order
    /// and width of addresses as `msr` says; nothing where no RAM is. Nothing of guest or machine is changed by it.
    [[nodiscard]] virtual std::optional<std::uint64_t> doubleword(std::uint64_t ea, std::uint64_t msr) = 0;
};

/// How control went from a place to where a core's registers are now.
enum class way_on : std::uint8_t {
    ahead,           ///< in the same function, or by a tail call; or to an interrupt, which keeps R1 and LR
    call,            ///< by a branch that has set LR
    back,            ///< to a caller: bclr
    from_interrupt,  ///< rfid and its like
};
/// What a taken branch with this word does; other words: ahead.
way_on way_of(std::uint32_t word);

/// A place in a guest's code, and what is known of its stack, then or a little later.
struct stack_state {
    std::uint64_t place = 0;  ///< effective address of an instruction
    way_on then = way_on::ahead;
    // of the registers behind that
    std::uint64_t nip = 0;
    std::uint64_t msr = 0;
    std::uint64_t r1 = 0;
    std::uint64_t lr = 0;
};

/// A step of a chain: the effective address of an instruction. LR's is marked, because LR may also still say where the
/// function's latest call returned to: it is a step only if it lies in another function.
class chain_step {
public:
    constexpr chain_step() = default;
    constexpr chain_step(std::uint64_t ea, bool from_lr) : value_((ea & ~std::uint64_t{3}) | from_lr) {}
    [[nodiscard]] constexpr std::uint64_t ea() const { return value_ & ~std::uint64_t{3}; }
    [[nodiscard]] constexpr bool from_lr() const { return (value_ & 1) != 0; }
    friend constexpr bool operator==(chain_step, chain_step) = default;
    [[nodiscard]] constexpr std::uint64_t key() const { return value_; }

private:
    std::uint64_t value_ = 0;
};

/// Enough for people: Linux's own limit for a whole chain is 127 (PERF_MAX_STACK_DEPTH).
inline constexpr std::size_t deepest_chain = 96;

/// The calls that led to a place, innermost first: the place itself, then the calls by which its function and those
/// around it were called, by the back chain from R1 and the LR save words (64-bit ELF V2 ABI, 2.2.2.1; V1 has them in
/// the same places). Where a frame is Linux's of an interrupt or a system call ("regshere", struct pt_regs;
/// arch/powerpc/include/asm/ptrace.h), the chain goes on where the interrupt came, into the program that the kernel
/// serves, too.
///
/// Whatever stands in storage, it ends: at the first word that cannot be, at the end of `to`, which holds one step at
/// least.
/// \returns how many steps there are
std::size_t call_chain(const stack_state& from, stack_storage& storage, std::span<chain_step> to);

}  // namespace pefsim::power::debug
