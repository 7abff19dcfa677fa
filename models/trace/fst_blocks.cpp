// SPDX-License-Identifier: Apache-2.0
#include "trace/fst_blocks.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <fmt/format.h>
#include <fstapi.h>
#include <lz4.h>
#include <stdexcept>
#include <utility>
#include <zlib.h>

#include "trace/binary_digits.h"
#include "trace/varint.h"

namespace pefsim::trace {

namespace {

// Changes per block. More make fewer lists to compress and more to look through for who wants to see one instant.
constexpr unsigned block_changes = 65'536;

// Of the header, from the beginning of the file.
constexpr long end_time_offset = 17;
constexpr long section_count_offset = 65;

constexpr std::size_t number_size = 8;     // of lengths, times and counts outside the lists
constexpr std::size_t worth_packing = 32;  // bytes of a list
constexpr unsigned char packed_with_lz4 = '4';

}  // namespace

/// One signal's changes in the block, as the block will have them: time in instants since the one before, and value.
///
/// A bit stands with the time, a number behind it in whole bytes from its most significant digit on. Both are written
/// the same way, which spares a branch that cannot be foreseen: the next change is another signal's.
struct alignas(64) fst_blocks::signal_changes {
    std::uint64_t value;        // in force
    std::uint32_t instant = 0;  // of the last change
    signal_type type;
    std::uint8_t width;
    std::uint8_t time_shift = 1;   // of the time, for what stands below it
    std::uint8_t value_shift = 0;  // of the value behind it
    std::uint8_t value_bytes = 0;
    std::uint8_t bit = 0;  // mask of the value that stands with the time
    byte_list list{};

    signal_changes(const variable& what, std::uint64_t in_force)
        : value(in_force),
          type(what.type),
          width(static_cast<std::uint8_t>(what.width)) {
        if (type == signal_type::bit || type == signal_type::event) {
            time_shift = 2;
            bit = 1;
        } else if (type != signal_type::text) {
            value_shift = static_cast<std::uint8_t>(64 - width);
            value_bytes = static_cast<std::uint8_t>((width + 7) / 8);
        }
    }

    void add(std::uint32_t since, const value_change& c) {
        if (type == signal_type::text) {
            unsigned char* at = write_varint(list.room(2 * longest_varint + c.length),
                                             std::uint64_t{since} << time_shift);
            at = write_varint(at, c.length);
            list.advance(std::ranges::copy(c.characters(), at).out);
            return;
        }
        value = c.number;
        unsigned char* at = write_varint(list.room(longest_varint + number_size),
                                         std::uint64_t{since} << time_shift | (value & bit) << 1);
        boost::endian::store_big_u64(at, value << value_shift);
        list.advance(at + value_bytes);
    }
};

fst_blocks::fst_blocks(std::string file, std::span<const variable> variables,
                       std::span<const std::uint32_t> handles, std::span<const std::uint64_t> values,
                       std::uint64_t at)
    : path_(std::move(file)),
      file_(std::fopen(path_.c_str(), "r+b"), &std::fclose),
      begin_(at),
      now_(at) {
    failed_ = !file_ || std::fseek(file_.get(), 0, SEEK_END) != 0;
    for (std::size_t i = 0; i < variables.size(); ++i) {
        signals_.emplace_back(variables[i], values[i]);
    }
    for (const std::uint32_t handle : handles) {
        index_.push_back(handle - 1);
    }
    begin_values_ = frame();
    next_instant(at);
}

fst_blocks::~fst_blocks() = default;

void fst_blocks::add(std::span<const value_change> changes) {
    for (const value_change& c : changes) {
        if (c.time != now_) {
            if (changes_ >= block_changes) {
                write_block();
            }
            ++instant_;
            next_instant(c.time);
        }
        signal_changes& changed = signals_[index_[c.id]];
        changed.add(instant_ - std::exchange(changed.instant, instant_), c);
        ++changes_;
    }
}

bool fst_blocks::end(std::uint64_t at) {
    if (at != now_) {
        ++instant_;
        next_instant(at);
    }
    if (changes_ != 0) {
        write_block();
    }
    renew_header();
    return file_ && std::fclose(file_.release()) == 0 && !failed_;
}

void fst_blocks::next_instant(std::uint64_t at) {
    instants_.advance(write_varint(instants_.room(longest_varint), instants_.size() == 0 ? at : at - now_));
    now_ = at;
}

// The block that follows begins at the instant where this one ends.
void fst_blocks::write_block() {
    block_.clear();
    block_.push_back(FST_BL_VCDATA);
    put_number(0);  // length: below
    put_number(begin_);
    put_number(now_);
    put_number(0);  // memory that a reader needs for all lists: below
    put_frame(begin_values_);
    put_changes();
    put_instants();
    const auto patch = [&](std::size_t at, std::uint64_t value) {
        boost::endian::store_big_u64(block_.data() + at, value);
    };
    std::size_t lists = 0;
    for (signal_changes& each : signals_) {
        lists += each.list.size();
        each.list.clear();
        each.instant = 0;
    }
    patch(1, block_.size() - 1);
    patch(1 + 3 * number_size, lists);
    failed_ = failed_ || std::fwrite(block_.data(), 1, block_.size(), file_.get()) != block_.size();
    ++blocks_;

    begin_ = now_;
    begin_values_ = frame();
    instant_ = 0;
    instants_.clear();
    next_instant(now_);
    changes_ = 0;
}

/// The values in force of all signals that have a width, as digits.
fst_blocks::bytes fst_blocks::frame() const {
    bytes result;
    for (const signal_changes& each : signals_) {
        if (each.type != signal_type::text) {
            const binary_digits digits(each.value, each.width);
            result.insert(result.end(), digits.last(each.width), digits.last(each.width) + each.width);
        }
    }
    return result;
}

/// zlib's fastest: what it gains over the slower ones is a few percent of the file.
std::span<const unsigned char> fst_blocks::deflated(std::span<const unsigned char> what) {
    packed_.resize(std::max<std::size_t>(packed_.size(), compressBound(what.size())));
    uLongf size = packed_.size();
    const bool packs = compress2(packed_.data(), &size, what.data(), what.size(), Z_BEST_SPEED) == Z_OK &&
                       size < what.size();
    return packs ? std::span<const unsigned char>(packed_).first(size) : what;
}

void fst_blocks::put_frame(std::span<const unsigned char> values) {
    const auto written = deflated(values);
    put_varint(values.size());
    put_varint(written.size());
    put_varint(signals_.size());
    put(written);
}

std::span<const unsigned char> fst_blocks::compressed(std::span<const unsigned char> list) {
    if (list.size() <= worth_packing) {
        return list;
    }
    const auto size = static_cast<int>(list.size());
    packed_.resize(std::max(packed_.size(), static_cast<std::size_t>(LZ4_compressBound(size))));
    const auto packed_size = static_cast<std::size_t>(LZ4_compress_default(
        reinterpret_cast<const char*>(list.data()), reinterpret_cast<char*>(packed_.data()), size,
        static_cast<int>(packed_.size())));
    return packed_size < list.size() ? std::span<const unsigned char>(packed_).first(packed_size) : list;
}

void fst_blocks::put_changes() {
    put_varint(signals_.size());
    const std::size_t begin = block_.size();
    block_.push_back(packed_with_lz4);
    bytes index;
    const auto put_index = [&index](std::uint64_t value) {
        std::array<unsigned char, longest_varint> at{};
        index.insert(index.end(), at.data(), write_varint(at.data(), value));
    };
    std::uint64_t without_changes = 0;
    std::size_t last = 0;
    for (const signal_changes& each : signals_) {
        if (each.list.size() == 0) {
            ++without_changes;
            continue;
        }
        if (without_changes != 0) {
            put_index(std::exchange(without_changes, 0) << 1);
        }
        const std::size_t here = block_.size() - begin;
        put_index((here - std::exchange(last, here)) << 1 | 1);

        const auto written = compressed(each.list.bytes());
        put_varint(written.size() < each.list.size() ? each.list.size() : 0);
        put(written);
    }
    if (without_changes != 0) {
        put_index(without_changes << 1);
    }
    put(index);
    put_number(index.size());
}

/// As they are: zlib would take a quarter off the file and cost as much as all that a change does before it gets here.
void fst_blocks::put_instants() {
    put(instants_.bytes());
    put_number(instants_.size());
    put_number(instants_.size());
    put_number(std::uint64_t{instant_} + 1);
}

void fst_blocks::renew_header() {
    const auto number_at = [this](long offset) { return std::fseek(file_.get(), offset, SEEK_SET) == 0; };
    std::array<unsigned char, number_size> number{};
    if (failed_ || !number_at(section_count_offset) ||
        std::fread(number.data(), 1, number.size(), file_.get()) != number.size()) {
        failed_ = true;
        return;
    }
    const auto write = [&](long offset, std::uint64_t value) {
        boost::endian::store_big_u64(number.data(), value);
        failed_ = failed_ || !number_at(offset) ||
                  std::fwrite(number.data(), 1, number.size(), file_.get()) != number.size();
    };
    write(section_count_offset, boost::endian::load_big_u64(number.data()) + blocks_);
    write(end_time_offset, now_);
}

void fst_blocks::put_varint(std::uint64_t value) {
    std::array<unsigned char, longest_varint> to{};
    block_.insert(block_.end(), to.data(), write_varint(to.data(), value));
}

void fst_blocks::put_number(std::uint64_t value) {
    std::array<unsigned char, number_size> to{};
    boost::endian::store_big_u64(to.data(), value);
    put(to);
}

}  // namespace pefsim::trace
