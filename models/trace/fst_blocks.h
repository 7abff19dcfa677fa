// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trace/recorder.h"
#include "trace/value_change.h"

namespace pefsim::trace {

/// The value changes of an FST file, as blocks of type FST_BL_VCDATA behind what Debian's library has written: header,
/// hierarchy, geometry, and a first block with the values in force.
///
/// The library takes a value as a string of '0' and '1', keeps it, follows it back through memory when the block is
/// written and packs it bit by bit: three quarters of the time of a traced run. Here a change is packed once, where it
/// stays, in a list of its signal's own; a block is those lists, compressed one by one.
///
/// Layout: fstWriterFlushContextPrivate() and fstReaderIterBlocks2() in fstapi.c.
class fst_blocks {
public:
    struct variable {
        signal_type type;
        unsigned width;  ///< bits; not used for text
    };

    /// \param file complete file of the library's, which ends at `at`
    /// \param variables in order of the library's handles, which number them from 1
    /// \param handles of the signals, by id
    /// \param values in force at `at`, in order of the handles; those of texts and events are not used
    fst_blocks(std::string file, std::span<const variable> variables, std::span<const std::uint32_t> handles,
               std::span<const std::uint64_t> values, std::uint64_t at);
    ~fst_blocks();
    fst_blocks(const fst_blocks&) = delete;
    fst_blocks& operator=(const fst_blocks&) = delete;

    /// \param changes in order of time, none before the last one
    void add(std::span<const value_change> changes);
    /// The last instant; writes what is held back and renews the header.
    /// \returns false when the file could not be written in full
    bool end(std::uint64_t at);

private:
    using bytes = std::vector<unsigned char>;
    /// Bytes that are written at the end, through a pointer.
    class byte_list {
    public:
        unsigned char* room(std::size_t more) {
            if (bytes_.size() - used_ < more) [[unlikely]] {
                bytes_.resize(2 * bytes_.size() + more);
            }
            return bytes_.data() + used_;
        }
        void advance(const unsigned char* end) { used_ = static_cast<std::size_t>(end - bytes_.data()); }
        void clear() { used_ = 0; }
        [[nodiscard]] std::size_t size() const { return used_; }
        [[nodiscard]] std::span<const unsigned char> bytes() const { return std::span(bytes_).first(used_); }

    private:
        std::vector<unsigned char> bytes_;
        std::size_t used_ = 0;
    };
    struct signal_changes;

    void next_instant(std::uint64_t at);
    void write_block();
    [[nodiscard]] bytes frame() const;
    std::span<const unsigned char> deflated(std::span<const unsigned char> what);
    std::span<const unsigned char> compressed(std::span<const unsigned char> list);
    void put_frame(std::span<const unsigned char> values);
    void put_changes();
    void put_instants();
    void renew_header();
    void put(std::span<const unsigned char> what) { block_.insert(block_.end(), what.begin(), what.end()); }
    void put_varint(std::uint64_t value);
    void put_number(std::uint64_t value);

    std::string path_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    bool failed_ = false;
    std::vector<signal_changes> signals_;  // by handle, from 1
    std::vector<std::uint32_t> index_;     // into them, by id
    std::uint64_t begin_;                  // of the block
    bytes begin_values_;
    std::uint64_t now_;
    std::uint32_t instant_ = 0;  // number of now_ in the block
    byte_list instants_;
    unsigned changes_ = 0;  // in the block
    std::uint64_t blocks_ = 0;
    bytes block_;
    bytes packed_;
};

}  // namespace pefsim::trace
