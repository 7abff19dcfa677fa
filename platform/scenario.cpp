// SPDX-License-Identifier: Apache-2.0
#include "platform/scenario.h"

namespace pefsim::platform {

void scenario::declare_all(parameter_set& parameters) {
    configure(machine_);
    declare(parameters);
    machine_.declare(parameters);
}

void scenario::settle() {
    machine_.check();
    prepare(machine_);
}

void scenario::run(session& in) {
    in.run(
        machine_, [this](guest::kernel& kernel, cpu::native::native_cpu& cpu) { guest_main(kernel, cpu); },
        [this, &in](machine& after) { judge(after, in); }, {});
}

}  // namespace pefsim::platform
