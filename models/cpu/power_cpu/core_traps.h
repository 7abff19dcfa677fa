// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <systemc>
#include <utility>

#include "cpu/host_interrupt.h"
#include "cpu/instruments.h"
#include "cpu/interrupt_line.h"
#include "cpu/local_time.h"
#include "cpu/memory_port.h"
#include "cpu/power_cpu/authorship.h"
#include "cpu/power_cpu/core_time.h"
#include "cpu/power_cpu/guest_storage.h"
#include "cpu/trap_router.h"
#include "cpu/traps.h"
#include "exposure/call_in_progress.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "trace/recorder.h"

namespace pefsim::cpu {

/// The traps of a POWER9 core into the software above its guest: calls, storage interrupts, interrupts of the host's.
/// With the core's registers, DEC with its present value; what the other side changes counts. A reservation is lost.
class core_traps final : public guest_storage::supervisor, private exposure::caller {
public:
    /// The parts of the CPU that it uses; all outlive it.
    struct parts {
        trace::recorder& recorder;
        power::core& core;
        memory_port& memory;
        local_time& time;
        core_time& clock;
        authorship& author;
        guest_storage& storage;
        interrupt_line& line;
        instruments& shows;
        power::mmu::partition& partition;
        std::function<void()> terminated;  ///< called when the virtual machine has been ended in a trap
        /// Called before each trap that an instruction causes: run_control::leaves().
        std::function<void(std::string_view kind, std::string_view name, std::uint64_t nip)> leaves;
    };
    enum class call : std::uint8_t { hypercall, ultracall };
    /// What has become of the guest's processor in the trap.
    enum class after : std::uint8_t {
        goes_on,
        ceded,
        ceded_until_prodded,
        terminated,  ///< the virtual machine has been ended
    };

    /// \param number interrupt server number of the CPU
    core_traps(parts of, unsigned number, const trap_router& router)
        : cpu_(std::move(of)),
          number_(number),
          router_(router) {}

    /// `sc 1` and `sc 2`. From problem state of an ordinary guest, `sc 1` is that guest's own system call.
    after make(call kind);
    /// \returns false when the virtual machine has been ended, as enter()
    bool interrupt(host_interrupt why);
    /// The Ultravisor's last word on the state that the CPU is to begin with.
    bool enter();
    fault_outcome storage_interrupt(storage_fault& fault) override;
    /// In a trap, or outside of any, others have changed registers.
    void msr_may_have_changed();

private:
    trap_context prepare();
    /// \returns false when the virtual machine has been ended
    bool finish(const trap_context& context);
    exposure::attribution calls_from() override;

    parts cpu_;
    unsigned number_;
    trap_router router_;
};

}  // namespace pefsim::cpu
