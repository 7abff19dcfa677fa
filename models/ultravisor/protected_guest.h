// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cpu/traps.h"
#include "power/registers.h"
#include "trace/recorder.h"
#include "ultravisor/instruments.h"
#include "ultravisor/secure_vm.h"

namespace pefsim::ultravisor {

/// The guest in the Ultravisor's care: its record, shown to whoever watches,
/// and its end.
class protected_guest {
public:
    protected_guest(secure_vm& vm, trace::recorder& recorder, instruments& shows)
        : vm_(vm),
          recorder_(recorder),
          shows_(shows) {}

    [[nodiscard]] bool secure() const { return vm_.state() == vm_state::secure; }
    /// There is no secure virtual machine of this number, nor one that becomes
    /// it.
    [[nodiscard]] bool is_no_svm(std::uint64_t lpid) const;
    /// The record's state has changed.
    void show_state(const cpu::trap_context& context) { shows_.state.set(vm_.state(), context.now()); }
    /// Ends the guest because of what the hypervisor, or it itself, did: a
    /// violation, all secure memory scrubbed, trap_context::terminated.
    void end(std::string_view why, std::uint64_t address, cpu::trap_context& context);

private:
    secure_vm& vm_;
    trace::recorder& recorder_;
    instruments& shows_;
};

/// Who made a call, for the violation log: "hypervisor", "cpu0".
std::string caller_name(const power::registers& state, const cpu::trap_context& context);

}  // namespace pefsim::ultravisor
