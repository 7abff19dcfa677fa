// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <systemc>

#include "platform/machine.h"
#include "power/debug/symbols.h"

/// What the host does to its guest on purpose while it runs (hypervisor/hostile_host.h).
namespace pefsim::platform {

enum class host_act : std::uint8_t {
    tamper,     ///< pages it out and inverts a bit of the ciphertext
    replay,     ///< pages it out twice and puts the first ciphertext in the place of the second
    swap,       ///< pages it out, with the page behind it, and exchanges their ciphertexts
    take_page,  ///< takes a shared page back (UV_PAGE_INVAL)
    take_slot,  ///< takes the memory slot that it is in from the guest (UV_UNREGISTER_MEM_SLOT)
    terminate,  ///< ends the guest (UV_SVM_TERMINATE)
};

/// "ACT:PLACE@TIME", an act of host_act, the physical address or symbol whose page it is done to, and simulated time.
struct host_attack {
    std::string text;  ///< as the user wrote it
    host_act act{};
    std::uint64_t address = 0;
    sc_core::sc_time when;

    /// \throws std::invalid_argument saying what is wrong with `text`
    static host_attack parse(std::string_view text, const power::debug::symbol_lookup& symbols);
};

/// What came of one.
struct attack_outcome {
    host_attack what;
    std::string outcome = "the run ended before";  ///< the Ultravisor's answer to the act's last call
};

/// Has the machine's host do it, when its time has come, and say in `outcome` what came of it. Both outlive the
/// simulation.
void attack(machine& machine, attack_outcome& outcome);

nlohmann::ordered_json to_json(const attack_outcome& what);

}  // namespace pefsim::platform
