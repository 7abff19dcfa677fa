// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "linux_user/process.h"
#include "power/elf_image.h"

namespace pefsim::linux_user {

/// What a run did: instructions, system calls by name, calls that do not exist here, faults with symbols, the end.
nlohmann::ordered_json make_report(const process& after, const power::elf_image& image,
                                   const end_of_program& end);

/// The same for people.
std::string report_text(const nlohmann::ordered_json& report);

}  // namespace pefsim::linux_user
