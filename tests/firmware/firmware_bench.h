// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/hcall.h"
#include "abi/platform.h"
#include "abi/rtas.h"
#include "firmware/firmware.h"
#include "tests/firmware/silent_device.h"
#include "tests/hypervisor/hypervisor_bench.h"
#include "tests/hypervisor/recorded_processor.h"

namespace pefsim::firmware {

using words = std::vector<std::uint32_t>;

/// What a call came to: the hypercall's status, and the results in the argument block.
struct answer {
    abi::h_status status;
    words results;

    [[nodiscard]] abi::rtas_status rtas() const { return static_cast<abi::rtas_status>(results.at(0)); }
};

/// A function of the bench's host bridge, besides the bench's own in slot 1.
struct slot {
    unsigned devfn;
    pci::pci_function::config function;
};

struct bench_options {
    std::uint64_t ram_size = hypervisor::hypervisor_bench::default_ram;
    std::vector<slot> slots{};
    std::string command_line = "console=hvc0";
    std::optional<extent> kernel{};
    std::optional<extent> initrd{};
    real_time_clock::instant date = std::chrono::sys_days(std::chrono::year(2018) / std::chrono::July / 20);
};

/// Firmware on the hypervisor's bench: real memory, interrupts and host bridge, two processors that only take down what
/// is done to them.
struct firmware_bench : hypervisor::hypervisor_bench {
    static constexpr std::uint32_t block_at = 0x2'0000;
    static constexpr std::uint32_t text_at = 0x2'1000;
    static constexpr std::uint32_t buffer_at = 0x3'0000;
    static constexpr std::uint32_t config_address = devfn << 8;  ///< of the bench's own device
    static constexpr std::uint32_t unit_high = device_tree::upper(abi::platform::bridge_unit);
    static constexpr std::uint32_t unit_low = device_tree::lower(abi::platform::bridge_unit);

    explicit firmware_bench(const bench_options& wanted = {})
        : hypervisor_bench(hypervisor::firmware_kind::bound_later, config_of(wanted)) {
        for (const slot& each : wanted.slots) {
            pci::pci_function& added = devices.emplace_back(fmt::format("slot{}", each.devfn).c_str(),
                                                            recorder, each.function);
            bridge.attach(each.devfn, added);
        }
        for (hypervisor::recorded_processor& each : cpus) {
            host.processors(each);
        }
        const machine_description machine{.ram_size = wanted.ram_size,
                                          .cpus = static_cast<unsigned>(cpus.size()),
                                          .bridge = bridge,
                                          .command_line = wanted.command_line,
                                          .kernel = wanted.kernel,
                                          .initrd = wanted.initrd};
        subject = std::make_unique<firmware>("firmware", recorder,
                                             firmware::config{.machine = machine, .date = wanted.date});
        host.firmware(*subject);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }

    // --- guest memory
    void put(std::uint64_t at, std::span<const std::byte> bytes) {
        for (std::size_t n = 0; n < bytes.size(); ++n, ++at) {
            bus.ram().write(memory::frame_kind::normal,
                            at >> abi::page_shift)[at % abi::page_size] = bytes[n];
        }
    }
    void put(std::uint64_t at, std::string_view text) { put(at, std::as_bytes(std::span(text))); }
    void put_words(std::uint64_t at, const words& values) {
        const std::vector<boost::endian::big_uint32_t> big(values.begin(), values.end());
        put(at, std::as_bytes(std::span(big)));
    }
    [[nodiscard]] std::vector<std::byte> get(std::uint64_t at, std::size_t size) const {
        std::vector<std::byte> bytes(size);
        for (std::size_t n = 0; n < size; ++n, ++at) {
            bytes[n] = bus.ram().read(memory::frame_kind::normal, at >> abi::page_shift)[at % abi::page_size];
        }
        return bytes;
    }
    [[nodiscard]] std::string get_text(std::uint64_t at, std::size_t size) const {
        const std::vector<std::byte> bytes = get(at, size);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    [[nodiscard]] words get_words(std::uint64_t at, std::size_t count) const {
        std::vector<boost::endian::big_uint32_t> big(count);
        const std::vector<std::byte> bytes = get(at, 4 * count);
        std::ranges::copy(bytes, std::as_writable_bytes(std::span(big)).begin());
        return {big.begin(), big.end()};
    }

    // --- calls
    answer call_block(abi::hcall number, std::uint32_t name, const words& arguments, unsigned n_rets,
                      std::uint64_t at = block_at, unsigned cpu = 0) {
        words all{name, static_cast<std::uint32_t>(arguments.size()), n_rets};
        all.insert(all.end(), arguments.begin(), arguments.end());
        all.insert(all.end(), n_rets, 0xdead'beef);
        put_words(at, all);
        const abi::h_status status = call(number, {at}, cpu);
        return {status, get_words(at + 12 + 4 * arguments.size(), n_rets)};
    }
    answer rtas(abi::rtas token, const words& arguments, unsigned cpu = 0) {
        const unsigned n_rets =
            abi::rtas_declarations.at(abi::rtas_row(static_cast<std::uint64_t>(token))).n_rets;
        return call_block(abi::hcall::h_rtas, static_cast<std::uint32_t>(token), arguments, n_rets, block_at,
                          cpu);
    }

    /// An argument of a client service: a number, or a text, which is put into memory.
    struct cell {
        template <std::integral T>
        cell(T number) : value(static_cast<std::uint32_t>(number)) {}  // NOLINT(google-explicit-constructor)
        template <std::convertible_to<std::string_view> T>
        cell(const T& characters)
            : text(std::string_view(characters)) {}  // NOLINT(google-explicit-constructor)

        std::uint32_t value = 0;
        std::optional<std::string> text{};
    };
    answer client(std::string_view service, const std::vector<cell>& arguments, unsigned n_rets = 1) {
        std::uint32_t place = text_at;
        const auto put_text = [&](std::string_view text) {
            const std::uint32_t at = place;
            put(at, std::string(text) + '\0');
            place += static_cast<std::uint32_t>(text.size()) + 1;
            return at;
        };
        const std::uint32_t name = put_text(service);
        words cells;
        for (const cell& each : arguments) {
            cells.push_back(each.text ? put_text(*each.text) : each.value);
        }
        return call_block(abi::hcall::h_client, name, cells, n_rets);
    }
    /// Its first result.
    std::uint32_t ask(std::string_view service, const std::vector<cell>& arguments) {
        const answer got = client(service, arguments);
        EXPECT_EQ(got.status, abi::h_status::h_success) << service;
        return got.results.at(0);
    }
    std::uint32_t node(std::string_view path) { return ask("finddevice", {path}); }

    [[nodiscard]] std::uint64_t refused() const {
        return recorder.metrics().find_counter("firmware", "rtas_calls_refused")->value();
    }

    std::deque<silent_device> devices;
    std::array<hypervisor::recorded_processor, 2> cpus;
    std::unique_ptr<firmware> subject;

private:
    static hypervisor::hypervisor::config config_of(const bench_options& wanted) {
        hypervisor::hypervisor::config parameters = small();
        parameters.ram_size = wanted.ram_size;
        return parameters;
    }
};

}  // namespace pefsim::firmware
