// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "abi/address.h"
#include "abi/hcall.h"
#include "abi/ucall.h"
#include "cpu/registers.h"
#include "cpu/traps.h"
#include "memory/bus_attributes.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::cpu::native {

/// Thrown through guest code when its virtual machine has been ended; the CPU catches it and halts.
struct guest_terminated {};

/// A guest CPU whose programme is C++ compiled for the host: the code of guest/ and dma_ops/ runs on it and pays for what
/// it does in simulated time.
///
/// Ports: `bus` to the memory bus; `hypervisor` and `ultravisor` (optional) for traps, as cpu/traps.h routes them; the external
/// interrupt line comes in through interrupt_line_if, which the module implements. A POWER9 core has the same.
///
/// Time: every operation adds to the CPU's local time, which runs ahead of simulation time by at most a quantum. Barriers,
/// calls, MMIO and synchronize() let simulation time catch up, so that what others can see is stored at its own time.
/// External interrupts are taken there too, and in wait_for_interrupt(), while MSR[EE]=1.
///
/// Memory is in guest physical addresses and host byte order is the guest's (little-endian). Access to a page that is not
/// there traps and is retried; an access that nothing answers is a violation in the log, reads give ones.
class native_cpu : public sc_core::sc_module, public interrupt_line_if {
public:
    struct config {
        unsigned number = 0;  ///< interrupt server number
        sc_core::sc_time quantum{10, sc_core::SC_US};
        timing::timing costs;
    };
    using programme = std::function<void(native_cpu&)>;

    tlm_utils::simple_initiator_socket<native_cpu> bus;
    sc_core::sc_port<trap_if> hypervisor;
    sc_core::sc_port<trap_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> ultravisor;

    native_cpu(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    /// What the CPU runs from the start of simulation; without one it stays stopped.
    void load(programme code);
    /// True once its programme has returned or its virtual machine was ended.
    [[nodiscard]] bool halted() const;

    [[nodiscard]] unsigned number() const;
    registers& state();
    [[nodiscard]] bool secure() const;  ///< MSR[S]
    trace::recorder& recorder();
    [[nodiscard]] const timing::timing& costs() const;

    // --- time
    [[nodiscard]] sc_core::sc_time now() const;       ///< local time
    void spend(const sc_core::sc_time& duration);     ///< charges work; yields when a quantum is used up
    void spend_cycles(double cycles);
    void synchronize();                               ///< lets simulation time catch up, takes interrupts
    void barrier();                                   ///< lwsync/sync: charged, then synchronize()

    // --- memory (guest physical)
    template <std::unsigned_integral T>
    T load(abi::phys_addr at);
    template <std::unsigned_integral T>
    void store(abi::phys_addr at, T value);
    void read(abi::phys_addr from, std::span<std::byte> to);
    void write(abi::phys_addr to, std::span<const std::byte> from);
    void fill(abi::phys_addr at, std::size_t size, std::byte value);
    /// memcpy between guest addresses that do not overlap, at timing::memcpy.
    void copy(abi::phys_addr to, abi::phys_addr from, std::size_t size);

    // --- MMIO (cache-inhibited; traps). Width 1, 2, 4 or 8 bytes; the value is the integer in the register.
    template <std::unsigned_integral T>
    T mmio_load(abi::phys_addr at);
    template <std::unsigned_integral T>
    void mmio_store(abi::phys_addr at, T value);

    // --- calls. Results from R4 on are in state().gpr.
    abi::h_status hypercall(abi::hcall number, std::initializer_list<std::uint64_t> arguments = {});
    abi::u_status ultracall(abi::ucall number, std::initializer_list<std::uint64_t> arguments = {});

    // --- interrupts
    /// The kernel's external interrupt vector; runs with MSR[EE]=0.
    void on_external_interrupt(std::function<void(native_cpu&)> handler);
    void local_irq_enable();
    void local_irq_disable();
    /// H_CEDE: idles until an external interrupt has been taken.
    void wait_for_interrupt();
    void external_interrupt(bool asserted) override;

    // --- attribution
    /// Names the driver call for as long as it lives: trace signal `call`, and the writer of every byte in the exposure ledger.
    class call_scope {
    public:
        /// \param name a name from name_call()
        call_scope(native_cpu& cpu, std::uint64_t origin, std::uint32_t mapping = 0);
        ~call_scope();
        call_scope(const call_scope&) = delete;
        call_scope& operator=(const call_scope&) = delete;

    private:
        native_cpu& cpu_;
        trace::attribution before_;
    };
    [[nodiscard]] trace::attribution writer() const;

private:
    // Completed by the owner of cpu/native/.
};

}  // namespace pefsim::cpu::native
