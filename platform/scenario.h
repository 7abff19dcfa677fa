// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "platform/parameter_set.h"

namespace pefsim::platform {

class session;

/// What a binary of scenarios/ does, whatever kind of machine it is about: it has a name, parameters, and runs once in
/// a session. A native_scenario is one about a native guest.
///
/// The calls come in this order: declare_all, (the command line is read), settle, run.
class scenario {
public:
    /// \param name the binary's name
    /// \param description what it shows, for --help and the report: a sentence or more, broken into lines anyhow. An
    /// empty line ends a summary, which lists of scenarios show instead of the first sentence.
    scenario(std::string name, std::string_view description);
    virtual ~scenario() = default;
    scenario(const scenario&) = delete;
    scenario& operator=(const scenario&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    /// A clause or a sentence, without its full stop.
    [[nodiscard]] const std::string& summary() const { return summary_; }
    [[nodiscard]] const std::string& description() const { return description_; }

    /// Every parameter, bound to a variable of the scenario.
    virtual void declare_all(parameter_set& parameters) = 0;
    /// After the command line: checks the parameters, and what follows from them.
    /// \throws std::invalid_argument naming the parameters that are wrong or contradict each other
    virtual void settle() = 0;
    virtual void run(session& in) = 0;
    /// Calls run(). For a kind of scenario that tells its own mistakes from pefsim's.
    virtual void execute(session& in) { run(in); }

private:
    std::string name_;
    std::string summary_;
    std::string description_;
};

/// Runs a scenario as its binary does. \returns the exit status: 0 shown, 1 not shown, an output that could not be
/// written, or a mistake in a scenario's own code, 2 bad input (one line on standard error says what), or what
/// session::exit_with() says
int run_scenario(scenario& what, int argc, const char* const* argv);
/// The same of a scenario that is made first; what its constructor throws is a mistake of the scenario's.
int run_scenario(const std::function<std::unique_ptr<scenario>()>& make, int argc, const char* const* argv);

template <class Scenario>
int run_scenario(int argc, const char* const* argv) {
    return run_scenario([]() -> std::unique_ptr<scenario> { return std::make_unique<Scenario>(); }, argc,
                        argv);
}

}  // namespace pefsim::platform
