// SPDX-License-Identifier: Apache-2.0
#include "platform/native/native_scenario.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <systemc>

#include "platform/scenario_mistake.h"

namespace pefsim::platform {

void native_scenario::declare_all(parameter_set& parameters) {
    call_scenario("configure()", may_refuse_input::no, [&] { configure(machine_); });
    call_scenario("declare()", may_refuse_input::no, [&] { declare(parameters); });
    machine_.declare(parameters);
}

void native_scenario::settle() {
    machine_.check();
    call_scenario("prepare()", may_refuse_input::yes, [&] { prepare(machine_); });
}

void native_scenario::execute(session& in) {
    try {
        run(in);
    } catch (...) {
        if (in.busy()) {
            throw;
        }
        call_scenario("run()", may_refuse_input::yes, [] { throw; });
    }
}

void native_scenario::run(session& in) {
    run_machine(
        in, machine_,
        [this](guest::kernel& kernel, cpu::native::native_cpu& cpu) { guest_main(kernel, cpu); },
        [this, &in](native_machine& after) { judge(after, in); }, {});
}

void native_scenario::run_machine(session& in, const native_machine_config& config,
                                  const guest::kernel::workload& workload,
                                  const std::function<void(native_machine&)>& afterwards,
                                  const session::presentation& how) {
    native_machine* subject = nullptr;
    const auto elaborate = [&] {
        auto elaborated = std::make_unique<native_machine>(
            "machine", config, in.options().seed, [&](native_machine& machine) {
                call_scenario("build()", may_refuse_input::no, [&] { build(machine); });
            });
        elaborated->load(workload);
        subject = elaborated.get();
        return elaborated;
    };
    try {
        in.run(
            elaborate, [&] { call_scenario("judge()", may_refuse_input::no, [&] { afterwards(*subject); }); },
            how);
    } catch (const sc_core::sc_report& error) {
        // A port that leads nowhere is what build() forgot: the machine's own are bound in every machine.
        if (std::string_view(error.get_msg_type()) != sc_core::SC_ID_COMPLETE_BINDING_) {
            throw;
        }
        throw scenario_mistake(fmt::format("mistake in the scenario, in build(): {}", error.get_msg()));
    }
}

}  // namespace pefsim::platform
