// SPDX-License-Identifier: Apache-2.0
#include "platform/power/power_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/pci.h"
#include "abi/platform.h"
#include "abi/xive.h"
#include "hypervisor/hostile_host.h"
#include "interrupt/interrupt_controllers.h"
#include "memory/bus_payload.h"
#include "report/run_ending.h"
#include "tests/support/simulation.h"

namespace pefsim::platform {
namespace {

constexpr std::uint64_t code = 0x10000;
constexpr std::uint32_t attn = 0x0000'0200;
constexpr std::uint32_t branch_to_itself = 0x4800'0000;
constexpr std::uint32_t li_r3_0 = 0x3860'0000;
constexpr std::uint32_t ori_r3_h_exit = 0x6063'f0fc;
constexpr std::uint32_t ori_r3_uv_esm = 0x6063'f110;
constexpr std::uint32_t sc_1 = 0x4400'0022;
constexpr std::uint32_t sc_2 = 0x4400'0042;
constexpr std::uint32_t lwz_r4_at_r6 = 0x8086'0000;

class power_machine_test : public testing::simulation_test {
protected:
    static void put(power_machine& machine, std::uint64_t at, std::initializer_list<std::uint32_t> words,
                    boost::endian::order order = boost::endian::order::little) {
        std::byte* to = machine.memory().ram().write(memory::frame_kind::normal, at >> abi::page_shift) +
                        at % abi::page_size;
        for (const std::uint32_t word : words) {
            const std::uint32_t stored = order == boost::endian::order::little
                                             ? boost::endian::native_to_little(word)
                                             : boost::endian::native_to_big(word);
            std::memcpy(to, &stored, sizeof stored);
            to += sizeof stored;
        }
    }
    /// Puts `words` at `code`, and starts CPU 0 there.
    static void start(power_machine& machine, std::initializer_list<std::uint32_t> words,
                      boost::endian::order order = boost::endian::order::little) {
        put(machine, code, words, order);
        cpu::power_cpu& core = machine.cpu(0);
        core.state().msr |= order == boost::endian::order::little ? power::msr_le : 0;
        core.state().nip = code;
        core.start();
    }
    /// A machine with a disk, and where its vendor and device id stand: the bytes f4 1a 42 10.
    static power_machine_config with_disk() {
        power_machine_config config;
        config.disks = {disk_config{}};
        return config;
    }
    static std::uint64_t header_of_the_disk(power_machine& machine) {
        unsigned devfn = 0;
        while (machine.host_bridge().function(devfn) == nullptr) {
            ++devfn;
        }
        return abi::platform::ecam_base.value() + abi::pci::ecam_offset(devfn, 0);
    }
};

TEST_F(power_machine_test, the_guest_ends_itself) {
    power_machine subject("machine", {}, 1);
    EXPECT_EQ(subject.cpu(0).state()[power::spr::lpidr], abi::platform::lpid);
    EXPECT_EQ(subject.tools(), nullptr);
    subject.cpu(0).state().gpr[4] = 300;
    start(subject, {li_r3_0, ori_r3_h_exit, sc_1, attn});
    subject.run();
    EXPECT_TRUE(subject.finished());
    EXPECT_EQ(subject.ending().text, "the guest ended itself with status 300");
    EXPECT_THAT(subject.ending().details, ::testing::IsEmpty());
    EXPECT_EQ(subject.host().exit_status(), 300U);
    EXPECT_EQ(subject.hypercalls({abi::hcall::h_exit}), 1U);
    EXPECT_EQ(subject.instructions(), 3U);
}

TEST_F(power_machine_test, uv_esm_leads_to_the_entry_of_a_kernel) {
    power_machine subject("machine", {}, 1);
    constexpr std::uint64_t entry = 0x2'0008;
    constexpr std::uint64_t tree = 0x3'0000;
    subject.cpu(0).state().gpr[4] = entry;
    subject.cpu(0).state().gpr[5] = tree;
    subject.cpu(0).state()[power::spr::lpcr] |= power::lpcr::ile;
    start(subject, {li_r3_0, ori_r3_uv_esm, sc_2, branch_to_itself});
    constexpr std::array at_entry{li_r3_0, ori_r3_h_exit, sc_1};
    std::memcpy(subject.memory().ram().write(memory::frame_kind::normal, entry >> abi::page_shift) +
                    entry % abi::page_size,
                at_entry.data(), sizeof at_entry);
    subject.run();
    EXPECT_EQ(subject.ending().text, "the guest ended itself with status " + std::to_string(entry))
        << "R4 is the entry, and passes through the Ultravisor";
    EXPECT_TRUE(subject.guest_secure());
    EXPECT_EQ(subject.cpu(0).state().gpr[5], 0U);
}

// One of its pages is out.
TEST_F(power_machine_test, nothing_is_left_of_a_secure_guest_that_the_host_ends) {
    power_machine subject("machine", {}, 1);
    constexpr std::uint64_t entry = 0x2'0000;
    memory::guest_ram& ram = subject.memory().ram();
    for (const abi::gfn page : {abi::gfn{5}, abi::gfn{100}, ram.pages() - 1}) {
        std::memset(ram.write(memory::frame_kind::normal, page), 0x5a, abi::page_size);
    }
    subject.cpu(0).state().gpr[4] = entry;
    subject.cpu(0).state().gpr[5] = 0x3'0000;
    start(subject, {li_r3_0, ori_r3_uv_esm, sc_2, branch_to_itself});
    put(subject, entry, {li_r3_0, ori_r3_h_exit, sc_1});
    subject.run();
    ASSERT_TRUE(subject.guest_secure());
    ASSERT_EQ(ram.read(memory::frame_kind::secure, 100)[7], std::byte{0x5a});
    hypervisor::hostile_host host(subject.host());
    sc_core::sc_time delay;
    ASSERT_EQ(host.page_out(5, delay), abi::u_status::u_success);
    ASSERT_EQ(host.terminate(delay), abi::u_status::u_success);
    const auto is_zero = [](std::byte each) { return each == std::byte{0}; };
    for (abi::gfn page = 0; page < ram.pages(); ++page) {
        ASSERT_EQ(subject.memory().states()[page], memory::page_state::normal) << page;
        if (ram.touched(memory::frame_kind::secure, page)) {
            const std::span secure(ram.read(memory::frame_kind::secure, page), abi::page_size);
            ASSERT_TRUE(std::ranges::all_of(secure, is_zero)) << page;
        }
    }
}

// PAPR 14.5.4.1: the bytes are a big-endian integer, whatever the byte order of the guest.
TEST_F(power_machine_test, h_logical_ci_load_gives_a_big_endian_integer) {
    for (const auto order : {boost::endian::order::little, boost::endian::order::big}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_machine subject("machine", with_disk(), 1);
        power::registers& state = subject.cpu(0).state();
        state.gpr[3] = static_cast<std::uint64_t>(abi::hcall::h_logical_ci_load);
        state.gpr[4] = 4;
        state.gpr[5] = header_of_the_disk(subject);
        start(subject, {sc_1, li_r3_0, ori_r3_h_exit, sc_1}, order);
        subject.run();
        EXPECT_EQ(subject.host().exit_status(), 0xf41a'4210U);
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

/// The Ultravisor reflects a load as H_LOGICAL_CI_LOAD; the guest gets the bytes in its own order.
TEST_F(power_machine_test, a_secure_guest_loads_from_a_device_in_its_byte_order) {
    for (const auto order : {boost::endian::order::little, boost::endian::order::big}) {
        const bool little = order == boost::endian::order::little;
        sc_core::sc_get_curr_simcontext()->reset();
        power_machine subject("machine", with_disk(), 1);
        constexpr std::uint64_t entry = 0x2'0000;
        power::registers& state = subject.cpu(0).state();
        state.gpr[4] = entry;
        state.gpr[5] = 0x3'0000;
        state.gpr[6] = header_of_the_disk(subject);
        if (little) {
            state[power::spr::lpcr] |= power::lpcr::ile;
        } else {
            state[power::spr::lpcr] &= ~power::lpcr::ile;
        }
        put(subject, entry, {lwz_r4_at_r6, li_r3_0, ori_r3_h_exit, sc_1}, order);
        start(subject, {li_r3_0, ori_r3_uv_esm, sc_2, branch_to_itself}, order);
        subject.run();
        EXPECT_TRUE(subject.guest_secure());
        EXPECT_EQ(subject.host().exit_status(), little ? 0x1042'1af4U : 0xf41a'4210U);
        EXPECT_EQ(subject.hypercalls({abi::hcall::h_logical_ci_load}), 0U) << "the guest made none itself";
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

/// A device's message to the second CPU, which idles: event queue, line, handler, and what that reads in the TIMA.
TEST_F(power_machine_test, a_devices_message_reaches_a_cpu_through_xives_queue) {
    constexpr std::uint64_t queue = 0x4'0000;
    constexpr std::uint64_t external_vector = 0x500;
    constexpr std::uint32_t source = abi::platform::first_msi_source + 7;
    constexpr std::uint32_t ori_r3_h_cede = 0x6063'00e0;
    constexpr std::uint32_t lhz_r4_at_r6 = 0xa086'0000;
    power_machine_config config = with_disk();
    config.cpus = 2;
    config.xive = true;
    power_machine subject("machine", config, 1);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    ASSERT_TRUE(subject.interrupts().choose(interrupt::controller_kind::xive, sc_core::SC_ZERO_TIME));
    sc_core::sc_time delay;
    const auto call = [&](abi::hcall number, std::initializer_list<std::uint64_t> arguments) {
        power::registers state;
        state.msr = power::msr_sf | power::msr_le;
        state.gpr[3] = static_cast<std::uint64_t>(number);
        std::copy(arguments.begin(), arguments.end(), state.gpr.begin() + 4);
        cpu::trap_context context{.cpu = 1, .delay = delay, .writer = {}};
        subject.host().hypercall(state, context);
        EXPECT_EQ(static_cast<abi::h_status>(state.gpr[3]), abi::h_status::h_success);
    };
    call(abi::hcall::h_int_set_queue_config, {abi::xive::queue_always_notify, 1, 6, queue, 16});
    call(abi::hcall::h_int_set_source_config, {abi::xive::source_config_set_eisn, source, 1, 6, 0x55});
    call(abi::hcall::h_int_esb, {0, source, abi::xive::esb_set_pq_00, 0});
    call(abi::hcall::h_logical_ci_store, {1, abi::platform::tima_os_page.value() + 0x11, 0xff});

    put(subject, external_vector, {lhz_r4_at_r6, li_r3_0, ori_r3_h_exit, sc_1});
    put(subject, code, {li_r3_0, ori_r3_h_cede, sc_1, branch_to_itself});
    cpu::power_cpu& core = subject.cpu(1);
    core.state()[power::spr::lpcr] |= power::lpcr::ile;
    core.state().msr |= power::msr_le;
    core.state().gpr[6] = abi::platform::tima_os_page.value() + abi::xive::tm_acknowledge_os;
    core.state().nip = code;
    core.start();

    std::uint32_t message = boost::endian::native_to_little(source);
    memory::bus_payload payload;
    payload.attributes.who = memory::world::device;
    payload.prepare(tlm::TLM_WRITE_COMMAND, abi::platform::msi_address.value(), &message, sizeof message);
    sc_core::sc_time later(50, sc_core::SC_US);
    unsigned devfn = 0;
    while (subject.host_bridge().function(devfn) == nullptr) {
        ++devfn;
    }
    subject.host_bridge().function(devfn)->dma->b_transport(payload.transaction, later);
    ASSERT_TRUE(payload.transaction.is_response_ok());
    subject.run();
    EXPECT_EQ(subject.host().exit_status(), 0x0680U)
        << "NSR[EO], then priority 6, read in little-endian order";
    EXPECT_GT(subject.elapsed(), sc_core::sc_time(50, sc_core::SC_US));
    std::uint32_t entry = 0;
    std::memcpy(&entry, subject.memory().ram().read(memory::frame_kind::normal, queue >> abi::page_shift),
                sizeof entry);
    EXPECT_EQ(boost::endian::big_to_native(entry), abi::xive::entry_generation | 0x55U);
    EXPECT_EQ(subject.counter("xive", "queue_entries"), 1U);
    EXPECT_EQ(subject.total("xive", "interrupts_presented"), 1U);
    EXPECT_EQ(subject.total("xics", "interrupts_presented"), 0U);
}

TEST_F(power_machine_test, how_runs_end) {
    struct row {
        power_machine_config config;
        std::initializer_list<std::uint32_t> words;
        bool finished;
        report::ending_kind kind;
        std::string_view ending;
        std::vector<std::string> details;
    };
    using enum report::ending_kind;
    power_machine_config stops;
    stops.attention_leaves = true;
    power_machine_config limited;
    limited.instruction_limit = 1000;
    power_machine_config short_time;
    short_time.time_limit = sc_core::sc_time(100, sc_core::SC_US);
    power_machine_config traps;
    traps.tools.stop_before.trap = true;
    const power_machine_config plain;
    const std::vector<row> rows{
        row{stops, {attn}, true, stopped, "attn at 0x10000 on cpu0", {"cpu0 at 0x10000 <main>: attn"}},
        row{traps,
            {li_r3_0, 0x7fe0'0008},
            true,
            stopped,
            "trap at 0x10004 on cpu0",
            {"cpu0 at 0x10004: trap"}},
        row{limited,
            {branch_to_itself},
            false,
            instruction_limit,
            "cpu0 had not finished at the instruction limit",
            {"cpu0 at 0x10000 <main>: b 0x10000"}},
        row{short_time,
            {branch_to_itself},
            false,
            time_limit,
            "the guest had not finished at the time limit of 100 us",
            {"cpu0 at 0x10000 <main>: b 0x10000"}},
        row{plain,
            {attn},
            false,
            halted,
            "an interrupt at its own vector 0x700 on cpu0: nothing there can handle it",
            {"cpu0 at 0x700: .long 0x0", "cpu0 was first interrupted at 0x10000 <main> by 0x00000200, attn"}},
    };
    for (const row& each : rows) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_machine subject("machine", each.config, 1);
        power::debug::symbol_table symbols;
        symbols.add(code, 4, "main");
        subject.name_places(symbols);
        start(subject, each.words);
        subject.run();
        EXPECT_EQ(subject.ending().text, each.ending);
        EXPECT_EQ(subject.ending().kind, each.kind) << each.ending;
        EXPECT_EQ(subject.ending().details, each.details) << each.ending;
        EXPECT_EQ(subject.finished(), each.finished) << each.ending;
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(power_machine_test, contradictory_configurations_are_refused) {
    power_machine_config config;
    config.cpus = 65;
    EXPECT_THROW(power_machine("machine", config, 1), std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::platform
