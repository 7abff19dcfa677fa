// SPDX-License-Identifier: Apache-2.0
#include "power/debug/gdb_packet.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace pefsim::power::debug::gdb {
namespace {

constexpr char interrupt_byte = 3;
constexpr char escape_byte = '}';
constexpr unsigned char escape_mask = 0x20;

std::optional<std::uint8_t> digit(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<std::uint8_t>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<std::uint8_t>(c - 'a' + 10);
    }
    if (c >= 'A' && c <= 'F') {
        return static_cast<std::uint8_t>(c - 'A' + 10);
    }
    return std::nullopt;
}

std::optional<std::uint8_t> two_digits(char high, char low) {
    const std::optional<std::uint8_t> h = digit(high);
    const std::optional<std::uint8_t> l = digit(low);
    return h && l ? std::optional(static_cast<std::uint8_t>(*h * 16 + *l)) : std::nullopt;
}

char flipped(char c) { return static_cast<char>(static_cast<unsigned char>(c) ^ escape_mask); }

}  // namespace

void packet_parser::begin() {
    state_ = state::data;
    data_.clear();
    sum_ = 0;
    overlong_ = false;
}

arrival packet_parser::finish(char last_digit) {
    state_ = state::outside;
    if (overlong_) {
        return {.what = arrival::kind::too_long, .data = {}};
    }
    if (checks_ && two_digits(first_digit_, last_digit) != sum_) {
        return {.what = arrival::kind::bad, .data = {}};
    }
    return {.what = arrival::kind::packet, .data = std::move(data_)};
}

std::optional<arrival> packet_parser::put(char byte) {
    if (state_ == state::first_digit) {
        first_digit_ = byte;
        state_ = state::second_digit;
        return std::nullopt;
    }
    if (state_ == state::second_digit) {
        return finish(byte);
    }
    if (byte == '$') {  // never within a packet: the one before it was cut off
        begin();
        return std::nullopt;
    }
    if (state_ == state::outside) {
        switch (byte) {
        case interrupt_byte:
            return arrival{.what = arrival::kind::interrupt, .data = {}};
        case '+':
            return arrival{.what = arrival::kind::ack, .data = {}};
        case '-':
            return arrival{.what = arrival::kind::nack, .data = {}};
        default:
            return std::nullopt;
        }
    }
    if (byte == '#') {
        state_ = state::first_digit;
        return std::nullopt;
    }
    sum_ = static_cast<std::uint8_t>(sum_ + static_cast<unsigned char>(byte));
    if (state_ == state::data && byte == escape_byte) {
        state_ = state::escape;
        return std::nullopt;
    }
    const char meant = state_ == state::escape ? flipped(byte) : byte;
    state_ = state::data;
    if (data_.size() == longest_packet) {
        overlong_ = true;
    } else {
        data_.push_back(meant);
    }
    return std::nullopt;
}

std::string framed(std::string_view data) {
    std::string out = "$";
    for (const char c : data) {
        if (c == '$' || c == '#' || c == escape_byte || c == '*') {
            out += escape_byte;
            out += flipped(c);
        } else {
            out += c;
        }
    }
    std::uint8_t sum = 0;
    for (const char c : std::string_view(out).substr(1)) {
        sum = static_cast<std::uint8_t>(sum + static_cast<unsigned char>(c));
    }
    return out + fmt::format("#{:02x}", sum);
}

std::string to_hex(std::span<const std::byte> bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::byte each : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[std::to_integer<std::size_t>(each >> 4)];
        out += digits[std::to_integer<std::size_t>(each & std::byte{15})];
    }
    return out;
}

std::optional<std::string> from_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) {
        return std::nullopt;
    }
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const std::optional<std::uint8_t> byte = two_digits(digits[i], digits[i + 1]);
        if (!byte) {
            return std::nullopt;
        }
        out += static_cast<char>(*byte);
    }
    return out;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc()) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

}  // namespace pefsim::power::debug::gdb
