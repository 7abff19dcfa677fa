// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "cpu/failed_accesses.h"
#include "cpu/guest_exits.h"
#include "cpu/instruments.h"
#include "cpu/interrupt_line.h"
#include "cpu/local_time.h"
#include "cpu/memory_port.h"
#include "cpu/power_cpu/call_site.h"
#include "cpu/power_cpu/range_set.h"
#include "cpu/power_cpu/run_control.h"
#include "cpu/processor_if.h"
#include "cpu/run_switch.h"
#include "cpu/time_base.h"
#include "cpu/trap_router.h"
#include "cpu/traps.h"
#include "exposure/attribution.h"
#include "exposure/call_in_progress.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_translator.h"
#include "power/registers.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::cpu {

/// A guest CPU that runs ppc64le (and big-endian, and 32-bit) code: one hardware thread of a POWER9, without hypervisor
/// state (MSR[HV]=0). The same sockets and ports as a native CPU: `bus` to the memory bus; `hypervisor` and
/// `ultravisor` (optional) for traps, as cpu/traps.h routes them; the external interrupt line by interrupt_line_if.
///
/// Time: instructions cost timing::instruction on average and are turned into time once a run of the engine, which ends
/// with the quantum, when the decrementer expires, and at every trap. Traps and MMIO let simulation time catch up
/// first.
///
/// Time base: the CPU's local time at 512 MHz, but never less than a processor of the partition has read (Power ISA
/// 3.0B Book III 7.2): CPUs run ahead of each other by up to a quantum, and one that lags behind reads the highest
/// value that another has been given, until its own time is there. The decrementer counts the same time: its exception
/// exists once the time base, as this CPU would read it, has passed the target; so it may come up to a quantum early in
/// simulated time, and never before its target. To look at the time base (a debugger, a trace) is not to read it.
///
/// Traps: `sc 1` and `sc 2` with the core's registers, DEC with its present value; what the other side changes counts.
/// `sc 1` from problem state of an ordinary guest is that guest's own system call, as KVM reflects it. An access
/// outside RAM is MMIO; one that nothing answers is a violation in the log and a Machine Check. A page that the
/// Ultravisor has to bring back is waited for, instructions as well as data.
///
/// Memory: through DMI grants of the bus. Stores into pages that the host can read are reported to the exposure ledger,
/// with the instruction's address and its callers as origin (call_site), while MSR[S]=1; of an ordinary guest, whose
/// memory is all exposed, only when config::report_ordinary_stores says so, since each of them then leaves the fast
/// path. Decoded code is forgotten when the bus takes its grant back (a device has written to the page) or another
/// processor of the partition stores there.
///
/// An interrupt whose own vector causes the same interrupt again (there is no code, or it cannot be executed) would go
/// on for ever: the CPU halts (exit_reason::lost).
///
/// Interrupts that software above the guest takes first (cpu/host_interrupt.h): a doorbell and the end of a time slice
/// between runs of the engine; those that the guest takes, too, at the end of the run, which ends at the next taken
/// branch.
///
/// A reservation is lost when the CPU waits for simulation time and at every trap: others may store then.
///
/// Signals: call, msr_s, ee, idle, interrupt_line, interrupt (event). Metrics: instructions, hypercalls and ultracalls
/// by name, interrupts (external), interrupts_by_vector, mmio_loads, mmio_stores, storage_interrupts, translations,
/// table_walks, dmi_fills, dmi_invalidations, exposed_bytes.
class power_cpu : public sc_core::sc_module,
                  public interrupt_line_if,
                  public processor_if,
                  private power::real_storage,
                  private power::mmu::table_storage,
                  private power::mmu::partition::member,
                  private power::clock,
                  private exposure::caller {
public:
    struct config {
        unsigned number = 0;  ///< interrupt server number, and PIR
        sc_core::sc_time quantum{10, sc_core::SC_US};
        sc_core::sc_time time_slice{};  ///< after which the host takes the CPU back (guest_exits.h); 0: never
        bool report_ordinary_stores = false;
        bool attention_leaves = false;  ///< `attn` ends the run; otherwise it is an illegal instruction
        /// The CPU halts behind so many, at a taken branch or the end of 4 KiB; 0: never.
        std::uint64_t instruction_limit = 0;
        timing::timing costs{};
    };
    /// Why it does not run any more.
    enum class ending : std::uint8_t {
        none,
        terminated,         ///< the virtual machine has been ended
        attention,          ///< `attn`; NIP is at it
        controlled,         ///< run_control said so
        instruction_limit,  ///< config::instruction_limit is reached
        lost,               ///< an interrupt's own vector causes the same interrupt; NIP is at it
    };

    tlm_utils::simple_initiator_socket<power_cpu> bus;
    sc_core::sc_port<trap_if> hypervisor;
    sc_core::sc_port<trap_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> ultravisor;

    /// \throws std::invalid_argument when timing::instruction is not positive
    power_cpu(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters,
              power::mmu::partition& within);
    ~power_cpu() override;

    /// Starts the stopped CPU at state().nip, with state() as it is.
    void start();
    // --- processor_if. A CPU that is started begins with registers as a KVM guest's CPU has them, but for the LPCR,
    // which stays.
    bool start(const processor_start& with, const sc_core::sc_time& when) override;
    bool stop() override;
    bool wake(const sc_core::sc_time& when) override;
    void set_lpcr(std::uint64_t value, std::uint64_t mask) override;
    void use_process_table(std::uint64_t base, unsigned size_exponent) override;
    void forget_translations() override;
    void system_reset(const sc_core::sc_time& when) override;
    [[nodiscard]] bool stopped() const override { return switch_.stopped() && !halted(); }
    /// In H_CEDE, until an interrupt comes.
    [[nodiscard]] bool idle() const override { return shows_.idle.value(); }

    [[nodiscard]] bool halted() const { return ended_ != ending::none; }
    [[nodiscard]] ending ended() const { return ended_; }
    /// Notified when halted() becomes true.
    [[nodiscard]] const sc_core::sc_event& halted_event() const { return halted_event_; }

    [[nodiscard]] unsigned number() const { return parameters_.number; }
    /// As a KVM guest's CPU is when it starts: 64-bit big-endian real mode, radix host, large decrementer, interrupts
    /// off.
    power::registers& state() { return core_.state; }
    [[nodiscard]] const power::registers& state() const { return core_.state; }
    [[nodiscard]] bool secure() const { return (core_.state.msr & power::msr_s) != 0; }
    [[nodiscard]] sc_core::sc_time now() const { return time_.now(); }
    [[nodiscard]] power::core& engine() { return core_; }
    [[nodiscard]] const power::core& engine() const { return core_; }
    /// From now on `by` is asked; it must outlive the simulation.
    void control(run_control& by) { control_ = &by; }
    /// Effective to real addresses, and what answers there: for debuggers, in the CPU's thread.
    [[nodiscard]] power::translator& addresses() { return mmu_; }
    [[nodiscard]] power::real_storage& storage() { return *this; }

    void external_interrupt(bool asserted) override;
    void doorbell() override;

private:
    SC_HAS_PROCESS(power_cpu);
    using interrupt_counts = std::array<std::uint64_t, power::vectors.size()>;

    void reset();
    void start_at(const sc_core::sc_time& when);
    void run();
    void run_once();
    void cede(bool until_prodded);
    void halt(ending why);
    /// Simulation time catches up with local time: everything else may run meanwhile.
    void catch_up();
    /// \returns false when the CPU may not run now
    bool ask_control();
    void ask_ultravisor();
    /// \returns false when the virtual machine has been ended
    bool leave_guest_if_due();
    bool enter_supervisor(host_interrupt why);
    /// Of those among `taken_before` and now that software above the guest takes first.
    /// \returns false when the virtual machine has been ended
    bool tell_supervisor(const interrupt_counts& taken_before);
    void publish();

    // --- time
    /// What has been executed since the last call becomes local time.
    void account();
    [[nodiscard]] std::uint64_t units_at(std::uint64_t instructions) const;
    [[nodiscard]] std::int64_t instructions_in(std::uint64_t units) const;
    [[nodiscard]] std::int64_t budget();
    std::uint64_t time_base(std::uint64_t instructions) override;
    std::uint64_t read_time_base(std::uint64_t instructions) override;
    [[nodiscard]] std::uint64_t units_until_decrementer();

    // --- traps
    enum class trap : std::uint8_t { hypercall, ultracall };
    void make_call(trap kind);
    trap_context prepare_trap();
    /// \returns false when the virtual machine has been ended
    bool finish_trap(const trap_context& context);
    void msr_may_have_changed();
    fault_outcome storage_interrupt(storage_fault& fault);
    void invalidate_grants(sc_dt::uint64 first, sc_dt::uint64 last);
    void apply_invalidations();

    // --- storage_access.cpp: what the engine asks for
    std::byte* direct(std::uint64_t real, power::access_kind kind) override;
    std::byte* direct_block(std::uint64_t real, power::access_kind kind) override;
    outcome read(std::uint64_t real, std::span<std::byte> to, power::access_kind kind) override;
    outcome write(std::uint64_t real, std::span<const std::byte> from) override;
    [[nodiscard]] bool noticed(std::uint64_t real) const override;
    void stored(const std::byte* to, std::size_t size) override;
    outcome prepare_fetch(std::uint64_t real) override;
    void holds_code(std::uint64_t real) override;
    void holds_no_code(std::uint64_t real) override;
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t real, std::uint64_t value) override;
    template <class Transaction>
    outcome access_ram(const storage_fault& what, const Transaction& transaction);
    outcome mmio(storage_fault& access);
    outcome mmio_load(std::uint64_t real, std::span<std::byte> to);
    outcome mmio_store(std::uint64_t real, std::span<const std::byte> from);

    exposure::attribution calls_from() override;

    // --- from other processors of the partition
    void forget_translations(const power::tlb_invalidation& what) override;
    void code_appeared() override { core_.forget_stores(); }
    void code_changed(std::uint64_t real, std::size_t size) override { core_.forget_code(real, size); }

    trace::recorder& recorder_;
    config parameters_;
    power::mmu::partition& partition_;
    run_control* control_ = nullptr;
    power::mmu::radix_translator mmu_;
    power::core core_;
    ending ended_ = ending::none;
    bool entry_waits_ = false;  // the Ultravisor has not said yet what the CPU begins with
    bool reset_waits_ = false;  // a System Reset interrupt is to be taken
    sc_core::sc_event halted_event_;

    local_time time_;
    memory_port memory_;
    trap_router traps_;
    interrupt_line line_;
    run_switch switch_{line_};
    guest_exits exits_;
    exposure::attribution writer_;
    call_site site_;
    call_site watched_site_;  // of calls, and of stores that only a story tells

    std::uint64_t units_per_instruction_;  // of SystemC's time resolution, times 2^32
    cpu::time_base ticks_;
    std::uint64_t accounted_ = 0;  // instructions that local time contains
    std::uint64_t remainder_ = 0;  // of a unit, times 2^32: local time does not contain it yet

    range_set invalidated_;                         // grants there were taken back
    std::map<const std::byte*, abi::gfn> watched_;  // pages that are watched, where direct() has given them

    failed_accesses failed_;
    instruments shows_;
    report::counter instructions_;
    report::tally interrupts_by_vector_;
    report::counter translations_;
    report::counter table_walks_;
};

}  // namespace pefsim::cpu
