// SPDX-License-Identifier: Apache-2.0
#include "platform/parameter_values.h"

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>

#include "platform/quantity.h"

namespace pefsim::platform {

namespace {

std::optional<double> plain_number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<report::report_header::quantity> value_of(const parameter& of) {
    const std::string text = of.value();
    if (of.repeatable || text.empty()) {
        return std::nullopt;
    }
    if (of.unit == "yes|no") {
        return report::report_header::quantity{of.name, text == "yes" ? 1.0 : 0.0, of.unit};
    }
    try {
        if (of.unit == "bytes") {
            return report::report_header::quantity{of.name, static_cast<double>(parse_size(text)), "bytes"};
        }
        if (of.unit == "time") {
            return report::report_header::quantity{of.name, parse_duration(text).to_seconds() * 1e9, "ns"};
        }
    } catch (const std::invalid_argument&) {
        return std::nullopt;  // a list of sizes
    }
    if (of.unit == "text" || of.unit == "file" || of.unit.find('|') != std::string::npos) {
        return std::nullopt;
    }
    const std::optional<double> number = plain_number(text);
    return number ? std::optional(report::report_header::quantity{of.name, *number, of.unit}) : std::nullopt;
}

}  // namespace

std::vector<report::report_header::quantity> parameter_values(const parameter_set& parameters) {
    std::vector<report::report_header::quantity> values;
    for (const parameter& row : parameters.all()) {
        if (auto value = value_of(row)) {
            values.push_back(std::move(*value));
        }
    }
    return values;
}

}  // namespace pefsim::platform
