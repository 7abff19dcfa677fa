// SPDX-License-Identifier: Apache-2.0
#include "platform/parameter_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <stdexcept>

#include "platform/input_file.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

template <class Number>
Number parse_number(std::string_view text, std::string_view what) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument(fmt::format("'{}' is not {}", text, what));
    }
    return number;
}

bool parse_bool(std::string_view text) {
    if (text == "yes" || text == "true" || text == "on" || text == "1") {
        return true;
    }
    if (text == "no" || text == "false" || text == "off" || text == "0") {
        return false;
    }
    throw std::invalid_argument(fmt::format("'{}' is neither yes nor no", text));
}

std::uint64_t parse_quantity(quantity kind, std::string_view text) {
    return kind == quantity::bytes ? parse_size(text) : parse_number<std::uint64_t>(text, "a whole number");
}

std::string format_quantity(quantity kind, std::uint64_t value) {
    return kind == quantity::bytes ? format_size(value) : fmt::to_string(value);
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> items;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        items.push_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return items;
}

/// Edits (insert, delete, replace, swap of neighbours) that turn `from` into `to`.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::vector<std::size_t>> cost(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
    for (std::size_t i = 0; i <= from.size(); ++i) {
        for (std::size_t j = 0; j <= to.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                   cost[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[from.size()][to.size()];
}

std::string toml_text(const toml::node& node) {
    if (const auto* text = node.as_string()) {
        return text->get();
    }
    if (const auto* list = node.as_array()) {
        std::vector<std::string> items;
        for (const toml::node& item : *list) {
            items.push_back(toml_text(item));
        }
        return fmt::to_string(fmt::join(items, ","));
    }
    if (const auto* flag = node.as_boolean()) {
        return flag->get() ? "yes" : "no";
    }
    if (const auto* whole = node.as_integer()) {
        return fmt::to_string(whole->get());
    }
    if (const auto* real = node.as_floating_point()) {
        return fmt::to_string(real->get());
    }
    throw std::invalid_argument("a date is not a value of any parameter");
}

/// Assigns what stands in a file, table by table.
class table_reader {
public:
    table_reader(parameter_set& parameters, const parameter_set::other_settings& others, std::string file)
        : parameters_(parameters),
          others_(others),
          file_(std::move(file)) {}

    void assign(const toml::table& table, const std::string& prefix) {
        for (const auto& [key, node] : table) {
            const std::string name = prefix + std::string(key.str());
            if (const auto* inner = node.as_table()) {
                assign(*inner, name + ".");
                continue;
            }
            const parameter* const row = parameters_.find(name);
            if (const auto* list = node.as_array(); list != nullptr && row != nullptr && row->repeatable) {
                for (const toml::node& item : *list) {
                    assign_value(name, item);
                }
            } else {
                assign_value(name, node);
            }
        }
    }

private:
    void assign_value(const std::string& name, const toml::node& value) {
        try {
            const std::string text = toml_text(value);
            if (!others_ || !others_(name, text)) {
                parameters_.set(name, text);
            }
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(
                fmt::format("{}:{}: {}", file_, value.source().begin.line, error.what()));
        }
    }

    parameter_set& parameters_;
    const parameter_set::other_settings& others_;
    std::string file_;
};

/// The parser takes keys of any number of parts, and nests as many tables; taking those apart again needs the stack.
void refuse_deep_keys(std::string_view text, const std::string& file) {
    constexpr unsigned most = 32;  // no parameter has more than four
    unsigned parts = 1;
    unsigned line = 1;
    for (const char c : text) {
        if (c == '\n') {
            ++line;
        }
        if (c == '.' && ++parts > most) {
            throw std::invalid_argument(
                fmt::format("{}:{}: more than {} dots in a row of words", file, line, most));
        }
        if (std::string_view("=,\n/").find(c) != std::string_view::npos) {
            parts = 1;
        }
    }
}

}  // namespace

void parameter_set::add(std::string name, bool& variable, std::string description) {
    add_row({std::move(name),
             "yes|no",
             std::move(description),
             {},
             [&variable](std::string_view text) { variable = parse_bool(text); },
             [&variable] { return std::string(variable ? "yes" : "no"); }});
}

void parameter_set::add(std::string name, unsigned& variable, std::string unit, std::string description) {
    add_row(
        {std::move(name),
         std::move(unit),
         std::move(description),
         {},
         [&variable](std::string_view text) { variable = parse_number<unsigned>(text, "a whole number"); },
         [&variable] { return fmt::to_string(variable); }});
}

void parameter_set::add(std::string name, std::uint64_t& variable, quantity kind, std::string unit,
                        std::string description) {
    add_row({std::move(name),
             std::move(unit),
             std::move(description),
             {},
             [&variable, kind](std::string_view text) { variable = parse_quantity(kind, text); },
             [&variable, kind] { return format_quantity(kind, variable); }});
}

void parameter_set::add(std::string name, double& variable, std::string unit, std::string description) {
    add_row({std::move(name),
             std::move(unit),
             std::move(description),
             {},
             [&variable](std::string_view text) {
                 const auto number = parse_number<double>(text, "a number");
                 if (!(number >= 0 && number < 1e18)) {
                     throw std::invalid_argument(fmt::format("'{}' is not a number from 0 on", text));
                 }
                 variable = number;
             },
             [&variable] { return fmt::to_string(variable); }});
}

void parameter_set::add(std::string name, std::string& variable, std::string description) {
    add_row({std::move(name),
             "text",
             std::move(description),
             {},
             [&variable](std::string_view text) { variable = text; },
             [&variable] { return variable; }});
}

void parameter_set::add(std::string name, std::filesystem::path& variable, output::file_use use,
                        std::string description) {
    add_files(name, use, [&variable] { return std::vector{variable}; });
    add_row({std::move(name),
             use == output::file_use::input ? "file" : "output file",
             std::move(description),
             {},
             [&variable](std::string_view text) { variable = file_name(text); },
             [&variable] { return variable.string(); }});
}

void parameter_set::add(std::string name, sc_core::sc_time& variable, std::string description) {
    add_row({std::move(name),
             "time",
             std::move(description),
             {},
             [&variable](std::string_view text) { variable = parse_duration(text); },
             [&variable] { return format_duration(variable); }});
}

void parameter_set::add(std::string name, std::vector<std::uint64_t>& variable, quantity kind,
                        std::string description) {
    add_row({std::move(name),
             kind == quantity::bytes ? "list of sizes" : "list of numbers",
             std::move(description),
             {},
             [&variable, kind](std::string_view text) {
                 std::vector<std::uint64_t> values;
                 for (const std::string_view item : split_list(text)) {
                     values.push_back(parse_quantity(kind, item));
                 }
                 if (values.empty()) {
                     throw std::invalid_argument("the list is empty");
                 }
                 variable = std::move(values);
             },
             [&variable, kind] {
                 std::vector<std::string> items;
                 for (const std::uint64_t value : variable) {
                     items.push_back(format_quantity(kind, value));
                 }
                 return fmt::to_string(fmt::join(items, ","));
             }});
}

void parameter_set::add(std::string name, std::vector<std::string>& variable, std::string unit,
                        std::string description) {
    add_row({.name = std::move(name),
             .unit = std::move(unit),
             .description = std::move(description),
             .fallback = {},
             .assign = [&variable](std::string_view text) { variable.emplace_back(text); },
             .value = [&variable] { return fmt::to_string(fmt::join(variable, ",")); },
             .repeatable = true,
             .items = [&variable] { return variable; }});
}

void parameter_set::add(std::string name, std::optional<std::uint64_t>& variable, std::string unit,
                        std::string description) {
    add_row({.name = std::move(name),
             .unit = std::move(unit),
             .description = std::move(description),
             .fallback = {},
             .assign = [&variable](std::string_view text) { variable = parse_integer(text); },
             .value = [&variable] { return variable ? fmt::format("{:#x}", *variable) : std::string(); }});
}

std::string folded(std::string_view name) {
    std::string result(name);
    std::ranges::replace(result, '_', '-');
    return result;
}

const parameter* parameter_set::find(std::string_view name) const {
    const std::string wanted = folded(name);
    const auto row = std::ranges::find(parameters_, wanted,
                                       [](const parameter& each) { return folded(each.name); });
    return row == parameters_.end() ? nullptr : &*row;
}

void parameter_set::add_choice(std::string name, const std::vector<std::string>& words,
                               std::string description, std::function<void(std::size_t)> choose,
                               std::function<std::size_t()> chosen) {
    add_row({std::move(name),
             fmt::to_string(fmt::join(words, "|")),
             std::move(description),
             {},
             [words, choose = std::move(choose)](std::string_view text) {
                 const auto word = std::ranges::find(words, text);
                 if (word == words.end()) {
                     throw std::invalid_argument(
                         fmt::format("'{}' is not one of {}", text, fmt::join(words, ", ")));
                 }
                 choose(static_cast<std::size_t>(word - words.begin()));
             },
             [words, chosen = std::move(chosen)] { return words[chosen()]; }});
}

void parameter_set::add_row(parameter row) {
    row.fallback = row.value();
    parameters_.push_back(std::move(row));
}

void parameter_set::set(std::string_view name, std::string_view value) {
    const parameter* const row = find(name);
    if (row == nullptr) {
        std::vector<std::string> known;
        std::ranges::transform(parameters_, std::back_inserter(known), &parameter::name);
        throw std::invalid_argument(unknown_name("parameter", name, known));
    }
    try {
        row->assign(value);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(fmt::format("{}: {}", row->name, error.what()));
    }
}

void parameter_set::load(const std::filesystem::path& file, const other_settings& others) {
    constexpr std::uint64_t largest = std::uint64_t{1} << 20;
    const std::string name = file == "-" ? "standard input" : file.string();
    const std::string text = [&] {
        try {
            return file == "-" ? content_of_standard_input(largest) : content_of(file, largest);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(fmt::format("configuration file {}", error.what()));
        }
    }();
    refuse_deep_keys(text, name);
    toml::table table;
    try {
        table = toml::parse(text, name);
    } catch (const toml::parse_error& error) {
        throw std::invalid_argument(
            fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
    }
    table_reader(*this, others, name).assign(table, "");
}

std::vector<std::pair<std::string, std::string>> parameter_set::changed() const {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const parameter& row : parameters_) {
        if (const std::string value = row.value(); value != row.fallback) {
            rows.emplace_back(row.name, value);
        }
    }
    return rows;
}

void parameter_set::claim_files(output::file_claims& claims) const {
    for (const named_files& each : files_) {
        for (std::filesystem::path& file : each.paths()) {
            claims.add(each.name, each.use, std::move(file));
        }
    }
}

std::vector<std::string> near_misses(std::string_view word, std::span<const std::string> known) {
    std::vector<std::pair<std::size_t, std::string>> ranked;
    const std::string wanted = folded(word);
    for (const std::string& name : known) {
        const std::size_t close = std::max<std::size_t>(2, word.size() / 4);
        const std::string spelled = folded(name);
        const bool part = word.size() >= 3 && spelled.find(wanted) != std::string::npos;
        // Each edit changes the length by one at most: nothing is worked out for a word of a megabyte.
        const std::size_t lengths = std::max(word.size(), name.size()) - std::min(word.size(), name.size());
        if (!part && lengths > close) {
            continue;
        }
        const std::size_t distance = edit_distance(wanted, spelled);
        if (distance <= close || part) {
            ranked.emplace_back(distance, name);
        }
    }
    std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::string>::first);
    std::vector<std::string> best;
    for (const auto& [distance, name] : ranked) {
        if (best.size() < 3) {
            best.push_back(name);
        }
    }
    return best;
}

std::string unknown_name(std::string_view what, std::string_view word, std::span<const std::string> known) {
    constexpr std::size_t shown = 80;
    const std::string name = fmt::format("{}{}", word.substr(0, shown), word.size() > shown ? "..." : "");
    const std::vector<std::string> close = near_misses(word, known);
    if (close.empty()) {
        return fmt::format("unknown {} '{}'; --help lists them all", what, name);
    }
    return fmt::format("unknown {} '{}'; did you mean '{}'?", what, name, fmt::join(close, "' or '"));
}

}  // namespace pefsim::platform
