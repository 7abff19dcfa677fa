// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <systemc>
#include <tlm>

#include "abi/address.h"
#include "cpu/dmi_table.h"
#include "cpu/local_time.h"
#include "exposure/ledger.h"
#include "memory/bus_attributes.h"
#include "memory/smf_check.h"
#include "report/metrics.h"
#include "trace/recorder.h"

namespace pefsim::cpu {

/// A guest CPU's way to memory: through the DMI grants that it holds, else by a transaction, which may bring a grant.
/// Writes to pages that the host can read are reported to the exposure ledger (by the memory bus for transactions).
///
/// Knows no traps and no time: its CPU turns the result into a storage interrupt, and charges.
class memory_port {
public:
    using socket_type = tlm::tlm_initiator_socket<>;

    enum class result : std::uint8_t {
        done,
        page_fault,  ///< the guest has no mapping now; no byte moved
        no_answer,   ///< not RAM, or refused; no byte moved
    };

    /// \param scope hierarchical name of the CPU, for the metrics
    /// \param initiator the CPU's name in attributions: "cpu0"
    memory_port(socket_type& socket, trace::recorder& recorder, std::string_view scope,
                std::string_view initiator);
    ~memory_port();
    memory_port(const memory_port&) = delete;
    memory_port& operator=(const memory_port&) = delete;

    /// The bytes at `at` when they may be read without a transaction; nullptr otherwise.
    [[nodiscard]] const std::byte* readable(abi::phys_addr at, std::size_t size) const {
        return grants_.readable(at, size);
    }
    [[nodiscard]] bool writable(abi::phys_addr at, std::size_t size) const {
        return grants_.writable(at, size) != nullptr;
    }
    /// Writes, or sets all bytes of a range, without a transaction; \returns false when that is not possible.
    bool write_granted(abi::phys_addr at, const void* from, std::size_t size, const local_time& clock) {
        const dmi_table::row* row = grants_.writable(at, size);
        if (row == nullptr) [[unlikely]] {
            return false;
        }
        std::memcpy(row->bytes + abi::page_offset(at), from, size);
        if (row->noticed) {
            report_write(at, size, *row, clock.now());
        }
        return true;
    }
    bool fill_granted(abi::phys_addr at, std::size_t size, std::byte value, const local_time& clock);

    /// The row that grants accesses of this kind to the page of `at`; a grant is asked for when there is none. nullptr
    /// without one.
    const dmi_table::row* granted(abi::phys_addr at, memory::access_kind kind);
    /// Fetches by a transaction, which says why there is no grant.
    result fetch(abi::phys_addr at, std::span<std::byte> to, local_time& clock);

    /// The range of a read or a write lies in one page.
    result read(abi::phys_addr at, std::span<std::byte> to, local_time& clock);
    result write(abi::phys_addr at, std::span<const std::byte> from, local_time& clock);

    /// MSR[S] of the CPU from now on; grants of the other world are forgotten.
    void set_secure(bool secure);
    void set_writer(const exposure::attribution& writer) { attributes_.writer = writer; }
    [[nodiscard]] const exposure::attribution& writer() const { return attributes_.writer; }

    /// The bus takes back its grants for these bytes.
    void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);

private:
    result transact(tlm::tlm_command command, abi::phys_addr at, std::byte* data, std::size_t size,
                    sc_core::sc_time& delay);
    bool request_grant(tlm::tlm_command command, abi::phys_addr at, bool fetch = false);
    void report_write(abi::phys_addr at, std::size_t size, const dmi_table::row& to,
                      const sc_core::sc_time& now);

    socket_type& socket_;
    exposure::ledger& ledger_;
    dmi_table grants_;
    memory::bus_attributes attributes_;
    tlm::tlm_generic_payload payload_;
    tlm::tlm_dmi dmi_;
    report::counter fills_;
    report::counter invalidations_;
    report::counter exposed_bytes_;
};

}  // namespace pefsim::cpu
