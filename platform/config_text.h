// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "platform/command_line.h"
#include "platform/parameter_set.h"

namespace pefsim::platform {

/// A configuration file (TOML 1.0) that gives the same run again with `--config`: the options that are part of a run,
/// and every parameter with its value, whether that is its default or not.
/// \throws std::invalid_argument naming the parameter when a value cannot stand in TOML: it is not UTF-8
std::string config_text(std::string_view scenario, const run_options& options,
                        const parameter_set& parameters);

}  // namespace pefsim::platform
