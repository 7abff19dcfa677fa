// SPDX-License-Identifier: Apache-2.0
#include "power/translator/emitter.h"

#include <bit>
#include <cstddef>
#include <utility>

#include "power/ieee/environment.h"
#include "power/isa/instruction.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using asmjit::Label;

/// By the numbers of allocation.h: those that calls keep stand first.
constexpr std::array<x86::Gp, host_register_count> host_registers{x86::rbx, x86::r12, x86::r13, x86::r8,
                                                                  x86::r9,  x86::r10, x86::r11, x86::rsi};
/// Of saved_register.
constexpr x86::Gp saved_operand = x86::rdi;

constexpr std::uint8_t all_fields = 0xff;
constexpr std::uint8_t bit_of(unsigned field) { return static_cast<std::uint8_t>(1U << field); }

/// Bits of a field, from the left: LT, GT, EQ, SO.
enum field_bit : std::uint8_t { less, greater, equal, summary_overflow };

constexpr std::int32_t op_bytes = sizeof(op);

}  // namespace

emitter::emitter(asmjit::CodeHolder& code, const region& of, core& engine, shadow_page& shadow,
                 const veneers& shared)
    : code_(code),
      assembler_(&code),
      region_(of),
      shadow_(shadow),
      shared_(shared),
      core_(engine_access::of(engine)),
      placements_(allocate(of)),
      bodies_(words_per_page + 1) {
    for (unsigned n = of.first; n <= of.last; ++n) {
        if (of.ops[n].reached && of.ops[n].leader) {
            bodies_[n] = assembler_.newLabel();
        }
    }
}

// --- where things are

x86::Gp emitter::host(int number) { return host_registers[static_cast<std::size_t>(number)]; }

x86::Mem emitter::core_member(std::int32_t offset, unsigned size) const {
    return x86::ptr(core_register, offset, size);
}

x86::Mem emitter::special(spr which) const {
    return core_member(core_.special + 8 * static_cast<std::int32_t>(which));
}

x86::Mem emitter::vsr(unsigned number, std::int32_t from, unsigned bytes) const {
    return core_member(core_.vsr + static_cast<std::int32_t>(sizeof(vector_register) * number) + from, bytes);
}

/// MSR stays as it is while translated code runs: what changes it leaves.
void emitter::require(std::uint64_t msr_bit) {
    if ((known_.required & msr_bit) == 0) {
        as().test(core_member(core_.msr, 4), Imm(static_cast<std::int32_t>(msr_bit)));
        as().jz(handler_elsewhere());
        known_.required |= msr_bit;
    }
}

x86::Mem emitter::fpscr() const { return core_member(core_.fpscr, 4); }

x86::Mem emitter::constant(std::uint64_t value) {
    const auto [place, is_new] = constants_.try_emplace(value);
    if (is_new) {
        place->second = as().newLabel();
    }
    return x86::ptr(place->second, 0, 16);
}

void emitter::require_common_status() {
    using namespace ieee::fpscr;  // NOLINT(google-build-using-namespace): its bits
    as().mov(x86::eax, fpscr());
    as().and_(x86::eax, Imm(static_cast<std::int32_t>(xx | xe | ve | ze | rn)));
    as().cmp(x86::eax, Imm(static_cast<std::int32_t>(xx)));
    as().jne(handler_elsewhere());
}

bool emitter::status_is_set_again() const {
    for (unsigned n = at_; region_.continues(n); ++n) {
        const guest_op& next = region_.ops[n + 1];
        if (next.leader || next.goes != flow::straight || next.lowered == nullptr) {
            return false;
        }
        if (next.lowered->sets_float_status && next.row->needs == here().row->needs) {
            return true;
        }
        if (next.lowered->leaves) {
            return false;
        }
    }
    return false;
}

x86::Mem emitter::memory(unsigned guest, unsigned size) const {
    switch (guest) {
    case link_register:
        return special(spr::lr);
    case count_register:
        return special(spr::ctr);
    default:
        return core_member(core_.gpr + 8 * static_cast<std::int32_t>(guest), size);
    }
}

std::uint64_t emitter::shadow_op(unsigned word) const {
    return std::bit_cast<std::uint64_t>(&shadow_.ops[word]);
}

std::optional<x86::Gp> emitter::own(unsigned guest) const {
    if (guest == saved_register) {
        return saved_operand;
    }
    const int number = place().host[guest];
    return number == placement::in_memory ? std::nullopt : std::optional(host(number));
}

asmjit::Operand emitter::operand(unsigned guest) const {
    const auto mine = own(guest);
    return mine ? asmjit::Operand(*mine) : asmjit::Operand(memory(guest));
}

x86::Gp emitter::source(unsigned guest, const x86::Gp& scratch) {
    if (const auto mine = own(guest)) {
        return *mine;
    }
    load(scratch, guest);
    return scratch;
}

x86::Gp emitter::target(unsigned guest, const x86::Gp& scratch) const { return own(guest).value_or(scratch); }

void emitter::load(const x86::Gp& to, unsigned guest) {
    const auto mine = own(guest);
    if (!mine) {
        as().mov(to, memory(guest));
    } else if (*mine != to) {
        as().mov(to, *mine);
    }
}

void emitter::set(unsigned guest, const x86::Gp& from) {
    const auto mine = own(guest);
    if (!mine) {
        as().mov(memory(guest), from.r64());
        return;
    }
    if (*mine != from) {
        as().mov(*mine, from.r64());
    }
    known_.dirty.add(guest);
}

void emitter::finish(unsigned guest, const x86::Gp& result) {
    set(guest, result);
    if (here().cr_sets != 0) {
        set_field(0, {.a = guest});
    }
}

void emitter::effective_address(const x86::Gp& to, std::int64_t displacement) {
    as().mov(to, core_member(core_.page_ea));
    as().add(to, Imm(4 * static_cast<std::int64_t>(at_) + displacement));
}

void emitter::write_back(register_set which) {
    which.for_each([&](unsigned r) { as().mov(memory(r), host(place().host[r])); });
}

void emitter::reload(register_set which) {
    (which & place().placed).for_each([&](unsigned r) { as().mov(host(place().host[r]), memory(r)); });
}

register_set emitter::lost_in_calls() const {
    register_set lost;
    place().placed.for_each([&](unsigned r) {
        if (place().host[r] >= static_cast<int>(kept_in_calls)) {
            lost.add(r);
        }
    });
    return lost;
}

// --- fields of CR

void emitter::set_field(unsigned field, const comparison& what) { known_.fields[field] = {what, false}; }

void emitter::compare(const comparison& what) {
    const auto a = own(what.a);
    const auto sized = [&](const x86::Gp& r) { return what.wide ? r : r.r32(); };
    const unsigned bytes = what.wide ? 8 : 4;
    if (!what.b) {
        if (!a) {
            as().cmp(memory(what.a, bytes), Imm(what.immediate));
        } else if (what.immediate == 0) {
            as().test(sized(*a), sized(*a));
        } else {
            as().cmp(sized(*a), Imm(what.immediate));
        }
        return;
    }
    const auto b = own(*what.b);
    if (a && b) {
        as().cmp(sized(*a), sized(*b));
    } else if (a) {
        as().cmp(sized(*a), memory(*what.b, bytes));
    } else if (b) {
        as().cmp(memory(what.a, bytes), sized(*b));
    } else {
        as().mov(sized(x86::rdx), memory(what.a, bytes));
        as().cmp(sized(x86::rdx), memory(*what.b, bytes));
    }
}

x86::CondCode emitter::condition(const comparison& what, unsigned bit) {
    switch (bit) {
    case less:
        return what.is_signed ? x86::CondCode::kL : x86::CondCode::kB;
    case greater:
        return what.is_signed ? x86::CondCode::kG : x86::CondCode::kA;
    default:
        return x86::CondCode::kE;
    }
}

void emitter::set_field_from_flags(unsigned field) {
    write_field_from_flags(field, false);
    known_.fields[field] = {};
}

x86::CondCode emitter::test_cr_bit(unsigned bit) {
    knowledge::field& field = known_.fields[bit / 4];
    if (field.what && bit % 4 != summary_overflow) {
        compare(*field.what);
        flags_ = bit / 4;
        return condition(*field.what, bit % 4);
    }
    flags_.reset();
    write_field(bit / 4, known_);
    as().test(core_member(core_.cr + static_cast<std::int32_t>(bit / 4), 1), Imm(8U >> bit % 4));
    return x86::CondCode::kNZ;
}

/// The flags stay. XER[SO] is 0.
void emitter::write_field_from_flags(unsigned field, bool is_signed) {
    as().mov(x86::eax, Imm(8U >> equal));
    as().mov(x86::ecx, Imm(8U >> greater));
    as().cmov(is_signed ? x86::CondCode::kG : x86::CondCode::kA, x86::eax, x86::ecx);
    as().mov(x86::ecx, Imm(8U >> less));
    as().cmov(is_signed ? x86::CondCode::kL : x86::CondCode::kB, x86::eax, x86::ecx);
    as().mov(core_member(core_.cr + static_cast<std::int32_t>(field), 1), x86::al);
}

void emitter::write_field(unsigned field, knowledge& known) {
    knowledge::field& which = known.fields[field];
    if (!which.written) {
        compare(*which.what);
        write_field_from_flags(field, which.what->is_signed);
        which.written = true;
    }
}

void emitter::write_fields(std::uint8_t which, knowledge& known) {
    for (unsigned field = 0; field < known.fields.size(); ++field) {
        if ((which & bit_of(field)) != 0) {
            write_field(field, known);
        }
    }
}

/// Fields that are remembered by registers which the instruction changes.
std::uint8_t emitter::fields_of(register_set changed) const {
    std::uint8_t concerned = 0;
    for (unsigned field = 0; field < known_.fields.size(); ++field) {
        const auto& what = known_.fields[field].what;
        changed.for_each([&](unsigned r) {
            if (what && what->reads(r)) {
                concerned = static_cast<std::uint8_t>(concerned | bit_of(field));
            }
        });
    }
    return concerned;
}

// --- storage

x86::Mem emitter::reach(access kind, unsigned size) {
    const auto table = static_cast<std::int32_t>(kind == access::load ? offsetof(data_tlb, loads)
                                                                      : offsetof(data_tlb, stores));
    constexpr std::int32_t tag = 0;
    constexpr std::int32_t addend = 8;
    static_assert(sizeof(tlb_entry) == 16 && small_page == 4096);
    const Label miss = as().newLabel();
    const Label again = as().newLabel();
    as().bind(again);
    as().mov(x86::ecx, x86::eax);
    as().shr(x86::ecx, 8);
    as().and_(x86::ecx, Imm((tlb::size - 1) * sizeof(tlb_entry)));
    if (size > 1) {
        as().lea(x86::rdx, x86::ptr(x86::rax, static_cast<std::int32_t>(size) - 1));
    } else {
        as().mov(x86::rdx, x86::rax);
    }
    as().and_(x86::rdx, Imm(-static_cast<std::int64_t>(small_page)));
    as().cmp(x86::rdx, x86::qword_ptr(data_register, x86::rcx, 0, table + tag));
    as().jne(miss);
    as().add(x86::rax, x86::qword_ptr(data_register, x86::rcx, 0, table + addend));

    const std::uint64_t refill = kind == access::load ? shared_.refill_load : shared_.refill_store;
    elsewhere_.push_back(
        [this, miss, again, refill, size, at = at_, known = known_, behind = behind_]() mutable {
            at_ = at;
            as().bind(miss);
            as().mov(x86::ecx, Imm(size));
            as().call(Imm(refill));
            as().jnz(again);
            write_fields(all_fields, known);
            write_back(known.dirty);
            call(shared_.access, std::bit_cast<std::uint64_t>(here().decoded.execute), at, at + 1,
                 known.uncounted);
            reload(lost_in_calls() | here().use.writes);
            as().jmp(behind);
        });
    return x86::ptr(x86::rax, 0, size);
}

asmjit::Label emitter::handler_elsewhere() {
    if (handler_of_ && handler_of_->first == at_) {
        return handler_of_->second;
    }
    const Label where = as().newLabel();
    handler_of_.emplace(at_, where);
    elsewhere_.push_back([this, where, at = at_, known = known_, behind = behind_]() mutable {
        at_ = at;
        as().bind(where);
        write_fields(all_fields, known);
        write_back(known.dirty);
        call(shared_.call, std::bit_cast<std::uint64_t>(here().decoded.execute), at, at + 1, known.uncounted);
        reload(lost_in_calls() | here().use.writes);
        as().jmp(behind);
    });
    return where;
}

void emitter::call(std::uint64_t veneer, std::uint64_t handler, unsigned first, unsigned behind,
                   unsigned uncounted) {
    as().mov(x86::rsi, Imm(shadow_op(first)));
    as().lea(x86::r8, x86::ptr(x86::rsi, op_bytes * static_cast<std::int32_t>(behind - first)));
    as().mov(x86::rax, Imm(handler));
    as().mov(x86::edx, Imm(op_bytes * static_cast<std::int32_t>(uncounted)));
    as().call(Imm(veneer));
}

// --- instructions

void emitter::emit_all() {
    bool falls = false;
    for (unsigned n = region_.first; n <= region_.last; ++n) {
        if (!region_.ops[n].reached) {
            continue;
        }
        if (region_.ops[n].leader) {
            if (falls) {
                at_ = n - 1;
                write_fields(region_.ops[n].cr_live, known_);
                if (known_.uncounted != 0) {
                    as().lea(left_register,
                             x86::ptr(left_register, -static_cast<std::int32_t>(known_.uncounted)));
                }
                edge(region_.ops[n - 1].loop, region_.ops[n].loop, known_.dirty);
            }
            as().bind(bodies_[n]);
            at_ = n;
            known_ = {};
            known_.dirty = place().written;
        }
        at_ = n;
        behind_ = as().newLabel();
        falls = true;
        switch (here().goes) {
        case flow::straight:
            emit_op();
            break;
        case flow::near:
            emit_branch();
            falls = !condition_of(here()).always();
            break;
        case flow::far:
            emit_far_branch();
            falls = !condition_of(here()).always();
            break;
        case flow::stops:
            leave(n);
            falls = false;
            break;
        }
        n = at_;
        as().bind(behind_);
        if (falls && !region_.continues(n)) {
            leave(n + 1);
            falls = false;
        }
    }
    seldom_ = as().newLabel();
    as().bind(seldom_);
    for (std::size_t each = 0; each < elsewhere_.size(); ++each) {  // some add more
        elsewhere_[each]();
    }
    emit_entries();
    as().align(asmjit::AlignMode::kZero, 16);
    for (const auto& [value, label] : constants_) {
        as().bind(label);
        as().embedUInt64(value, 2);
    }
}

void emitter::emit_op() {
    if (here().lowered == nullptr) {
        emit_handlers();
        return;
    }
    const std::uint8_t live_behind = region_.continues(at_) ? region_.ops[at_ + 1].cr_live : all_fields;
    if (here().lowered->leaves) {
        drop_saved();  // it shows all of them if it leaves here, whatever comes behind it
    }
    std::uint8_t lost = static_cast<std::uint8_t>(fields_of(here().use.writes) & ~here().cr_sets);
    for (unsigned field = 0; field < known_.fields.size(); ++field) {
        if ((lost & live_behind & bit_of(field)) == 0) {
            continue;
        }
        if (!known_.fields[field].written && !here().lowered->leaves && read_soon(field)) {
            save_operand(field);
            lost = static_cast<std::uint8_t>(lost & ~fields_saved());
        } else {
            write_field(field, known_);
        }
    }
    here().lowered->emit(*this, here());
    for (unsigned field = 0; field < known_.fields.size(); ++field) {
        if ((lost & bit_of(field)) != 0) {
            known_.fields[field] = {};
        }
    }
    ++known_.uncounted;
}

/// The next instructions read the field before anything happens that saved_operand would not survive, or that would set
/// it.
bool emitter::read_soon(unsigned field) const {
    for (unsigned n = at_ + 1; n < words_per_page && region_.ops[n].reached && !region_.ops[n].leader; ++n) {
        const guest_op& o = region_.ops[n];
        if (o.goes == flow::near) {
            const branch_condition on = condition_of(o);
            return on.tests_cr() && on.field() == field;
        }
        if (o.goes != flow::straight || o.lowered == nullptr || o.lowered->leaves) {
            return false;
        }
        if ((o.lowered->cr_reads(o.word) & bit_of(field)) != 0) {
            return true;
        }
        if ((o.cr_sets & bit_of(field)) != 0) {
            return false;
        }
    }
    return false;
}

/// Remembers the field by a copy of the operand that the instruction changes; of two, it is written.
void emitter::save_operand(unsigned field) {
    comparison& what = *known_.fields[field].what;
    const bool changes_a = here().use.writes.has(what.a);
    const bool changes_b = what.b && here().use.writes.has(*what.b);
    if (changes_a == changes_b) {
        write_field(field, known_);
        return;
    }
    drop_saved();
    load(saved_operand, changes_a ? what.a : *what.b);
    (changes_a ? what.a : *what.b) = saved_register;
}

std::uint8_t emitter::fields_saved() const {
    std::uint8_t saved = 0;
    for (unsigned field = 0; field < known_.fields.size(); ++field) {
        const auto& what = known_.fields[field].what;
        if (what && what->reads(saved_register)) {
            saved = static_cast<std::uint8_t>(saved | bit_of(field));
        }
    }
    return saved;
}

/// The copy is going to be lost: fields that are remembered by it are written.
void emitter::drop_saved() {
    const std::uint8_t saved = fields_saved();
    for (unsigned field = 0; field < known_.fields.size(); ++field) {
        if ((saved & bit_of(field)) != 0) {
            write_field(field, known_);
            known_.fields[field] = {};
        }
    }
}

/// While it is executed code may change: by itself, or by others whom an access lets run.
bool emitter::may_change_code(const isa::instruction& row) {
    using enum isa::instruction_class;
    return row.kind == load || row.kind == store || row.kind == atomic || row.kind == cache ||
           row.kind == sync || row.kind == translation || row.kind == message;
}

/// The handlers of this instruction and of those behind it that have no lowering, either, in one call.
void emitter::emit_handlers() {
    const unsigned first = at_;
    unsigned last = first;
    while (threaded && !may_change_code(*region_.ops[last].row) && region_.continues(last) &&
           !region_.ops[last + 1].leader && region_.ops[last + 1].goes == flow::straight &&
           region_.ops[last + 1].lowered == nullptr) {
        ++last;
        shadow_.ops[last].execute = region_.ops[last].decoded.execute;
    }
    bool keeps_gprs = true;
    bool may_change_context = false;
    for (unsigned n = first; n <= last; ++n) {
        const isa::instruction& row = *region_.ops[n].row;
        keeps_gprs = keeps_gprs && names_no_gpr(row) && region_.ops[n].use.writes.empty();
        may_change_context = may_change_context || row.kind == isa::instruction_class::status;
    }
    write_fields(all_fields, known_);
    write_back(known_.dirty);
    call(known_.synchronised ? shared_.call_again : shared_.call,
         std::bit_cast<std::uint64_t>(here().decoded.execute), first, last + 1, known_.uncounted);
    reload(keeps_gprs ? lost_in_calls() : place().placed);
    if (may_change_context) {
        as().mov(data_register, core_member(core_.data));
    }
    known_.dirty = {};
    known_.synchronised = true;
    known_.fields = {};
    known_.uncounted += last - first + 1;
    at_ = last;
}

void emitter::leave(unsigned word) {
    knowledge known = known_;
    write_fields(all_fields, known);
    write_back(known.dirty);
    if (known.uncounted != 0) {
        as().lea(left_register, x86::ptr(left_register, -static_cast<std::int32_t>(known.uncounted)));
    }
    as().mov(x86::rsi, Imm(shadow_op(word)));
    as().jmp(Imm(shared_.leave));
}

// --- branches

/// What both ways of a branch need that does not get to its test when CTR has decided.
void emitter::prepare_test(const branch_condition& on) {
    if (on.tests_cr() && on.bit() == summary_overflow) {
        write_field(on.field(), known_);
    }
}

void emitter::emit_branch() {
    const branch_condition on = condition_of(here());
    const Label not_taken = as().newLabel();
    prepare_test(on);
    if (on.counts()) {
        as().emit(x86::Inst::kIdSub, operand(count_register), Imm(1));
        if (own(count_register)) {
            known_.dirty.add(count_register);
        }
    }
    flags_.reset();
    if (links(here())) {
        // The flags are needed.
        as().mov(x86::rax, core_member(core_.page_ea));
        as().lea(x86::rax, x86::ptr(x86::rax, 4 * static_cast<std::int32_t>(at_) + 4));
        set(link_register, x86::rax);
    }
    if (on.counts()) {
        as().j(on.counter_zero() ? x86::CondCode::kNZ : x86::CondCode::kZ, not_taken);
    }
    const bool backwards = here().target <= at_;
    if (on.tests_cr()) {
        const x86::CondCode set = test_cr_bit(on.bi);
        const x86::CondCode go = on.cr_true() ? set : x86::negateCond(set);
        if (!backwards && !on.counts()) {
            const Label go_on = as().newLabel();
            as().j(go, go_on);
            elsewhere_.push_back([this, go_on, at = at_, known = known_, flags = flags_] {
                at_ = at;
                as().bind(go_on);
                flags_ = flags;
                taken(known);
            });
            ++known_.uncounted;
            return;
        }
        as().j(x86::negateCond(go), not_taken);
    }
    taken(known_);
    flags_.reset();
    as().bind(not_taken);
    ++known_.uncounted;
}

/// The branch that is being emitted, to its target in the region.
void emitter::taken(const knowledge& then) {
    const unsigned branch = at_;
    const unsigned target = here().target;
    knowledge known = then;
    if (flags_ && (region_.ops[target].cr_live & bit_of(*flags_)) != 0 && !known.fields[*flags_].written) {
        write_field_from_flags(*flags_, known.fields[*flags_].what->is_signed);
        known.fields[*flags_].written = true;
    }
    flags_.reset();
    write_fields(region_.ops[target].cr_live, known);
    const Label used_up = as().newLabel();
    as().sub(left_register, Imm(known.uncounted + 1));
    as().mov(x86::rax, Imm(shadow_op(branch)));
    as().mov(core_member(core_.cfar_branch), x86::rax);
    as().jle(used_up);
    edge(here().loop, region_.ops[target].loop, known.dirty);
    as().jmp(bodies_[target]);
    elsewhere_.push_back([this, used_up, branch, target, known]() mutable {
        at_ = branch;
        as().bind(used_up);
        write_fields(all_fields, known);
        write_back(known.dirty);
        as().mov(x86::esi, Imm(branch));
        as().mov(x86::edx, Imm(target));
        as().jmp(Imm(shared_.leave_near));
    });
}

/// From the instructions of a loop to those of another one.
void emitter::edge(unsigned from, unsigned to, register_set dirty) {
    if (from == to) {
        return;
    }
    const placement& old = placements_[from];
    const placement& now = placements_[to];
    dirty.for_each([&](unsigned r) {
        if (old.host[r] != now.host[r] || !now.written.has(r)) {
            as().mov(memory(r), host(old.host[r]));
        }
    });
    now.placed.for_each([&](unsigned r) {
        if (old.host[r] != now.host[r]) {
            as().mov(host(now.host[r]), memory(r));
        }
    });
}

void emitter::emit_far_branch() {
    const branch_condition on = condition_of(here());
    const bool to_lr = here().row->mnemonic == "bclr";
    const bool to_ctr = here().row->mnemonic == "bcctr";
    const Label not_taken = as().newLabel();
    const auto set_link = [this] {
        if (links(here())) {
            effective_address(x86::rcx, 4);
            set(link_register, x86::rcx);
        }
    };
    const auto go = [this, to_lr, to_ctr, set_link](knowledge known) {
        write_fields(all_fields, known);
        if (to_lr || to_ctr) {
            load(x86::rax, to_lr ? link_register : count_register);
        } else {
            const auto which = here().row->mnemonic == "b" ? isa::operand::target_i : isa::operand::target_b;
            effective_address(x86::rax, isa::info_of(which).value(here().word));
        }
        std::swap(known, known_);
        set_link();
        std::swap(known, known_);
        write_back(known.dirty);
        as().sub(left_register, Imm(known.uncounted + 1));
        as().mov(x86::rsi, Imm(shadow_op(at_)));
        as().jmp(Imm(shared_.far));
    };
    prepare_test(on);
    if (on.counts()) {
        as().emit(x86::Inst::kIdSub, operand(count_register), Imm(1));
        if (own(count_register)) {
            known_.dirty.add(count_register);
        }
        as().j(on.counter_zero() ? x86::CondCode::kNZ : x86::CondCode::kZ, not_taken);
    }
    if (on.tests_cr()) {
        const x86::CondCode set = test_cr_bit(on.bi);
        as().j(on.cr_true() ? x86::negateCond(set) : set, not_taken);
    }
    go(known_);
    as().bind(not_taken);
    if (!on.always()) {
        set_link();
    }
    ++known_.uncounted;
}

// --- the ways in

void emitter::emit_entries() {
    for (unsigned n = region_.first; n <= region_.last; ++n) {
        const guest_op& leader = region_.ops[n];
        if (!leader.reached || !leader.leader || leader.goes == flow::stops) {
            continue;
        }
        at_ = n;
        const entry_labels& made = entries_.emplace_back(
            entry_labels{.word = n, .handler = as().newLabel(), .inner = as().newLabel()});
        as().align(asmjit::AlignMode::kCode, 16);
        as().bind(made.handler);
        as().mov(x86::r10, Imm(std::bit_cast<std::uint64_t>(leader.decoded.execute)));
        as().lea(x86::rax, x86::ptr(made.inner));
        as().jmp(Imm(shared_.enter));
        as().bind(made.inner);
        as().mov(x86::rax, Imm(std::bit_cast<std::uint64_t>(&shadow_)));
        as().mov(core_member(core_.page), x86::rax);
        reload(place().placed);
        as().jmp(bodies_[n]);
    }
}

std::vector<std::pair<unsigned, std::size_t>> emitter::blocks() const {
    std::vector<std::pair<unsigned, std::size_t>> result;
    for (unsigned n = region_.first; n <= region_.last; ++n) {
        if (region_.ops[n].reached && region_.ops[n].leader) {
            result.emplace_back(n, code_.labelOffset(bodies_[n]));
        }
    }
    result.emplace_back(region_.first, code_.labelOffset(seldom_));
    return result;
}

std::vector<emitter::entry> emitter::entries() const {
    std::vector<entry> result;
    for (const entry_labels& each : entries_) {
        result.push_back({.word = each.word,
                          .handler = code_.labelOffset(each.handler),
                          .inner = code_.labelOffset(each.inner)});
    }
    return result;
}

}  // namespace pefsim::power::host_code
