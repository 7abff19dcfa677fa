// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "esm/blob.h"

namespace pefsim::ultravisor {

/// The files of a secure guest's ESM blob, as UV_ESMB_GET_FILE gives them out (core/uvcall.c of the public Ultravisor):
/// each to the process that asks first, from front to back, and once as long as the guest is secure.
class esm_files {
public:
    static constexpr std::size_t piece_size = 64;

    explicit esm_files(esm::opened_blob blob) : blob_(std::move(blob)) {}

    enum class outcome : std::uint8_t {
        done,
        no_such_file,
        another_process,  ///< began to read it
        behind,           ///< of the offset has been read before
        changed,          ///< since the blob was made
    };
    struct piece {
        outcome result = outcome::done;
        std::array<std::byte, piece_size> content{};
        std::size_t size = 0;  ///< 0: the offset is at the file's end, or behind it
    };
    /// \param process PIDR of who asks
    piece read(const std::string& name, std::uint64_t offset, std::uint64_t process);

private:
    struct reader {
        std::uint64_t process = 0;
        std::uint64_t next = 0;  // offset that may be read
    };

    esm::opened_blob blob_;
    std::map<std::string, reader> readers_;
};

}  // namespace pefsim::ultravisor
