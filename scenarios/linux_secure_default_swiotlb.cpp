// SPDX-License-Identifier: Apache-2.0
#include "linux/secure_linux.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
Linux asks for its bounce buffers too early, and gets none: each private page that the host was told of.

Linux makes itself secure as its documentation says, with svm=on alone. From 5.19 on the pool of SWIOTLB is asked for
before the kernel knows that it is secure, so there is none, and drivers map private pages: each that a device is told
of is a violation, with the driver.)";

class linux_without_pool : public linux_guest::secure_linux {
public:
    linux_without_pool() : secure_linux("linux_secure_default_swiotlb", what_it_shows) {}

    void configure(platform::power_machine_config& machine) override {
        secure_linux::configure(machine);
        boot_with("console=hvc0 svm=on");
        machine.time_limit = sc_core::sc_time(10, sc_core::SC_SEC);
    }
    void judge(platform::power_machine& after, platform::session& in) override {
        expect_private_addresses(after, in);
    }
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<linux_without_pool>(argc, argv); }
