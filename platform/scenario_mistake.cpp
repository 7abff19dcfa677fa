// SPDX-License-Identifier: Apache-2.0
#include "platform/scenario_mistake.h"

#include <exception>
#include <fmt/format.h>

#include "output/whole_file.h"

namespace pefsim::platform {

void call_scenario(std::string_view hook, may_refuse_input refuses, const std::function<void()>& code) {
    try {
        code();
    } catch (const scenario_mistake&) {
        throw;
    } catch (const output::write_error&) {
        throw;  // the file's fault
    } catch (const std::invalid_argument& error) {
        if (refuses == may_refuse_input::yes) {
            throw;
        }
        throw scenario_mistake(fmt::format("mistake in the scenario, in {}: {}", hook, error.what()));
    } catch (const std::exception& error) {
        throw scenario_mistake(fmt::format("mistake in the scenario, in {}: {}", hook, error.what()));
    } catch (...) {
        throw scenario_mistake(
            fmt::format("mistake in the scenario, in {}: an exception that is no std::exception", hook));
    }
}

}  // namespace pefsim::platform
