// SPDX-License-Identifier: Apache-2.0
#include "user_program/synthetic_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "user_program/calls.h"
#include "user_program/process.h"

namespace pefsim::user_program {
namespace {

std::string maps(const process& of) { return of.memory.describe(); }

std::string command_line(const process& of) {
    std::string text;
    for (const std::string& each : of.settings().arguments) {
        text += each + '\0';
    }
    return text;
}

std::string environment(const process& of) {
    std::string text;
    for (const std::string& each : of.settings().environment) {
        text += each + '\0';
    }
    return text;
}

std::string name(const process& of) { return of.thread_name + '\n'; }

std::string processors(const process& /*of*/) {
    return "processor\t: 0\n"
           "cpu\t\t: POWER9 (architected), altivec supported\n"
           "clock\t\t: 3800.000000MHz\n"
           "revision\t: 2.2 (pvr 004e 1202)\n\n"
           "timebase\t: 512000000\n"
           "platform\t: pefsim\n";
}

struct row {
    std::string_view path;  ///< below /proc/self
    std::string (*content)(const process&);
};
constexpr row rows[] = {
    {"maps", maps},
    {"cmdline", command_line},
    {"environ", environment},
    {"comm", name},
};

/// The part of `path` behind /proc/self or its other names.
std::string_view below_self(std::string_view path) {
    static const std::string own = fmt::format("/proc/{}/", calls::process_id);
    for (const std::string_view prefix :
         {std::string_view("/proc/self/"), std::string_view("/proc/thread-self/"), std::string_view(own)}) {
        if (path.starts_with(prefix)) {
            return path.substr(prefix.size());
        }
    }
    return {};
}

}  // namespace

std::optional<std::string> synthetic_file(const process& of, const std::string& path) {
    if (path == "/proc/cpuinfo") {
        return processors(of);
    }
    if (path == "/sys/devices/system/cpu/online" || path == "/sys/devices/system/cpu/possible" ||
        path == "/sys/devices/system/cpu/present") {
        return "0\n";
    }
    const auto* const found = std::ranges::find(rows, below_self(path), &row::path);
    return found == std::end(rows) ? std::nullopt : std::optional(found->content(of));
}

std::optional<std::string> synthetic_link(const process& of, const std::string& path) {
    return below_self(path) == "exe" ? std::optional(of.absolute_program_path()) : std::nullopt;
}

}  // namespace pefsim::user_program
