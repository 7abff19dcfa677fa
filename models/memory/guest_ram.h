// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/address.h"

namespace pefsim::memory {

/// Which of a page's two frames: real addresses with the secure-memory bit, or without.
enum class frame_kind : std::uint8_t { normal, secure };

/// The storage behind guest RAM: for each 64 KiB page a frame in normal memory and one in secure memory, since a page
/// of a secure guest and the host's page in the same place are different real pages.
///
/// Sparse: a frame takes host memory from its first write on; what was never written reads as zero. Where half of a
/// region of 8 MiB has been written, the whole region takes host memory, in huge pages: what is used a lot is reached
/// fast, and at most twice of what was ever written is taken. A frame's bytes stand at one place of the host's address
/// space as long as the object lives, so that a pointer to them stays good across first writes and discard(). Untimed
/// and unchecked: only the memory bus and the Ultravisor use it directly.
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

    /// The frame's 64 KiB for reading and for writing; a frame that was never asked for by write() reads as zero.
    /// \param page below pages()
    [[nodiscard]] const std::byte* read(frame_kind kind, abi::gfn page) const { return of(kind).at(page); }
    [[nodiscard]] std::byte* write(frame_kind kind, abi::gfn page) {
        plane& frames = of(kind);
        if (frames.touched[page] == 0) [[unlikely]] {
            first_write(frames, page);
        }
        return frames.at(page);
    }
    [[nodiscard]] bool touched(frame_kind kind, abi::gfn page) const { return of(kind).touched[page] != 0; }
    /// Makes the frame read as zero and gives its host memory back.
    void discard(frame_kind kind, abi::gfn page);
    /// Bytes of the frames that have been written.
    [[nodiscard]] std::uint64_t resident() const { return resident_; }

private:
    static constexpr abi::gfn pages_of_region = 128;
    static constexpr std::uint8_t dense = pages_of_region / 2;

    // Address space reserved for all frames of one kind; the host's kernel supplies zeroed memory where it is written
    // to.
    class reservation {
    public:
        explicit reservation(std::uint64_t size);
        ~reservation();
        reservation(const reservation&) = delete;
        reservation& operator=(const reservation&) = delete;
        [[nodiscard]] std::byte* base() const { return base_; }

    private:
        void* mapped_;     // a huge page longer than it needs to be
        std::byte* base_;  // where a huge page begins
        std::uint64_t size_;
    };

    struct plane {
        explicit plane(std::uint64_t size)
            : bytes(size),
              touched(size >> abi::page_shift),
              regions(touched.size() / pages_of_region + 1) {}
        [[nodiscard]] std::byte* at(abi::gfn page) const { return bytes.base() + (page << abi::page_shift); }

        reservation bytes;
        std::vector<std::uint8_t> touched;  // by page: write() has been called
        std::vector<std::uint8_t> regions;  // by region: touched frames, until there are `dense`
    };

    void first_write(plane& frames, abi::gfn page);

    plane& of(frame_kind kind) { return kind == frame_kind::secure ? secure_ : normal_; }
    [[nodiscard]] const plane& of(frame_kind kind) const {
        return kind == frame_kind::secure ? secure_ : normal_;
    }

    std::uint64_t size_;
    std::uint64_t resident_ = 0;
    plane normal_;
    plane secure_;
};

}  // namespace pefsim::memory
