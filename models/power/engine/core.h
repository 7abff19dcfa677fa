// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "power/engine/code_cache.h"
#include "power/engine/code_translator.h"
#include "power/engine/contexts.h"
#include "power/engine/decoder.h"
#include "power/engine/decrementer.h"
#include "power/engine/environment.h"
#include "power/engine/interrupt.h"
#include "power/engine/observer.h"
#include "power/engine/op.h"
#include "power/engine/tlb.h"
#include "power/registers.h"

namespace pefsim::power {

/// Why run() came back.
enum class exit_reason : std::uint8_t {
    paused,     ///< the instructions are used up, or pause() was called
    hypercall,  ///< `sc 1`; NIP is behind it
    ultracall,  ///< `sc 2`; NIP is behind it
    interrupt,  ///< with interrupts_leave(): interrupt() tells which; NIP is at the instruction
    idle,       ///< `stop` or `wait`; NIP is behind it
    attention,  ///< `attn`; NIP is at it
    stopped,    ///< the virtual machine has been ended
    observed,   ///< the observer wishes to stop; NIP is at the instruction
    lost,  ///< interrupts cause each other at their vectors, and no instruction completes; NIP is at such a vector
};

/// A POWER9 core of one hardware thread: architected state and the engine that changes it. Plain C++; time, ports and
/// traces are the business of the SystemC module around it.
///
/// Instructions are decoded once, a small page of real storage at a time, into ops (engine/op.h) that call each other.
/// Straight code is counted when it is left: instructions() is exact at every op. The engine looks at its budget at
/// every taken branch and at the end of a small page, nowhere else, so that it ends a run at the same instruction
/// whoever observes it.
///
/// Semantic functions (instructions/) use the members above the line "engine"; nobody else needs them.
class core {
public:
    core(const decoder& instruction_set, translator& addresses, real_storage& storage);
    core(const core&) = delete;
    core& operator=(const core&) = delete;

    registers state;  // first: the registers that instructions name have the smallest offsets

    /// Runs from state.nip for at least one and at most `most` instructions, and up to a small page more. Takes
    /// asynchronous interrupts first.
    exit_reason run(std::int64_t most);
    /// Runs one instruction, or takes one interrupt. No Trace interrupt.
    exit_reason step();
    /// Leaves run() at the next taken branch or end of a small page.
    void pause() { budget_ = limit_ = 0; }
    /// Instructions completed since the core was made.
    [[nodiscard]] std::uint64_t instructions() const {
        return total_ + static_cast<std::uint64_t>(executed_);
    }
    /// Where the latest interrupt came that an instruction caused; of several without an instruction completed between
    /// them, the first.
    struct interrupted_place {
        std::uint64_t nip = 0;
        std::uint64_t msr = 0;
    };
    [[nodiscard]] const interrupted_place& interrupted_at() const { return interrupted_at_; }

    /// MSR, CIABR, DAWR or DAWRX was changed from outside.
    void msr_changed();
    /// Interrupts leave run() instead of being delivered: for an environment that is the operating system.
    void interrupts_leave(bool leave) { interrupts_leave_ = leave; }
    /// The interrupt of exit_reason::interrupt.
    [[nodiscard]] const interrupt_cause& interrupt() const { return cause_; }
    /// Interrupts delivered since the core was made, by row of `vectors`.
    [[nodiscard]] const std::array<std::uint64_t, vectors.size()>& interrupts_taken() const {
        return interrupts_taken_;
    }
    /// `attn` leaves the engine; otherwise it is an instruction that a guest has not.
    void attention_leaves(bool leaves) { attention_leaves_ = leaves; }
    /// From now on a run ends soon after an interrupt of that vector has been taken: at the next taken branch.
    void pause_at(vector which) { pauses_at_[row_of(which)] = true; }
    [[nodiscard]] bool attention_leaves() const { return attention_leaves_; }

    /// Takes an interrupt between runs, at state.nip.
    void take_interrupt(const interrupt_cause& cause) {
        entered_at_ = never;
        deliver(state.nip, cause);
    }

    // --- asynchronous interrupts (Power ISA 3.0B Book III 6.8), taken while MSR[EE]=1: when run() begins, and by
    // instructions that change MSR
    /// The level of the external interrupt line.
    void external_interrupt(bool asserted) { external_ = asserted; }
    /// An exception exists for which an idling processor wakes up, whatever MSR[EE].
    [[nodiscard]] bool interrupt_waits() { return external_ || doorbell() || decrementer_expired(); }
    /// The same when `o` has been completed.
    [[nodiscard]] bool interrupt_waits_behind(const op* o) {
        return external_ || doorbell() ||
               dec.expired(time_base_at(instructions_before(o) + 1), decrementer_width());
    }
    /// Directed Privileged Doorbell: DPDES.
    [[nodiscard]] bool doorbell() const { return state[spr::dpdes] != 0; }

    // --- time
    /// Without a clock the time base counts instructions.
    void use(clock& time) { clock_ = &time; }
    [[nodiscard]] std::uint64_t time_base() { return time_base_at(instructions()); }
    /// The time base at the instruction `o`.
    [[nodiscard]] std::uint64_t time_base(const op* o) { return time_base_at(instructions_before(o)); }
    /// The program reads it, at the instruction `o`.
    [[nodiscard]] std::uint64_t read_time_base(const op* o) {
        const std::uint64_t before = instructions_before(o);
        return clock_ != nullptr ? clock_->read_time_base(before) : before;
    }
    /// Instructions completed when `o` begins.
    [[nodiscard]] std::uint64_t instructions_before(const op* o) const {
        return instructions() + static_cast<std::uint64_t>(o - run_start_);
    }
    [[nodiscard]] unsigned decrementer_width() const {
        return (state[spr::lpcr] & lpcr::ld) != 0 ? decrementer::large : decrementer::small;
    }
    decrementer dec;
    [[nodiscard]] bool decrementer_expired() { return dec.expired(time_base(), decrementer_width()); }
    /// mtspr DEC at `o`.
    void set_decrementer(const op* o, std::uint64_t value);

    // --- chance
    /// Where the random numbers of `darn` begin.
    void seed(std::uint64_t value) { random_state_ = value; }
    /// The next one; never all ones, which says that there is none.
    std::uint64_t random_number();

    void forget_translations();
    /// What tlbie of this or another processor says.
    void forget_translations(const tlb_invalidation& what);
    /// tlbie and tlbiel: the same here, and wherever else translations are kept.
    void invalidate(const tlb_invalidation& what);
    /// PIDR has changed, or AMR: from now on data are looked up in another context. Fetches follow with
    /// resynchronise().
    void context_changed() { data_ = &data_context(); }
    /// The content of a small page of real storage, or the way to it, has changed.
    void forget_real(std::uint64_t real);
    /// The same for all small pages that have a byte in real .. real + size - 1.
    void forget_real(std::uint64_t real, std::uint64_t size);
    /// Another processor has stored there.
    void forget_code(std::uint64_t real, std::size_t size);
    /// The store TLBs are to be refilled: some small pages must be looked at again.
    void forget_stores();

    // --- observation (engine/observer.h)
    /// From now on `who` sees what is executed; null: nobody. Also to be called after `who` changed what it sees.
    void observe(observer* who);
    [[nodiscard]] observer* observed_by() const { return observer_; }
    [[nodiscard]] const engine_counters& counters() const { return counters_; }
    /// Effective address of instruction number `n`, counted from 0, if it is among those in straight code that were
    /// executed last when run() came back; else of the nearest of them.
    [[nodiscard]] std::uint64_t recent(std::uint64_t n) const;

    // For shims.
    /// How many instructions of run() are left, `o` included. A shim whose observer wants the run to end exactly there
    /// does leave_before(o, exit_reason::paused) when none are.
    [[nodiscard]] std::int64_t left(const op* o) const { return limit_ - executed_ - (o - run_start_); }
    [[nodiscard]] observed_op& observed(const op* o) const {
        return static_cast<observed_page*>(page_)->beside[o - page_->ops.data()];
    }
    /// Executes `o` and everything behind it.
    [[gnu::always_inline]] const op* proceed(const op* o) { return observed(o).execute(*this, o); }

    // --- translation to code of the host (engine/code_translator.h)
    /// From now on `by` is asked, which outlives the core's last run; null: nobody.
    void use(code_translator* by);

    // --- storage, for semantic functions. False: an interrupt has been taken, return interrupted(). T is an unsigned
    // integer of 1 to 16 bytes, or a vector_register, in the byte order of the access: MSR[LE]'s, unless the
    // instruction reverses it.
    template <typename T>
    [[gnu::always_inline]] bool load(const op* o, std::uint64_t ea, T& value) {
        ea &= ea_mask_;
        const tlb_entry& entry = data_->loads.entries[tlb::index_of(ea)];
        if (entry.tag == ((ea + sizeof(T) - 1) & small_page_mask)) [[likely]] {
            std::memcpy(&value, std::bit_cast<const std::byte*>(entry.addend + ea), sizeof value);
            return true;
        }
        if (!load_slowly(o, ea, sizeof(T))) [[unlikely]] {
            return false;
        }
        std::memcpy(&value, buffer_.data(), sizeof value);
        return true;
    }
    template <typename T>
    [[gnu::always_inline]] bool store(const op* o, std::uint64_t ea, T value) {
        ea &= ea_mask_;
        const tlb_entry& entry = data_->stores.entries[tlb::index_of(ea)];
        if (entry.tag == ((ea + sizeof(T) - 1) & small_page_mask)) [[likely]] {
            std::memcpy(std::bit_cast<std::byte*>(entry.addend + ea), &value, sizeof value);
            return true;
        }
        std::memcpy(buffer_.data(), &value, sizeof value);
        return store_slowly(o, ea, sizeof(T));
    }

    /// The same for an unsigned integer of `size` bytes, 1 to 16, which stands at the host's address.
    bool load_bytes(const op* o, std::uint64_t ea, std::byte* value, std::size_t size);
    bool store_bytes(const op* o, std::uint64_t ea, const std::byte* value, std::size_t size);

    /// Before an access that needs storage which caches may hold. False: as load(); caching-inhibited storage causes
    /// the interrupt `otherwise`, Data Storage or Alignment.
    [[gnu::always_inline]] bool cacheable(const op* o, std::uint64_t ea, access_kind kind,
                                          vector otherwise = vector::data_storage) {
        ea &= ea_mask_;
        const tlb& known = kind == access_kind::store ? data_->stores : data_->loads;  // hold no other
        return known.entries[tlb::index_of(ea)].tag == (ea & small_page_mask) ||
               cacheable_slowly(o, ea, kind, otherwise);
    }
    /// The real address of an access of `size` bytes at `ea` within a small page, which it may do (load or store).
    bool locate(const op* o, std::uint64_t ea, access_kind kind, std::uint64_t& real, std::size_t size = 8);
    /// An access that is checked like a load and moves no data: a cache instruction's.
    [[gnu::always_inline]] bool touch(const op* o, std::uint64_t ea) {
        ea &= ea_mask_;
        return data_->loads.entries[tlb::index_of(ea)].tag == (ea & small_page_mask) || touch_slowly(o, ea);
    }

    /// The doubleword at `ea`, aligned and as it stands in storage, where the program has been in its present context;
    /// nothing elsewhere. For those who look: nothing of the core is changed by it.
    [[nodiscard]] std::optional<std::uint64_t> look(std::uint64_t ea) const;

    // --- the reservation (Power ISA 3.0B Book II 1.7.4.1). It survives the end of a run, wherever that is. Whoever
    // lets others store while the core does not run (other processors, devices, software above it) says so: the
    // reservation is lost, as the architecture permits at any time.
    /// Makes it, for `size` bytes at `ea`, which have been loaded. False: as load().
    bool reserve(const op* o, std::uint64_t ea, std::size_t size);
    /// Ends it. `held`: it existed for accesses of `size` bytes, and `ea` is in its small page. False: as load().
    bool take_reservation(const op* o, std::uint64_t ea, std::size_t size, bool& held);
    /// Somebody else has stored into real storage, or may have.
    void lose_reservation() { reservation_.size = 0; }

    // --- the copy-paste facility (Book II 4.4)
    std::array<std::uint64_t, 16> copied{};  ///< the copy buffer, in doublewords of MSR[LE]'s order
    bool copy_pending = false;               ///< it has been filled and not been pasted

    // --- control flow
    /// Effective address of the instruction at `o`.
    [[nodiscard]] std::uint64_t cia(const op* o) const {
        return page_ea_ + static_cast<std::uint64_t>(o - page_->ops.data()) * 4;
    }
    /// Of the next one: behind 0xffff'fffc comes 0 in 32-bit mode.
    [[nodiscard]] std::uint64_t nia(const op* o) const { return (cia(o) + 4) & ea_mask_; }
    /// The Come-From Address Register (Book III 9.2): the branch that was taken last.
    [[nodiscard]] std::uint64_t cfar() {
        settle_cfar();
        return state[spr::cfar];
    }
    /// It is `o`, or what software says.
    [[gnu::always_inline]] void set_cfar(const op* o) { set_cfar(cia(o)); }
    [[gnu::always_inline]] void set_cfar(std::uint64_t ea) {
        state[spr::cfar] = ea;
        cfar_branch_ = nullptr;
    }
    /// After `o`, goes on within the small page at `target`.
    [[gnu::always_inline]] const op* branch_near(const op* o, const op* target) {
        executed_ += o - run_start_ + 1;
        run_start_ = target;
        cfar_branch_ = o;
        if (executed_ >= budget_) [[unlikely]] {
            return leave_behind(o, cia(target));
        }
        return dispatch(*this, target);
    }
    /// After `o`, goes on at any effective address.
    [[gnu::always_inline]] const op* branch_far(const op* o, std::uint64_t target) {
        executed_ += o - run_start_ + 1;
        set_cfar(o);
        target &= ea_mask_ & ~std::uint64_t{3};
        const fetch_entry& entry = fetches_->entries[fetch_tlb::index_of(target)];
        if (entry.tag != (target & small_page_mask) || executed_ >= budget_) [[unlikely]] {
            return enter_behind(o, target);
        }
        page_ = entry.page;
        page_ea_ = entry.tag;
        run_start_ = &page_->ops[target % small_page / 4];
        return dispatch(*this, run_start_);
    }
    /// After `o`, which completes, leaves the engine with NIP behind it.
    const op* leave_after(const op* o, exit_reason why);
    /// Before `o`, leaves the engine with NIP at it.
    const op* leave_before(const op* o, exit_reason why);

    // --- interrupts
    /// Takes an interrupt at `o`, which does not complete. \returns what the handler is to return
    const op* raise(const op* o, const interrupt_cause& cause) {
        take(o, cause);
        return interrupted();
    }
    /// After load(), store() or locate() returned false. \returns what the handler is to return
    const op* interrupted();
    /// Goes on at state.nip after `o`, which has changed MSR: rfid, mtmsrd and the like. Asynchronous interrupts are
    /// taken first.
    const op* resynchronise(const op* o);

    /// The instruction word at `o`: for instructions that need more of it than the op holds.
    [[nodiscard]] std::uint32_t word_at(const op* o) const;

    /// The bits that an effective address has: 64, or 32 in 32-bit mode.
    [[nodiscard]] std::uint64_t ea_mask() const { return ea_mask_; }
    /// Distance by which results are shifted left to bring the mode's sign into bit 0: 0, or 32 in 32-bit mode.
    [[nodiscard]] unsigned sign_shift() const { return sign_shift_; }

    // --- engine
    /// Handlers of ops that are no instructions.
    static const op* undecoded(core& c, const op* o);
    static const op* end_of_page(core& c, const op* o);
    static const op* stepped(core& c, const op* o);

private:
    friend struct engine_access;  // what translated code reaches of it: translator/

    std::uint64_t time_base_at(std::uint64_t instructions) {
        return clock_ != nullptr ? clock_->time_base(instructions) : instructions;
    }
    void begin(std::int64_t instructions);
    void begin_stretch();
    [[nodiscard]] std::int64_t next_pause() const;
    const op* begin_part();
    void ask_translator();
    /// The observer's stretch is over, the run is not.
    [[nodiscard]] bool goes_on() const {
        return exit_ == exit_reason::paused && !leaving_ && executed_ < limit_;
    }
    void take_asynchronous();

    // Trace interrupts, and watchpoints (trace_interrupt.cpp)
    void select_watches();
    [[nodiscard]] bool traced_at(std::uint64_t ea) const;
    bool run_traced();
    const isa::instruction* run_one();
    [[nodiscard]] bool watched(std::uint64_t ea, std::uint64_t size) const {
        return ea < watch_end_ && ea + size > watch_begin_;
    }
    [[nodiscard]] bool watch_matches(std::uint64_t ea, std::uint64_t size, access_kind kind) const;

    void settle_cfar();
    const op* enter(std::uint64_t ea);
    const op* enter_behind(const op* o, std::uint64_t ea);
    bool find_code(std::uint64_t ea);
    void decode_observed(const op* o, unsigned index);
    const op* leave_behind(const op* o, std::uint64_t nip);
    void completed(const op* o);
    const op* leave_at(std::uint64_t nip, exit_reason why);
    void take(const op* o, const interrupt_cause& cause);
    void cause_interrupt(std::uint64_t nip, const interrupt_cause& cause);
    void count_interrupt();
    void deliver(std::uint64_t nip, const interrupt_cause& cause);
    void select_context();
    data_tlb& data_context();
    fetch_tlb& fetch_context();
    void notice_stores(code_page& page);

    bool unseen(const op* o, std::uint64_t ea, std::size_t size, access_kind kind);

    /// A part of an access that lies in one small page.
    struct piece {
        std::uint64_t ea = 0;
        std::size_t size = 0;
        std::uint64_t real = 0;
    };
    std::array<piece, 2> split(std::uint64_t ea, std::size_t size) const;
    bool touch_slowly(const op* o, std::uint64_t ea);
    bool cacheable_slowly(const op* o, std::uint64_t ea, access_kind kind, vector otherwise);
    bool identify(const op* o, std::uint64_t ea, std::uint64_t& storage);
    // _slowly: not in the first level; _unremembered: nor in the second. Apart, so that what is common needs no stack.
    bool load_slowly(const op* o, std::uint64_t ea, std::size_t size);
    [[gnu::noinline]] bool load_unremembered(const op* o, std::uint64_t ea, std::size_t size);
    template <bool whole>
    bool load_piece(const op* o, std::uint64_t ea, std::byte* to, std::size_t size);
    bool store_slowly(const op* o, std::uint64_t ea, std::size_t size);
    [[gnu::noinline]] bool store_unremembered(const op* o, std::uint64_t ea, std::size_t size);
    [[gnu::noinline]] void store_noticed(const op* o, std::byte* to, std::size_t size);
    bool reach(const op* o, std::uint64_t ea, std::size_t size, access_kind kind, std::uint64_t& real);
    bool done(const op* o, std::uint64_t ea, access_kind kind, real_storage::outcome outcome);
    void reverse_if_big_endian(std::size_t size);
    void remember(access_kind kind, std::uint64_t ea, std::uint64_t real, std::byte* page_bytes);
    std::byte* whole_block(access_kind kind, std::uint64_t ea, std::uint64_t real);
    void show_position(const op* o);

    static constexpr std::uint64_t never = ~std::uint64_t{0};

    data_tlb* data_ = nullptr;         // of MSR[DR], MSR[PR], MSR[LE], PIDR and AMR
    fetch_tlb* fetches_ = nullptr;     // of MSR[IR], MSR[PR], MSR[LE], PIDR and IAMR
    code_page* page_ = nullptr;        // what is being executed
    std::uint64_t page_ea_ = 0;        // where it stands
    const op* run_start_ = nullptr;    // first op that executed_ does not count yet
    const op* cfar_branch_ = nullptr;  // in page_, a branch that CFAR does not name yet
    std::int64_t executed_ = 0;        // since run() was called
    std::int64_t budget_ = 0;          // leave when executed_ reaches it
    std::int64_t limit_ = 0;           // leave run() then
    std::int64_t stretch_end_ = 0;     // ask the observer again then
    const op* resume_ = nullptr;       // of page_: the run goes on there, and not by way of the fetch TLB
    code_translator* translator_ = nullptr;
    std::uint64_t ask_translator_at_ = never;  // instructions()
    std::uint64_t ea_mask_ = ~std::uint64_t{0};
    unsigned sign_shift_ = 0;
    bool interrupts_leave_ = false;
    bool leaving_ = false;  // an interrupt has become an exit, or the last one
    bool attention_leaves_ = false;
    std::array<bool, vectors.size()> pauses_at_{};
    bool watching_code_ = false;  // MSR[TE] or CIABR may ask for Trace interrupts
    bool tracing_ = false;        // the engine was left because of that
    bool inhibited_ = false;      // the latest translation is of caching-inhibited storage
    bool of_block_ = false;       // it holds for all of the block
    bool external_ = false;
    std::uint64_t watch_begin_ = 0;  // addresses that DAWR watches in this mode
    std::uint64_t watch_end_ = 0;
    exit_reason exit_ = exit_reason::paused;
    std::uint64_t total_ = 0;  // instructions of earlier runs
    interrupt_cause cause_;
    std::array<std::uint64_t, vectors.size()> interrupts_taken_{};
    std::uint64_t taken_ = 0;           // their number
    std::uint64_t entered_at_ = never;  // instructions() at the first one of the latest interrupt's handler
    vector entered_ = vector::program;  // that interrupt's vector
    interrupted_place interrupted_at_;
    unsigned uncompleted_ = 0;  // interrupts before it since an instruction was completed
    alignas(16) std::array<std::byte, 16> buffer_{};  // of an access that takes the slow path

    struct {
        std::uint64_t granule = 0;
        std::size_t size = 0;  // 0: there is none
    } reservation_;
    std::uint64_t random_state_ = 0;
    observer* observer_ = nullptr;
    engine_counters counters_;
    std::uint64_t last_ea_ = 0;      // of the instruction that was completed last when the engine was left
    std::uint64_t last_number_ = 0;  // and how many were completed before it

    const decoder& instruction_set_;
    translator& addresses_;
    real_storage& storage_;
    clock* clock_ = nullptr;
    code_cache code_;
    std::unique_ptr<code_page> single_;  // a page of one instruction, for run_one()
    contexts<data_tlb>
        data_contexts_;  // those in big-endian order are empty: its data are reversed in the slow path
    contexts<fetch_tlb> fetch_contexts_;
};

}  // namespace pefsim::power
