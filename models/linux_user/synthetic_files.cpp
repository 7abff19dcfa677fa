// SPDX-License-Identifier: Apache-2.0
#include "linux_user/synthetic_files.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <system_error>

#include "linux_user/calls.h"
#include "linux_user/process.h"

namespace pefsim::linux_user {
namespace {

std::string nothing(const process& /*of*/) { return {}; }

std::string program(const process& of) { return of.absolute_program_path(); }

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

std::string processors() {
    return "processor\t: 0\n"
           "cpu\t\t: POWER9 (architected), altivec supported\n"
           "clock\t\t: 3800.000000MHz\n"
           "revision\t: 2.2 (pvr 004e 1202)\n\n"
           "timebase\t: 512000000\n"
           "platform\t: pefsim\n";
}

/// What the program finds in its own directory. What is not here is missing: the host's file would show pefsim.
struct row {
    std::string_view name;
    proc_entry::kind kind;
    std::string (*text)(const process&) = nothing;
};
constexpr row own_entries[] = {
    {"cgroup", proc_entry::kind::host},
    {"cmdline", proc_entry::kind::synthetic, command_line},
    {"comm", proc_entry::kind::synthetic, name},
    {"cwd", proc_entry::kind::leads},
    {"environ", proc_entry::kind::synthetic, environment},
    {"exe", proc_entry::kind::link, program},
    {"fd", proc_entry::kind::host},
    {"maps", proc_entry::kind::synthetic, maps},
    {"mountinfo", proc_entry::kind::host},
    {"mounts", proc_entry::kind::host},
    {"net", proc_entry::kind::host},
    {"root", proc_entry::kind::leads},
};

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char each) { return each >= '0' && each <= '9'; });
}

const std::string& own_number() {
    static const std::string number = std::to_string(calls::process_id);
    return number;
}

proc_entry at_top(std::string_view name) {
    if (name == "self" || name == "thread-self") {
        return {proc_entry::kind::link, own_number()};
    }
    if (name == own_number()) {
        return {proc_entry::kind::itself, {}};
    }
    if (name == "cpuinfo") {
        return {proc_entry::kind::synthetic, processors()};
    }
    // kcore is the host's memory, and so pefsim's.
    return {is_number(name) || name == "kcore" ? proc_entry::kind::missing : proc_entry::kind::host, {}};
}

proc_entry descriptor_entry(const process& of, std::string_view name) {
    int number = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool own = error == std::errc() && end == name.data() + name.size() &&
                     !of.descriptors.is_reserved(number);
    return {own ? proc_entry::kind::leads : proc_entry::kind::missing, {}};
}

}  // namespace

proc_entry proc_entry_at(const process& of, std::span<const std::string> below, std::string_view name) {
    if (below.empty()) {
        return at_top(name);
    }
    if (below[0] != own_number()) {
        return {is_number(below[0]) ? proc_entry::kind::missing : proc_entry::kind::host, {}};
    }
    if (below.size() == 1) {
        const auto* const found = std::ranges::find(own_entries, name, &row::name);
        return found == std::end(own_entries) ? proc_entry() : proc_entry{found->kind, found->text(of)};
    }
    if (below[1] == "fd" && below.size() == 2) {
        return descriptor_entry(of, name);
    }
    return {below[1] == "net" ? proc_entry::kind::host : proc_entry::kind::missing, {}};
}

std::optional<std::string> synthetic_file(const std::string& path) {
    const bool processors = path == "/sys/devices/system/cpu/online" ||
                            path == "/sys/devices/system/cpu/possible" ||
                            path == "/sys/devices/system/cpu/present";
    return processors ? std::optional<std::string>("0\n") : std::nullopt;
}

}  // namespace pefsim::linux_user
