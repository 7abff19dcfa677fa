// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "abi/hcall.h"
#include "hypervisor/service.h"

/// All hypercalls that the hypervisor serves, by chapter. A chapter is a file and a line here.
namespace pefsim::hypervisor {

std::span<const service> tce_services();
std::span<const service> cache_inhibited_services();
std::span<const service> terminal_services();
std::span<const service> interrupt_services();
std::span<const service> xive_services();
std::span<const service> processor_services();
std::span<const service> secure_guest_services();
std::span<const service> memory_services();
std::span<const service> mode_services();
std::span<const service> firmware_services();
std::span<const service> platform_services();

/// The same by row of abi::hcall_declarations; nullptr where the hypervisor has none.
using service_table = std::array<const service*, abi::hcall_declarations.size()>;
/// \throws std::logic_error when two functions serve the same call
service_table all_services();

}  // namespace pefsim::hypervisor
