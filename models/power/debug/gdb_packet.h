// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Packets of the GDB Remote Serial Protocol ("Debugging with GDB", appendix E): "$data#checksum".
namespace pefsim::power::debug::gdb {

/// The longest packet that is understood, in bytes of data.
inline constexpr std::size_t longest_packet = 0x4000;

/// What arrived.
struct arrival {
    enum class kind : std::uint8_t {
        packet,     ///< with the right checksum; `data` has escapes resolved
        bad,        ///< a packet with a wrong checksum
        too_long,   ///< a packet longer than longest_packet, which is dropped
        interrupt,  ///< ^C
        ack,
        nack,
    };
    kind what = kind::packet;
    std::string data;
};

/// Finds packets in a stream of bytes. Whatever does not belong to one is passed over.
class packet_parser {
public:
    /// The next byte. \returns what it completes, if anything
    std::optional<arrival> put(char byte);
    /// Without acknowledgements checksums are not looked at.
    void no_checksums() { checks_ = false; }

private:
    enum class state : std::uint8_t { outside, data, escape, first_digit, second_digit };
    void begin();
    arrival finish(char last_digit);

    state state_ = state::outside;
    bool checks_ = true;
    bool overlong_ = false;
    std::uint8_t sum_ = 0;
    char first_digit_ = 0;
    std::string data_;
};

/// A packet around `data`, with escapes.
std::string framed(std::string_view data);

/// Two digits a byte.
std::string to_hex(std::span<const std::byte> bytes);
/// Null: it is not pairs of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view digits);

/// Takes a number in hexadecimal off the front of `text`; null: there is none, or it has more than 64 bits.
std::optional<std::uint64_t> take_number(std::string_view& text);
/// Takes `prefix` off the front. False: it is not there.
bool take(std::string_view& text, std::string_view prefix);

}  // namespace pefsim::power::debug::gdb
