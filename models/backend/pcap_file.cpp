// SPDX-License-Identifier: Apache-2.0
#include "backend/pcap_file.h"

#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <utility>

namespace pefsim::backend {

namespace {

using boost::endian::little_uint16_t;
using boost::endian::little_uint32_t;

constexpr std::size_t written_at_once = 65'536;
constexpr std::size_t alignment = 4;  // of blocks, options and frames
constexpr std::size_t longest_option = 65'535;

enum class block_type : std::uint32_t {
    section_header = 0x0a0d'0d0a,
    interface_description = 1,
    enhanced_packet = 6,
};

enum class option_code : std::uint16_t {
    end_of_options = 0,
    comment = 1,
    epb_flags = 2,
    if_name = 2,
    shb_userappl = 4,
    if_tsresol = 9,
};

struct section_header {
    little_uint32_t byte_order_magic{0x1a2b'3c4d};
    little_uint16_t major_version{1};
    little_uint16_t minor_version{0};
    little_uint32_t section_length_low{0xffff'ffff};  // unknown
    little_uint32_t section_length_high{0xffff'ffff};
};
static_assert(sizeof(section_header) == 16);

struct interface_description {
    little_uint16_t linktype{1};  // Ethernet
    little_uint16_t reserved{0};
    little_uint32_t snap_length{0};  // no limit
};
static_assert(sizeof(interface_description) == 8);

struct enhanced_packet {
    little_uint32_t interface { 0 };
    little_uint32_t timestamp_high;
    little_uint32_t timestamp_low;
    little_uint32_t captured_length;
    little_uint32_t original_length;
};
static_assert(sizeof(enhanced_packet) == 20);

/// A block in the making, at the end of `to`: it has its length when it is done.
class block {
public:
    block(std::vector<std::byte>& to, block_type type) : to_(to), begin_(to.size()) {
        put(little_uint32_t(static_cast<std::uint32_t>(type)));
        put(little_uint32_t(0));
    }
    ~block() {
        const auto length = static_cast<std::uint32_t>(to_.size() - begin_ + sizeof(little_uint32_t));
        put(little_uint32_t(length));
        const little_uint32_t known(length);
        std::ranges::copy(std::as_bytes(std::span(&known, 1)),
                          to_.begin() + static_cast<std::ptrdiff_t>(begin_ + sizeof(little_uint32_t)));
    }
    block(const block&) = delete;
    block& operator=(const block&) = delete;

    template <class T>
    void put(const T& value) {
        put_bytes(std::as_bytes(std::span(&value, 1)));
    }
    void put_bytes(std::span<const std::byte> bytes) {
        to_.insert(to_.end(), bytes.begin(), bytes.end());
        to_.resize((to_.size() + alignment - 1) / alignment * alignment);
    }
    void put_option(option_code code, std::span<const std::byte> value) {
        const std::array header{little_uint16_t(static_cast<std::uint16_t>(code)),
                                little_uint16_t(static_cast<std::uint16_t>(value.size()))};
        put(header);
        put_bytes(value);
    }
    void end_options() { put_option(option_code::end_of_options, {}); }

private:
    std::vector<std::byte>& to_;
    std::size_t begin_;
};

}  // namespace

pcap_file::pcap_file(std::filesystem::path file, std::string_view interface)
    : file_("pcap file", std::move(file)) {
    put_header(interface);
    pass_on();
}

pcap_file::~pcap_file() {
    try {
        commit();
    } catch (const output::write_error&) {
        // Whoever wants to know calls commit().
    }
}

void pcap_file::put_header(std::string_view interface) {
    constexpr std::string_view application = "pefsim";
    constexpr std::byte nanoseconds{9};  // 10^-9 s
    {
        block section(held_back_, block_type::section_header);
        section.put(section_header{});
        section.put_option(option_code::shb_userappl, std::as_bytes(std::span(application)));
        section.end_options();
    }
    block description(held_back_, block_type::interface_description);
    description.put(interface_description{});
    description.put_option(option_code::if_name, std::as_bytes(std::span(interface)));
    description.put_option(option_code::if_tsresol, std::span(&nanoseconds, 1));
    description.end_options();
}

void pcap_file::pass_on() {
    if (held_back_.size() >= written_at_once || file_.direct()) {
        file_.write(held_back_);
        held_back_.clear();
    }
}

void pcap_file::record(std::span<const std::byte> frame, frame_direction direction,
                       const sc_core::sc_time& when, std::string_view comment) {
    const auto ns = static_cast<std::uint64_t>(when / sc_core::sc_time(1, sc_core::SC_NS));
    const auto size = static_cast<std::uint32_t>(frame.size());
    {
        block packet(held_back_, block_type::enhanced_packet);
        packet.put(enhanced_packet{.timestamp_high{static_cast<std::uint32_t>(ns >> 32)},
                                   .timestamp_low{static_cast<std::uint32_t>(ns)},
                                   .captured_length{size},
                                   .original_length{size}});
        packet.put_bytes(frame);
        const little_uint32_t flags(static_cast<std::uint32_t>(direction));
        packet.put_option(option_code::epb_flags, std::as_bytes(std::span(&flags, 1)));
        if (!comment.empty()) {
            packet.put_option(option_code::comment,
                              std::as_bytes(std::span(comment.substr(0, longest_option))));
        }
        packet.end_options();
    }
    pass_on();
}

void pcap_file::commit() {
    if (std::exchange(open_, false)) {
        file_.write(held_back_);
        file_.commit();
    }
}

}  // namespace pefsim::backend
