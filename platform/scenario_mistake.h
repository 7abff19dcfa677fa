// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stdexcept>
#include <string_view>

namespace pefsim::platform {

/// A mistake in a scenario's own code; the message names the place and says what is wrong. The run ends, its report is
/// written as far as there is one, and the exit status is 1.
struct scenario_mistake : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class may_refuse_input : bool { no, yes };

/// Calls `code`, a scenario's own. Whatever it throws is its mistake.
/// \param refuses with yes, std::invalid_argument is the user's mistake and passes
/// \throws scenario_mistake naming `hook`
void call_scenario(std::string_view hook, may_refuse_input refuses, const std::function<void()>& code);

}  // namespace pefsim::platform
