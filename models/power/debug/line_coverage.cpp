// SPDX-License-Identifier: Apache-2.0
#include "power/debug/line_coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

namespace pefsim::power::debug {
namespace {

struct function {
    std::uint32_t line = 0;
    std::uint64_t executed = 0;
};

/// Of one file.
struct source {
    std::map<std::uint32_t, std::uint64_t> lines;
    std::map<std::string_view, function> functions;
};

/// How far behind a function's global entry point its local one may lie: two instructions that set R2 up (64-bit ELF V2
/// ABI, 2.3.2.1).
constexpr std::uint64_t local_entry = 8;

template <class Map, class Executed>
std::size_t hit(const Map& map, const Executed& executed) {
    return static_cast<std::size_t>(
        std::ranges::count_if(map, [&](const auto& each) { return executed(each.second) != 0; }));
}

std::string record(const std::string& file, const source& of) {
    std::string text = fmt::format("TN:\nSF:{}\n", file);
    for (const auto& [name, at] : of.functions) {
        text += fmt::format("FN:{},{}\n", at.line, name);
    }
    for (const auto& [name, at] : of.functions) {
        text += fmt::format("FNDA:{},{}\n", at.executed, name);
    }
    text += fmt::format("FNF:{}\nFNH:{}\n", of.functions.size(),
                        hit(of.functions, [](const function& each) { return each.executed; }));
    for (const auto& [line, executed] : of.lines) {
        text += fmt::format("DA:{},{}\n", line, executed);
    }
    return text + fmt::format("LF:{}\nLH:{}\nend_of_record\n", of.lines.size(),
                              hit(of.lines, [](std::uint64_t executed) { return executed; }));
}

}  // namespace

std::string lcov(const line_table& lines, std::span<const elf_image::symbol> symbols,
                 const std::function<std::uint64_t(std::uint64_t address)>& of) {
    std::map<std::string, source> sources;
    for (const line_table::row& each : lines.rows()) {
        std::uint64_t& executed = sources[lines.files()[each.file]].lines[each.line];
        if (each.statement) {
            std::uint64_t address = each.address;
            do {
                executed = std::max(executed, of(address));
                address += 4;
            } while (address < each.end);
        }
    }
    for (const elf_image::symbol& each : symbols) {
        const auto behind = std::ranges::upper_bound(lines.rows(), each.address, {},
                                                     &line_table::row::address);
        if (!each.function || behind == lines.rows().begin() || std::prev(behind)->end <= each.address) {
            continue;
        }
        const line_table::row& at = *std::prev(behind);
        const std::uint64_t executed = std::max(of(each.address), of(each.address + local_entry));
        sources[lines.files()[at.file]].functions.try_emplace(each.name, function{at.line, executed});
    }
    std::string text;
    for (const auto& [file, each] : sources) {
        text += record(file, each);
    }
    return text;
}

}  // namespace pefsim::power::debug
