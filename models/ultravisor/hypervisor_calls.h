// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <systemc>

#include "abi/address.h"
#include "abi/hcall.h"
#include "cpu/traps.h"
#include "memory/page_state.h"
#include "power/registers.h"
#include "trace/recorder.h"
#include "ultravisor/instruments.h"
#include "ultravisor/protected_guest.h"
#include "ultravisor/reflection.h"
#include "ultravisor/secure_vm.h"

namespace pefsim::ultravisor {

/// The Ultravisor's way to the hypervisor: hypercalls of the secure guest and its own, and the hypervisor's interrupts
/// that come while the guest runs, all in disguise (reflection.h). A hypervisor that breaks the rules of it ends the
/// guest.
class hypervisor_calls {
public:
    using port = sc_core::sc_port<cpu::trap_if>;
    /// Times that a page is asked for.
    static constexpr unsigned max_page_in_tries = 4;

    struct answer {
        abi::h_status status = abi::h_status::h_hardware;
        std::uint64_t r4 = 0;
    };

    hypervisor_calls(port& to, secure_vm& vm, protected_guest& guest, trace::recorder& recorder,
                     instruments& shows, std::uint64_t seed)
        : to_(to),
          vm_(vm),
          guest_(guest),
          recorder_(recorder),
          shows_(shows),
          reflection_(seed) {}

    /// The guest's own call, of this row of abi::hcall_declarations: `state` has
    /// what comes back.
    void reflect(std::size_t row, power::registers& state, cpu::trap_context& context);
    /// An interrupt that is the hypervisor's, while the guest's CPU is in this state.
    void reflect(cpu::host_interrupt which, const power::registers& state, cpu::trap_context& context);
    /// A call of the Ultravisor's, while the guest's CPU is in this state.
    answer call(abi::hcall number, std::initializer_list<std::uint64_t> arguments,
                const power::registers& state, cpu::trap_context& context);
    /// Asks for a page until it has left `missing`. \returns false when it does
    /// not come
    bool bring_in(abi::gfn page, memory::page_state missing, std::uint64_t flags,
                  const power::registers& state, cpu::trap_context& context);

private:
    bool pass(disguise& hidden, std::size_t row, const power::registers& state, cpu::trap_context& context);
    bool kept_the_rules(const disguise& back, std::string_view of, std::uint64_t number,
                        const power::registers& state, cpu::trap_context& context);

    port& to_;
    secure_vm& vm_;
    protected_guest& guest_;
    trace::recorder& recorder_;
    instruments& shows_;
    reflection reflection_;
};

}  // namespace pefsim::ultravisor
