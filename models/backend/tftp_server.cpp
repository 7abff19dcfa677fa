// SPDX-License-Identifier: Apache-2.0
#include "backend/tftp_server.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cctype>
#include <charconv>
#include <fmt/format.h>

#include "abi/network_peer.h"

namespace pefsim::backend {
namespace {

enum class opcode : std::uint16_t { read = 1, write = 2, data = 3, acknowledge = 4, error = 5, options = 6 };
enum class fault : std::uint16_t { not_found = 1, access = 2, illegal = 4 };

constexpr std::size_t header_size = 4;
constexpr std::size_t usual_block = 512;
constexpr std::size_t least_block = 8;
constexpr std::uint64_t largest_block = 65464;

void append(std::vector<std::byte>& to, std::uint16_t value) {
    to.push_back(static_cast<std::byte>(value >> 8));
    to.push_back(static_cast<std::byte>(value));
}

void append(std::vector<std::byte>& to, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    to.insert(to.end(), bytes.begin(), bytes.end());
    to.push_back(std::byte{0});
}

std::vector<std::byte> error_packet(fault what, std::string_view text) {
    std::vector<std::byte> packet;
    append(packet, static_cast<std::uint16_t>(opcode::error));
    append(packet, static_cast<std::uint16_t>(what));
    append(packet, text);
    return packet;
}

std::optional<std::uint16_t> halfword_at(std::span<const std::byte> packet, std::size_t offset) {
    if (packet.size() < offset + 2) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(static_cast<unsigned>(packet[offset]) << 8 |
                                      static_cast<unsigned>(packet[offset + 1]));
}

/// The texts of a request, each with a NUL behind it; nullopt when the last has none.
std::optional<std::vector<std::string>> texts_of(std::span<const std::byte> packet) {
    std::vector<std::string> texts;
    while (!packet.empty()) {
        const auto end = std::ranges::find(packet, std::byte{0});
        if (end == packet.end()) {
            return std::nullopt;
        }
        std::string& text = texts.emplace_back();
        std::transform(packet.begin(), end, std::back_inserter(text),
                       [](std::byte each) { return static_cast<char>(each); });
        packet = packet.subspan(text.size() + 1);
    }
    return texts;
}

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> tftp_server::size_of(std::string_view name) {
    constexpr std::string_view prefix = "pattern-";
    name.remove_prefix(name.starts_with('/') ? 1 : 0);
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    const auto size = number_of(name.substr(prefix.size()));
    return size && *size <= largest_file ? size : std::nullopt;
}

std::optional<std::vector<std::byte>> tftp_server::request(std::uint16_t client,
                                                           std::span<const std::byte> packet) {
    const auto what = halfword_at(packet, 0);
    const auto texts = what ? texts_of(packet.subspan(2)) : std::nullopt;
    if (!texts || texts->size() < 2 || texts->size() % 2 != 0) {
        return error_packet(fault::illegal, "a request is a name, a mode, and options with a value each");
    }
    if (*what != static_cast<std::uint16_t>(opcode::read) || lower_case((*texts)[1]) != "octet") {
        return error_packet(fault::illegal, "files are read, in octets");
    }
    const auto size = size_of((*texts)[0]);
    if (!size) {
        return error_packet(fault::not_found, "the files here are pattern-SIZE");
    }
    transfer begun{
        .size = *size, .block_size = std::min(usual_block, largest_payload_ - header_size), .block = 1};
    std::vector<std::byte> answer;
    append(answer, static_cast<std::uint16_t>(opcode::options));
    for (std::size_t n = 2; n < texts->size(); n += 2) {
        const std::string option = lower_case((*texts)[n]);
        const auto value = number_of((*texts)[n + 1]);
        if (option == "blksize" && value && *value >= least_block && *value <= largest_block) {
            begun.block_size = std::min<std::size_t>(*value, largest_payload_ - header_size);
            append(answer, option);
            append(answer, fmt::format("{}", begun.block_size));
        } else if (option == "tsize" && value) {
            append(answer, option);
            append(answer, fmt::format("{}", begun.size));
        }
    }
    const bool with_options = answer.size() > 2;
    begun.block = with_options ? 0 : 1;
    transfers_.insert_or_assign(client, begun);
    return with_options ? answer : data(begun);
}

std::vector<std::byte> tftp_server::data(const transfer& of) const {
    std::vector<std::byte> packet;
    append(packet, static_cast<std::uint16_t>(opcode::data));
    append(packet, static_cast<std::uint16_t>(of.block));  // a long file's numbers begin again
    const std::uint64_t end = std::min(of.size, of.offset() + of.block_size);
    for (std::uint64_t at = of.offset(); at < end; ++at) {
        packet.push_back(abi::network_peer::pattern_byte(seed_, 0, at));
    }
    return packet;
}

std::optional<std::vector<std::byte>> tftp_server::next(std::uint16_t client,
                                                        std::span<const std::byte> packet) {
    const auto found = transfers_.find(client);
    const auto what = halfword_at(packet, 0);
    const auto number = halfword_at(packet, 2);
    if (found == transfers_.end()) {
        return std::nullopt;
    }
    transfer& current = found->second;
    if (what == static_cast<std::uint16_t>(opcode::error)) {
        transfers_.erase(found);
        return std::nullopt;
    }
    if (what != static_cast<std::uint16_t>(opcode::acknowledge) || !number) {
        return error_packet(fault::illegal, "only acknowledgements belong to this transfer");
    }
    const auto sent = static_cast<std::uint16_t>(current.block);
    if (*number == static_cast<std::uint16_t>(sent - 1) && current.block > 1) {
        return data(current);  // it did not arrive
    }
    if (*number != sent) {
        return std::nullopt;
    }
    if (current.last()) {
        ++files_sent_;
        transfers_.erase(found);
        return std::nullopt;
    }
    ++current.block;
    return data(current);
}

}  // namespace pefsim::backend
