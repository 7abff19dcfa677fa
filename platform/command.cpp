// SPDX-License-Identifier: Apache-2.0
#include "platform/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <systemc>

#include "platform/command_line.h"
#include "platform/scenario_mistake.h"
#include "platform/session.h"

namespace pefsim::platform {
namespace {

constexpr int shown = 0;
constexpr int not_shown = 1;
constexpr int bad_input = 2;
constexpr int broken = 3;

int complain(std::string_view name, std::string message, int status) {
    std::ranges::replace(message, '\n', ' ');
    fmt::print(stderr, "{}: {}\n", name, message);
    return status;
}

int complain(const command& what, std::string message, int status) {
    return complain(what.name(), std::move(message), status);
}

int run_unguarded(command& what, std::span<const char* const> arguments) {
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);

    parameter_set parameters;
    what.declare_all(parameters);
    const run_options options = parse_command_line(arguments, parameters);
    if (options.help) {
        fmt::print("{}", help_text(what.name(), what.description(), parameters));
        return shown;
    }
    what.settle();
    session execution(what, options, parameters);
    try {
        what.execute(execution);
    } catch (const scenario_mistake& mistake) {
        execution.fail(mistake.what());
    }
    const bool all_shown = execution.finish();
    return execution.exit_status().value_or(all_shown ? shown : not_shown);
}

}  // namespace

int run_command(command& what, int argc, const char* const* argv) {
    try {
        const std::span arguments(argv, static_cast<std::size_t>(argc));
        return run_unguarded(what, arguments.subspan(std::min<std::size_t>(1, arguments.size())));
    } catch (const scenario_mistake& mistake) {
        return complain(what, mistake.what(), not_shown);
    } catch (const std::invalid_argument& error) {
        return complain(what, error.what(), bad_input);
    } catch (const std::exception& error) {
        return complain(what, fmt::format("internal error: {}", error.what()), broken);
    }
}

int run_command(const std::function<std::unique_ptr<command>()>& make, int argc, const char* const* argv) {
    std::unique_ptr<command> made;
    try {
        call_scenario("its constructor", may_refuse_input::no, [&] { made = make(); });
    } catch (const scenario_mistake& mistake) {
        const std::string binary = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "?";
        return complain(binary, mistake.what(), not_shown);
    }
    return run_command(*made, argc, argv);
}

}  // namespace pefsim::platform
