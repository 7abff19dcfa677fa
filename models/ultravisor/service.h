// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "abi/ucall.h"
#include "cpu/traps.h"
#include "power/registers.h"
#include "report/violations.h"
#include "ultravisor/firmware.h"

namespace pefsim::ultravisor {

/// What an ultracall comes to.
struct answer {
    abi::u_status status = abi::u_status::u_success;
    std::string_view why{};     ///< of a failure, or of what has to be on record: goes into the violation log
    std::uint64_t address = 0;  ///< that it is about
    report::violation_kind kind = report::violation_kind::call_refused;
    bool resumes_elsewhere = false;  ///< the caller's registers, R3 too, are already set
};

/// A row of the Ultravisor's dispatch table: an ultracall of abi/ucall.h, which
/// says who may make it, and the function that serves it. The rows of a chapter
/// stand at the end of the file with their functions.
struct service {
    abi::ucall number;
    answer (*serve)(firmware& here, power::registers& state, cpu::trap_context& context);
};

/// All ultracalls, by chapter. A chapter is a file and a line here, and one in
/// ultracall_dispatch.cpp.
std::span<const service> esm_services();
std::span<const service> esm_file_services();
std::span<const service> machine_services();
std::span<const service> memory_slot_services();
std::span<const service> paging_services();
std::span<const service> sharing_services();

}  // namespace pefsim::ultravisor
