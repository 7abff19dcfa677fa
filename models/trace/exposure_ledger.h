// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/address.h"

namespace pefsim::trace {

/// Who wrote a byte and through which mapping.
struct attribution {
    std::uint16_t initiator = 0;  ///< from exposure_ledger::name_initiator()
    std::uint32_t mapping = 0;    ///< DMA mapping number; 0 when none
    std::uint64_t origin = 0;     ///< PC of a POWER guest, or exposure_ledger::name_origin() of a native one's call
    friend bool operator==(const attribution&, const attribution&) = default;
};

/// A run of bytes in a page that the host can read, all written by one act.
struct exposed_extent {
    std::uint32_t begin;  ///< offset in the page
    std::uint32_t end;    ///< one past the last
    attribution writer;
    sc_core::sc_time written;
    std::uint64_t host_reads = 0;      ///< times the host or a device read any of these bytes
    std::uint16_t last_reader = 0;     ///< initiator of the latest read
};

/// What reached the host through something other than a page: a register at a hypercall, the value of an MMIO store.
enum class exposure_channel : std::uint8_t { shared_page, ciphertext_page, mmio, hypercall_register };
std::string_view to_name(exposure_channel channel);

/// A canary that reached the host: the exact bytes.
struct canary_sighting {
    sc_core::sc_time when;
    exposure_channel channel;
    std::string canary;       ///< its name
    std::uint64_t address;    ///< guest physical or MMIO address of its first byte; the hypercall's number for a register
    attribution writer;
};

/// For every byte that stands in a page the host can read: who wrote it, when, through which mapping, and whether the
/// host looked. Totals over the run, the extents now in place, and the sightings of planted canaries.
///
/// A page is exposed while its state lets the host read its plaintext; in an ordinary guest every page is, from the
/// start. The memory bus and the CPUs report writes to exposed pages and the host's reads of them; the Ultravisor and
/// the hypervisor's MMIO emulation report what crosses by other channels.
class exposure_ledger {
public:
    exposure_ledger();

    std::uint16_t name_initiator(std::string_view name);
    std::uint64_t name_origin(std::string_view call);
    [[nodiscard]] std::string_view initiator(std::uint16_t id) const { return initiators_[id]; }
    /// The call's name, or the program counter in hexadecimal.
    [[nodiscard]] std::string origin(std::uint64_t id) const;

    /// A page becomes readable by the host, or stops being so (its extents are forgotten, totals stay).
    void page_exposed(abi::gfn page);
    void page_hidden(abi::gfn page);
    /// `bytes` are now in place at `at`; the range lies in one page. Also looks for canaries in `page_bytes`, the whole
    /// page's content, around the range.
    void wrote(abi::phys_addr at, std::size_t size, const attribution& writer, const sc_core::sc_time& when,
               const std::byte* page_bytes);
    void host_read(abi::phys_addr at, std::size_t size, std::uint16_t reader, const sc_core::sc_time& when);
    /// Bytes that the host got by another channel.
    void crossed(exposure_channel channel, std::uint64_t address, std::span<const std::byte> bytes,
                 const attribution& writer, const sc_core::sc_time& when);

    /// A secret of at least 8 bytes that must not reach the host. Looking for canaries costs nothing while there is none.
    void plant_canary(std::string name, std::span<const std::byte> secret);
    [[nodiscard]] std::span<const canary_sighting> sightings() const { return sightings_; }

    [[nodiscard]] const std::map<abi::gfn, std::vector<exposed_extent>>& pages() const;
    [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }
    [[nodiscard]] std::uint64_t bytes_read_by_host() const { return bytes_read_by_host_; }
    [[nodiscard]] std::uint64_t pages_ever_exposed() const { return pages_ever_exposed_; }

private:
    // The owner of this file completes the representation (extents per page in a flat sorted vector).
    std::vector<std::string> initiators_;
    std::vector<canary_sighting> sightings_;
    std::uint64_t bytes_written_ = 0;
    std::uint64_t bytes_read_by_host_ = 0;
    std::uint64_t pages_ever_exposed_ = 0;
};

}  // namespace pefsim::trace
