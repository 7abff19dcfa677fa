// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "platform/parameter_set.h"

namespace pefsim::platform {

class session;

/// What a binary of scenarios/ does, whatever kind of machine it is about: it has a name, parameters, and runs once in a
/// session. `scenario` is the one about a native guest.
///
/// The calls come in this order: declare_all, (the command line is read), settle, run.
class command {
public:
    /// \param name the binary's name  \param description what it shows, for --help and the report: a sentence or more
    command(std::string name, std::string description)
        : name_(std::move(name)),
          description_(std::move(description)) {}
    virtual ~command() = default;
    command(const command&) = delete;
    command& operator=(const command&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& description() const { return description_; }

    /// Every parameter, bound to a variable of the command.
    virtual void declare_all(parameter_set& parameters) = 0;
    /// After the command line: checks the parameters, and what follows from them.
    /// \throws std::invalid_argument naming the parameters that are wrong or contradict each other
    virtual void settle() = 0;
    virtual void run(session& in) = 0;

private:
    std::string name_;
    std::string description_;
};

/// Runs a command as its binary does. \returns the exit status: 0 shown, 1 not shown or an output that could not be written, 2
/// bad input (one line on standard error says what), or what session::exit_with() says
int run_command(command& what, int argc, const char* const* argv);

template <class Command>
int run_command(int argc, const char* const* argv) {
    Command what;
    return run_command(what, argc, argv);
}

}  // namespace pefsim::platform
