// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <utility>
#include <vector>

#include "output/file_claims.h"

namespace pefsim::platform {

/// Says what kind of quantity a std::uint64_t or a list of them is.
enum class quantity : std::uint8_t { count, bytes };

/// One named parameter: the same name on the command line (`--name VALUE`, `--set name=VALUE`) and in a TOML file,
/// where `-` and `_` are the same.
struct parameter {
    std::string name;         ///< dotted: "swiotlb.size"
    std::string unit;         ///< "bytes", "time", "ns", "yes|no", "direct|swiotlb|iommu" ...
    std::string description;  ///< one line
    std::string fallback;     ///< the default, as it would be written
    std::function<void(std::string_view)> assign;  ///< \throws std::invalid_argument
    std::function<std::string()> value;            ///< the value now in force, as it would be written
    bool repeatable = false;  ///< each assignment adds to the value; a TOML array is as many assignments
    std::function<std::vector<std::string>()> items = {};  ///< of a repeatable one: what has been assigned
};

/// A name as names are compared: `_` is `-`.
std::string folded(std::string_view name);

/// The named parameters of a scenario and its machine, each bound to a variable that it sets.
///
/// The variables must outlive the set and hold their defaults when they are added.
class parameter_set {
public:
    void add(std::string name, bool& variable, std::string description);
    void add(std::string name, unsigned& variable, std::string unit, std::string description);
    void add(std::string name, std::uint64_t& variable, quantity kind, std::string unit,
             std::string description);
    void add(std::string name, double& variable, std::string unit, std::string description);
    void add(std::string name, std::string& variable, std::string description);
    /// A file that the run reads or writes.
    void add(std::string name, std::filesystem::path& variable, output::file_use use,
             std::string description);
    void add(std::string name, sc_core::sc_time& variable, std::string description);
    /// A list, written "512,4KiB,64KiB" or as a TOML array.
    void add(std::string name, std::vector<std::uint64_t>& variable, quantity kind, std::string description);
    /// May be given several times; each adds an item, as it is written.
    /// \param unit what an item looks like: "FILE@ADDRESS"
    void add(std::string name, std::vector<std::string>& variable, std::string unit, std::string description);
    /// A whole number, decimal or with 0x; empty: not given.
    void add(std::string name, std::optional<std::uint64_t>& variable, std::string unit,
             std::string description);
    /// Files that a parameter of another type names, or that are derived from one.
    /// \param files is asked when all parameters have their values
    void add_files(std::string name, output::file_use use,
                   std::function<std::vector<std::filesystem::path>()> files) {
        files_.push_back({std::move(name), use, std::move(files)});
    }
    /// One of several words.
    template <class Enum>
    void add(std::string name, Enum& variable, std::initializer_list<std::pair<std::string_view, Enum>> words,
             std::string description) {
        add(std::move(name), variable, std::vector(words), std::move(description));
    }
    template <class Enum>
    void add(std::string name, Enum& variable, const std::vector<std::pair<std::string_view, Enum>>& words,
             std::string description) {
        std::vector<std::pair<std::string, Enum>> table(words.begin(), words.end());
        std::vector<std::string> names;
        for (const auto& [word, value] : table) {
            names.push_back(word);
        }
        add_choice(
            std::move(name), names, std::move(description),
            [&variable, table](std::size_t index) { variable = table[index].second; },
            [&variable, table] {
                std::size_t index = 0;
                while (table[index].second != variable) {
                    ++index;
                }
                return index;
            });
    }

    /// \throws std::invalid_argument naming the parameter, the value and what is allowed, or, for an unknown name, the
    ///         names that come close
    void set(std::string_view name, std::string_view value);
    /// Takes a name and a value that are no parameter's; false: they are not its own, either.
    using other_settings = std::function<bool(std::string_view name, const std::string& value)>;
    /// Reads a TOML file of at most 1 MiB, or standard input for "-"; tables give the dotted prefix:
    /// `[swiotlb] size = "4MiB"` is swiotlb.size.
    /// \param others is asked first about each name
    /// \throws std::invalid_argument naming file, line and what is wrong
    void load(const std::filesystem::path& file, const other_settings& others = {});

    /// Null: there is none of this name.
    [[nodiscard]] const parameter* find(std::string_view name) const;
    [[nodiscard]] std::span<const parameter> all() const { return parameters_; }
    /// The parameters whose value is not their default.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> changed() const;
    /// Says which files the parameters name, as they are now.
    void claim_files(output::file_claims& claims) const;

private:
    void add_choice(std::string name, const std::vector<std::string>& words, std::string description,
                    std::function<void(std::size_t)> choose, std::function<std::size_t()> chosen);
    void add_row(parameter row);

    struct named_files {
        std::string name;
        output::file_use use;
        std::function<std::vector<std::filesystem::path>()> paths;
    };

    std::vector<parameter> parameters_;
    std::vector<named_files> files_;
};

/// The words of `known` that `word` is probably a misspelling of, best first; at most three.
std::vector<std::string> near_misses(std::string_view word, std::span<const std::string> known);

/// "unknown parameter 'swiotlb.sise'; did you mean 'swiotlb.size'?"
std::string unknown_name(std::string_view what, std::string_view word, std::span<const std::string> known);

}  // namespace pefsim::platform
