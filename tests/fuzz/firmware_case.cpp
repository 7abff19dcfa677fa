// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/firmware_case.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "abi/platform.h"

namespace pefsim::fuzz {
namespace {

using abi::rtas;
namespace platform = abi::platform;

/// A service of the client interface: its arguments by kind, and what it writes.
///
///   t: a path, n: a property's name, p: a phandle, i: an instance, a: an address, l: a length, x: a number
struct client_row {
    std::string_view name;
    std::string_view arguments;
    std::uint32_t n_rets;
    int written = -1;  ///< the argument with the address that it writes to; the next one is the length
};
constexpr std::array client_rows{
    client_row{"finddevice", "t", 1},
    client_row{"peer", "p", 1},
    client_row{"child", "p", 1},
    client_row{"parent", "p", 1},
    client_row{"getproplen", "pn", 1},
    client_row{"getprop", "pnal", 1, 2},
    client_row{"nextprop", "pna", 1, 2},
    client_row{"setprop", "pnal", 1},
    client_row{"canon", "tal", 1, 1},
    client_row{"package-to-path", "pal", 1, 1},
    client_row{"open", "t", 1},
    client_row{"close", "i", 0},
    client_row{"instance-to-package", "i", 1},
    client_row{"instance-to-path", "ial", 1, 1},
    client_row{"read", "ial", 1, 1},
    client_row{"write", "ial", 1},
    client_row{"claim", "alx", 1},
    client_row{"release", "al", 0},
    client_row{"test", "n", 1},
    client_row{"quiesce", "", 0},
    client_row{"milliseconds", "", 1},
    client_row{"call-method", "nia", 2, 2},
    client_row{"exit", "", 0},
};

const client_row* row_of(std::string_view service) {
    const auto found = std::ranges::find(client_rows, service, &client_row::name);
    return found != client_rows.end() ? found : nullptr;
}

constexpr std::uint32_t longest_name = 1024;      // that nextprop writes
constexpr std::uint32_t longest_piece = 1 << 16;  // that read gives

}  // namespace

// --- what a call may write

std::vector<area> firmware_call::may_change() const {
    std::vector<area> areas;
    areas.reserve(2);  // the results, and at most one buffer
    areas.push_back(
        {block_at + abi::rtas_header_size + 4 * std::uint64_t{n_args}, 4 * std::uint64_t{n_rets}});
    const auto argument = [&](unsigned n) { return n < arguments.size() ? arguments[n] : 0; };
    const std::size_t row = abi::rtas_row(token);
    if (rtas && row < abi::rtas_declarations.size()) {
        const abi::rtas_buffer& buffer = abi::rtas_declarations[row].buffer;
        if (buffer.which == abi::rtas_buffer::kind::to_guest) {
            areas.push_back({argument(buffer.address), argument(buffer.length)});
        }
        if (buffer.which == abi::rtas_buffer::kind::both) {
            areas.push_back({argument(buffer.address), abi::rtas_buffer::work_area_size});
        }
    }
    if (const client_row* of = rtas ? nullptr : row_of(service); of != nullptr && of->written >= 0) {
        const auto at = static_cast<unsigned>(of->written);
        std::uint32_t size = argument(at + 1);
        if (service == "nextprop") {
            size = longest_name;
        } else if (service == "call-method") {
            size = sizeof(abi::firmware_entry);
        } else if (service == "read") {
            size = std::min(size, longest_piece);
        }
        areas.push_back({argument(at), size});
    }
    return areas;
}

std::string to_text(const firmware_call& call) {
    std::string text = fmt::format("cpu{} {} ({:#x}) at {:#x}, {} arguments {::#x}, {} results", call.cpu,
                                   call.rtas ? abi::rtas_name(call.token) : std::string_view(call.service),
                                   call.token, call.block_at, call.n_args, call.arguments, call.n_rets);
    for (const firmware_call::text& each : call.texts) {
        text += fmt::format(", '{}' at {:#x}", each.characters.substr(0, 60), each.at);
    }
    return text;
}

// --- arguments

/// Addresses: anywhere in memory, and where something may go wrong.
std::uint32_t firmware_call_maker::address() {
    const auto end = static_cast<std::uint32_t>(around_.ram_size);
    switch (below(8)) {
    case 0:
        return end - static_cast<std::uint32_t>(below(40));
    case 1:
        return end + static_cast<std::uint32_t>(below(3));
    case 2:
        return static_cast<std::uint32_t>(below(end / abi::page_size) * abi::page_size - below(20));
    case 3:
        return one_in(2) ? ~static_cast<std::uint32_t>(below(40)) : static_cast<std::uint32_t>(below(40));
    default:
        return static_cast<std::uint32_t>(below(end));
    }
}

std::uint32_t firmware_call_maker::length() {
    switch (below(8)) {
    case 0:
        return 0;
    case 1:
        return static_cast<std::uint32_t>(below(around_.ram_size));
    case 2:
        return ~static_cast<std::uint32_t>(below(3));
    default:
        return static_cast<std::uint32_t>(below(300));
    }
}

std::uint32_t firmware_call_maker::anything() {
    switch (below(6)) {
    case 0:
        return static_cast<std::uint32_t>(below(8));
    case 1:
        return ~static_cast<std::uint32_t>(below(4));
    case 2:
        return std::uint32_t{1} << below(32);
    case 3:
        return address();
    default:
        return static_cast<std::uint32_t>(random_());
    }
}

std::uint32_t firmware_call_maker::text(firmware_call& of, std::string_view characters) {
    firmware_call::text put{.at = below(around_.ram_size), .characters = std::string(characters)};
    put.characters += '\0';
    if (one_in(16)) {
        put.at = around_.ram_size - below(put.characters.size() + 2);
    }
    if (one_in(16)) {
        put.characters[below(put.characters.size())] = static_cast<char>(below(256));
    }
    if (one_in(64)) {
        put.characters.insert(0, below(1500), static_cast<char>(1 + below(255)));
    }
    of.texts.push_back(put);
    return static_cast<std::uint32_t>(put.at);
}

std::uint32_t firmware_call_maker::path(firmware_call& of) { return text(of, any_of(around_.paths)); }
std::uint32_t firmware_call_maker::property(firmware_call& of) {
    return one_in(8) ? 0 : text(of, any_of(around_.properties));
}
std::uint32_t firmware_call_maker::phandle() {
    return static_cast<std::uint32_t>(below(around_.paths.size() + 3));
}
std::uint32_t firmware_call_maker::instance() { return static_cast<std::uint32_t>(below(6)); }

/// A function of the bridge, and a register of it; with the bridge's unit.
void firmware_call_maker::pci_address(firmware_call& of, bool with_unit) {
    const auto offset = static_cast<std::uint32_t>(below(64) * 4);
    const auto extended = static_cast<std::uint32_t>(one_in(4) ? below(16) << 28 : 0);
    of.arguments.push_back(any_of(around_.functions) << 8 | offset | extended);
    if (with_unit) {
        of.arguments.insert(of.arguments.end(), {static_cast<std::uint32_t>(platform::bridge_unit >> 32),
                                                 static_cast<std::uint32_t>(platform::bridge_unit)});
    }
}

// --- calls

void firmware_call_maker::make_rtas(firmware_call& of) {
    const auto ends_the_guest = [](rtas token) {
        return token == rtas::power_off || token == rtas::system_reboot || token == rtas::os_term;
    };
    std::size_t number = below(abi::rtas_declarations.size());
    while (ends_the_guest(abi::rtas_declarations[number].token) && !one_in(30)) {
        number = below(abi::rtas_declarations.size());
    }
    const abi::rtas_declaration& row = abi::rtas_declarations[number];
    of.rtas = true;
    of.token = static_cast<std::uint32_t>(row.token);
    of.n_rets = row.n_rets;
    const auto size = [&] { return std::uint32_t{1} << below(3); };
    const auto source = [&] {
        return platform::first_msi_source +
               static_cast<std::uint32_t>(below(platform::source_end - platform::first_msi_source));
    };
    std::vector<std::uint32_t>& arguments = of.arguments;
    switch (row.token) {
    case rtas::read_pci_config:
    case rtas::write_pci_config:
        pci_address(of, false);
        arguments.push_back(size());
        break;
    case rtas::ibm_read_pci_config:
    case rtas::ibm_write_pci_config:
        pci_address(of, true);
        arguments.push_back(size());
        break;
    case rtas::change_msi:
        pci_address(of, true);
        arguments.insert(arguments.end(),
                         {static_cast<std::uint32_t>(below(6)), static_cast<std::uint32_t>(below(8)), 1});
        of.n_rets += static_cast<std::uint32_t>(below(2));
        break;
    case rtas::query_pe_dma_window:
    case rtas::reset_pe_dma_window:
        pci_address(of, true);
        break;
    case rtas::create_pe_dma_window:
        pci_address(of, true);
        arguments.insert(arguments.end(), {one_in(2) ? 16 : static_cast<std::uint32_t>(below(66)),
                                           static_cast<std::uint32_t>(below(66))});
        break;
    case rtas::remove_pe_dma_window:
        arguments = {
            static_cast<std::uint32_t>(platform::liobn_base | any_of(around_.functions) << 8 | below(2))};
        break;
    case rtas::query_interrupt_source_number:
        pci_address(of, true);
        arguments.push_back(static_cast<std::uint32_t>(below(8)));
        break;
    case rtas::set_xive:
        arguments = {source(), static_cast<std::uint32_t>(below(around_.cpus + 1)),
                     static_cast<std::uint32_t>(below(258))};
        break;
    case rtas::get_xive:
    case rtas::int_off:
    case rtas::int_on:
        arguments = {source()};
        break;
    case rtas::query_cpu_stopped_state:
    case rtas::start_cpu:
        arguments = {static_cast<std::uint32_t>(below(around_.cpus + 1)), address(), anything()};
        break;
    case rtas::set_time_of_day:
        arguments = {1960 + static_cast<std::uint32_t>(below(310)),   static_cast<std::uint32_t>(below(14)),
                     static_cast<std::uint32_t>(below(33)),           static_cast<std::uint32_t>(below(25)),
                     static_cast<std::uint32_t>(below(61)),           static_cast<std::uint32_t>(below(61)),
                     static_cast<std::uint32_t>(below(1'000'000'001))};
        break;
    case rtas::nvram_fetch:
    case rtas::nvram_store:
        arguments = {static_cast<std::uint32_t>(below(0x1'0010)), address(), length()};
        break;
    case rtas::get_system_parameter:
    case rtas::set_system_parameter:
        arguments = {one_in(4) ? anything() : 20, address(), length()};
        break;
    case rtas::os_term:
        arguments = {text(of, "Kernel panic")};
        break;
    default:
        break;
    }
    while (arguments.size() < row.n_args) {
        arguments.push_back(one_in(2) ? address() : anything());
    }
    arguments.resize(row.n_args);
    if (one_in(12)) {  // a number beside a token
        of.token += static_cast<std::uint32_t>(below(5)) - 2;
    } else if (one_in(40)) {
        of.token = anything();
    }
}

void firmware_call_maker::make_client(firmware_call& of) {
    // The last row ends the guest.
    const client_row& row = client_rows[one_in(200) ? client_rows.size() - 1 : below(client_rows.size() - 1)];
    of.service = row.name;
    of.n_rets = row.n_rets;
    for (const char kind : row.arguments) {
        std::uint32_t value = 0;
        switch (kind) {
        case 't':
            value = path(of);
            break;
        case 'n':
            value = property(of);
            break;
        case 'p':
            value = phandle();
            break;
        case 'i':
            value = instance();
            break;
        case 'a':
            value = address();
            break;
        case 'l':
            value = length();
            break;
        default:
            value = one_in(2) ? std::uint32_t{1} << below(32) : anything();
            break;
        }
        of.arguments.push_back(value);
    }
    if (row.name == "call-method") {
        constexpr std::array<std::string_view, 2> methods{"ibm,client-architecture-support",
                                                          "instantiate-rtas"};
        of.arguments[0] = text(of, methods.at(below(methods.size())));
    }
    of.name_at = text(of, row.name);
}

/// Some arguments, and the counts, are not what they were.
void firmware_call_maker::change(firmware_call& of) {
    while (!of.arguments.empty() && one_in(4)) {
        of.arguments[below(of.arguments.size())] = anything();
    }
    of.n_args = static_cast<std::uint32_t>(of.arguments.size());
    switch (below(24)) {
    case 0:
        of.n_args += static_cast<std::uint32_t>(below(3)) - 1;
        break;
    case 1:
        of.n_rets += static_cast<std::uint32_t>(below(3)) - 1;
        break;
    case 2:
        of.n_args = anything();
        break;
    case 3:
        of.n_rets = anything();
        break;
    default:
        break;
    }
    while (of.n_args <= abi::rtas_max_words && of.arguments.size() < of.n_args) {
        of.arguments.push_back(anything());
    }
}

/// Where the block stands: anywhere, at the end of memory, on what it names, or nowhere.
void firmware_call_maker::place(firmware_call& of) {
    const std::uint64_t size = abi::rtas_header_size +
                               4 * (of.arguments.size() + std::min<std::uint64_t>(of.n_rets, 16));
    switch (below(24)) {
    case 0:
        of.block_at = around_.ram_size - size;
        break;
    case 1:
        of.block_at = around_.ram_size - below(size + 2);
        break;
    case 2:
        of.block_at = of.arguments.empty() ? address() : any_of(of.arguments) - below(20);
        break;
    case 3:
        of.block_at = ~below(40);
        break;
    case 4:
        of.block_at = random_();
        break;
    default:
        of.block_at = below(around_.ram_size - size) & ~std::uint64_t{3};
        break;
    }
    of.cpu = static_cast<unsigned>(below(around_.cpus));
}

firmware_call firmware_call_maker::make() {
    firmware_call made;
    if (one_in(2)) {
        make_rtas(made);
    } else {
        make_client(made);
    }
    change(made);
    place(made);
    return made;
}

}  // namespace pefsim::fuzz
