// SPDX-License-Identifier: Apache-2.0
#include "platform/scenario.h"

#include "platform/scenario_mistake.h"

namespace pefsim::platform {

void scenario::declare_all(parameter_set& parameters) {
    call_scenario("configure()", may_refuse_input::no, [&] { configure(machine_); });
    call_scenario("declare()", may_refuse_input::no, [&] { declare(parameters); });
    machine_.declare(parameters);
}

void scenario::settle() {
    machine_.check();
    call_scenario("prepare()", may_refuse_input::yes, [&] { prepare(machine_); });
}

void scenario::execute(session& in) {
    try {
        run(in);
    } catch (...) {
        if (in.busy()) {
            throw;
        }
        call_scenario("run()", may_refuse_input::yes, [] { throw; });
    }
}

void scenario::run(session& in) {
    in.run(
        machine_, [this](guest::kernel& kernel, cpu::native::native_cpu& cpu) { guest_main(kernel, cpu); },
        [this, &in](machine& after) { judge(after, in); }, {});
}

}  // namespace pefsim::platform
