// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <systemc>

namespace pefsim::backend {

/// Unit of every disk's size.
inline constexpr std::uint64_t sector_size = 512;

/// What stands behind a block device: bytes at offsets, without time (the device charges for it).
///
/// The caller keeps offset and length within size(). A failed call returns false: the host could not do it.
class block_backend_if : public virtual sc_core::sc_interface {
public:
    /// Bytes, a multiple of 512, not zero.
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    [[nodiscard]] virtual bool read_only() const = 0;
    virtual bool read(std::uint64_t offset, std::span<std::byte> to) = 0;
    /// False on a read-only disk.
    virtual bool write(std::uint64_t offset, std::span<const std::byte> from) = 0;
    /// These sectors read as zeros from now on; `unmap`: the host may give their storage back. False on a read-only
    /// disk.
    virtual bool write_zeroes(std::uint64_t offset, std::uint64_t size, bool unmap) = 0;
    /// The guest does not need what stands in these sectors: the host gives the storage back, and they read as zeros
    /// then; where it cannot, they stay as they are. False on a read-only disk.
    virtual bool discard(std::uint64_t offset, std::uint64_t size) = 0;
    /// All writes that came before are stable when it returns true.
    virtual bool flush() = 0;
    /// The first offset, not before `offset`, where the disk may read as something else than zeros; size(): there is
    /// none.
    [[nodiscard]] virtual std::uint64_t next_data(std::uint64_t offset) const { return offset; }
    /// errno of the first write or flush that the host refused; 0: it took all of them.
    [[nodiscard]] virtual int write_error() const { return 0; }
    /// At most 20 bytes (VIRTIO 1.2, 5.2.6).
    [[nodiscard]] virtual std::string_view id() const = 0;
};

}  // namespace pefsim::backend
