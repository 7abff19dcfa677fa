// SPDX-License-Identifier: Apache-2.0
#include "cpu/memory_port.h"

namespace pefsim::cpu {

memory_port::memory_port(socket_type& socket, trace::recorder& recorder, std::string_view scope,
                         std::string_view initiator)
    : socket_(socket),
      ledger_(recorder.ledger()),
      fills_(recorder.metrics(), scope, "dmi_fills", "grants", "memory accesses that brought a DMI grant"),
      invalidations_(recorder.metrics(), scope, "dmi_invalidations", "calls",
                     "times the memory bus took DMI grants back"),
      exposed_bytes_(recorder.metrics(), scope, "exposed_bytes", "bytes",
                     "bytes stored through DMI into pages that the host can read") {
    attributes_.who = memory::world::guest;
    attributes_.writer.initiator = ledger_.name_initiator(initiator);
    payload_.set_extension(&attributes_);
    payload_.set_byte_enable_ptr(nullptr);
}

memory_port::~memory_port() { payload_.clear_extension(&attributes_); }

bool memory_port::fill_granted(abi::phys_addr at, std::size_t size, std::byte value,
                               const local_time& clock) {
    const dmi_table::row* row = grants_.writable(at, size);
    if (row == nullptr) {
        return false;
    }
    std::memset(row->bytes + abi::page_offset(at), std::to_integer<int>(value), size);
    if (row->noticed) {
        report_write(at, size, *row, clock.now());
    }
    return true;
}

memory_port::result memory_port::read(abi::phys_addr at, std::span<std::byte> to, local_time& clock) {
    if (request_grant(tlm::TLM_READ_COMMAND, at)) {
        if (const std::byte* from = readable(at, to.size()); from != nullptr) {
            std::memcpy(to.data(), from, to.size());
            return result::done;
        }
    }
    return transact(tlm::TLM_READ_COMMAND, at, to.data(), to.size(), clock.ahead());
}

memory_port::result memory_port::write(abi::phys_addr at, std::span<const std::byte> from,
                                       local_time& clock) {
    if (request_grant(tlm::TLM_WRITE_COMMAND, at) && write_granted(at, from.data(), from.size(), clock)) {
        return result::done;
    }
    // A write transaction does not change its data.
    return transact(tlm::TLM_WRITE_COMMAND, at, const_cast<std::byte*>(from.data()), from.size(),
                    clock.ahead());
}

const dmi_table::row* memory_port::granted(abi::phys_addr at, memory::access_kind kind) {
    const abi::gfn page = abi::gfn_of(at);
    const bool dmi_table::row::*const permission = kind == memory::access_kind::read
                                                       ? &dmi_table::row::readable
                                                   : kind == memory::access_kind::write
                                                       ? &dmi_table::row::writable
                                                       : &dmi_table::row::executable;
    if (const dmi_table::row& row = grants_.of(page); row.*permission) [[likely]] {
        return &row;
    }
    const bool writes = kind == memory::access_kind::write;
    request_grant(writes ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, at,
                  kind == memory::access_kind::fetch);
    const dmi_table::row& row = grants_.of(page);
    return row.*permission ? &row : nullptr;
}

memory_port::result memory_port::fetch(abi::phys_addr at, std::span<std::byte> to, local_time& clock) {
    attributes_.fetch = true;
    const result outcome = transact(tlm::TLM_READ_COMMAND, at, to.data(), to.size(), clock.ahead());
    attributes_.fetch = false;
    return outcome;
}

void memory_port::set_secure(bool secure) {
    if (secure != attributes_.secure) {
        attributes_.secure = secure;
        grants_.invalidate_all();
    }
}

void memory_port::invalidate(sc_dt::uint64 first, sc_dt::uint64 last) {
    invalidations_.add();
    grants_.invalidate(abi::phys_addr{first}, abi::phys_addr{last});
}

memory_port::result memory_port::transact(tlm::tlm_command command, abi::phys_addr at, std::byte* data,
                                          std::size_t size, sc_core::sc_time& delay) {
    payload_.set_command(command);
    payload_.set_address(at.value());
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(data));
    payload_.set_data_length(static_cast<unsigned>(size));
    payload_.set_streaming_width(static_cast<unsigned>(size));
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    socket_->b_transport(payload_, delay);
    switch (payload_.get_response_status()) {
    case tlm::TLM_OK_RESPONSE:
        return result::done;
    case tlm::TLM_GENERIC_ERROR_RESPONSE:
        return result::page_fault;
    default:
        return result::no_answer;
    }
}

bool memory_port::request_grant(tlm::tlm_command command, abi::phys_addr at, bool fetch) {
    payload_.set_command(command);
    payload_.set_address(at.value());
    attributes_.exposed = false;
    attributes_.fetch = fetch;
    dmi_.init();
    const bool given = socket_->get_direct_mem_ptr(payload_, dmi_);
    attributes_.fetch = false;
    if (!given) {
        return false;
    }
    // Only a grant of the whole page fits the table; the memory bus grants nothing else.
    const abi::gfn page = abi::gfn_of(at);
    const std::uint64_t base = abi::page_base(page).value();
    if (dmi_.get_start_address() > base || dmi_.get_end_address() < base + abi::page_size - 1) {
        return false;
    }
    fills_.add();
    auto* const bytes = reinterpret_cast<std::byte*>(dmi_.get_dmi_ptr()) + (base - dmi_.get_start_address());
    grants_.grant(page, bytes, dmi_.is_read_allowed(), dmi_.is_write_allowed(), attributes_.exposed, fetch,
                  ledger_.stories().watched(page));
    return true;
}

void memory_port::report_write(abi::phys_addr at, std::size_t size, const dmi_table::row& to,
                               const sc_core::sc_time& now) {
    if (to.exposed) {
        exposed_bytes_.add(size);
        ledger_.wrote(at, size, attributes_.writer, now, to.bytes);
    }
    if (ledger_.stories().watched(abi::gfn_of(at))) [[unlikely]] {
        ledger_.stories().wrote(at, size, attributes_.writer, now);
    }
}

}  // namespace pefsim::cpu
