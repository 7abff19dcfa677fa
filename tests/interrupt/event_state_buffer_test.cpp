// SPDX-License-Identifier: Apache-2.0
#include "interrupt/event_state_buffer.h"

#include <gtest/gtest.h>

#include "interrupt/thread_context.h"
#include "interrupt/xive_sources.h"

namespace pefsim::interrupt {
namespace {

using enum event_state;
namespace platform = abi::platform;

constexpr event_state all_states[] = {reset, off, pending, queued};

TEST(event_state_buffer_test, has_the_transitions_of_its_table) {
    struct row {
        event_state before;
        event_state after_event;
        bool event_through;
        event_state after_end;
        bool end_through;
    };
    const row rows[] = {
        {reset, pending, true, reset, false},
        {off, off, false, off, false},
        {pending, queued, false, reset, false},
        {queued, queued, false, pending, true},
    };
    for (const row& each : rows) {
        event_state_buffer buffer;
        EXPECT_EQ(buffer.state(), off) << "at the begin";
        buffer.set(each.before);
        EXPECT_EQ(buffer.trigger(), each.event_through) << to_name(each.before);
        EXPECT_EQ(buffer.state(), each.after_event) << to_name(each.before);
        buffer.set(each.before);
        EXPECT_EQ(buffer.end_of_interrupt(), each.end_through) << to_name(each.before);
        EXPECT_EQ(buffer.state(), each.after_end) << to_name(each.before);
        for (const event_state to : all_states) {
            buffer.set(each.before);
            EXPECT_EQ(buffer.set(to), each.before);
            EXPECT_EQ(buffer.state(), to);
        }
    }
}

// A level source asks the wire wherever a message would ask Q.
TEST(event_state_buffer_test, an_active_wire_is_an_event_whenever_its_source_is_reset) {
    struct row {
        event_state before;
        bool asserted;
        event_state after_end;
        bool end_through;
    };
    const row rows[] = {
        {reset, false, reset, false},   {reset, true, pending, true},   {off, true, off, false},
        {pending, false, reset, false}, {pending, true, pending, true}, {queued, true, pending, true},
        {queued, false, pending, true},
    };
    for (const row& each : rows) {
        xive_source source{
            .kind = source_kind::level, .events = {}, .goes_to = {}, .asserted = each.asserted};
        source.events.set(each.before);
        EXPECT_EQ(source.end_of_interrupt(), each.end_through) << to_name(each.before) << each.asserted;
        EXPECT_EQ(source.events.state(), each.after_end) << to_name(each.before) << each.asserted;
        source.kind = source_kind::message;
        source.events.set(pending);
        EXPECT_FALSE(source.end_of_interrupt()) << "a message has no wire";
    }
}

TEST(xive_sources_test, numbers_are_those_of_servers_and_of_xics) {
    xive_sources sources(2);
    const auto kind = [&](std::uint64_t lisn) { return sources.find(lisn)->kind; };
    EXPECT_EQ(kind(0), source_kind::ipi);
    EXPECT_EQ(kind(1), source_kind::ipi);
    EXPECT_EQ(kind(platform::first_msi_source), source_kind::message);
    EXPECT_EQ(kind(platform::first_lsi_source - 1), source_kind::message);
    EXPECT_EQ(kind(platform::first_lsi_source), source_kind::level);
    EXPECT_EQ(kind(platform::first_lsi_source + platform::lsi_source_count - 1), source_kind::level);
    EXPECT_EQ(kind(platform::terminal_source), source_kind::message);
    for (const std::uint64_t none :
         {std::uint64_t{2}, std::uint64_t{platform::first_msi_source - 1},
          std::uint64_t{platform::source_end}, ~std::uint64_t{0}, std::uint64_t{1} << 32}) {
        EXPECT_EQ(sources.find(none), nullptr) << none;
    }
    EXPECT_NE(sources.find(0), sources.find(1));
    EXPECT_EQ(sources.find(platform::first_msi_source + 7)->goes_to,
              (event_assignment{
                  .masked = true, .server = 0, .priority = 0, .eisn = platform::first_msi_source + 7}));
}

TEST(xive_sources_test, a_reset_keeps_wires_only) {
    xive_sources sources(1);
    xive_source& wire = *sources.find(platform::first_lsi_source);
    wire.asserted = true;
    wire.events.set(pending);
    wire.goes_to = {.masked = false, .server = 0, .priority = 3, .eisn = 9};
    sources.reset();
    EXPECT_TRUE(wire.asserted);
    EXPECT_EQ(wire.events.state(), off);
    EXPECT_TRUE(wire.goes_to.masked);
    EXPECT_EQ(wire.goes_to.eisn, platform::first_lsi_source);
}

TEST(thread_context_test, only_a_more_favoured_priority_passes_cppr) {
    struct row {
        std::uint8_t cppr;
        std::uint8_t priority;
        bool presented;
    };
    const row rows[] = {{0xff, 7, true}, {0xff, 0, true}, {7, 6, true}, {7, 7, false},   {1, 0, true},
                        {0, 0, false},   {6, 7, false},   {8, 7, true}, {0x80, 7, true}, {0xfe, 7, true}};
    for (const row& each : rows) {
        thread_context thread;
        thread.set_cppr(each.cppr);
        thread.pend(each.priority);
        EXPECT_EQ(thread.exception(), each.presented) << int{each.cppr} << ' ' << int{each.priority};
        EXPECT_EQ(thread.nsr(), each.presented ? 0x80 : 0);
        EXPECT_EQ(thread.pipr(), each.priority);
        EXPECT_EQ(thread.ipb(), 0x80 >> each.priority);
    }
}

TEST(thread_context_test, several_priorities_are_acknowledged_from_the_most_favoured_on) {
    thread_context thread;
    EXPECT_EQ(thread.pipr(), 0xff);
    EXPECT_EQ(thread.cppr(), 0) << "nothing is presented before the guest sets it";
    for (const std::uint8_t priority : {std::uint8_t{6}, std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{2}}) {
        thread.pend(priority);
    }
    EXPECT_FALSE(thread.exception());
    EXPECT_EQ(thread.acknowledge(), 0x0000);
    EXPECT_EQ(thread.ipb(), 0b0010'1010);
    thread.set_cppr(0xff);
    EXPECT_TRUE(thread.exception());
    EXPECT_EQ(thread.acknowledge(), 0x8002);
    EXPECT_FALSE(thread.exception()) << "the next is not more favoured than what is being handled";
    EXPECT_EQ(thread.pipr(), 4);
    EXPECT_EQ(thread.acknowledge(), 0x0002) << "nothing was there, nothing changes";
    EXPECT_EQ(thread.pipr(), 4);
    thread.pend(1);
    EXPECT_EQ(thread.acknowledge(), 0x8001) << "nested";
    thread.set_cppr(0xff);
    EXPECT_EQ(thread.acknowledge(), 0x8004);
    thread.set_cppr(0xff);
    EXPECT_EQ(thread.acknowledge(), 0x8006);
    thread.set_cppr(0xff);
    EXPECT_FALSE(thread.exception());
    EXPECT_EQ(thread.acknowledge(), 0x00ff);
}

TEST(thread_context_test, a_more_favoured_cppr_takes_the_exception_back_and_keeps_the_priority) {
    thread_context thread;
    thread.set_cppr(0xff);
    thread.pend(5);
    thread.set_cppr(5);
    EXPECT_FALSE(thread.exception());
    EXPECT_EQ(thread.pipr(), 5);
    thread.set_cppr(6);
    EXPECT_TRUE(thread.exception());
    thread.forget_pending();
    EXPECT_FALSE(thread.exception());
    EXPECT_EQ(thread.cppr(), 6);
}

}  // namespace
}  // namespace pefsim::interrupt
