// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "cpu/native/native_cpu.h"
#include "guest/kernel.h"
#include "platform/native/native_machine.h"
#include "platform/native/native_machine_config.h"
#include "platform/parameter_set.h"
#include "platform/scenario.h"
#include "platform/session.h"

namespace pefsim::platform {

/// One scenario of a native guest: a machine, what its guest does, and what the run is to show. Derive from it,
/// override what is needed, and give the binary a main():
///
///     int main(int argc, char** argv) { return pefsim::platform::run_scenario<my_scenario>(argc, argv); }
///
/// The calls come in this order: configure, declare, (the command line is read), prepare, run. The default run() makes
/// one machine, to which build() adds what the scenario brings along, runs guest_main() on its CPU 0 and then judge()s.
///
/// What a call throws is a mistake in the scenario: one line on standard error says which call and what, and the exit
/// status is
/// 1. Only prepare() refuses what the user has given, by std::invalid_argument. An exception in guest_main() ends the
///   guest by a panic, and judge() is not called. A scenario that expects nothing is a mistake, too, and so is one of
///   whose modules (with signals, metrics or processes) a part is gone before its machine.
class native_scenario : public scenario {
public:
    using scenario::scenario;

    /// The machine that this scenario is about, before the user changes anything.
    virtual void configure(native_machine_config& /*machine*/) {}
    /// The scenario's own parameters, bound to its members.
    virtual void declare(parameter_set& /*parameters*/) {}
    /// After the command line: what follows from the parameters (disks, for instance).
    /// \throws std::invalid_argument naming the parameters that are wrong or contradict each other
    virtual void prepare(native_machine_config& /*machine*/) {}

    /// Adds to a machine what it does not have of itself: DMA operations, devices, drivers, a host of one's own
    /// (native_machine::own(), use_as_platform(), machine::add_device(), guest::kernel::add_driver()). Its own parts
    /// exist. Called for each machine that is run.
    virtual void build(native_machine& /*machine*/) {}
    /// The guest's own work, on CPU 0, after its kernel has started and found its devices.
    virtual void guest_main(guest::kernel& /*kernel*/, cpu::native::native_cpu& /*cpu*/) {}
    /// After the run: session::expect() says what was shown. native_machine::finished() tells whether guest_main has
    /// returned.
    virtual void judge(native_machine& /*after*/, session& /*in*/) {}

    /// The whole of it; override to run more than one machine, each by run_machine().
    void run(session& in) override;

    /// The machine as the command line has left it; a scenario of several machines starts each from a copy.
    [[nodiscard]] const native_machine_config& config() const { return machine_; }

protected:
    /// Elaborates a machine, build() included, has its CPU 0 run `workload` to the end, and calls `afterwards` while
    /// the machine still exists. session::run() says more.
    void run_machine(session& in, const native_machine_config& config,
                     const guest::kernel::workload& workload,
                     const std::function<void(native_machine&)>& afterwards,
                     const session::presentation& how);

private:
    void declare_all(parameter_set& parameters) final;
    void settle() final;
    void execute(session& in) final;

    native_machine_config machine_;
};

}  // namespace pefsim::platform
