// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <asmjit/x86.h>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "power/translator/allocation.h"
#include "power/translator/engine_access.h"
#include "power/translator/region.h"
#include "power/translator/veneers.h"

namespace pefsim::power::host_code {

namespace x86 = asmjit::x86;

// Registers of the host with a meaning; see veneers.h.
inline constexpr x86::Gp core_register = x86::rbp;
inline constexpr x86::Gp left_register = x86::r15;
inline constexpr x86::Gp data_register = x86::r14;

/// A copy of a register's former value, as an operand of a comparison.
inline constexpr unsigned saved_register = register_count;

/// Guest registers compared, or one with a number: what a field of CR says.
struct comparison {
    bool wide = true;
    bool is_signed = true;
    unsigned a = 0;
    std::optional<unsigned> b{};  ///< none: `immediate`
    std::int32_t immediate = 0;

    [[nodiscard]] bool reads(unsigned which) const { return a == which || b == which; }
};

/// Emits host code for the instructions of a region, one after the other: what lowerings use, and the ways out. A field
/// of CR that is set is first remembered as a comparison; it is written when it must be, and elsewhere made anew from
/// its operands as flags of the host.
class emitter {
public:
    /// Where translated code of a word begins, relative to the region's code.
    struct entry {
        unsigned word = 0;
        std::size_t handler = 0;  ///< for an op
        std::size_t inner = 0;    ///< for translated code
    };

    emitter(asmjit::CodeHolder& code, const region& of, core& engine, shadow_page& shadow,
            const veneers& shared);

    /// Emits all of the region.
    void emit_all();
    /// When the code has got its place.
    [[nodiscard]] std::vector<entry> entries() const;
    /// Where the code of a leader and of what follows it begins: pairs of word and distance from the region's code, in
    /// order; behind the last one stands what is seldom reached.
    [[nodiscard]] std::vector<std::pair<unsigned, std::size_t>> blocks() const;

    // --- for lowerings
    x86::Assembler& as() { return assembler_; }
    /// The host register that holds a guest register: its own, or `scratch`, loaded.
    x86::Gp source(unsigned guest, const x86::Gp& scratch);
    /// Its own host register, or its place in memory.
    [[nodiscard]] asmjit::Operand operand(unsigned guest) const;
    /// The host register where a result is to be made: its own, or `scratch`.
    [[nodiscard]] x86::Gp target(unsigned guest, const x86::Gp& scratch) const;
    /// Its own host register, if it has one.
    [[nodiscard]] std::optional<x86::Gp> own(unsigned guest) const;
    /// The guest register gets the value of `from`.
    void set(unsigned guest, const x86::Gp& from);
    /// Moves a guest register's value to a host register.
    void load(const x86::Gp& to, unsigned guest);
    /// A field of CR is what the comparison says.
    void set_field(unsigned field, const comparison& what);
    /// A fixed-point instruction's result: set(), and CR0 of a form with Rc=1.
    void finish(unsigned guest, const x86::Gp& result);
    /// Sets the host's flags; the condition is true when the bit of CR is set.
    x86::CondCode test_cr_bit(unsigned bit);
    /// The place of a special purpose register, of XER for carries.
    [[nodiscard]] x86::Mem special(spr which) const;
    /// `bytes` of a vector-scalar register, from byte `from` of it on.
    [[nodiscard]] x86::Mem vsr(unsigned number, std::int32_t from = 0, unsigned bytes = 16) const;
    /// FPSCR, but for DRN.
    [[nodiscard]] x86::Mem fpscr() const;
    /// A number in memory, twice. It is only read.
    [[nodiscard]] x86::Mem constant(std::uint64_t value);
    /// The handler is called when that bit of MSR is not set.
    void require(std::uint64_t msr_bit);
    /// The handler is called unless FPSCR is as most programs have it after some inexact results: XX is set, rounding
    /// is to nearest, and exceptions are not enabled that a number may raise, or that suppress a result. Each
    /// instruction must ask, since host code goes on behind the handler.
    void require_common_status();
    /// FR, FI and FPRF are set again before anybody sees what this instruction leaves there.
    [[nodiscard]] bool status_is_set_again() const;
    /// A field of CR is what the host's flags say after an unsigned comparison; eax, too.
    void set_field_from_flags(unsigned field);
    /// The address of a word of the region, as the guest sees it, plus `displacement`.
    void effective_address(const x86::Gp& to, std::int64_t displacement);

    enum class access : std::uint8_t { load, store };
    /// An access of `size` bytes to the effective address in rax, through the TLB: when it goes on, the bytes stand
    /// where the result says. Otherwise the instruction's handler is called, and host code goes on behind the
    /// instruction. All scratch registers are lost.
    x86::Mem reach(access kind, unsigned size);
    /// The instruction's handler is called, unless the code that follows is reached otherwise; it does not come back to
    /// there, but behind the instruction. To be jumped to.
    asmjit::Label handler_elsewhere();

private:
    /// What is known between two instructions.
    struct knowledge {
        unsigned uncounted = 0;    ///< instructions since the last one that left_register knows of
        register_set dirty;        ///< host registers that memory does not equal
        std::uint64_t required{};  ///< bits of MSR that are known to be set
        bool synchronised =
            false;  ///< the core's count and the beginning of what it does not count are right
        struct field {
            std::optional<comparison> what;
            bool written = true;  ///< memory has it
        };
        std::array<field, 8> fields;
    };

    [[nodiscard]] const guest_op& here() const { return region_.ops[at_]; }
    [[nodiscard]] const placement& place() const { return placements_[here().loop]; }
    [[nodiscard]] static x86::Gp host(int number);
    [[nodiscard]] x86::Mem memory(unsigned guest, unsigned size = 8) const;
    [[nodiscard]] x86::Mem core_member(std::int32_t offset, unsigned size = 8) const;
    [[nodiscard]] std::uint64_t shadow_op(unsigned word) const;

    void emit_op();
    static bool may_change_code(const isa::instruction& row);
    void emit_handlers();
    void emit_branch();
    void emit_far_branch();
    void prepare_test(const branch_condition& on);
    void taken(const knowledge& then);
    void edge(unsigned from, unsigned to, register_set dirty);
    void leave(unsigned word);
    void emit_entries();

    void compare(const comparison& what);
    [[nodiscard]] static x86::CondCode condition(const comparison& what, unsigned bit);
    void write_field_from_flags(unsigned field, bool is_signed);
    void write_field(unsigned field, knowledge& known);
    void write_fields(std::uint8_t which, knowledge& known);
    [[nodiscard]] std::uint8_t fields_of(register_set changed) const;
    [[nodiscard]] bool read_soon(unsigned field) const;
    void save_operand(unsigned field);
    [[nodiscard]] std::uint8_t fields_saved() const;
    void drop_saved();
    void write_back(register_set which);
    void reload(register_set which);
    [[nodiscard]] register_set lost_in_calls() const;
    void call(std::uint64_t veneer, std::uint64_t handler, unsigned first, unsigned behind,
              unsigned uncounted);

    asmjit::CodeHolder& code_;
    x86::Assembler assembler_;
    const region& region_;
    shadow_page& shadow_;
    const veneers& shared_;
    engine_access::offsets core_;
    std::vector<placement> placements_;
    unsigned at_ = 0;
    knowledge known_;
    std::optional<unsigned>
        flags_;  // the field of CR that the host's flags tell of, between a test and its branch
    std::vector<asmjit::Label> bodies_;
    asmjit::Label seldom_;                                          // the code behind the rest
    asmjit::Label behind_;                                          // the instruction that is being emitted
    std::optional<std::pair<unsigned, asmjit::Label>> handler_of_;  // of an instruction, by its word
    struct entry_labels {
        unsigned word;
        asmjit::Label handler, inner;
    };
    std::vector<entry_labels> entries_;
    std::map<std::uint64_t, asmjit::Label> constants_;
    std::deque<std::function<void()>> elsewhere_;  // code that is seldom reached, emitted behind the rest
};

}  // namespace pefsim::power::host_code
