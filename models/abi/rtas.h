// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Run-Time Abstraction Services: tokens, names and arguments. PAPR 2.8, chapter 7.
///
/// The guest enters RTAS in 32-bit real mode with the guest physical address of an argument block in R3: big-endian
/// words, token, number of arguments, number of results, the arguments, the results. The first result is the status.
/// What RTAS does there is one hypercall, H_RTAS, with that address in R4 (abi/hcall.h).
namespace pefsim::abi {

/// Tokens are the platform's to choose: one for each row below, in their order.
enum class rtas : std::uint32_t {
    display_character = 0x2000,
    get_time_of_day,
    set_time_of_day,
    power_off,
    system_reboot,
    os_term,
    query_cpu_stopped_state,
    start_cpu,
    stop_self,
    set_xive,
    get_xive,
    int_off,
    int_on,
    read_pci_config,
    write_pci_config,
    ibm_read_pci_config,
    ibm_write_pci_config,
    change_msi,
    query_interrupt_source_number,
    query_pe_dma_window,
    create_pe_dma_window,
    remove_pe_dma_window,
    reset_pe_dma_window,
    nvram_fetch,
    nvram_store,
    event_scan,
    check_exception,
    get_system_parameter,
    set_system_parameter,
    get_sensor_state,
    set_indicator,
    get_power_level,
    set_power_level,
    configure_connector,
    slot_error_detail,
};

/// The memory that an argument names, besides the argument block itself: whoever relays a call copies it.
struct rtas_buffer {
    enum class kind : std::uint8_t {
        none,
        from_guest,  ///< RTAS reads it
        to_guest,    ///< RTAS writes it
        both,
    };
    /// How many bytes it has, when no argument says so.
    enum class extent : std::uint8_t {
        argument,        ///< the argument `length` says
        text,            ///< up to a NUL, at most max_text bytes with it
        self_described,  ///< its first two bytes say how many follow (7.3.16.2)
        work_area,       ///< 4 KiB (13.5.3.5)
    };
    static constexpr std::size_t max_text = 1024;
    static constexpr std::size_t work_area_size = 4096;

    kind which = kind::none;
    unsigned address = 0;  ///< which argument it is, from 0
    extent size = extent::argument;
    unsigned length = 0;  ///< likewise, with extent::argument
};

/// One row of the declaration. A call with other numbers of arguments or results is one with fewer or more than the
/// least number here: optional ones follow.
struct rtas_declaration {
    rtas token;
    std::string_view name;  ///< of the property of /rtas that holds the token
    unsigned n_args;
    unsigned n_rets;  ///< with the status
    rtas_buffer buffer = {};
};

/// Bytes that RTAS reads, or writes: the arguments with their address and their number.
constexpr rtas_buffer reads(unsigned address, unsigned length) {
    return {rtas_buffer::kind::from_guest, address, rtas_buffer::extent::argument, length};
}
constexpr rtas_buffer writes(unsigned address, unsigned length) {
    return {rtas_buffer::kind::to_guest, address, rtas_buffer::extent::argument, length};
}

// clang-format off
inline constexpr std::array rtas_declarations{
    rtas_declaration{rtas::display_character,       "display-character", 1, 1},
    rtas_declaration{rtas::get_time_of_day,         "get-time-of-day", 0, 8},
    rtas_declaration{rtas::set_time_of_day,         "set-time-of-day", 7, 1},
    rtas_declaration{rtas::power_off,               "power-off", 2, 1},
    rtas_declaration{rtas::system_reboot,           "system-reboot", 0, 1},
    rtas_declaration{rtas::os_term,                 "ibm,os-term", 1, 1, {rtas_buffer::kind::from_guest, 0, rtas_buffer::extent::text}},
    rtas_declaration{rtas::query_cpu_stopped_state, "query-cpu-stopped-state", 1, 2},
    rtas_declaration{rtas::start_cpu,               "start-cpu", 3, 1},
    rtas_declaration{rtas::stop_self,               "stop-self", 0, 1},
    rtas_declaration{rtas::set_xive,                "ibm,set-xive", 3, 1},
    rtas_declaration{rtas::get_xive,                "ibm,get-xive", 1, 3},
    rtas_declaration{rtas::int_off,                 "ibm,int-off", 1, 1},
    rtas_declaration{rtas::int_on,                  "ibm,int-on", 1, 1},
    rtas_declaration{rtas::read_pci_config,         "read-pci-config", 2, 2},
    rtas_declaration{rtas::write_pci_config,        "write-pci-config", 3, 1},
    rtas_declaration{rtas::ibm_read_pci_config,     "ibm,read-pci-config", 4, 2},
    rtas_declaration{rtas::ibm_write_pci_config,    "ibm,write-pci-config", 5, 1},
    rtas_declaration{rtas::change_msi,              "ibm,change-msi", 6, 3},
    rtas_declaration{rtas::query_interrupt_source_number, "ibm,query-interrupt-source-number", 4, 3},
    rtas_declaration{rtas::query_pe_dma_window,     "ibm,query-pe-dma-window", 3, 5},
    rtas_declaration{rtas::create_pe_dma_window,    "ibm,create-pe-dma-window", 5, 4},
    rtas_declaration{rtas::remove_pe_dma_window,    "ibm,remove-pe-dma-window", 1, 1},
    rtas_declaration{rtas::reset_pe_dma_window,     "ibm,reset-pe-dma-window", 3, 1},
    rtas_declaration{rtas::nvram_fetch,             "nvram-fetch", 3, 2, writes(1, 2)},
    rtas_declaration{rtas::nvram_store,             "nvram-store", 3, 2, reads(1, 2)},
    rtas_declaration{rtas::event_scan,              "event-scan", 4, 1, writes(2, 3)},
    rtas_declaration{rtas::check_exception,         "check-exception", 6, 1, writes(4, 5)},
    rtas_declaration{rtas::get_system_parameter,    "ibm,get-system-parameter", 3, 1, writes(1, 2)},
    rtas_declaration{rtas::set_system_parameter,    "ibm,set-system-parameter", 2, 1, {rtas_buffer::kind::from_guest, 1, rtas_buffer::extent::self_described}},
    rtas_declaration{rtas::get_sensor_state,        "get-sensor-state", 2, 2},
    rtas_declaration{rtas::set_indicator,           "set-indicator", 3, 1},
    rtas_declaration{rtas::get_power_level,         "get-power-level", 1, 2},
    rtas_declaration{rtas::set_power_level,         "set-power-level", 2, 2},
    rtas_declaration{rtas::configure_connector,     "ibm,configure-connector", 2, 1, {rtas_buffer::kind::both, 0, rtas_buffer::extent::work_area}},
    rtas_declaration{rtas::slot_error_detail,       "ibm,slot-error-detail", 8, 1, writes(3, 4)},
};
// clang-format on

inline constexpr std::uint32_t rtas_first_token = static_cast<std::uint32_t>(rtas::display_character);

/// Index of `token` in rtas_declarations, or rtas_declarations.size() for a number that is no token.
constexpr std::size_t rtas_row(std::uint64_t token) {
    const std::uint64_t row = token - rtas_first_token;
    return row < rtas_declarations.size() ? row : rtas_declarations.size();
}
constexpr std::string_view rtas_name(std::uint64_t token) {
    const std::size_t row = rtas_row(token);
    return row < rtas_declarations.size() ? rtas_declarations[row].name : "unknown RTAS call";
}
static_assert(
    [] {
        for (std::size_t row = 0; row < rtas_declarations.size(); ++row) {
            if (rtas_row(static_cast<std::uint64_t>(rtas_declarations[row].token)) != row) {
                return false;
            }
        }
        return true;
    }(),
    "a row for each token, in the tokens' order");

/// Status of a call, its first result (7.2.8, Table 20).
enum class rtas_status : std::int32_t {
    success = 0,
    nothing_found = 1,  ///< event-scan, check-exception
    hardware_error = -1,
    parameter_error = -3,
    not_there = -3,  ///< a sensor, an indicator, a system parameter that this platform does not have
    not_authorized = -9002,
    wrong_length = -9999,  ///< system parameters: of the buffer
};

/// The argument block: at most so many arguments and results together.
inline constexpr std::size_t rtas_max_words = 16;
/// Bytes of its words before the arguments.
inline constexpr std::size_t rtas_header_size = 12;

/// The code of RTAS, and of the client interface: one hypercall with the argument block's address. Big-endian words, to
/// stand anywhere: mr r4,r3; lis r3,0; ori r3,r3,HYPERCALL; sc 1; blr.
using firmware_entry = std::array<std::uint32_t, 5>;
constexpr firmware_entry entry_to(std::uint16_t hypercall) {
    return {0x7c641b78, 0x3c600000, 0x60630000U | hypercall, 0x44000022, 0x4e800020};
}

}  // namespace pefsim::abi
