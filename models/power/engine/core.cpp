// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "power/ieee/environment.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t narrow_mask = 0xffff'ffff;

/// Bits 0:1 of AMR and IAMR, key 0: all that radix translation looks at, for privileged accesses.
constexpr std::uint64_t key_0(std::uint64_t mask) { return mask >> 62; }

}  // namespace

core::core(const decoder& instruction_set, translator& addresses, real_storage& storage)
    : instruction_set_(instruction_set),
      addresses_(addresses),
      storage_(storage),
      code_(&core::undecoded, &core::end_of_page) {
    select_context();
}

void core::begin(std::int64_t instructions) {
    total_ += static_cast<std::uint64_t>(executed_);
    executed_ = 0;
    run_start_ = nullptr;
    limit_ = instructions;
    leaving_ = false;
    if (code_.full()) [[unlikely]] {
        page_ = nullptr;
        for (const std::uint64_t real : code_.drop_all()) {
            storage_.holds_no_code(real);
        }
        forget_translations();
    }
}

exit_reason core::run(std::int64_t most) {
    begin(observer_ == nullptr ? most : observer_->before_run(*this, most));
    begin_stretch();
    take_asynchronous();
    resume_ = nullptr;
    if (instructions() >= ask_translator_at_) {
        ask_translator();
    }
    bool more = true;
    while (more) {
        tracing_ = false;
        budget_ = std::min({limit_, stretch_end_, next_pause()});
        const op* o = begin_part();
        while (o != nullptr) {
            o = o->execute(*this, o);
        }
        if (instructions() >= ask_translator_at_ && !tracing_ && exit_ == exit_reason::paused && !leaving_) {
            ask_translator();
        }
        if (tracing_) {
            more = run_traced();
            resume_ = nullptr;
        } else {
            more = goes_on();
        }
        if (more && executed_ >= stretch_end_) {
            observer_->after_stretch(*this);
            begin_stretch();
            resume_ = nullptr;
        }
    }
    if (observer_ == nullptr) {
        return exit_;
    }
    observer_->after_stretch(*this);
    return observer_->after_run(*this, exit_);
}

void core::begin_stretch() {
    constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
    const std::int64_t length = observer_ == nullptr ? unlimited : observer_->before_stretch(*this);
    stretch_end_ = length < unlimited - executed_ ? executed_ + std::max<std::int64_t>(length, 1) : unlimited;
}

/// When the translator is to be asked, as executed_ counts.
std::int64_t core::next_pause() const {
    constexpr auto unlimited = std::numeric_limits<std::int64_t>::max();
    return ask_translator_at_ == never ? unlimited : static_cast<std::int64_t>(ask_translator_at_ - total_);
}

/// The first op of a part of a run: where the one before it stopped, or where NIP says.
const op* core::begin_part() {
    if (resume_ == nullptr) {
        return enter(state.nip & ea_mask_ & ~std::uint64_t{3});
    }
    return run_start_ = std::exchange(resume_, nullptr);
}

void core::use(code_translator* by) {
    translator_ = by;
    code_.use(by);
    ask_translator_at_ = by != nullptr ? instructions() : never;
}

/// The program must not notice that the run has been divided here: within a small page it goes on as it would have,
/// without a fetch.
void core::ask_translator() {
    const std::uint64_t ea = state.nip & ea_mask_;
    const fetch_entry& entry = fetches_->entries[fetch_tlb::index_of(ea)];
    code_page* page = resume_ != nullptr ? page_ : entry.tag == (ea & small_page_mask) ? entry.page : nullptr;
    constexpr std::int64_t soon = 1000;
    const std::int64_t later = page != nullptr && !page->observed
                                   ? translator_->sampled(*page, static_cast<unsigned>(ea % small_page / 4))
                                   : soon;
    ask_translator_at_ = instructions() + static_cast<std::uint64_t>(later);
}

void core::msr_changed() { select_context(); }

void core::select_context() {
    data_ = &data_context();
    fetches_ = &fetch_context();
    const bool wide = (state.msr & msr_sf) != 0;
    ea_mask_ = wide ? ~std::uint64_t{0} : narrow_mask;
    sign_shift_ = wide ? 0 : 32;
    select_watches();
}

data_tlb& core::data_context() {
    const bool little_endian = (state.msr & msr_le) != 0;
    if ((state.msr & msr_dr) == 0) {
        return data_contexts_.real(little_endian);
    }
    const bool problem = (state.msr & msr_pr) != 0;
    return data_contexts_.relocated(problem, little_endian, state[spr::pidr],
                                    problem ? 0 : key_0(state[spr::amr]));
}

fetch_tlb& core::fetch_context() {
    const bool little_endian = (state.msr & msr_le) != 0;
    if ((state.msr & msr_ir) == 0) {
        return fetch_contexts_.real(little_endian);
    }
    const bool problem = (state.msr & msr_pr) != 0;
    return fetch_contexts_.relocated(problem, little_endian, state[spr::pidr],
                                     problem ? 0 : key_0(state[spr::iamr]));
}

void core::forget_translations() {
    ++counters_.flushes;
    data_contexts_.forget();
    fetch_contexts_.forget();
}

void core::forget_translations(const tlb_invalidation& what) {
    data_contexts_.forget(what);
    fetch_contexts_.forget(what);
}

void core::invalidate(const tlb_invalidation& what) {
    forget_translations(what);
    addresses_.invalidate(what);
}

void core::forget_stores() { data_contexts_.forget_stores(); }

void core::forget_code(std::uint64_t real, std::size_t size) {
    if (code_.changed(real, size)) [[unlikely]] {
        storage_.holds_no_code(real);
    }
}

void core::forget_real(std::uint64_t real) {
    code_.forget_page(real);
    forget_translations();
}

void core::forget_real(std::uint64_t real, std::uint64_t size) {
    code_.forget_range(real, size);
    forget_translations();
}

// --- observation

void core::observe(observer* who) {
    observer_ = who;
    code_.forget_observed();
    forget_translations();
}

std::uint64_t core::recent(std::uint64_t n) const {
    const std::uint64_t back = n < last_number_ ? last_number_ - n : 0;
    return last_ea_ - 4 * std::min(back, last_ea_ % small_page / 4);
}

/// `o` is complete and counted.
void core::completed(const op* o) {
    last_ea_ = cia(o);
    last_number_ = instructions() - 1;
}

/// False when the observer does not let `o` do this access: the engine is to be left.
bool core::unseen(const op* o, std::uint64_t ea, std::size_t size, access_kind kind) {
    if (observer_ == nullptr || !observer_->sees_data(ea) || observer_->access(*this, o, ea, size, kind)) {
        return true;
    }
    leaving_ = true;
    leave_before(o, exit_reason::observed);
    return false;
}

// --- control flow

/// The op at `ea`, from which a new run begins; null when the engine is to be left. Every interrupt on the way counts
/// as an instruction, so that a vector without code cannot hold the engine for ever.
const op* core::enter(std::uint64_t ea) {
    settle_cfar();
    while (executed_ < budget_ || executed_ == 0) {
        if (watching_code_ && traced_at(ea)) [[unlikely]] {
            tracing_ = true;
            break;
        }
        const fetch_entry& entry = fetches_->entries[fetch_tlb::index_of(ea)];
        if (entry.tag == (ea & small_page_mask) || find_code(ea)) {
            page_ = entry.page;
            page_ea_ = entry.tag;
            run_start_ = &page_->ops[ea % small_page / 4];
            return run_start_;
        }
        if (leaving_) {
            return nullptr;
        }
        count_interrupt();
        ea = state.nip;
    }
    return leave_at(ea, exit_reason::paused);
}

/// After a branch at `o`.
const op* core::enter_behind(const op* o, std::uint64_t ea) {
    completed(o);
    return enter(ea);
}

/// Before page_ changes, and before others look at state.
void core::settle_cfar() {
    if (cfar_branch_ != nullptr) {
        set_cfar(cfar_branch_);
    }
}

/// Fills the fetch TLB's entry of `ea`. False: an interrupt has been taken, or the engine is being left.
bool core::find_code(std::uint64_t ea) {
    ++counters_.fetch_misses;
    state.nip = ea;  // translation may store into a table, and a page that is not there be brought back
    translation found = addresses_.translate(state, ea, access_kind::fetch);
    if (found.error == storage_error::none && storage_.direct(found.real, access_kind::fetch) == nullptr) {
        switch (storage_.prepare_fetch(found.real)) {
        case real_storage::outcome::done:
            break;
        case real_storage::outcome::machine_check:
            found.error = storage_error::machine_check;
            break;
        case real_storage::outcome::stopped:
            leaving_ = true;
            leave_at(ea, exit_reason::stopped);
            return false;
        }
    }
    if (found.error != storage_error::none) {
        cause_interrupt(ea, instruction_fault(found));
        return false;
    }
    const bool little_endian = (state.msr & msr_le) != 0;
    code_page& page = observer_ != nullptr && observer_->sees_code(ea)
                          ? code_.observed(found.real, little_endian, ea)
                          : code_.page(found.real, little_endian);
    if (!page.held) {
        notice_stores(page);
    }
    fetches_->entries[fetch_tlb::index_of(ea)] = {ea & small_page_mask, &page};
    fetches_->used = true;
    return true;
}

/// Some of `page` is to be decoded: from now on stores to its small page must be noticed.
void core::notice_stores(code_page& page) {
    if (!code_.holds(page.real)) {
        forget_stores();
        storage_.holds_code(page.real);
    }
    page.held = true;
}

const op* core::leave_at(std::uint64_t nip, exit_reason why) {
    settle_cfar();
    state.nip = nip;
    exit_ = why;
    return nullptr;
}

/// After a branch at `o` within its small page, when the budget is used up.
const op* core::leave_behind(const op* o, std::uint64_t nip) {
    completed(o);
    resume_ = &page_->ops[nip % small_page / 4];
    return leave_at(nip, exit_reason::paused);
}

const op* core::leave_after(const op* o, exit_reason why) {
    executed_ += o - run_start_ + 1;
    completed(o);
    return leave_at(nia(o), why);
}

const op* core::leave_before(const op* o, exit_reason why) {
    executed_ += o - run_start_;
    return leave_at(cia(o), why);
}

const op* core::end_of_page(core& c, const op* o) {
    c.executed_ += o - c.run_start_;
    c.completed(o - 1);
    return c.enter((c.page_ea_ + small_page) & c.ea_mask_);
}

const op* core::undecoded(core& c, const op* o) {
    if (c.storage_.direct(c.page_->real, access_kind::fetch) == nullptr) [[unlikely]] {
        // The page has been taken away while it was being executed: it must be fetched from anew.
        c.executed_ += o - c.run_start_;
        const std::uint64_t here = c.cia(o);
        c.fetches_->entries[fetch_tlb::index_of(here)] = {};
        return c.enter(here);
    }
    if (!c.page_->held) [[unlikely]] {
        c.notice_stores(*c.page_);
    }
    const auto index = static_cast<unsigned>(o - c.page_->ops.data());
    c.page_->quiet_stores = 0;
    ++c.page_->decoded;
    if (c.page_->observed && c.observer_ != nullptr) {
        c.decode_observed(o, index);
        return dispatch(c, o);
    }
    std::array<op, words_per_page + 1>& ops = c.page_->ops;
    const std::uint32_t word = c.word_at(o);
    ops[index] = c.instruction_set_.decode(word, index);
    ++c.counters_.decoded;
    if (index + 1 < words_per_page) {
        const std::uint32_t following = c.word_at(o + 1);
        if (const handler both = c.instruction_set_.fused(word, following, index); both != nullptr) {
            ops[index].execute = both;
            if (op& behind = ops[index + 1]; behind.execute == &core::undecoded) {
                behind = c.instruction_set_.decode(following, index + 1);
                ++c.page_->decoded;
            }
        }
    }
    return dispatch(c, o);
}

void core::decode_observed(const op* o, unsigned index) {
    const std::uint32_t word = word_at(o);
    op& decoded = page_->ops[index];
    decoded = instruction_set_.decode(word, index);
    ++counters_.decoded;
    observed_op& beside = observed(o);
    beside = {.execute = decoded.execute, .word = word};
    if (const handler shim = observer_->shim_of(beside, cia(o)); shim != nullptr) {
        decoded.execute = shim;
    }
}

std::uint32_t core::word_at(const op* o) const {
    const std::size_t offset = static_cast<std::size_t>(o - page_->ops.data()) * 4;
    std::uint32_t word = 0;
    if (const std::byte* bytes = storage_.direct(page_->real, access_kind::fetch); bytes != nullptr) {
        std::memcpy(&word, bytes + offset, sizeof word);
    }
    return page_->little_endian ? word : __builtin_bswap32(word);
}

// --- interrupts

void core::take(const op* o, const interrupt_cause& cause) {
    executed_ += o - run_start_ + (cause.completes ? 1 : 0);
    run_start_ = o;
    completed(o);
    cause_interrupt(cause.completes ? nia(o) : cia(o), cause);
}

/// An interrupt that an instruction, or its fetch, causes. If none was completed since the last one and this is the
/// same interrupt, its vector causes it, and would for ever: nothing has changed. So it is when more of them follow
/// each other than there are vectors, with relocation and without.
void core::cause_interrupt(std::uint64_t nip, const interrupt_cause& cause) {
    constexpr unsigned most = 2 * vectors.size();
    const bool delegated = cause.which == vector::hypervisor_emulation_assistance &&
                           (state.msr & msr_hv) == 0;
    const vector which = delegated ? vector::program : cause.which;
    const bool at_once = instructions() == entered_at_;
    uncompleted_ = at_once ? uncompleted_ + 1 : 0;
    if (!at_once) {
        interrupted_at_ = {nip, state.msr};
    }
    const bool endless = at_once && (which == entered_ || uncompleted_ > most);
    entered_ = which;
    deliver(nip, cause);
    if (endless && !leaving_) {
        leaving_ = true;
        leave_at(state.nip, exit_reason::lost);
    }
}

/// The one that has just been delivered: as an instruction, so that time passes.
void core::count_interrupt() {
    ++executed_;
    entered_at_ = instructions();
}

void core::deliver(std::uint64_t nip, const interrupt_cause& cause) {
    ++counters_.interrupts;
    ++taken_;
    ++interrupts_taken_[row_of(cause.which)];
    if (observer_ != nullptr) {
        observer_->interrupted(*this, nip, cause);
    }
    if (pauses_at_[row_of(cause.which)]) {
        pause();
    }
    if (interrupts_leave_) {
        cause_ = cause;
        leaving_ = true;
        leave_at(nip, exit_reason::interrupt);
        return;
    }
    enter_interrupt(state, nip & ea_mask_, cause);
    select_context();
}

/// In the order of their priorities (6.9.2).
void core::take_asynchronous() {
    if ((state.msr & msr_ee) == 0 || interrupts_leave_) {
        return;
    }
    if (external_) {
        deliver(state.nip, {.which = vector::external});
    } else if (decrementer_expired()) {
        deliver(state.nip, {.which = vector::decrementer});
    } else if (doorbell()) {
        state[spr::dpdes] = 0;
        deliver(state.nip, {.which = vector::directed_doorbell});
    }
}

void core::set_decrementer(const op* o, std::uint64_t value) {
    dec.set(value, time_base(o), decrementer_width());
    if (clock_ != nullptr) {
        clock_->decrementer_changed();
    }
    pause();
}

const op* core::interrupted() {
    if (leaving_) {
        return nullptr;
    }
    count_interrupt();
    return enter(state.nip);
}

const op* core::resynchronise(const op* o) {
    executed_ += o - run_start_ + 1;
    run_start_ = o;
    completed(o);
    select_context();
    state.nip &= ea_mask_;
    if ((state.msr & (msr_fe0 | msr_fe1)) != 0 && (state.fpscr & ieee::fpscr::fex) != 0) [[unlikely]] {
        deliver(state.nip, enabled_by_msr());
        if (leaving_) {
            return nullptr;
        }
    }
    take_asynchronous();
    return enter(state.nip);
}

// --- chance

std::uint64_t core::random_number() {  // splitmix64
    std::uint64_t z = random_state_ += 0x9e37'79b9'7f4a'7c15;
    z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
    z ^= z >> 31;
    return z == ~std::uint64_t{0} ? 0 : z;
}

}  // namespace pefsim::power
