// SPDX-License-Identifier: Apache-2.0
#include "power/debug/kernel_symbols.h"

#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "power/debug/symbol_list.h"

/// What scripts/kallsyms.c writes, each table at a multiple of 8:
///
///     until 6.3                               since 6.4
///     offsets          32 bits a symbol       num_syms
///     relative_base    64 bits                names
///     num_syms         32 bits                markers
///     names            length, tokens         token_table
///     markers          32 bits a 256 symbols  token_index
///     (seqs_of_names   24 bits a symbol)      offsets
///     token_table      256 texts              relative_base
///     token_index      256 times 16 bits      seqs_of_names
///
/// A name's tokens are bytes, each a text of the table; together they are the letter of the type and the name.
namespace pefsim::power::debug {
namespace {

constexpr std::size_t tokens = 256;
constexpr std::size_t symbols_per_marker = 256;
constexpr std::size_t rounded_up(std::size_t offset) { return (offset + 7) & ~std::size_t{7}; }

/// A segment's bytes, in the kernel's order.
class section {
public:
    section(std::span<const std::byte> bytes, bool little_endian)
        : bytes_(bytes),
          little_endian_(little_endian) {}

    [[nodiscard]] std::string_view text() const {
        return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    /// 0 beyond its end.
    template <class T>
    [[nodiscard]] T number(std::size_t at) const {
        T value{};
        if (at <= bytes_.size() && bytes_.size() - at >= sizeof value) {
            std::memcpy(&value, bytes_.data() + at, sizeof value);
        }
        return little_endian_ ? boost::endian::little_to_native(value) : boost::endian::big_to_native(value);
    }

private:
    std::span<const std::byte> bytes_;
    bool little_endian_;
};

struct token_tables {
    std::size_t table = 0;
    std::size_t index = 0;
};

/// Each digit occurs in names, and is a token of its own.
std::optional<token_tables> find_tokens(const section& in) {
    constexpr char digits[] = {'0', 0, '1', 0, '2', 0, '3', 0, '4', 0,
                               '5', 0, '6', 0, '7', 0, '8', 0, '9', 0};
    const std::string_view wanted(digits, sizeof digits);
    const std::string_view text = in.text();
    for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) {
        std::size_t end = at;
        for (std::size_t token = '0'; token < tokens; ++token) {
            end = text.find('\0', end);
            if (end == text.npos) {
                return std::nullopt;
            }
            ++end;
        }
        const std::size_t index = rounded_up(end);
        const std::size_t before = in.number<std::uint16_t>(index + 2 * std::size_t{'0'});
        if (before <= at && in.number<std::uint16_t>(index) == 0 && (at - before) % 8 == 0) {
            return token_tables{.table = at - before, .index = index};
        }
    }
    return std::nullopt;
}

/// Where a name's tokens begin, and how many they are.
struct packed_name {
    std::size_t at = 0;
    std::size_t tokens = 0;
};

/// The name whose length stands at `at`, which goes behind it.
packed_name next_name(const section& in, std::size_t& at) {
    std::size_t length = in.number<std::uint8_t>(at++);
    if ((length & 0x80) != 0) {  // since 6.1
        length = (length & 0x7f) | std::size_t{in.number<std::uint8_t>(at++)} << 7;
    }
    const packed_name found{.at = at, .tokens = length};
    at += length;
    return found;
}

/// `count` names from `begin` on, if the markers behind them say that it is them. \param end no table reaches farther
std::optional<std::vector<packed_name>> names_at(const section& in, std::size_t begin, std::size_t count,
                                                 std::size_t end) {
    std::vector<packed_name> names;
    std::vector<std::size_t> marks;
    std::size_t at = begin;
    while (names.size() < count) {
        if (names.size() % symbols_per_marker == 0) {
            marks.push_back(at - begin);
        }
        names.push_back(next_name(in, at));
        if (names.back().tokens == 0 || at > end) {
            return std::nullopt;
        }
    }
    at = rounded_up(at);
    for (const std::size_t mark : marks) {
        if (at >= end || in.number<std::uint32_t>(at) != mark) {
            return std::nullopt;
        }
        at += sizeof(std::uint32_t);
    }
    return names;
}

/// Whether the offsets of symbols, which ascend, can stand there.
bool are_offsets(const section& in, std::size_t at, std::size_t count) {
    if (at > in.size() || (in.size() - at) / sizeof(std::uint32_t) < count) {
        return false;
    }
    std::uint32_t last = 0;
    for (std::size_t n = 0; n < count; ++n) {
        const auto next = in.number<std::uint32_t>(at + n * sizeof(std::uint32_t));
        if (next < last) {
            return false;
        }
        last = next;
    }
    return last != 0;
}

std::string text_of(const section& in, const token_tables& by, const packed_name& of) {
    std::string text;
    for (std::size_t n = 0; n < of.tokens; ++n) {
        const auto token = in.number<std::uint8_t>(of.at + n);
        const std::size_t at = by.table + in.number<std::uint16_t>(by.index + 2 * std::size_t{token});
        if (at < in.size()) {
            text += in.text().substr(at, in.text().find('\0', at) - at);
        }
    }
    return text;
}

struct tables {
    token_tables tokens;
    std::vector<packed_name> names;
    std::size_t offsets = 0;
    std::size_t base = 0;
};

/// What `num_syms` at `at` leads to.
std::optional<tables> tables_around(const section& in, std::size_t at, const token_tables& by) {
    constexpr std::size_t fewest = 4 * symbols_per_marker;  // so that markers are no accident
    constexpr std::size_t most = std::size_t{1} << 22;
    const std::size_t count = in.number<std::uint32_t>(at);
    if (count < fewest || count > most || in.number<std::uint32_t>(at + sizeof(std::uint32_t)) != 0) {
        return std::nullopt;
    }
    auto names = names_at(in, at + 8, count, by.table);
    if (!names) {
        return std::nullopt;
    }
    const std::size_t size = rounded_up(count * sizeof(std::uint32_t));
    const std::size_t behind = rounded_up(by.index + tokens * sizeof(std::uint16_t));
    for (const std::size_t offsets : {at - 8 - size, behind}) {
        if (are_offsets(in, offsets, count)) {
            return tables{
                .tokens = by, .names = std::move(*names), .offsets = offsets, .base = offsets + size};
        }
    }
    return std::nullopt;
}

std::unique_ptr<symbol_lookup> symbols_of(const section& in, const tables& found, std::uint64_t lowest) {
    symbol_list symbols;
    // A kernel that can be relocated has it in a relocation entry; it is where the kernel begins.
    const auto stated = in.number<std::uint64_t>(found.base);
    const std::uint64_t base = stated == 0 ? lowest : stated;
    for (std::size_t n = 0; n < found.names.size(); ++n) {
        const std::string text = text_of(in, found.tokens, found.names[n]);
        if (text.size() > 1) {
            symbols.add(base + in.number<std::uint32_t>(found.offsets + n * sizeof(std::uint32_t)),
                        text.front(), std::string_view(text).substr(1));
        }
    }
    return symbols.empty() ? nullptr : symbols.table();
}

}  // namespace

std::unique_ptr<symbol_lookup> kernel_symbols(const elf_image& kernel) {
    for (const elf_image::segment& each : kernel.segments()) {
        const section in(each.content, kernel.little_endian());
        const std::optional<token_tables> by = find_tokens(in);
        for (std::size_t at = 0; by && at < by->table; at += 8) {
            if (const auto found = tables_around(in, at, *by)) {
                return symbols_of(in, *found, kernel.lowest());
            }
        }
    }
    return nullptr;
}

}  // namespace pefsim::power::debug
