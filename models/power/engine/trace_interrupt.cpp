// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "power/engine/core.h"
#include "power/isa/instruction.h"

/// The debug facilities of a guest: Trace interrupts (Power ISA 3.0B Book III 6.5.15, 9.3) and the Data Address
/// Watchpoint (9.4). Code that is traced runs an instruction at a time; data that is watched never gets into the TLBs.
namespace pefsim::power {
namespace {

/// CIABR: bits 0:61 are the address, 62:63 say in which state it counts.
constexpr std::uint64_t ciabr_state = 3;
constexpr std::uint64_t ciabr_problem_state = 1;
constexpr std::uint64_t ciabr_supervisor_state = 2;
constexpr std::uint64_t ciabr_hypervisor_state = 3;

/// DAWRX.
namespace dawrx {
constexpr unsigned doublewords_shift = 63 - 53;  // MRD: one less than their number
constexpr std::uint64_t doublewords_mask = 0x3f;
constexpr std::uint64_t stores = std::uint64_t{1} << (63 - 57);
constexpr std::uint64_t loads = std::uint64_t{1} << (63 - 58);
constexpr std::uint64_t relocated = std::uint64_t{1} << (63 - 59);       // WT
constexpr std::uint64_t any_relocation = std::uint64_t{1} << (63 - 60);  // WTI
constexpr std::uint64_t hypervisor_state = std::uint64_t{1} << (63 - 61);
constexpr std::uint64_t supervisor_state = std::uint64_t{1} << (63 - 62);
constexpr std::uint64_t problem_state = std::uint64_t{1} << (63 - 63);
}  // namespace dawrx

/// The range that the watch covers lies in an aligned block of this size.
constexpr std::uint64_t watch_block = 512;

/// One of three values, by the state that MSR describes.
constexpr std::uint64_t by_state(std::uint64_t msr, std::uint64_t problem, std::uint64_t supervisor,
                                 std::uint64_t hypervisor) {
    return (msr & msr_pr) != 0 ? problem : (msr & msr_hv) != 0 ? hypervisor : supervisor;
}

bool ciabr_counts(const registers& state) {
    const std::uint64_t here = by_state(state.msr, ciabr_problem_state, ciabr_supervisor_state,
                                        ciabr_hypervisor_state);
    return (state[spr::ciabr] & ciabr_state) == here;
}

bool dawr_counts(const registers& state) {
    const std::uint64_t control = state[spr::dawrx];
    const std::uint64_t here = by_state(state.msr, dawrx::problem_state, dawrx::supervisor_state,
                                        dawrx::hypervisor_state);
    const bool relocation_fits = (control & dawrx::any_relocation) != 0 ||
                                 ((control & dawrx::relocated) != 0) == ((state.msr & msr_dr) != 0);
    return (control & (dawrx::loads | dawrx::stores)) != 0 && (control & here) != 0 && relocation_fits;
}

/// SRR1 of a Trace interrupt.
namespace trace_status {
constexpr std::uint64_t always = std::uint64_t{1} << (63 - 33);
constexpr std::uint64_t load = std::uint64_t{1} << (63 - 35);
constexpr std::uint64_t store = std::uint64_t{1} << (63 - 36);
constexpr std::uint64_t ciabr = std::uint64_t{1} << (63 - 43);
}  // namespace trace_status

/// Never traced: what returns from an interrupt, or stops.
bool returns_or_stops(const isa::instruction& row) {
    return row.mnemonic == "rfid" || row.mnemonic == "hrfid" || row.mnemonic == "urfid" ||
           row.mnemonic == "rfscv" || row.kind == isa::instruction_class::power_save;
}

std::uint64_t kind_of_access(const isa::instruction& row) {
    switch (row.kind) {
    case isa::instruction_class::load:
        return trace_status::load;
    case isa::instruction_class::store:
        return trace_status::store;
    default:
        return 0;
    }
}

}  // namespace

/// After a change of MSR, CIABR, DAWR or DAWRX.
void core::select_watches() {
    watching_code_ = (state.msr & (msr_se | msr_be)) != 0 || ciabr_counts(state);
    watch_begin_ = watch_end_ = 0;
    if (dawr_counts(state)) [[unlikely]] {
        const std::uint64_t doublewords = (state[spr::dawrx] >> dawrx::doublewords_shift &
                                           dawrx::doublewords_mask) +
                                          1;
        watch_begin_ = state[spr::dawr] & ~std::uint64_t{7};
        watch_end_ = std::min(watch_begin_ + 8 * doublewords, (watch_begin_ | (watch_block - 1)) + 1);
    }
}

bool core::watch_matches(std::uint64_t ea, std::uint64_t size, access_kind kind) const {
    const std::uint64_t wanted = kind == access_kind::store ? dawrx::stores : dawrx::loads;
    return watched(ea, size) && (state[spr::dawrx] & wanted) != 0;
}

/// Whether the instruction at `ea` must run by itself.
bool core::traced_at(std::uint64_t ea) const {
    return (state.msr & (msr_se | msr_be)) != 0 ||
           (ciabr_counts(state) && ((state[spr::ciabr] ^ ea) & small_page_mask) == 0);
}

const op* core::stepped(core& c, const op* o) {
    c.executed_ += o - c.run_start_;
    return c.leave_at(c.cia(o) & c.ea_mask_, exit_reason::paused);  // it may be the one behind the last
}

/// Runs the instruction at state.nip in a page of its own, in which everything around it leaves the engine. Null when
/// it could not be fetched.
const isa::instruction* core::run_one() {
    const std::uint64_t ea = state.nip & ea_mask_ & ~std::uint64_t{3};
    fetch_entry& entry = fetches_->entries[fetch_tlb::index_of(ea)];
    if (entry.tag != (ea & small_page_mask) && !find_code(ea)) {
        if (!leaving_) {
            count_interrupt();
            leave_at(state.nip, exit_reason::paused);
        }
        return nullptr;
    }
    const code_page& around = *entry.page;
    entry = {};  // so that the next entry into the small page is noticed again
    if (!single_) {
        single_ = std::make_unique<code_page>();
        single_->ops.fill({.execute = &core::stepped});
    }
    single_->real = around.real;
    single_->little_endian = around.little_endian;
    page_ = single_.get();
    page_ea_ = ea & small_page_mask;
    const auto index = static_cast<unsigned>(ea % small_page / 4);
    op& here = single_->ops[index];
    const std::uint32_t word = word_at(&here);
    here = instruction_set_.decode(word, index);
    run_start_ = &here;
    budget_ = 0;  // branches leave
    const op* o = &here;
    while (o != nullptr) {
        o = o->execute(*this, o);
    }
    here = {.execute = &core::stepped};
    return instruction_set_.describe(word);
}

exit_reason core::step() {
    begin(1);
    const std::uint64_t interrupts_before = taken_;
    take_asynchronous();
    if (taken_ == interrupts_before) {
        run_one();
    } else {
        leave_at(state.nip, exit_reason::paused);
    }
    return exit_;
}

/// An instruction and the Trace interrupt behind it. False: the engine is to be left.
bool core::run_traced() {
    const std::uint64_t at = state.nip;
    const std::uint64_t traced_msr = state.msr;
    const bool matches = ciabr_counts(state) && ((state[spr::ciabr] ^ at) & ~ciabr_state) == 0;
    const std::uint64_t interrupts_before = taken_;
    const isa::instruction* row = run_one();
    if (exit_ != exit_reason::paused || leaving_) {
        return false;
    }
    if (row != nullptr && taken_ == interrupts_before && !returns_or_stops(*row)) {
        const bool every = (traced_msr & msr_se) != 0;
        const bool branch = (traced_msr & msr_be) != 0 && row->kind == isa::instruction_class::jump;
        if (every || branch || matches) {
            state[spr::siar] = at;
            deliver(state.nip, {.which = vector::trace,
                                .srr1 = trace_status::always | kind_of_access(*row) |
                                        (matches ? trace_status::ciabr : 0)});
        }
    }
    return !leaving_ && executed_ < limit_;
}

}  // namespace pefsim::power
