// SPDX-License-Identifier: Apache-2.0
#include "backend/pcap_file.h"

#include <boost/endian/arithmetic.hpp>
#include <utility>

namespace pefsim::backend {

namespace {

using boost::endian::little_uint16_t;
using boost::endian::little_uint32_t;

constexpr std::uint32_t magic_nanoseconds = 0xa1b2'3c4d;
constexpr std::uint32_t linktype_ethernet = 1;
constexpr std::uint32_t snap_length = 262'144;
constexpr std::uint64_t ns_per_s = 1'000'000'000;

struct file_header {
    little_uint32_t magic{magic_nanoseconds};
    little_uint16_t version_major{2};
    little_uint16_t version_minor{4};
    little_uint32_t reserved1{0};
    little_uint32_t reserved2{0};
    little_uint32_t snap_len{snap_length};
    little_uint32_t linktype{linktype_ethernet};
};
static_assert(sizeof(file_header) == 24);

struct packet_header {
    little_uint32_t seconds;
    little_uint32_t nanoseconds;
    little_uint32_t captured_length;
    little_uint32_t original_length;
};
static_assert(sizeof(packet_header) == 16);

constexpr std::size_t block = 65'536;  // written at once

}  // namespace

pcap_file::pcap_file(std::filesystem::path file) : file_("pcap file", std::move(file)) {
    const file_header header;
    put(std::as_bytes(std::span(&header, 1)));
}

pcap_file::~pcap_file() {
    try {
        commit();
    } catch (const output::write_error&) {
        // Whoever wants to know calls commit().
    }
}

void pcap_file::put(std::span<const std::byte> bytes) {
    held_back_.insert(held_back_.end(), bytes.begin(), bytes.end());
    if (held_back_.size() >= block) {
        file_.write(held_back_);
        held_back_.clear();
    }
}

void pcap_file::record(std::span<const std::byte> frame, const sc_core::sc_time& when) {
    const auto ns = static_cast<std::uint64_t>(when / sc_core::sc_time(1, sc_core::SC_NS));
    packet_header header;
    header.seconds = static_cast<std::uint32_t>(ns / ns_per_s);
    header.nanoseconds = static_cast<std::uint32_t>(ns % ns_per_s);
    header.captured_length = static_cast<std::uint32_t>(frame.size());
    header.original_length = static_cast<std::uint32_t>(frame.size());
    put(std::as_bytes(std::span(&header, 1)));
    put(frame);
}

void pcap_file::commit() {
    if (std::exchange(open_, false)) {
        file_.write(held_back_);
        file_.commit();
    }
}

}  // namespace pefsim::backend
