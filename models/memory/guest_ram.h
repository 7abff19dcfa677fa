// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "abi/address.h"

namespace pefsim::memory {

/// Which of a page's two frames: real addresses with the secure-memory bit, or without.
enum class frame_kind : std::uint8_t { normal, secure };

/// The storage behind guest RAM: for each 64 KiB page a frame in normal memory and one in secure memory, since a page of
/// a secure guest and the host's page in the same place are different real pages.
///
/// Sparse: a frame takes host memory from its first write on; what was never written reads as zero. Untimed and
/// unchecked: only the memory bus and the Ultravisor use it directly.
class guest_ram {
public:
    /// \param size bytes, a multiple of 64 KiB, 64 KiB .. 64 GiB
    /// \throws std::invalid_argument otherwise
    explicit guest_ram(std::uint64_t size);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] abi::gfn pages() const { return size_ >> abi::page_shift; }
    [[nodiscard]] bool contains(abi::phys_addr at, std::uint64_t bytes) const {
        return at.value() < size_ && bytes <= size_ - at.value();
    }

    /// The frame's 64 KiB for reading (a page of zeros when it was never written) and for writing.
    [[nodiscard]] const std::byte* read(frame_kind kind, abi::gfn page) const;
    [[nodiscard]] std::byte* write(frame_kind kind, abi::gfn page);
    [[nodiscard]] bool touched(frame_kind kind, abi::gfn page) const;
    /// Makes the frame read as zero and gives its host memory back.
    void discard(frame_kind kind, abi::gfn page);
    /// Host memory in use for frames, bytes.
    [[nodiscard]] std::uint64_t resident() const { return resident_; }

private:
    using frame = std::unique_ptr<std::byte[]>;
    std::vector<frame>& frames(frame_kind kind) { return kind == frame_kind::secure ? secure_ : normal_; }
    [[nodiscard]] const std::vector<frame>& frames(frame_kind kind) const {
        return kind == frame_kind::secure ? secure_ : normal_;
    }

    std::uint64_t size_;
    std::uint64_t resident_ = 0;
    std::vector<frame> normal_;
    std::vector<frame> secure_;
};

}  // namespace pefsim::memory
