// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "cpu/power_cpu/power_cpu.h"

namespace pefsim::platform {

/// Every architected register of a POWER9 core, as hexadecimal numbers of the register's width:
///
///     {"number": 0, "nip": "0x...", "msr": ..., "cr": ..., "fpscr": ..., "vscr": ..., "gpr": [32 of 64 bits],
///      "vsr": [64 of 128 bits], "spr": {"lr": ..., ...}, "reservation": null, "ended": "...", "instructions": 12345}
///
/// FPR n is the upper half of vsr[n], VR n is vsr[32 + n]. A core that has ended, or waits, holds no reservation. `spr`
/// has those of debug::single_registers(), as the guest would read them at the end; `ended` says why the core does not
/// run any more.
nlohmann::ordered_json state_of(cpu::power_cpu& core);

/// "running", "terminated", "attn", "instruction_limit" ...
std::string_view to_name(cpu::power_cpu::ending ending);

}  // namespace pefsim::platform
