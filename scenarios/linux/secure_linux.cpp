// SPDX-License-Identifier: Apache-2.0
#include "linux/secure_linux.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "report/violations.h"

namespace pefsim::linux_guest {

namespace {

constexpr std::string_view secure_state_shown = "### SVM 1";

}  // namespace

void secure_linux::configure(platform::power_machine_config& machine) {
    linux_scenario::configure(machine);
    machine.access_platform = true;
    boot_with("console=hvc0 svm=on swiotlb=2048,force");
}

void secure_linux::judge_secure(platform::power_machine& after, platform::session& in) {
    in.expect(after.guest_secure(), "the guest has become secure");
    const bool known = after.host().console_output().find(secure_state_shown) != std::string::npos;
    in.expect(known, "the guest's /sys/devices/system/cpu/svm is 1");
}

void secure_linux::judge_privacy(const platform::power_machine& after, platform::session& in) {
    const std::uint64_t refused = after.counter("memory", "refused_accesses");
    in.expect(refused == 0, fmt::format("host and devices accessed private pages {} times", refused));
    const std::uint64_t named = after.counter("memory", "private_addresses");
    in.expect(named == 0,
              fmt::format("{} private pages were named to devices, in descriptors and queues", named));
}

void secure_linux::expect_private_addresses(platform::power_machine& after, platform::session& in) {
    std::map<std::string, std::set<std::uint64_t>> pages_by_device;
    for (const report::violation& each : after.recorder().violations().kept()) {
        if (each.kind == report::violation_kind::private_address) {
            pages_by_device[each.who].insert(each.address >> abi::page_shift);
        }
    }
    in.expect(!pages_by_device.empty(), "devices were told of private pages");
    for (const auto& [device, pages] : pages_by_device) {
        in.expect(true, fmt::format("the driver of {} named {} private pages to it", device, pages.size()));
    }
}

}  // namespace pefsim::linux_guest
