// SPDX-License-Identifier: Apache-2.0
#include "interrupt/xive_controller.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "exposure/ledger.h"
#include "report/violations.h"
#include "tests/interrupt/xive_bench.h"

namespace pefsim::interrupt {
namespace {

namespace platform = abi::platform;
namespace layout = abi::xive;
using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::SC_US;

constexpr std::uint32_t msi = platform::first_msi_source;
constexpr std::uint32_t lsi = platform::first_lsi_source;
constexpr std::uint32_t generation = layout::entry_generation;
constexpr std::uint8_t priority = xive_bench::priority;

class xive_test : public testing::simulation_test {};

TEST_F(xive_test, an_event_goes_through_queue_and_line_to_its_end) {
    xive_bench bench;
    bench.open(msi + 3);
    const std::uint64_t queue = xive_bench::queue_at(0, priority);
    EXPECT_TRUE(bench.raise(msi + 3));
    EXPECT_EQ(bench.entry(queue, 0), generation | (msi + 3));
    xive_bench::settle();
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.state(msi + 3), event_state::pending);
    EXPECT_EQ(bench.acknowledge(), 0x8000 | priority);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.state_load(msi + 3, layout::esb_load_eoi), 0U);
    bench.cppr(0xff);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.state(msi + 3), event_state::reset);
    EXPECT_EQ(bench.counter("triggers"), 1U);
    EXPECT_EQ(bench.counter("queue_entries"), 1U);
    EXPECT_EQ(bench.recorder.metrics().find_tally("xive", "interrupts_presented")->count(0), 1U);
    EXPECT_EQ(bench.recorder.metrics()
                  .find_tally("xive", "interrupts_by_kind")
                  ->count(static_cast<std::size_t>(source_kind::message)),
              1U);
}

TEST_F(xive_test, events_that_come_before_the_end_are_one) {
    xive_bench bench;
    bench.open(msi);
    for (int n = 0; n < 4; ++n) {
        bench.raise(msi);
    }
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 1U);
    EXPECT_EQ(bench.counter("coalesced"), 3U);
    bench.acknowledge();
    EXPECT_EQ(bench.state_load(msi, layout::esb_load_eoi), 1U);
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 2U);
    EXPECT_EQ(bench.entry(xive_bench::queue_at(0, priority), 1), generation | msi);
    EXPECT_EQ(bench.state_load(msi, layout::esb_load_eoi), 0U);
}

// As Linux ends an interrupt: P and Q are taken, and an event that was held back is triggered anew.
TEST_F(xive_test, the_end_may_take_the_state_and_trigger_again) {
    xive_bench bench;
    bench.open(msi);
    bench.raise(msi);
    bench.raise(msi);
    EXPECT_EQ(bench.state_load(msi, layout::esb_set_pq_00), static_cast<std::uint64_t>(event_state::queued));
    EXPECT_EQ(bench.counter("queue_entries"), 1U);
    EXPECT_TRUE(bench.trigger(msi));
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 2U);
}

TEST_F(xive_test, a_queue_wraps_and_its_generation_turns) {
    xive_bench bench;
    bench.open(msi);
    const std::uint64_t queue = xive_bench::queue_at(0, priority);
    constexpr std::uint32_t entries = 1U << (xive_bench::queue_shift - 2);
    const auto once = [&] {
        bench.event(msi);
        bench.state_load(msi, layout::esb_load_eoi);
    };
    for (std::uint32_t n = 0; n < entries; ++n) {
        once();
    }
    const event_queue& state = *bench.controller.queue(0, priority, xive_bench::now());
    EXPECT_EQ(state.next, 0U);
    EXPECT_FALSE(state.generation);
    EXPECT_EQ(bench.entry(queue, entries - 1), generation | msi);
    EXPECT_EQ(bench.entry(queue, entries), 0U) << "behind its end";
    once();
    EXPECT_EQ(bench.entry(queue, 0), msi);
    EXPECT_EQ(bench.entry(queue, 1), generation | msi) << "of the turn before";
    for (std::uint32_t n = 1; n < entries; ++n) {
        once();
    }
    EXPECT_TRUE(state.generation);
    once();
    EXPECT_EQ(bench.entry(queue, 0), generation | msi);
}

TEST_F(xive_test, the_guests_number_has_31_bits) {
    xive_bench bench;
    bench.open(msi);
    bench.controller.assign(msi, {.masked = false, .server = 0, .priority = priority, .eisn = 0xffff'fff0},
                            xive_bench::now());
    bench.raise(msi);
    EXPECT_EQ(bench.entry(xive_bench::queue_at(0, priority), 0), 0xffff'fff0U);
    EXPECT_TRUE(bench.controller.queue(0, priority, xive_bench::now())->generation);
}

TEST_F(xive_test, events_without_a_way_are_dropped_and_keep_their_state) {
    xive_bench bench;
    bench.raise(msi);
    EXPECT_EQ(bench.state(msi), event_state::off);
    EXPECT_EQ(bench.counter("events_dropped"), 1U);
    bench.set_state(msi, event_state::reset);
    bench.raise(msi);
    EXPECT_EQ(bench.state(msi), event_state::pending) << "masked: the state tells of it all the same";
    EXPECT_EQ(bench.counter("events_dropped"), 2U);
    bench.connect(msi);
    bench.raise(msi);
    EXPECT_EQ(bench.counter("events_dropped"), 3U) << "there is no queue";
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 0U);
    EXPECT_FALSE(bench.lines[0].level);
}

TEST_F(xive_test, priorities_have_queues_of_their_own_and_the_most_favoured_comes_first) {
    xive_bench bench;
    for (std::uint8_t each = 0; each < platform::xive_priorities; ++each) {
        bench.open(msi + each, 0, each);
    }
    bench.cppr(5);
    for (const std::uint8_t each : {std::uint8_t{6}, std::uint8_t{5}, std::uint8_t{3}, std::uint8_t{4}}) {
        bench.event(msi + each);
        EXPECT_EQ(bench.entry(xive_bench::queue_at(0, each), 0), generation | (msi + each));
    }
    EXPECT_EQ(bench.acknowledge(), 0x8003);
    EXPECT_EQ(bench.acknowledge(), 0x0003);
    EXPECT_EQ(bench.counter("interrupts_spurious"), 1U);
    bench.cppr(5);
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.acknowledge(), 0x8004);
    bench.cppr(5);
    EXPECT_FALSE(bench.lines[0].level) << "5 and 6 wait";
    bench.cppr(0xff);
    EXPECT_EQ(bench.acknowledge(), 0x8005);
    bench.cppr(0xff);
    EXPECT_EQ(bench.acknowledge(), 0x8006);
    bench.cppr(0xff);
    EXPECT_FALSE(bench.lines[0].level);
}

TEST_F(xive_test, an_inter_processor_interrupt_is_a_trigger_of_the_other_ones_source) {
    xive_bench bench(4);
    for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
        bench.open(cpu, cpu);
    }
    EXPECT_TRUE(bench.store(platform::esb_trigger_page(2), 8, 0, 1));
    xive_bench::settle();
    for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
        EXPECT_EQ(bench.lines[cpu].level, cpu == 2) << cpu;
        EXPECT_EQ(bench.acknowledge(cpu), cpu == 2 ? 0x8000 | priority : 0x00ff)
            << "each sees its own context";
    }
    EXPECT_EQ(bench.entry(xive_bench::queue_at(2, priority), 0), generation | 2U);
    EXPECT_EQ(bench.recorder.metrics()
                  .find_tally("xive", "interrupts_by_kind")
                  ->count(static_cast<std::size_t>(source_kind::ipi)),
              1U);
    // Its priority is its own, too.
    bench.cppr(3, 0);
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x11, 1, 0), 3U);
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x11, 1, 3), 0xffU);
}

TEST_F(xive_test, a_wire_is_asked_again_at_each_end) {
    xive_bench bench;
    bench.open(lsi);
    bench.level(lsi, true);
    bench.level(lsi, true);
    EXPECT_EQ(bench.counter("queue_entries"), 1U);
    EXPECT_EQ(bench.state_load(lsi, layout::esb_load_eoi), 1U);
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 2U) << "it is active still";
    bench.level(lsi, false);
    EXPECT_EQ(bench.state_load(lsi, layout::esb_load_eoi), 0U);
    EXPECT_EQ(bench.state(lsi), event_state::reset);
    bench.level(lsi, true);
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 3U);
}

TEST_F(xive_test, a_wire_that_becomes_active_while_its_source_is_off_is_seen_when_it_is_on) {
    xive_bench bench;
    bench.open(lsi);
    bench.set_state(lsi, event_state::off);
    bench.level(lsi, true);
    EXPECT_EQ(bench.counter("queue_entries"), 0U);
    bench.set_state(lsi, event_state::reset);
    EXPECT_EQ(bench.counter("queue_entries"), 1U);
    EXPECT_EQ(bench.state(lsi), event_state::pending);
}

TEST_F(xive_test, messages_and_levels_do_not_mix) {
    xive_bench bench;
    EXPECT_FALSE(bench.raise(lsi));
    EXPECT_FALSE(bench.level(msi, true));
    EXPECT_FALSE(bench.raise(msi - 1));
    EXPECT_FALSE(bench.level(lsi + platform::lsi_source_count, true));
    EXPECT_TRUE(bench.raise(0)) << "a source of the guest's own";
}

TEST_F(xive_test, events_of_a_later_time_are_held_back) {
    xive_bench bench;
    bench.open(msi);
    const std::uint64_t queue = xive_bench::queue_at(0, priority);
    bench.controller.raise(msi, sc_time(5, SC_US));
    const sc_time before = run(sc_time(4, SC_US));
    EXPECT_EQ(bench.entry(queue, 0), 0U);
    run(sc_time(2, SC_US));
    EXPECT_EQ(bench.entry(queue, 0), generation | msi);
    ASSERT_EQ(bench.lines[0].changes.size(), 1U);
    const timing::timing costs;
    EXPECT_EQ(bench.lines[0].changes[0].first,
              before + sc_time(1, SC_US) + sc_time(costs.memory_access_ns, SC_NS))
        << "the notification comes behind its entry";
}

TEST_F(xive_test, a_cpu_that_is_ahead_sees_what_has_come_by_its_time) {
    xive_bench bench;
    bench.open(msi);
    bench.controller.raise(msi, sc_time(5, SC_US));
    const auto acknowledge = [&](const sc_time& ahead) {
        return bench.load(platform::tima_os_page + layout::tm_acknowledge_os, 2, 0, ahead);
    };
    EXPECT_EQ(acknowledge(sc_time(4, SC_US)), 0x00ffU);
    EXPECT_EQ(acknowledge(sc_time(6, SC_US)), 0x8000U | priority);
    run(sc_time(10, SC_US));
    EXPECT_EQ(bench.counter("queue_entries"), 1U);
    EXPECT_FALSE(bench.lines[0].level);
}

TEST_F(xive_test, notifications_of_a_queue_that_coalesces_them_wait_for_their_end) {
    xive_bench bench;
    bench.give_queue(0, priority, false);
    bench.connect(msi);
    bench.connect(msi + 1);
    bench.connect(msi + 2);
    bench.cppr(0xff);
    const abi::phys_addr page = platform::notification_page(0, priority);
    bench.raise(msi);
    xive_bench::settle();
    EXPECT_EQ(bench.acknowledge(), 0x8000 | priority);
    bench.cppr(0xff);
    bench.raise(msi + 1);
    bench.raise(msi + 2);
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_entries"), 3U);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.counter("coalesced"), 2U);
    EXPECT_EQ(bench.load(page + layout::esb_get, 8), static_cast<std::uint64_t>(event_state::queued));
    EXPECT_EQ(bench.load(page + layout::esb_load_eoi, 8), 1U);
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.load(page + layout::esb_load_eoi, 8), 0U);
    EXPECT_EQ(bench.load(page + layout::esb_set_pq_01, 8), static_cast<std::uint64_t>(event_state::reset));
    EXPECT_EQ(bench.load(page + layout::esb_get, 8), static_cast<std::uint64_t>(event_state::off));
}

TEST_F(xive_test, an_entry_that_memory_refuses_is_lost_and_reported) {
    xive_bench bench;
    bench.open(msi);
    bench.connect(msi + 1);
    const std::uint64_t queue = xive_bench::queue_at(0, priority);
    const abi::gfn page = abi::gfn_of(abi::phys_addr{queue});
    bench.bus.states().set(page, memory::page_state::secure);
    bench.raise(msi);
    xive_bench::settle();
    EXPECT_EQ(bench.counter("queue_errors"), 1U);
    EXPECT_EQ(bench.counter("queue_entries"), 0U);
    EXPECT_FALSE(bench.lines[0].level);
    ASSERT_EQ(bench.recorder.violations().count(report::violation_kind::refused_access), 1U);
    EXPECT_EQ(bench.recorder.violations().kept()[0].who, "xive");
    EXPECT_EQ(bench.recorder.violations().kept()[0].address, queue);
    bench.bus.states().set(page, memory::page_state::shared);
    bench.event(msi + 1);
    EXPECT_EQ(bench.entry(queue, 0), generation | (msi + 1)) << "the queue goes on where it was";
    // Beyond memory.
    bench.controller.set_queue(0, priority, abi::phys_addr{xive_bench::ram_size}, 12, true,
                               xive_bench::now());
    bench.connect(msi + 2);
    bench.event(msi + 2);
    EXPECT_EQ(bench.counter("queue_errors"), 2U);
    EXPECT_EQ(bench.recorder.violations().count(report::violation_kind::bad_address), 1U);
}

TEST_F(xive_test, entries_are_in_the_exposure_ledger_in_the_controllers_name) {
    xive_bench bench;
    bench.open(msi);
    bench.raise(msi);
    const exposure::exposure_summary summary = bench.recorder.ledger().summary();
    ASSERT_EQ(summary.writers.size(), 1U);
    EXPECT_EQ(summary.writers[0].initiator, "xive");
    EXPECT_EQ(summary.writers[0].bytes_written, 4U);
}

TEST_F(xive_test, the_os_ring_reads_as_registers_in_any_size) {
    xive_bench bench;
    bench.open(msi, 0, 2);
    bench.give_queue(0, 5);
    bench.connect(msi + 1, 0, 5);
    bench.raise(msi);
    bench.raise(msi + 1);
    xive_bench::settle();
    const abi::phys_addr ring = platform::tima_os_page + layout::tm_os_ring;
    EXPECT_EQ(bench.load(ring, 8), 0x80ff'24ff'ff00'0002U);
    EXPECT_EQ(bench.load(ring, 4), 0x80ff'24ffU);
    EXPECT_EQ(bench.load(ring + 2, 2), 0x24ffU);
    EXPECT_EQ(bench.load(ring + layout::tm_pipr, 1), 2U);
    EXPECT_EQ(bench.load(ring + 8, 8), 0U) << "the guest does not see what is below";
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x38, 8), 0U);
    EXPECT_EQ(bench.load(platform::tima_user_page, 8), 0U);
}

TEST_F(xive_test, a_guest_may_make_a_priority_pending) {
    xive_bench bench;
    bench.cppr(0xff);
    EXPECT_TRUE(bench.store(platform::tima_os_page + layout::tm_set_os_pending, 1, 3));
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.acknowledge(), 0x8003);
}

TEST_F(xive_test, an_acknowledge_may_be_written_into_the_reporting_line) {
    constexpr std::uint64_t line = 0x1'2300;
    constexpr abi::gfn page = line >> abi::page_shift;
    xive_bench bench(2);
    bench.open(msi, 1, 3);
    bench.controller.set_reporting_line(1, abi::phys_addr{line});
    EXPECT_THROW(bench.controller.set_reporting_line(2, abi::phys_addr{line}), std::logic_error);
    const auto report = [&bench] {
        std::array<std::uint8_t, layout::report_size + 1> bytes{};
        std::memcpy(bytes.data(),
                    bench.bus.ram().read(memory::frame_kind::normal, page) + line % abi::page_size,
                    bytes.size());
        return bytes;
    };
    const auto acknowledge = [&bench](unsigned cpu) {
        return bench.store(platform::tima_os_page + layout::tm_acknowledge_os_to_line, 1, 0x5a, cpu);
    };
    bench.event(msi);
    ASSERT_TRUE(bench.lines[1].level);
    EXPECT_TRUE(acknowledge(0));
    EXPECT_EQ(report(), decltype(report()){}) << "another thread's, which has no line";
    ASSERT_TRUE(bench.lines[1].level);
    EXPECT_TRUE(acknowledge(1));
    EXPECT_FALSE(bench.lines[1].level);
    constexpr std::uint8_t ones = 0xff;
    EXPECT_EQ(report(), (decltype(report()){ones, ones, ones, ones, ones, ones, ones, ones, 0x80, 0x03, ones,
                                            ones, ones, ones, ones, ones, 0}));
    EXPECT_TRUE(acknowledge(1));
    EXPECT_EQ(report()[layout::report_nsr], 0) << "nothing was there";
    EXPECT_EQ(report()[layout::report_cppr], 3);
    EXPECT_EQ(bench.counter("interrupts_spurious"), 2U) << "of both threads";

    bench.cppr(0xff, 1);
    bench.state_load(msi, layout::esb_load_eoi);
    bench.event(msi);
    bench.bus.states().set(page, memory::page_state::secure);
    EXPECT_TRUE(acknowledge(1));
    EXPECT_FALSE(bench.lines[1].level) << "it is acknowledged all the same";
    EXPECT_EQ(report()[layout::report_nsr], 0);
    EXPECT_EQ(bench.counter("reporting_line_errors"), 1U);
    ASSERT_EQ(bench.recorder.violations().count(report::violation_kind::refused_access), 1U);
    EXPECT_EQ(bench.recorder.violations().kept()[0].who, "xive");
    EXPECT_EQ(bench.recorder.violations().kept()[0].address, line);
    bench.controller.reset(xive_bench::now());
    EXPECT_FALSE(bench.controller.reporting_line(1));
}

TEST_F(xive_test, accesses_that_mean_nothing_are_not_answered_and_change_nothing) {
    xive_bench bench;
    bench.open(msi);
    bench.raise(msi);
    xive_bench::settle();
    struct row {
        abi::phys_addr at;
        std::size_t size;
        bool write;
    };
    const abi::phys_addr os = platform::tima_os_page;
    const row rows[] = {
        {platform::esb_trigger_page(msi), 8, false},
        {platform::esb_management_page(msi), 4, false},
        {platform::esb_management_page(msi) + layout::esb_store_eoi, 8, true},
        {platform::esb_management_page(msi) + layout::esb_get, 8, true},
        {platform::esb_management_page(msi) + layout::esb_load_eoi + 4, 8, false},
        {platform::esb_management_page(1) + layout::esb_get, 8, false},
        {platform::esb_trigger_page(platform::lisn_count - 1), 8, true},
        {platform::notification_page(0, 0) + layout::esb_get, 8, false},
        {platform::notification_page(1, priority) + layout::esb_get, 8, false},
        {platform::notification_page(0, priority), 8, true},
        {platform::notification_page(0, priority) + layout::esb_get, 4, false},
        {platform::tima_base, 8, false},
        {platform::tima_base + platform::xive_page_size + layout::tm_os_ring, 8, false},
        {platform::tima_user_page, 1, true},
        {platform::tima_user_page + layout::tm_rings_size, 8, false},
        {os + layout::tm_acknowledge_os, 1, false},
        {os + layout::tm_acknowledge_os, 4, false},
        {os + layout::tm_acknowledge_os, 2, true},
        {os + layout::tm_set_os_pending, 1, true},
        {os + layout::tm_os_ring + layout::tm_ipb, 1, true},
        {os + layout::tm_os_ring, 4, true},
        {os + layout::tm_acknowledge_os_to_line, 2, true},
        {os + layout::tm_acknowledge_os_to_line, 1, false},
        {os + layout::tm_rings_size, 8, false},
        {platform::notification_base - 8, 8, false},
        {platform::tima_base + platform::tima_size, 8, false},
    };
    std::uint64_t refused = 0;
    for (const row& each : rows) {
        if (each.write) {
            EXPECT_FALSE(bench.store(each.at, each.size, 0xff)) << std::hex << each.at.value();
        } else {
            std::array<std::uint8_t, 8> bytes{};
            EXPECT_FALSE(bench.access(tlm::TLM_READ_COMMAND, each.at, std::span(bytes).first(each.size), 0))
                << std::hex << each.at.value();
            EXPECT_EQ(bytes[0], 0xff);
        }
        EXPECT_EQ(bench.counter("invalid_accesses"), ++refused);
    }
    EXPECT_EQ(bench.state(msi), event_state::pending);
    EXPECT_EQ(bench.acknowledge(), 0x8000 | priority);
}

TEST_F(xive_test, a_reset_forgets_all_but_cppr_and_wires) {
    xive_bench bench;
    bench.open(msi);
    bench.connect(lsi);
    bench.connect(0);  // server 0's own
    bench.level(lsi, true);
    bench.raise(msi);
    xive_bench::settle();
    ASSERT_TRUE(bench.lines[0].level);
    bench.raise(msi + 1);
    bench.controller.reset(xive_bench::now());
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_FALSE(bench.controller.line(0));
    for (const std::uint32_t lisn : {msi, std::uint32_t{0}}) {
        EXPECT_EQ(bench.state(lisn), event_state::off) << lisn;
        EXPECT_TRUE(bench.controller.source(lisn, xive_bench::now())->goes_to.masked) << lisn;
    }
    EXPECT_FALSE(bench.controller.queue(0, priority, xive_bench::now())->enabled());
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x10, 8), 0x00ff'00ff'ff00'00ffU);
    bench.open(lsi);
    xive_bench::settle();
    EXPECT_TRUE(bench.lines[0].level) << "the wire is active still";
}

TEST_F(xive_test, a_notification_whose_queue_is_gone_is_none) {
    xive_bench bench;
    bench.open(msi);
    bench.raise(msi);
    bench.controller.reset(xive_bench::now());
    xive_bench::settle();
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x12, 1), 0U);
}

TEST_F(xive_test, one_that_is_not_enabled_answers_nothing_and_leaves_its_lines_alone) {
    xive_bench bench;
    bench.open(msi);
    bench.raise(msi);
    xive_bench::settle();
    bench.controller.enable(false, xive_bench::now());
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x10, 8), std::nullopt);
    EXPECT_EQ(bench.state_load(msi, layout::esb_get), std::nullopt);
    bench.raise(msi);
    xive_bench::settle();
    EXPECT_FALSE(bench.lines[0].level);
    bench.controller.enable(true, xive_bench::now());
    EXPECT_EQ(bench.load(platform::tima_os_page + 0x11, 1), 0U) << "CPPR as at the begin";
}

TEST_F(xive_test, needs_servers_lines_and_known_processors) {
    trace::recorder recorder;
    EXPECT_THROW(xive_controller("none", recorder, {.servers = 0, .costs = {}}), std::invalid_argument);
    EXPECT_THROW(xive_controller("many", recorder, {.servers = 65, .costs = {}}), std::invalid_argument);
    xive_bench bench;
    EXPECT_THROW(bench.load(platform::tima_os_page, 8, 1), std::logic_error);
    EXPECT_THROW(bench.controller.assign(1, {}, xive_bench::now()), std::logic_error);
    EXPECT_THROW(bench.controller.set_queue(1, 0, abi::phys_addr{}, 12, true, xive_bench::now()),
                 std::logic_error);
}

}  // namespace
}  // namespace pefsim::interrupt
