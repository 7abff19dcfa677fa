// SPDX-License-Identifier: Apache-2.0
#include "linux/secure_linux.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "exposure/ledger.h"
#include "memory/page_state.h"
#include "report/violations.h"

namespace pefsim::linux_guest {

namespace {

constexpr std::string_view secure_state_shown = "### SVM 1";

/// Functions on whose account Linux shares pages, and what these are (arch/powerpc/platforms/pseries/svm.c and its
/// callers).
struct sharer {
    std::string_view function;
    std::string_view what;
};
constexpr std::array sharers{
    sharer{"swiotlb_", "SWIOTLB"},
    sharer{"vring_", "virtqueues"},
    sharer{"allocate_paca", "pacas (VPA)"},
    sharer{"alloc_shared_lppaca", "pacas (VPA)"},
    sharer{"get_dtl_cache_ctor", "dispatch trace logs"},
    sharer{"xive_", "event queues"},
};

/// Empty: nobody knows why.
std::string_view purpose_of(const exposure::exposed_pages& pages, std::span<const std::string> functions) {
    if (pages.state != memory::to_name(memory::page_state::shared)) {
        return "the Ultravisor's own (RTAS)";
    }
    for (const sharer& each : sharers) {
        const auto called = [&](const std::string& name) { return name.starts_with(each.function); };
        if (std::ranges::any_of(functions, called)) {
            return each.what;
        }
    }
    return {};
}

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

void secure_linux::judge_shares(const platform::power_machine& after, platform::session& in) {
    const exposure::ledger& ledger = after.recorder().ledger();
    std::map<std::string_view, std::uint64_t> pages;
    std::string strangers;
    for (const exposure::exposed_pages& each : ledger.exposures()) {
        if (each.still_exposed == 0) {
            continue;
        }
        const std::vector<std::string> functions = ledger.functions(each.by.origin);
        const std::string_view purpose = purpose_of(each, functions);
        pages[purpose] += each.still_exposed;
        if (purpose.empty()) {
            strangers += fmt::format("; {} from {:#x} on by {}", each.still_exposed, each.first,
                                     fmt::join(functions, " < "));
        }
    }
    std::string list;
    for (const auto& [purpose, count] : pages) {
        if (!purpose.empty()) {
            list += fmt::format("{}{} {}", list.empty() ? "" : ", ", count, purpose);
        }
    }
    in.expect(strangers.empty(), fmt::format("the guest shares pages for what it has to: {}{}", list,
                                             strangers.empty() ? "" : "; besides" + strangers));
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
