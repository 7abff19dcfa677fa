// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace pefsim::ultravisor {

/// An entry of the partition table (Power ISA 3.0B Book III 5.7.6.1).
struct partition_entry {
    std::uint64_t dw0 = 0;  ///< HR, and the host's radix tree for the partition
    std::uint64_t dw1 = 0;  ///< the partition's process table: base (bits 4:51), size (bits 59:63)

    static constexpr std::uint64_t host_radix = std::uint64_t{1} << 63;
    static constexpr std::uint64_t process_table_base = 0x0fff'ffff'ffff'f000;
    static constexpr std::uint64_t process_table_size = 0x1f;
    static constexpr std::uint64_t greatest_size = 24;  ///< 2^(12 + 24) bytes
    friend bool operator==(const partition_entry&, const partition_entry&) = default;
};

/// The partition table, which with an Ultravisor stands in secure memory: the hypervisor changes it by UV_WRITE_PATE.
/// What it wrote as dw0 before a guest became secure is remembered here; while the guest is, hardware has the
/// Ultravisor's own tree instead.
class partition_table {
public:
    static constexpr std::uint64_t partitions = 4096;  ///< a POWER9's LPIDR has 12 bits

    void write(std::uint64_t lpid, const partition_entry& entry) { entries_[lpid] = entry; }
    [[nodiscard]] std::optional<partition_entry> find(std::uint64_t lpid) const {
        const auto found = entries_.find(lpid);
        return found == entries_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    std::map<std::uint64_t, partition_entry> entries_;
};

}  // namespace pefsim::ultravisor
