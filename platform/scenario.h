// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "cpu/native/native_cpu.h"
#include "guest/kernel.h"
#include "platform/machine.h"
#include "platform/machine_config.h"
#include "platform/parameter_set.h"
#include "platform/session.h"

namespace pefsim::platform {

/// One scenario: a machine, what its guest does, and what the run is to show. Derive from it, override what is needed, and
/// give the binary a main():
///
///     int main(int argc, char** argv) { return pefsim::platform::run_scenario<my_scenario>(argc, argv); }
///
/// The calls come in this order: configure, declare, (the command line is read), prepare, run. The default run() makes one
/// machine, runs guest_main() on its CPU 0 and then judge()s.
class scenario {
public:
    /// \param name the binary's name  \param description what it shows, for --help and the report: a sentence or more
    scenario(std::string name, std::string description)
        : name_(std::move(name)),
          description_(std::move(description)) {}
    virtual ~scenario() = default;
    scenario(const scenario&) = delete;
    scenario& operator=(const scenario&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& description() const { return description_; }

    /// The machine that this scenario is about, before the user changes anything.
    virtual void configure(machine_config& /*machine*/) {}
    /// The scenario's own parameters, bound to its members.
    virtual void declare(parameter_set& /*parameters*/) {}
    /// After the command line: what follows from the parameters (disks, for instance).
    /// \throws std::invalid_argument naming the parameters that are wrong or contradict each other
    virtual void prepare(machine_config& /*machine*/) {}

    /// The guest's own work, on CPU 0, after its kernel has started and found its devices.
    virtual void guest_main(guest::kernel& /*kernel*/, cpu::native::native_cpu& /*cpu*/) {}
    /// After the run: session::expect() says what was shown. machine::finished() tells whether guest_main has returned.
    virtual void judge(machine& /*after*/, session& /*in*/) {}

    /// The whole of it; override to run more than one machine.
    virtual void run(session& in);

private:
    std::string name_;
    std::string description_;
};

/// Runs a scenario as its binary does. \returns the exit status: 0 shown, 1 not shown, 2 bad input (one line on standard
/// error says what)
int run_scenario(scenario& what, int argc, const char* const* argv);

template <class Scenario>
int run_scenario(int argc, const char* const* argv) {
    Scenario what;
    return run_scenario(what, argc, argv);
}

}  // namespace pefsim::platform
