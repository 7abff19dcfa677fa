// SPDX-License-Identifier: Apache-2.0
#include "linux/secure_linux.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
a secure Linux on devices of before 2018: each private page that the host was told of, by driver.

A secure Linux on devices that do not offer VIRTIO_F_ACCESS_PLATFORM: virtio does not use the DMA API and names guest
physical addresses, queues included, as before the series of 2018. The host can read none of them: each is a
violation, with the driver, and I/O fails.)";

class linux_on_old_devices : public linux_guest::secure_linux {
public:
    linux_on_old_devices() : secure_linux("linux_secure_without_access_platform", what_it_shows) {}

    void configure(platform::power_machine_config& machine) override {
        secure_linux::configure(machine);
        machine.access_platform = false;
        machine.time_limit = sc_core::sc_time(10, sc_core::SC_SEC);
    }
    void judge(platform::power_machine& after, platform::session& in) override {
        expect_private_addresses(after, in);
    }
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<linux_on_old_devices>(argc, argv); }
