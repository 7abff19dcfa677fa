// SPDX-License-Identifier: Apache-2.0
#include "platform/config_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "output/version.h"

namespace pefsim::platform {
namespace {

/// A TOML string with this content, read back to be sure.
std::string quoted(std::string_view name, const std::string& text) {
    std::ostringstream out;
    out << toml::toml_formatter(toml::value<std::string>(text), toml::format_flags::allow_unicode_strings);
    std::optional<std::string> again;
    try {
        again = toml::parse("text = " + out.str())["text"].value<std::string>();
    } catch (const toml::parse_error&) {
        again.reset();
    }
    if (again != text) {
        throw std::invalid_argument(
            fmt::format("{}: its value cannot stand in a TOML file: it is not UTF-8", name));
    }
    return out.str();
}

/// A number stands for itself where it is as long as its text.
bool is_number(std::string_view text) {
    constexpr std::size_t digits_of_any_integer = 18;
    return !text.empty() && text.size() <= digits_of_any_integer &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
           (text.front() != '0' || text.size() == 1);
}

std::string literal(const parameter& of) {
    if (of.repeatable) {
        std::vector<std::string> items;
        for (const std::string& each : of.items()) {
            items.push_back(quoted(of.name, each));
        }
        return fmt::format("[{}]", fmt::join(items, ", "));
    }
    const std::string value = of.value();
    if (of.unit == "yes|no") {
        return value == "yes" ? "true" : "false";
    }
    return of.unit != "text" && is_number(value) ? value : quoted(of.name, value);
}

/// A row for people, too: what a value is measured in, and what it would be otherwise.
std::string line(std::string_view key, const parameter& of) {
    std::string text = fmt::format("{} = {}", key, literal(of));
    const bool is_choice = of.unit.find('|') != std::string::npos || of.unit == "text" || of.unit == "time";
    if (!is_choice) {
        text += fmt::format("  # {}", of.unit);
    }
    if (of.value() != of.fallback) {
        text += fmt::format("{}[{}]", is_choice ? "  # " : " ", of.fallback);
    }
    return text + '\n';
}

}  // namespace

std::string config_text(std::string_view scenario, const run_options& options,
                        const parameter_set& parameters) {
    std::string result = fmt::format(
        "# {} of pefsim {}: --config FILE gives this run. In brackets: defaults that are not "
        "in force.\n\n",
        scenario, output::version());
    for (const option_row& row : option_rows()) {
        const std::optional<std::string> value = row.written == nullptr ? std::nullopt : row.written(options);
        if (value) {
            const std::string text = is_number(*value) ? *value : quoted(row.name, *value);
            result += fmt::format("{} = {}\n", row.name, row.value.empty() ? "true" : text);
        }
    }
    std::map<std::string, std::string> tables;
    for (const parameter& each : parameters.all()) {
        if (each.value().empty() && each.fallback.empty()) {
            continue;  // some take no empty value
        }
        const std::size_t dot = each.name.find('.');
        if (dot == std::string::npos) {
            result += line(each.name, each);
        } else if (const std::string table = each.name.substr(0, dot); parameters.find(table) != nullptr) {
            result += line(fmt::format("\"{}\"", each.name), each);  // a parameter is no table
        } else {
            tables[table] += line(each.name.substr(dot + 1), each);
        }
    }
    for (const auto& [name, rows] : tables) {
        result += fmt::format("\n[{}]\n{}", name, rows);
    }
    return result;
}

}  // namespace pefsim::platform
