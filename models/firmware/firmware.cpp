// SPDX-License-Identifier: Apache-2.0
#include "firmware/firmware.h"

#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <cstddef>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

#include "abi/platform.h"
#include "cpu/call_rows.h"
#include "firmware/architecture_support.h"
#include "firmware/machine_tree.h"

namespace pefsim::firmware {

using abi::h_status;
using abi::rtas_status;
using word = boost::endian::big_uint32_t;

namespace {

constexpr std::string_view no_call = "-";

// --- tables

using rtas_table = std::array<const rtas_service*, abi::rtas_declarations.size()>;

rtas_table all_rtas_services() {
    return cpu::services_by_row<abi::rtas_declarations.size(), rtas_service>(
        {pci_configuration_services(), message_interrupt_services(), dma_window_services(),
         interrupt_source_services(), processor_services(), clock_services(), nvram_services(),
         event_services(), system_parameter_services(), power_services(), terminal_services()},
        abi::rtas_row, abi::rtas_name);
}

std::vector<client_service> all_client_services() {
    std::vector<client_service> all;
    for (const auto rows : {tree_services(), instance_services(), memory_services(), control_services()}) {
        all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
}

/// The services, in the order of the tally's labels.
const std::vector<client_service>& client_services() {
    static const std::vector<client_service> all = all_client_services();
    return all;
}

std::vector<std::string> client_labels() {
    std::vector<std::string> labels;
    for (const client_service& each : client_services()) {
        labels.emplace_back(each.name);
    }
    labels.emplace_back("unknown service");
    return labels;
}

// --- memory before the operating system starts

/// Firmware's own page, where its code stands, and what lies below.
constexpr std::uint64_t firmware_area = abi::platform::client_entry.value() + 0x8000;

void take(claims& memory, const extent& what, std::string_view name) {
    if (!memory.take(what.at, what.size)) {
        throw std::invalid_argument(fmt::format(
            "{}: {} bytes at {:#x} do not lie in RAM, or on something else", name, what.size, what.at));
    }
}

}  // namespace

// --- assembly

firmware::firmware(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                   const config& parameters)
    : sc_module(module_name),
      parameters_(parameters),
      memory_(parameters.machine.ram_size),
      client_{.tree = tree_, .memory = memory_},
      clock_(parameters.date),
      rtas_(recorder, name(), "rtas", "RTAS call that is being served", no_call),
      client_service_(recorder, name(), "client_service",
                      "service of the client interface that is being asked for", no_call),
      rtas_calls_(recorder.metrics(), name(), "rtas_calls", "calls", "RTAS calls, by name",
                  cpu::call_labels(abi::rtas_declarations, "unknown RTAS call")),
      refused_(recorder.metrics(), name(), "rtas_calls_refused", "calls", "RTAS calls with an error status"),
      client_calls_(recorder.metrics(), name(), "client_calls", "calls",
                    "calls of the client interface, by service", client_labels()) {
    take(memory_, {0, firmware_area}, "firmware");
    if (parameters.machine.kernel) {
        take(memory_, *parameters.machine.kernel, "kernel");
    }
    if (parameters.machine.initrd) {
        take(memory_, *parameters.machine.initrd, "initrd");
    }
    if (parameters.machine.esm_blob) {
        take(memory_, *parameters.machine.esm_blob, "esm.blob");
    }
    parameters.machine.bridge.iommu().add_window(0);  // of what has none of its own
    assign_addresses(parameters.machine.bridge);
    describe_machine(tree_, parameters.machine);
    device_tree::node* const terminal = tree_.find(
        fmt::format("/vdevice/vty@{:x}", abi::platform::console_termno));
    tree_.find("/chosen")->set("stdout", {client_.open(terminal->handle())});
}

firmware::flat_tree firmware::flatten(interrupt::interrupt_controllers& interrupts) {
    constexpr std::uint64_t below = std::uint64_t{256} << 20;  // an operating system finds these early
    constexpr std::uint64_t page = std::uint64_t{64} << 10;
    const auto code = memory_.take_below(below, page, page);
    device_tree::node& rtas = *tree_.find("/rtas");
    choose_architecture(tree_, interrupts, interrupts.has_xive(), sc_core::sc_time_stamp());
    if (!code) {
        throw std::invalid_argument("RTAS does not fit into RAM");
    }
    rtas.set("linux,rtas-base", {static_cast<std::uint32_t>(*code)});
    rtas.set("linux,rtas-entry", {static_cast<std::uint32_t>(*code)});
    const std::array reserved{device_tree::tree::reservation{abi::phys_addr{*code}, page}};
    constexpr std::size_t room = 1024;  // an Ultravisor reserves memory for itself
    std::vector<std::byte> content = tree_.flatten(reserved, 0, room);
    const auto at = memory_.take_below(below, content.size(), page);
    if (!at) {
        throw std::invalid_argument("the device tree does not fit into RAM");
    }
    return {.rtas_at = *code, .at = *at, .content = std::move(content)};
}

// --- argument blocks: name, number of arguments, number of results, arguments, results

std::optional<firmware::block> firmware::read_block(hypervisor::host& here, const hypervisor::call& of,
                                                    abi::phys_addr at) {
    std::array<word, 3> header;
    if (!here.memory.read(at, std::as_writable_bytes(std::span(header)), of.context.delay) ||
        header[1] > abi::rtas_max_words || header[2] > abi::rtas_max_words - header[1]) {
        return std::nullopt;
    }
    std::vector<word> arguments(header[1]);
    if (!arguments.empty() &&
        !here.memory.read(at + abi::rtas_header_size, std::as_writable_bytes(std::span(arguments)),
                          of.context.delay)) {
        return std::nullopt;
    }
    return block{.name = header[0],
                 .arguments = {arguments.begin(), arguments.end()},
                 .results = std::vector<std::uint32_t>(header[2])};
}

bool firmware::write_results(hypervisor::host& here, const hypervisor::call& of, abi::phys_addr at,
                             const block& from) {
    const std::vector<word> results(from.results.begin(), from.results.end());
    const abi::phys_addr behind = at + abi::rtas_header_size + sizeof(word) * from.arguments.size();
    return results.empty() || here.memory.write(behind, std::as_bytes(std::span(results)), of.context.delay);
}

// --- RTAS

rtas_status firmware::serve(hypervisor::host& here, const hypervisor::call& of, block& call) {
    static const rtas_table services = all_rtas_services();
    const std::size_t row = abi::rtas_row(call.name);
    if (row == services.size()) {
        return rtas_status::parameter_error;
    }
    const abi::rtas_declaration& declared = abi::rtas_declarations[row];
    if (call.arguments.size() < declared.n_args || call.results.size() < declared.n_rets) {
        return rtas_status::parameter_error;
    }
    parts all{.host = here,
              .ram_size = parameters_.machine.ram_size,
              .bridge = parameters_.machine.bridge,
              .messages = messages_,
              .store = store_,
              .clock = clock_};
    return services[row]->serve(
        all, {.trap = of, .arguments = call.arguments, .results = std::span(call.results).subspan(1)});
}

h_status firmware::rtas(hypervisor::host& here, const hypervisor::call& of, abi::phys_addr arguments) {
    std::optional<block> call = read_block(here, of, arguments);
    if (!call || call->results.empty()) {
        return h_status::h_parameter;
    }
    rtas_.set(abi::rtas_name(call->name), of.context.now());
    rtas_calls_.add(abi::rtas_row(call->name));
    const rtas_status status = serve(here, of, *call);
    call->results[0] = static_cast<std::uint32_t>(status);
    refused_.add(status < rtas_status::success ? 1 : 0);
    rtas_.set(no_call, of.context.now());
    return write_results(here, of, arguments, *call) ? h_status::h_success : h_status::h_parameter;
}

// --- client interface

h_status firmware::client_interface(hypervisor::host& here, const hypervisor::call& of,
                                    abi::phys_addr arguments) {
    constexpr h_status failed = h_status::h_hardware;  // -1, as IEEE 1275 has it
    std::optional<block> request = read_block(here, of, arguments);
    if (!request) {
        return failed;
    }
    const client_call call{.host = here,
                           .trap = of,
                           .state = client_,
                           .arguments = request->arguments,
                           .results = request->results};
    const std::string name = call.text(request->name);
    const auto& services = client_services();
    const auto found = std::ranges::find(services, name, &client_service::name);
    client_calls_.add(static_cast<std::size_t>(found - services.begin()));
    if (found == services.end() || call.arguments.size() < found->n_args ||
        call.results.size() < found->n_rets) {
        return failed;
    }
    client_service_.set(found->name, of.context.now());
    found->serve(call);
    client_service_.set(no_call, of.context.now());
    return write_results(here, of, arguments, *request) ? h_status::h_success : failed;
}

std::string client_call::text(std::uint32_t at) const {
    constexpr std::size_t longest = 1024;
    constexpr std::size_t piece = 32;
    std::string found;
    while (found.size() < longest) {
        // In pieces that do not leave a page: what stands behind the text may be no memory.
        std::array<char, piece> characters{};
        const auto part = std::span(characters).first(piece - at % piece);
        if (!read(at, std::as_writable_bytes(part))) {
            return {};
        }
        const auto end = std::ranges::find(part, '\0');
        found.append(part.begin(), end);
        if (end != part.end()) {
            return found;
        }
        at += static_cast<std::uint32_t>(part.size());
    }
    return {};
}

std::uint32_t client_call::give(std::uint32_t to, std::uint32_t room,
                                std::span<const std::byte> value) const {
    const auto part = value.first(std::min<std::size_t>(room, value.size()));
    return write(to, part) ? static_cast<std::uint32_t>(value.size()) : client_failure;
}

std::uint32_t client_call::give(std::uint32_t to, std::uint32_t room, const std::string& text) const {
    const std::span with_nul(text.c_str(), text.size() + 1);
    return give(to, room, std::as_bytes(with_nul)) == client_failure
               ? client_failure
               : static_cast<std::uint32_t>(text.size());
}

}  // namespace pefsim::firmware
