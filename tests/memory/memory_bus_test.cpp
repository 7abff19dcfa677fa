// SPDX-License-Identifier: Apache-2.0
#include "memory/memory_bus.h"

#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/memory/bus_bench.h"

namespace pefsim::memory {

namespace {

using report::violation_kind;

constexpr auto ok = tlm::TLM_OK_RESPONSE;
constexpr auto address_error = tlm::TLM_ADDRESS_ERROR_RESPONSE;
constexpr auto page_fault = tlm::TLM_GENERIC_ERROR_RESPONSE;

template <std::size_t N>
std::array<std::byte, N> filled(unsigned char value) {
    std::array<std::byte, N> bytes{};
    bytes.fill(std::byte{value});
    return bytes;
}

}  // namespace

class memory_bus_test : public pefsim::testing::bus_bench {
protected:
    const report::violation_log& log() { return recorder.violations(); }
};

TEST_F(memory_bus_test, what_is_written_is_read_by_everybody_in_an_ordinary_guest) {
    elaborate();
    ASSERT_EQ(guest.write(page(2) + 8, 0x1122334455667788), ok);
    for (auto* reader : {&guest, &uv, &hv, &device}) {
        std::uint64_t value = 0;
        EXPECT_EQ(reader->read(page(2) + 8, value), ok) << reader->name();
        EXPECT_EQ(value, 0x1122334455667788) << reader->name();
    }
    EXPECT_EQ(log().total(), 0U);
    EXPECT_EQ(guest.delay, sc_core::SC_ZERO_TIME);
}

TEST_F(memory_bus_test, an_access_without_attributes_is_a_broken_invariant) {
    elaborate();
    std::uint64_t value = 0;
    tlm::tlm_generic_payload payload;
    guest.fill(payload, tlm::TLM_READ_COMMAND, page(0), reinterpret_cast<std::byte*>(&value), 8);
    sc_core::sc_time delay;
    EXPECT_THROW(guest.socket->b_transport(payload, delay), std::logic_error);
}

TEST_F(memory_bus_test, transfers_that_the_bus_does_not_support) {
    elaborate();
    std::uint64_t value = 7;
    std::array<unsigned char, 8> enables{};
    const auto respond = [&](auto change) {
        tlm::tlm_generic_payload payload;
        guest.fill(payload, tlm::TLM_WRITE_COMMAND, page(0), reinterpret_cast<std::byte*>(&value), 8);
        change(payload);
        payload.set_extension(&guest.attributes);
        guest.socket->b_transport(payload, guest.delay);
        payload.clear_extension(&guest.attributes);
        return payload.get_response_status();
    };
    EXPECT_EQ(respond([&](auto& p) { p.set_byte_enable_ptr(enables.data()); }),
              tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    EXPECT_EQ(respond([](auto& p) { p.set_streaming_width(4); }), tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(respond([](auto& p) { p.set_data_length(0); }), tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(respond([](auto& p) { p.set_command(tlm::TLM_IGNORE_COMMAND); }), ok);
    EXPECT_EQ(bus.ram().resident(), 0U);
}

TEST_F(memory_bus_test, an_access_may_cross_pages) {
    elaborate();
    auto data = filled<2 * abi::page_size>(0x5a);
    ASSERT_EQ(device.write(page(3) + 100, data), ok);
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 3)[99], std::byte{0});
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 4)[abi::page_size - 1], std::byte{0x5a});
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 5)[99], std::byte{0x5a});
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 5)[100], std::byte{0});
    auto back = filled<2 * abi::page_size>(0);
    ASSERT_EQ(hv.read(page(3) + 100, back), ok);
    EXPECT_EQ(back, data);
}

TEST_F(memory_bus_test, no_byte_moves_unless_all_pages_allow_it) {
    elaborate();
    set(4, page_state::secure);
    fill(frame_kind::secure, 4, std::byte{0x77});
    const auto data = filled<100>(0x5a);
    EXPECT_EQ(device.write(page(4) - 50, data), address_error);
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 3)[abi::page_size - 1], std::byte{0});
    auto back = filled<100>(0x11);
    EXPECT_EQ(device.read(page(4) - 50, back), address_error);
    EXPECT_EQ(back, filled<100>(0x11));
    set(4, page_state::paged_out);
    EXPECT_EQ(secure_guest.write(page(4) - 50, data), page_fault);
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 3)[abi::page_size - 1], std::byte{0});
}

TEST_F(memory_bus_test, the_frame_that_the_check_names) {
    elaborate();
    fill(frame_kind::normal, 1, std::byte{0x01});
    fill(frame_kind::secure, 1, std::byte{0x02});
    const auto seen_by = [&](pefsim::testing::bus_initiator& who) {
        std::array<std::byte, 1> byte{};
        return who.read(page(1), byte) == ok ? std::to_integer<int>(byte[0]) : -1;
    };
    set(1, page_state::secure);
    EXPECT_EQ(seen_by(secure_guest), 2);
    EXPECT_EQ(seen_by(uv), 2);
    EXPECT_EQ(seen_by(guest), -1);
    EXPECT_EQ(seen_by(hv), -1);
    EXPECT_EQ(seen_by(device), -1);
    set(1, page_state::pseudo_shared);
    EXPECT_EQ(seen_by(secure_guest), 2);
    EXPECT_EQ(seen_by(device), 1);
    set(1, page_state::shared);
    EXPECT_EQ(seen_by(secure_guest), 1);
    EXPECT_EQ(seen_by(device), 1);
    EXPECT_EQ(secure_guest.fetch(page(1)), address_error);
}

TEST_F(memory_bus_test, outside_ram) {
    elaborate();
    std::uint64_t value = 0;
    EXPECT_EQ(guest.read(abi::phys_addr{ram_size}, value), address_error);
    EXPECT_EQ(guest.read(abi::phys_addr{ram_size - 4}, value), address_error);
    EXPECT_EQ(log().total(), 0U) << "a CPU's MMIO is no violation";
    EXPECT_EQ(device.write(abi::phys_addr{ram_size - 4}, value), address_error);
    EXPECT_EQ(log().count(violation_kind::bad_address), 1U);
    EXPECT_EQ(log().kept()[0].detail, "write outside RAM: bus error");
    EXPECT_EQ(hv.read(abi::phys_addr{~std::uint64_t{0}}, value), address_error);
    EXPECT_EQ(log().count(violation_kind::bad_address), 2U);
}

// I2: DMA whose real address has the secure bit faults and transfers no byte.
TEST_F(memory_bus_test, the_secure_memory_bit_of_a_host_access) {
    elaborate();
    set(1, page_state::secure);
    fill(frame_kind::secure, 1, std::byte{0x42});
    device.attributes.request = 9;
    for (auto* who : {&device, &hv}) {
        std::uint64_t value = 5;
        EXPECT_EQ(who->read(page(1) + abi::secure_memory_bit, value), address_error);
        EXPECT_EQ(value, 5U);
        EXPECT_EQ(who->write(page(1) + abi::secure_memory_bit, value), address_error);
    }
    EXPECT_EQ(bus.ram().read(frame_kind::secure, 1)[0], std::byte{0x42});
    ASSERT_EQ(log().count(violation_kind::bad_address), 4U);
    EXPECT_EQ(log().kept()[0].who, "device");
    EXPECT_EQ(log().kept()[0].request, 9U);
    EXPECT_EQ(log().kept()[0].address, page(1).value() + abi::secure_memory_bit);
    EXPECT_EQ(log().kept()[0].detail, "read with the secure-memory bit: bus error");
    EXPECT_EQ(log().kept()[2].who, "hv");
}

TEST_F(memory_bus_test, a_refused_device_access_without_a_hypervisor_is_a_bus_error_and_named) {
    elaborate();
    set(6, page_state::secure);
    device.attributes.request = 41;
    device.delay = sc_core::sc_time(70, sc_core::SC_NS);
    std::uint64_t value = 0;
    EXPECT_EQ(device.read(page(6) + 0x10, value), address_error);
    ASSERT_EQ(log().kept().size(), 1U);
    const report::violation& v = log().kept()[0];
    EXPECT_EQ(v.kind, violation_kind::refused_access);
    EXPECT_EQ(v.when, sc_core::sc_time(70, sc_core::SC_NS));
    EXPECT_EQ(v.who, "device");
    EXPECT_EQ(v.address, page(6).value() + 0x10);
    EXPECT_EQ(v.size, 8U);
    EXPECT_EQ(v.page_state, "SECURE");
    EXPECT_EQ(v.request, 41U);
    EXPECT_EQ(v.detail, "read by device: bus error");
}

TEST_F(memory_bus_test, a_refused_guest_access_is_named) {
    elaborate();
    set(6, page_state::secure);
    std::uint64_t value = 0;
    EXPECT_EQ(guest.read(page(6), value), address_error);
    set(6, page_state::shared);
    EXPECT_EQ(secure_guest.fetch(page(6)), address_error);
    ASSERT_EQ(log().count(violation_kind::refused_access), 2U);
    EXPECT_EQ(log().kept()[0].detail, "read by guest, S=0: refused");
    EXPECT_EQ(log().kept()[1].detail, "fetch by guest, S=1: refused");
}

class memory_bus_with_host : public memory_bus_test {
protected:
    pefsim::testing::scripted_host_fault host{"host"};

    memory_bus_with_host() { bus.host_fault(host); }
    // As a hypervisor that asks for the page: its frame then holds ciphertext.
    host_fault_outcome page_out(abi::phys_addr at) {
        fill(frame_kind::normal, abi::gfn_of(at), std::byte{0xcc});
        set(abi::gfn_of(at), page_state::paged_out);
        return host_fault_outcome::retry;
    }
};

TEST_F(memory_bus_with_host, the_host_pages_out_and_reads_ciphertext) {
    elaborate();
    set(6, page_state::secure);
    fill(frame_kind::secure, 6, std::byte{0x42});
    host.answer = [this](abi::phys_addr at) { return page_out(at); };
    std::array<std::byte, 4> data{};
    EXPECT_EQ(device.read(page(6), data), ok);
    EXPECT_EQ(data, filled<4>(0xcc));
    EXPECT_EQ(host.asked.size(), 1U);
    ASSERT_EQ(log().kept().size(), 1U);
    EXPECT_EQ(log().kept()[0].page_state, "SECURE");
    EXPECT_EQ(log().kept()[0].detail, "read by device: reads ciphertext");

    EXPECT_EQ(device.write(page(6), data), ok);
    EXPECT_EQ(host.asked.size(), 1U);
    ASSERT_EQ(log().kept().size(), 2U);
    EXPECT_EQ(log().kept()[1].page_state, "PAGEDOUT");
    EXPECT_EQ(log().kept()[1].detail, "write by device: overwrites ciphertext");

    EXPECT_EQ(hv.read(page(6), data), ok);
    EXPECT_EQ(log().kept().size(), 2U) << "the hypervisor's own page";
}

TEST_F(memory_bus_with_host, each_page_of_an_access_is_asked_for_and_reported_once) {
    elaborate();
    for (abi::gfn p : {4, 5, 6}) {
        set(p, page_state::secure);
    }
    set(5, page_state::paged_out);
    host.answer = [this](abi::phys_addr at) { return page_out(at); };
    auto data = filled<3 * abi::page_size - 32>(0);
    EXPECT_EQ(device.read(page(4) + 16, data), ok);
    ASSERT_EQ(host.asked.size(), 2U);
    EXPECT_EQ(host.asked[0], page(4) + 16);
    EXPECT_EQ(host.asked[1], page(6));
    ASSERT_EQ(log().kept().size(), 3U);
    std::set<std::uint64_t> addresses;
    for (const auto& v : log().kept()) {
        addresses.insert(v.address);
    }
    EXPECT_EQ(addresses, (std::set<std::uint64_t>{page(4).value() + 16, page(5).value(), page(6).value()}));
    EXPECT_EQ(log().kept()[0].size, abi::page_size - 16);
    EXPECT_EQ(log().kept()[2].size, abi::page_size - 16);
}

TEST_F(memory_bus_with_host, a_bus_error_is_the_other_policy) {
    elaborate();
    set(6, page_state::secure);
    std::uint64_t value = 3;
    EXPECT_EQ(hv.read(page(6), value), address_error);
    EXPECT_EQ(value, 3U);
    EXPECT_EQ(host.asked.size(), 1U);
    ASSERT_EQ(log().kept().size(), 1U);
    EXPECT_EQ(log().kept()[0].detail, "read by hypervisor: bus error");
}

TEST_F(memory_bus_with_host, a_host_that_changes_nothing_is_asked_a_bounded_number_of_times) {
    elaborate();
    set(6, page_state::secure);
    host.answer = [](abi::phys_addr) { return host_fault_outcome::retry; };
    std::uint64_t value = 0;
    EXPECT_EQ(device.read(page(6), value), address_error);
    EXPECT_EQ(host.asked.size(), memory_bus::max_host_faults);
    EXPECT_EQ(log().total(), 1U);
}

TEST_F(memory_bus_with_host, a_page_that_became_the_hosts_lets_the_access_through) {
    elaborate();
    set(6, page_state::secure);
    host.answer = [this](abi::phys_addr at) {
        set(abi::gfn_of(at), page_state::shared);
        return host_fault_outcome::retry;
    };
    EXPECT_EQ(device.write(page(6), 1), ok);
    ASSERT_EQ(log().kept().size(), 1U);
    EXPECT_EQ(log().kept()[0].detail, "write by device: let through after the host's page fault");
}

TEST_F(memory_bus_with_host, guests_never_ask_the_host) {
    elaborate();
    set(6, page_state::secure);
    std::uint64_t value = 0;
    EXPECT_EQ(guest.read(page(6), value), address_error);
    set(6, page_state::paged_out);
    EXPECT_EQ(secure_guest.read(page(6), value), page_fault);
    EXPECT_TRUE(host.asked.empty());
}

// --- exposure ledger

TEST_F(memory_bus_test, writes_to_exposed_pages_and_the_hosts_reads_are_in_the_ledger) {
    elaborate();
    exposure::ledger& ledger = recorder.ledger();
    set(1, page_state::secure);
    set(2, page_state::shared);
    std::uint64_t value = 1;
    ASSERT_EQ(secure_guest.write(page(1), value), ok);
    EXPECT_EQ(ledger.bytes_written(), 0U);
    ASSERT_EQ(secure_guest.write(page(2), value), ok);
    ASSERT_EQ(device.write(page(2) + 64, value), ok);
    ASSERT_EQ(hv.write(page(3), value), ok);
    EXPECT_EQ(ledger.bytes_written(), 24U);
    ASSERT_EQ(secure_guest.read(page(2), value), ok);
    EXPECT_EQ(ledger.bytes_read_by_host(), 0U);
    ASSERT_EQ(device.read(page(2), value), ok);
    EXPECT_EQ(ledger.bytes_read_by_host(), 8U);
    const auto extents = ledger.extents(2);
    ASSERT_EQ(extents.size(), 2U);
    EXPECT_EQ(ledger.initiator(extents[0].writer.initiator), "secure_guest");
    EXPECT_EQ(extents[0].host_reads, 1U);
    EXPECT_EQ(ledger.initiator(extents[1].writer.initiator), "device");
}

TEST_F(memory_bus_test, an_ordinary_guests_stores_are_left_out_where_few_of_them_come_this_way) {
    elaborate();
    exposure::ledger& ledger = recorder.ledger();
    ledger.leave_out_ordinary_stores();
    std::uint64_t value = 1;
    ASSERT_EQ(guest.write(page(1), value), ok);
    EXPECT_EQ(ledger.bytes_written(), 0U);
    EXPECT_FALSE(ledger.knows_the_guests_stores());
    ASSERT_EQ(device.write(page(1), value), ok);
    ASSERT_EQ(device.read(page(1), value), ok);
    EXPECT_EQ(ledger.bytes_written(), 8U) << "the host's";
    EXPECT_EQ(ledger.bytes_read_by_host(), 8U);
    set(2, page_state::secure);
    set(2, page_state::shared);
    ASSERT_EQ(secure_guest.write(page(2), value), ok);
    EXPECT_EQ(ledger.bytes_written(), 16U);
    EXPECT_TRUE(ledger.knows_the_guests_stores());
    set(2, page_state::normal);
    EXPECT_TRUE(ledger.knows_the_guests_stores()) << "a guest that has ended";
    ASSERT_EQ(guest.write(page(2), value), ok);
    EXPECT_EQ(ledger.bytes_written(), 16U);
    EXPECT_FALSE(ledger.knows_the_guests_stores()) << "an ordinary guest again";
}

TEST_F(memory_bus_test, the_ledger_follows_the_pages_states) {
    elaborate();
    const exposure::ledger& ledger = recorder.ledger();
    EXPECT_TRUE(ledger.exposed(0)) << "an ordinary guest's page";
    for (std::size_t i = 0; i < page_state_count; ++i) {
        const auto state = static_cast<page_state>(i);
        set(1, page_state::secure);
        set(1, state);
        const bool hosts_copy = state == page_state::pseudo_shared || state == page_state::pseudo_shared_inv;
        EXPECT_EQ(ledger.exposed(1), exposed(state) || hosts_copy) << to_name(state);
        EXPECT_EQ(bus.exposed(1), exposed(state)) << to_name(state);
    }
    EXPECT_FALSE(exposed(page_state::secure));
    EXPECT_FALSE(exposed(page_state::paged_out));
    EXPECT_TRUE(exposed(page_state::shared));
    EXPECT_TRUE(exposed(page_state::normal));
}

TEST_F(memory_bus_test, a_guests_write_to_its_pseudo_shared_page_does_not_reach_the_hosts_copy) {
    elaborate();
    set(1, page_state::pseudo_shared);
    ASSERT_EQ(secure_guest.write(page(1), 1), ok);
    EXPECT_EQ(recorder.ledger().bytes_written(), 0U);
    ASSERT_EQ(device.write(page(1), 1), ok);
    EXPECT_EQ(recorder.ledger().bytes_written(), 8U);
}

// --- debug transport

TEST_F(memory_bus_test, debug_transport_is_the_hosts_view_and_stops_where_that_ends) {
    elaborate();
    fill(frame_kind::normal, 1, std::byte{0x01});
    fill(frame_kind::secure, 2, std::byte{0x02});
    set(2, page_state::secure);
    auto data = filled<256>(0);
    EXPECT_EQ(hv.debug(tlm::TLM_READ_COMMAND, page(2) - 100, data, false), 100U);
    EXPECT_EQ(data[99], std::byte{0x01});
    EXPECT_EQ(data[100], std::byte{0});
    EXPECT_EQ(hv.debug(tlm::TLM_READ_COMMAND, page(2), data), 0U);
    EXPECT_EQ(secure_guest.debug(tlm::TLM_READ_COMMAND, page(2), data), 256U);
    EXPECT_EQ(data[0], std::byte{0x02});
    EXPECT_EQ(hv.debug(tlm::TLM_READ_COMMAND, abi::phys_addr{ram_size - 10}, data), 10U);
    EXPECT_EQ(hv.debug(tlm::TLM_READ_COMMAND, abi::phys_addr{ram_size}, data), 0U);
    EXPECT_EQ(hv.debug(tlm::TLM_WRITE_COMMAND, page(3), data), 256U);
    EXPECT_EQ(bus.ram().read(frame_kind::normal, 3)[99], data[99]);
    EXPECT_EQ(log().total(), 0U);
    EXPECT_EQ(recorder.ledger().bytes_read_by_host(), 0U);
}

TEST_F(memory_bus_test, an_address_that_is_named_to_a_device_is_judged_and_nothing_moves) {
    elaborate();
    std::array<std::byte, 3 * abi::page_size> nothing{};
    const auto name = [&](abi::phys_addr at, std::size_t size) {
        device.debug(tlm::TLM_IGNORE_COMMAND, at, std::span(nothing).first(size));
    };
    name(page(0), nothing.size());
    EXPECT_EQ(log().total(), 0U) << "an ordinary guest";
    set(1, page_state::shared);
    set(2, page_state::secure);
    set(3, page_state::paged_out);
    set(4, page_state::shared_implicit);
    device.attributes.request = 7;
    name(page(1) + 0x100, 16);
    name(page(4), 16);
    EXPECT_EQ(log().total(), 0U);
    name(page(1) + 0x100, 2 * abi::page_size);
    ASSERT_EQ(log().count(violation_kind::private_address), 2U);
    const report::violation first = log().kept()[0];
    EXPECT_EQ(first.who, "device");
    EXPECT_EQ(first.address, page(2).value());
    EXPECT_EQ(first.size, abi::page_size);
    EXPECT_EQ(first.page_state, "SECURE");
    EXPECT_EQ(first.request, 7U);
    const report::violation second = log().kept()[1];
    EXPECT_EQ(second.address, page(3).value());
    EXPECT_EQ(second.size, 0x100U);
    EXPECT_EQ(second.page_state, "PAGEDOUT");
    device.attributes.request = 0;
    name(page(2), 16);
    EXPECT_NE(log().kept()[2].detail, first.detail) << "a queue, not a buffer";
    EXPECT_EQ(recorder.metrics().find_counter("bus", "private_addresses")->value(), 3U);
    EXPECT_EQ(recorder.metrics().find_counter("bus", "refused_accesses")->value(), 0U);
    EXPECT_EQ(recorder.ledger().bytes_read_by_host(), 0U);
}

// --- what a trace shows

TEST_F(memory_bus_with_host, signals) {
    std::set<std::string> names;
    for (const auto& declared : recorder.signals()) {
        if (declared.scope == "bus") {
            names.insert(declared.name);
        }
    }
    for (const char* expected :
         {"pages_secure", "pages_pagedout", "pages_shared", "pages_normal", "pages_hv_unsharing_inv",
          "host_access_initiator", "host_access_address", "host_access_bytes", "host_access_kind",
          "host_access_page_state", "host_access_verdict", "refused", "refused_address"}) {
        EXPECT_TRUE(names.contains(expected)) << expected;
    }
    const std::string file = ::testing::TempDir() + fmt::format("memory_bus_signals_{}.vcd", getpid());
    trace::recording_options options;
    options.file = file;
    recorder.start(options);
    elaborate();
    set(6, page_state::secure);
    std::uint64_t value = 0;
    EXPECT_EQ(device.read(page(6) + 0x1238, value), address_error);
    run(sc_core::sc_time(1, sc_core::SC_NS));
    recorder.finish();
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NE(text.find("sdevice "), std::string::npos);
    EXPECT_NE(text.find("srefused "), std::string::npos);
    EXPECT_NE(text.find("sSECURE "), std::string::npos);
    EXPECT_NE(text.find("b1100001001000111000 "), std::string::npos) << "0x61238";
}

TEST_F(memory_bus_test, equal_accesses_in_a_row_are_as_many_events) {
    elaborate();
    const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "host_accesses.vcd";
    recorder.start({.file = file});
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 3; ++i) {
        ASSERT_EQ(device.read(page(1), value), ok);
    }
    run(sc_core::sc_time(5, sc_core::SC_NS));
    ASSERT_EQ(device.read(page(1), value), ok);
    recorder.finish();
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    std::smatch declared;
    ASSERT_TRUE(std::regex_search(text, declared, std::regex(R"(\$var event 1 (\S+) host_access \$end)")))
        << text;
    std::size_t events = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        events += line == "1" + declared.str(1) ? 1 : 0;
    }
    EXPECT_EQ(events, 4U) << "three at one instant, and one later";
    std::filesystem::remove(file);
    std::filesystem::remove(std::filesystem::path(file).replace_extension(".gtkw"));
    std::filesystem::remove(std::filesystem::path(file).replace_extension(".sucl"));
}

}  // namespace pefsim::memory
