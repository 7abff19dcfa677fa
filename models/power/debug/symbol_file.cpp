// SPDX-License-Identifier: Apache-2.0
#include "power/debug/symbol_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "power/debug/elf_symbols.h"
#include "power/debug/kernel_symbols.h"
#include "power/debug/symbol_list.h"
#include "power/elf_image.h"

namespace pefsim::power::debug {
namespace {

/// Symbols, and the file that they stand in.
class symbols_of_file final : public symbol_lookup {
public:
    explicit symbols_of_file(elf_image image) : image_(std::move(image)) {}
    [[nodiscard]] symbol_at at(std::uint64_t ea) const override { return names_.at(ea); }
    [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name) const override {
        return names_.find(name);
    }

private:
    elf_image image_;
    elf_symbols names_{image_};
};

bool is_elf(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    char magic[4] = {};
    return in.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "\x7f"
                                                                                    "ELF";
}

/// Takes a line of a list. False: it is none.
bool take(symbol_list& symbols, std::string_view line) {
    std::uint64_t address = 0;
    const char* const end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data(), end, address, 16);
    const std::string_view rest(stop, static_cast<std::size_t>(end - stop));
    if (error != std::errc() || rest.size() < 4 || rest[0] != ' ' || rest[2] != ' ') {
        return false;
    }
    std::string name(rest.substr(3));
    std::ranges::replace(name, '\t', ' ');  // "name\t[module]"
    symbols.add(address, rest[1], name);
    return true;
}

std::unique_ptr<symbol_lookup> read_list(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw std::invalid_argument(fmt::format("{}: cannot be read", file));
    }
    symbol_list symbols;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        const bool of_a_place = !line.empty() && line.front() != ' ';  // otherwise it is undefined
        if (of_a_place && !take(symbols, line)) {
            throw std::invalid_argument(
                fmt::format("{}: line {} is not ADDRESS TYPE NAME, nor is it an ELF file", file, number));
        }
    }
    if (symbols.empty()) {
        throw std::invalid_argument(fmt::format("{}: has no symbols", file));
    }
    if (symbols.without_addresses()) {
        throw std::invalid_argument(fmt::format("{}: all its addresses are 0", file));
    }
    return symbols.table();
}

}  // namespace

std::unique_ptr<symbol_lookup> read_symbols(const std::string& file) {
    if (!is_elf(file)) {
        return read_list(file);
    }
    elf_image image = elf_image::read(file);
    if (!image.symbols().empty()) {
        return std::make_unique<symbols_of_file>(std::move(image));
    }
    if (auto own = kernel_symbols(image)) {
        return own;
    }
    throw std::invalid_argument(fmt::format("{}: has no symbols", file));
}

}  // namespace pefsim::power::debug
