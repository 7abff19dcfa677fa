// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "cpu/guest_exits.h"
#include "cpu/instruments.h"
#include "cpu/interrupt_line.h"
#include "cpu/local_time.h"
#include "cpu/memory_port.h"
#include "cpu/power_cpu/authorship.h"
#include "cpu/power_cpu/core_time.h"
#include "cpu/power_cpu/core_traps.h"
#include "cpu/power_cpu/guest_storage.h"
#include "cpu/power_cpu/run_control.h"
#include "cpu/processor_if.h"
#include "cpu/run_switch.h"
#include "cpu/traps.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_translator.h"
#include "power/registers.h"
#include "power/translator/region_translator.h"
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
                  private power::mmu::partition::member {
public:
    struct config {
        unsigned number = 0;  ///< interrupt server number, and PIR
        sc_core::sc_time quantum{10, sc_core::SC_US};
        sc_core::sc_time time_slice{};  ///< after which the host takes the CPU back (guest_exits.h); 0: never
        bool report_ordinary_stores = false;
        bool attention_leaves = false;  ///< `attn` ends the run; otherwise it is an illegal instruction
        /// The CPU halts behind so many, at a taken branch or the end of 4 KiB; 0: never.
        std::uint64_t instruction_limit = 0;
        /// How host code is made of what is executed often, where the host permits; none: everything is interpreted.
        std::optional<power::region_translator::options> translator{std::in_place};
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
    /// Null: everything is interpreted.
    [[nodiscard]] const power::region_translator* translator() const { return translator_.get(); }
    /// From now on `by` is asked; it must outlive the simulation.
    void control(run_control& by) { control_ = &by; }
    /// Effective to real addresses, and what answers there: for debuggers, in the CPU's thread.
    [[nodiscard]] power::translator& addresses() { return mmu_; }
    [[nodiscard]] power::real_storage& storage() { return storage_; }

    void external_interrupt(bool asserted) override;
    void doorbell() override;

private:
    SC_HAS_PROCESS(power_cpu);
    using interrupt_counts = std::array<std::uint64_t, power::vectors.size()>;

    void reset();
    void start_at(const sc_core::sc_time& when);
    void run();
    void run_once();
    void make_call(core_traps::call kind);
    void cede(bool until_prodded);
    void halt(ending why);
    /// \returns false when the CPU may not run now
    bool ask_control();
    /// \returns false when the virtual machine has been ended
    bool leave_guest_if_due();
    /// Of those among `taken_before` and now that software above the guest takes first.
    /// \returns false when the virtual machine has been ended
    bool tell_supervisor(const interrupt_counts& taken_before);
    void publish();

    [[nodiscard]] std::int64_t budget();
    // --- from other processors of the partition, and from the bus
    void forget_translations(const power::tlb_invalidation& what) override;
    void code_appeared() override { core_.forget_stores(); }
    void code_changed(std::uint64_t real, std::size_t size) override { core_.forget_code(real, size); }
    void invalidate_grants(sc_dt::uint64 first, sc_dt::uint64 last) {
        storage_.invalidate_grants(first, last);
    }

    trace::recorder& recorder_;
    config parameters_;
    power::mmu::partition& partition_;
    run_control* control_ = nullptr;
    ending ended_ = ending::none;
    bool entry_waits_ = false;  // the Ultravisor has not said yet what the CPU begins with
    bool reset_waits_ = false;  // a System Reset interrupt is to be taken
    sc_core::sc_event halted_event_;

    local_time time_;
    memory_port memory_;
    interrupt_line line_;
    run_switch switch_{line_};
    guest_exits exits_;
    instruments shows_;

    // Parts of the core's side of the CPU; they know each other.
    core_time clock_;
    authorship author_;
    core_traps traps_;
    guest_storage storage_;
    power::mmu::radix_translator mmu_;
    power::core core_;
    std::unique_ptr<power::region_translator> translator_;

    report::counter instructions_;
    report::tally interrupts_by_vector_;
    report::counter translations_;
    report::counter table_walks_;
};

}  // namespace pefsim::cpu
