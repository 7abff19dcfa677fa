// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <utility>
#include <vector>

#include "abi/address.h"
#include "abi/hcall.h"
#include "abi/ucall.h"
#include "cpu/failed_accesses.h"
#include "cpu/guest_exits.h"
#include "cpu/instruments.h"
#include "cpu/interrupt_line.h"
#include "cpu/local_time.h"
#include "cpu/memory_port.h"
#include "cpu/native/time_use.h"
#include "cpu/origin_signal.h"
#include "cpu/processor_if.h"
#include "cpu/run_switch.h"
#include "cpu/trap_router.h"
#include "cpu/traps.h"
#include "exposure/ledger.h"
#include "memory/bus_attributes.h"
#include "power/registers.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::cpu::native {

/// Thrown through guest code when its virtual machine has been ended; the CPU catches it and halts.
struct guest_terminated {};

/// A guest CPU whose program is C++ compiled for the host: the code of guest/ and dma_ops/ runs on it and pays for what
/// it does in simulated time.
///
/// Ports: `bus` to the memory bus; `hypervisor` and `ultravisor` (optional) for traps, as cpu/traps.h routes them; the
/// external interrupt line comes in through interrupt_line_if, which the module implements. A POWER9 core has the same.
///
/// Time: every operation adds to the CPU's local time, which runs ahead of simulation time by at most a quantum.
/// Barriers, calls, MMIO and synchronize() let simulation time catch up, so that what others can see is stored at its
/// own time. External interrupts are taken there too, and in wait_for_interrupt(), while MSR[EE]=1; nowhere else. There
/// the host takes the CPU out of its guest, too: at a doorbell, and when its time slice is over.
///
/// Memory is in guest physical addresses and host byte order is the guest's (little-endian). Access to a page that is
/// not there traps and is retried; an access that nothing answers is a violation in the log, reads give ones.
///
/// Registers: the program's own values stay in state().gpr; R30 and R31 hold address and value of its latest load() or
/// store(), as they would in compiled code, so a call shows the other side what it really could.
///
/// Signals: call, driver_call, msr_s, ee, idle, interrupt_line, interrupt (event). Metrics: hypercalls and ultracalls
/// by name, mmio_loads, mmio_stores, interrupts, storage_interrupts, dmi_fills, dmi_invalidations, exposed_bytes.
class native_cpu : public sc_core::sc_module,
                   public interrupt_line_if,
                   public processor_if,
                   private exposure::caller {
public:
    struct config {
        unsigned number = 0;  ///< interrupt server number
        sc_core::sc_time quantum{10, sc_core::SC_US};
        sc_core::sc_time time_slice{};  ///< after which the host takes the CPU back (guest_exits.h); 0: never
        timing::timing costs{};
    };
    using program = std::function<void(native_cpu&)>;

    tlm_utils::simple_initiator_socket<native_cpu> bus;
    sc_core::sc_port<trap_if> hypervisor;
    sc_core::sc_port<trap_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> ultravisor;

    /// \throws std::invalid_argument when a bandwidth in `parameters.costs` is not positive
    native_cpu(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    /// What the CPU runs, from the start of simulation or from now on; without one it stays stopped. One program only
    /// (std::logic_error on the second).
    void load(program code);
    /// Starts another, stopped CPU on `code` at this CPU's local time, with this CPU's MSR[S] (the RTAS call start-cpu,
    /// in which the Ultravisor makes the new CPU of a secure guest secure) and interrupts off.
    void start_secondary(native_cpu& secondary, program code);
    /// It has a program.
    [[nodiscard]] bool started() const { return static_cast<bool>(code_); }
    // --- processor_if. A CPU that is started, or started again, runs the program that load() gave it, from its begin;
    // one that has none is not started. A CPU stops where it lets simulation time catch up: at a barrier, a call, an
    // MMIO access.
    bool start(const processor_start& with, const sc_core::sc_time& when) override;
    bool stop() override;
    bool wake(const sc_core::sc_time& when) override;
    void set_lpcr(std::uint64_t value, std::uint64_t mask) override;
    void use_process_table(std::uint64_t base, unsigned size_exponent) override;
    void forget_translations() override {}
    void system_reset(const sc_core::sc_time& /*when*/) override {}
    [[nodiscard]] bool stopped() const override { return switch_.stopped(); }
    [[nodiscard]] bool idle() const override { return shows_.idle.value(); }
    /// True once its program has returned or its virtual machine was ended.
    [[nodiscard]] bool halted() const { return halted_; }
    /// Notified when halted() becomes true.
    [[nodiscard]] const sc_core::sc_event& halted_event() const { return halted_event_; }

    [[nodiscard]] unsigned number() const { return parameters_.number; }
    power::registers& state() { return state_; }
    [[nodiscard]] bool secure() const { return (state_.msr & power::msr_s) != 0; }  ///< MSR[S]
    trace::recorder& recorder() { return recorder_; }
    [[nodiscard]] const timing::timing& costs() const { return parameters_.costs; }

    // --- time
    [[nodiscard]] sc_core::sc_time now() const { return time_.own_now(); }  ///< local time
    /// Charges work; yields when a quantum is used up. Takes no interrupts.
    void spend(const sc_core::sc_time& duration) {
        time_.spend(duration);
        if (time_.quantum_used()) [[unlikely]] {
            time_.catch_up();
        }
    }
    /// The same for the cost of a lock between CPUs, or for spinning; and for work done under it.
    void spend_on_lock(const sc_core::sc_time& cost, const sc_core::sc_time& work = sc_core::SC_ZERO_TIME) {
        use_.locks += cost;
        spend(cost + work);
    }
    /// The same for getting to a DMA operation.
    void spend_on_indirect_call(const sc_core::sc_time& cost) {
        use_.indirect_calls += cost;
        spend(cost);
    }
    void spend_cycles(double cycles);
    /// For as long as it lives the CPU works in the DMA API: what becomes of its time then, and is in no part of
    /// time_use::sum(), is time_use::dma_api. One within another counts once.
    class dma_api_scope {
    public:
        explicit dma_api_scope(native_cpu& cpu) : cpu_(cpu), begin_(cpu.now()), elsewhere_(elsewhere()) {}
        ~dma_api_scope() { cpu_.use_.dma_api += (cpu_.now() - begin_) - (elsewhere() - elsewhere_); }
        dma_api_scope(const dma_api_scope&) = delete;
        dma_api_scope& operator=(const dma_api_scope&) = delete;

    private:
        [[nodiscard]] sc_core::sc_time elsewhere() const { return cpu_.use_.sum() + cpu_.use_.dma_api; }

        native_cpu& cpu_;
        sc_core::sc_time begin_;
        sc_core::sc_time elsewhere_;
    };
    void synchronize();  ///< lets simulation time catch up, takes interrupts
    void barrier();      ///< lwsync/sync: charged, then synchronize()
    [[nodiscard]] const time_use& used() const { return use_; }

    // --- memory (guest physical). A load or store takes timing::memory_access; read, write and fill take one and their
    // bytes at timing::memcpy.
    template <std::unsigned_integral T>
    T load(abi::phys_addr at) {
        T value;
        if (const std::byte* from = memory_.readable(at, sizeof value); from != nullptr) [[likely]] {
            std::memcpy(&value, from, sizeof value);
        } else {
            read_bytes(at, std::as_writable_bytes(std::span(&value, 1)));
        }
        state_.gpr[30] = at.value();
        state_.gpr[31] = value;
        spend(access_cost_);
        return value;
    }
    template <std::unsigned_integral T>
    void store(abi::phys_addr at, T value) {
        state_.gpr[30] = at.value();
        state_.gpr[31] = value;
        if (!memory_.write_granted(at, &value, sizeof value, time_)) [[unlikely]] {
            write_bytes(at, std::as_bytes(std::span(&value, 1)));
        }
        spend(access_cost_);
    }
    void read(abi::phys_addr from, std::span<std::byte> to);
    void write(abi::phys_addr to, std::span<const std::byte> from);
    void fill(abi::phys_addr at, std::size_t size, std::byte value);
    /// memcpy between guest addresses that do not overlap, at timing::memcpy.
    void copy(abi::phys_addr to, abi::phys_addr from, std::size_t size);
    /// Told of the range of each write() and fill() before it is written: for who checks what the program does.
    void on_block_write(std::function<void(abi::phys_addr at, std::size_t size)> watcher) {
        block_write_watcher_ = std::move(watcher);
    }

    // --- MMIO (cache-inhibited; traps). Width 1, 2, 4 or 8 bytes; the value is the integer in the register.
    template <std::unsigned_integral T>
    T mmio_load(abi::phys_addr at) {
        return static_cast<T>(mmio({.at = at, .kind = memory::access_kind::read, .size = sizeof(T)}));
    }
    template <std::unsigned_integral T>
    void mmio_store(abi::phys_addr at, T value) {
        mmio({.at = at, .kind = memory::access_kind::write, .size = sizeof(T), .value = value});
    }

    // --- calls. Results from R4 on are in state().gpr. At most nine arguments (R4 .. R12).
    abi::h_status hypercall(abi::hcall number, std::initializer_list<std::uint64_t> arguments = {});
    abi::u_status ultracall(abi::ucall number, std::initializer_list<std::uint64_t> arguments = {});

    // --- interrupts
    /// The kernel's external interrupt vector; runs with MSR[EE]=0, registers and attribution are restored after it.
    /// Without one the line is ignored, except that it ends H_CEDE.
    void on_external_interrupt(std::function<void(native_cpu&)> handler);
    /// An interrupt that became pending meanwhile is taken when simulation time next catches up.
    void local_irq_enable() { set_ee(true); }
    void local_irq_disable() { set_ee(false); }
    [[nodiscard]] bool irqs_enabled() const { return (state_.msr & power::msr_ee) != 0; }
    /// local_irq_save() .. local_irq_restore() for as long as it lives.
    class irqs_off {
    public:
        explicit irqs_off(native_cpu& cpu) : cpu_(cpu), enabled_(cpu.irqs_enabled()) { cpu_.set_ee(false); }
        ~irqs_off() { cpu_.set_ee(enabled_); }
        irqs_off(const irqs_off&) = delete;
        irqs_off& operator=(const irqs_off&) = delete;

    private:
        native_cpu& cpu_;
        bool enabled_;
    };
    /// H_CEDE: idles with MSR[EE]=1 until an external interrupt has been taken; MSR[EE] is as before afterwards. With
    /// interrupts off before it, none can slip in between the program's last look and the idling.
    void wait_for_interrupt();
    /// The same with the decrementer set: idles for at most `at_most`. The kernel finds out by its clock which it was.
    void wait_for_interrupt(const sc_core::sc_time& at_most);
    void external_interrupt(bool asserted) override;
    void doorbell() override;

    // --- attribution
    /// Number of a driver call's name, for call_scope: to be asked for once, when the driver is built.
    [[nodiscard]] std::uint64_t name_call(std::string_view name) {
        return recorder_.ledger().name_origin(name);
    }
    /// Names the driver call for as long as it lives: signal `driver_call`, and the writer of every byte in the
    /// exposure ledger.
    class call_scope {
    public:
        /// \param origin a number from name_call() of any CPU of the machine
        call_scope(native_cpu& cpu, std::uint64_t origin, std::uint32_t mapping = 0)
            : cpu_(cpu),
              before_(cpu.writer()) {
            cpu_.set_writer({.initiator = before_.initiator, .mapping = mapping, .origin = origin});
        }
        ~call_scope() { cpu_.set_writer(before_); }
        call_scope(const call_scope&) = delete;
        call_scope& operator=(const call_scope&) = delete;

    private:
        native_cpu& cpu_;
        exposure::attribution before_;
    };
    [[nodiscard]] exposure::attribution writer() const { return memory_.writer(); }
    /// For as long as it lives the CPU works on a device's request with this number; 0: on none, or on one without.
    class request_scope {
    public:
        request_scope(native_cpu& cpu, std::uint64_t number)
            : cpu_(cpu),
              before_(std::exchange(cpu.request_, number)) {}
        ~request_scope() { cpu_.request_ = before_; }
        request_scope(const request_scope&) = delete;
        request_scope& operator=(const request_scope&) = delete;

    private:
        native_cpu& cpu_;
        std::uint64_t before_;
    };
    [[nodiscard]] std::uint64_t request() const { return request_; }

private:
    SC_HAS_PROCESS(native_cpu);

    void run();
    void set_ee(bool enabled) {
        state_.msr = enabled ? state_.msr | power::msr_ee : state_.msr & ~power::msr_ee;
        if (enabled != shows_.ee.value()) {
            shows_.ee.set(enabled, now());
        }
    }
    void set_writer(const exposure::attribution& writer) {
        memory_.set_writer(writer);
        driver_call_.set(writer.origin, time_);
    }
    void take_interrupts();
    void leave_guest_if_due();
    void enter_supervisor(host_interrupt why);
    void idle_until_interrupt(bool until_prodded = false);
    void stop_if_due();
    [[nodiscard]] bool decrementer_expired() const { return decrementer_ && now() >= *decrementer_; }

    exposure::attribution calls_from() override { return writer(); }
    enum class trap : std::uint8_t { hypercall, ultracall };
    void make_call(trap kind, std::uint64_t number, std::initializer_list<std::uint64_t> arguments);
    fault_outcome storage_interrupt(storage_fault& fault);
    void msr_may_have_changed();
    std::uint64_t mmio(storage_fault access);
    void invalidate_grants(sc_dt::uint64 first, sc_dt::uint64 last);

    [[nodiscard]] sc_core::sc_time copy_cost(std::size_t bytes) const {
        return bytes < small_copies_.size() ? small_copies_[bytes] : large_copy_cost(bytes);
    }
    [[nodiscard]] sc_core::sc_time large_copy_cost(std::size_t bytes) const;
    void read_bytes(abi::phys_addr at, std::span<std::byte> to);
    void write_bytes(abi::phys_addr at, std::span<const std::byte> from);
    bool resolve(memory_port::result result, const storage_fault& access, unsigned attempt);
    fault_outcome emulate(storage_fault& access);

    trace::recorder& recorder_;
    config parameters_;
    program code_;
    bool halted_ = false;
    sc_core::sc_event halted_event_;

    power::registers state_;
    local_time time_;
    time_use use_;
    memory_port memory_;
    trap_router traps_;
    interrupt_line line_;
    run_switch switch_{line_};
    guest_exits exits_;
    std::function<void(native_cpu&)> interrupt_handler_;
    std::uint64_t interrupt_origin_;
    std::uint64_t request_ = 0;
    std::optional<sc_core::sc_time> decrementer_;  // when it ends H_CEDE
    std::function<void(abi::phys_addr, std::size_t)> block_write_watcher_;
    std::vector<std::byte> staging_;  // of a copy between pages without grants

    sc_core::sc_time access_cost_;
    sc_core::sc_time barrier_cost_;
    sc_core::sc_time interrupt_cost_;
    double units_per_cycle_;
    double units_per_byte_;
    std::array<sc_core::sc_time, 65> small_copies_;  // costs, by bytes

    failed_accesses failed_;
    instruments shows_;
    origin_signal driver_call_;
};

}  // namespace pefsim::cpu::native
