// SPDX-License-Identifier: Apache-2.0
#include "platform/native/native_scenario.h"

#include <memory>

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

void run_machine(session& in, const native_machine_config& config, const guest::kernel::workload& workload,
                 const std::function<void(native_machine&)>& afterwards, const session::presentation& how) {
    native_machine* subject = nullptr;
    in.run(
        [&] {
            auto elaborated = std::make_unique<native_machine>("machine", config, in.options().seed);
            elaborated->load(workload);
            subject = elaborated.get();
            return elaborated;
        },
        [&] { call_scenario("judge()", may_refuse_input::no, [&] { afterwards(*subject); }); }, how);
}

}  // namespace pefsim::platform
