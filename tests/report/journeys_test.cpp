// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "report/journeys.h"

namespace pefsim::report {
namespace {

sc_core::sc_time ns(double value) { return {value, sc_core::SC_NS}; }

/// A log that keeps what it was told.
struct bench {
    bench() {
        log.observe([this](const journey& done) { ended.push_back(done); });
    }
    journey_log log;
    std::vector<journey> ended;
    queue_journeys& queue = log.of("virtio-blk0", 0);

    void taken_and_returned(std::uint16_t head, std::uint64_t number, double taken, double returned) {
        queue.taken(head, number, ns(taken));
        queue.classify(head, "read");
        queue.returned(head, ns(returned));
    }
};

void expect_parts(const journey& of, std::initializer_list<std::pair<journey_part, double>> parts) {
    std::uint16_t seen = 0;
    for (const auto& [part, lasted] : parts) {
        EXPECT_EQ(of.of(part), ns(lasted)) << to_name(part);
        seen |= static_cast<std::uint16_t>(1U << static_cast<unsigned>(part));
    }
    EXPECT_EQ(of.seen, seen);
    sc_core::sc_time sum;
    for (const sc_core::sc_time& each : of.lasted) {
        sum += each;
    }
    EXPECT_EQ(sum, of.total());
}

const queue_journeys::way_there way{
    .submitted = ns(100), .entered = ns(110), .available = ns(150), .mapping = ns(25), .copying = ns(20)};

TEST(journeys, a_request_has_one_number_from_its_first_mapping_to_its_last) {
    journey_log log;
    queue_journeys& first = log.of("virtio-blk0", 0);
    queue_journeys& second = log.of("virtio-blk0", 1);
    queue_journeys& other = log.of("virtio-blk1", 0);
    EXPECT_EQ(first.next_number(), 1U);
    EXPECT_EQ(second.next_number(), 2U) << "nobody else gets the first one's";
    EXPECT_EQ(other.next_number(), 1U) << "each device has its own";
    EXPECT_EQ(first.next_number(), 1U) << "it had no room, and is tried again";
    first.made_available(7, way);
    EXPECT_EQ(first.number_of(7), 1U);
    EXPECT_EQ(first.number_for_device(7), 1U);
    EXPECT_EQ(second.number_for_device(7), 3U) << "of which its driver has told nothing";
    first.taken(7, 1, ns(170));
    first.returned(7, ns(300));
    EXPECT_EQ(first.number_of(7), 1U) << "while it is unmapped";
    first.collected(7, ns(320), ns(4));
    EXPECT_EQ(first.number_of(7), 0U);
    EXPECT_EQ(first.next_number(), 4U);
}

TEST(journeys, a_buffer_for_what_comes_in_is_numbered_when_the_device_takes_it) {
    journey_log log;
    queue_journeys& queue = log.of("virtio-net0", 0);
    queue.set_course(journey_course::from_device);
    EXPECT_EQ(queue.next_number(), 0U);
    queue.made_available(3, way);
    EXPECT_EQ(queue.number_of(3), 0U);
    EXPECT_EQ(queue.number_for_device(3), 1U);
    queue.taken(3, 1, ns(170));
    EXPECT_EQ(queue.number_of(3), 1U);
    queue.put_back(3);
    EXPECT_EQ(queue.number_of(3), 0U);
    EXPECT_EQ(queue.number_for_device(3), 1U) << "the same again";
}

TEST(journeys, of_a_driver_that_tells_have_every_part) {
    bench b;
    b.queue.made_available(7, way);
    b.taken_and_returned(7, 3, 170, 300);
    const auto handle = b.queue.collected(7, ns(320), ns(4));
    ASSERT_NE(handle, queue_journeys::none);
    EXPECT_TRUE(b.ended.empty());
    b.queue.completed(handle, ns(330));
    ASSERT_EQ(b.ended.size(), 1U);
    const journey& done = b.ended.front();
    EXPECT_EQ(done.number, 3U);
    EXPECT_EQ(done.kind, "read");
    EXPECT_EQ(done.begin, ns(100));
    EXPECT_EQ(done.end(), ns(330));
    expect_parts(done, {{journey_part::driver, 10},
                        {journey_part::map, 5},
                        {journey_part::copy, 20},
                        {journey_part::ring, 15},
                        {journey_part::doorbell, 20},
                        {journey_part::device, 130},
                        {journey_part::interrupt, 20},
                        {journey_part::copy_back, 4},
                        {journey_part::completion, 6}});
}

TEST(journeys, end_only_once) {
    bench b;
    b.queue.made_available(7, way);
    b.taken_and_returned(7, 1, 170, 300);
    const auto handle = b.queue.collected(7, ns(320), ns(0));
    EXPECT_EQ(b.queue.collected(7, ns(325), ns(0)), queue_journeys::none);
    b.queue.completed(handle, ns(330));
    b.queue.completed(handle, ns(340));
    EXPECT_EQ(b.ended.size(), 1U);
}

TEST(journeys, clocks_that_run_ahead_make_no_part_negative) {
    bench b;
    b.queue.made_available(7, way);
    b.taken_and_returned(7, 1, 149, 145);  // the device's clock is behind the driver's
    b.queue.completed(b.queue.collected(7, ns(140), ns(50)), ns(160));
    ASSERT_EQ(b.ended.size(), 1U);
    EXPECT_EQ(b.ended.front().of(journey_part::doorbell), ns(0));
    EXPECT_EQ(b.ended.front().of(journey_part::device), ns(0));
    EXPECT_EQ(b.ended.front().of(journey_part::copy_back), ns(10));
    EXPECT_EQ(b.ended.front().of(journey_part::completion), ns(0));
    EXPECT_EQ(b.ended.front().end(), ns(160));
}

TEST(journeys, of_frames_that_are_sent_end_with_the_device) {
    bench b;
    b.queue.set_course(journey_course::to_device);
    b.queue.made_available(7, way);
    b.queue.taken(7, 1, ns(170));
    b.queue.returned(7, ns(180));
    ASSERT_EQ(b.ended.size(), 1U);
    EXPECT_EQ(b.ended.front().kind, "transmit");
    EXPECT_EQ(b.ended.front().end(), ns(180));
    EXPECT_EQ(b.queue.collected(7, ns(9'000), ns(0)), queue_journeys::none);
    EXPECT_EQ(b.ended.size(), 1U);
    EXPECT_TRUE(b.log.unfinished().empty());
}

TEST(journeys, of_what_comes_in_begin_when_it_comes) {
    bench b;
    b.queue.set_course(journey_course::from_device);
    b.queue.made_available(7, way);
    EXPECT_TRUE(b.log.unfinished().empty()) << "a buffer that waits for a frame is no request";
    b.queue.taken(7, 5, ns(1'000));
    b.queue.returned(7, ns(1'010));
    b.queue.completed(b.queue.collected(7, ns(1'030), ns(3)), ns(1'040));
    ASSERT_EQ(b.ended.size(), 1U);
    EXPECT_EQ(b.ended.front().begin, ns(1'000));
    expect_parts(b.ended.front(), {{journey_part::device, 10},
                                   {journey_part::interrupt, 20},
                                   {journey_part::copy_back, 3},
                                   {journey_part::completion, 7}});
}

TEST(journeys, a_buffer_that_the_device_puts_back_is_taken_later) {
    bench b;
    b.queue.set_course(journey_course::from_device);
    b.queue.made_available(7, way);
    b.queue.taken(7, 5, ns(1'000));
    b.queue.put_back(7);
    b.queue.taken(7, 5, ns(2'000));
    b.queue.returned(7, ns(2'010));
    b.queue.completed(b.queue.collected(7, ns(2'030), ns(0)), ns(2'040));
    ASSERT_EQ(b.ended.size(), 1U);
    EXPECT_EQ(b.ended.front().begin, ns(2'000));
}

TEST(journeys, of_another_system_go_from_doorbell_to_interrupt) {
    bench b;
    b.queue.rung(ns(50));
    b.taken_and_returned(2, 1, 60, 100);
    b.taken_and_returned(3, 2, 61, 101);  // nobody knows since when it was there
    {
        const journey_log::sending by(b.log, b.queue);
        b.log.interrupt_raised(0x1203);
    }
    b.queue.interrupt_sent(true);
    EXPECT_TRUE(b.ended.empty());
    b.log.interrupt_taken(0x1204, ns(105));
    b.log.interrupt_taken(0x1203, ns(110));
    b.taken_and_returned(4, 3, 112, 113);  // after the interrupt was taken
    b.log.interrupt_handled(0x1203, ns(120));
    ASSERT_EQ(b.ended.size(), 2U);
    EXPECT_EQ(b.ended[0].begin, ns(50));
    expect_parts(b.ended[0], {{journey_part::doorbell, 10},
                              {journey_part::device, 40},
                              {journey_part::interrupt, 10},
                              {journey_part::completion, 10}});
    EXPECT_EQ(b.ended[1].begin, ns(61));
    expect_parts(b.ended[1],
                 {{journey_part::device, 40}, {journey_part::interrupt, 9}, {journey_part::completion, 10}});
}

TEST(journeys, without_an_interrupt_end_in_the_used_ring) {
    bench b;
    b.taken_and_returned(2, 1, 60, 100);
    b.queue.interrupt_sent(false);
    ASSERT_EQ(b.ended.size(), 1U);
    expect_parts(b.ended.front(), {{journey_part::device, 40}});
}

TEST(journeys, whose_interrupts_nobody_takes_are_not_kept_for_ever) {
    bench b;
    constexpr std::uint64_t many = 100'000;
    for (std::uint64_t number = 1; number <= many; ++number) {
        const auto at = static_cast<double>(10 * number);
        b.taken_and_returned(static_cast<std::uint16_t>(number % 256), number, at, at + 5);
        b.queue.interrupt_sent(true);
    }
    EXPECT_LT(b.log.unfinished().size(), 40'000U);
    EXPECT_GT(b.ended.size(), 60'000U);
    EXPECT_EQ(b.ended.size() + b.log.unfinished().size(), many);
}

TEST(journeys, are_taken_by_the_server_for_which_they_were_queued) {
    bench b;
    queue_journeys& other = b.log.of("virtio-blk1", 0);
    for (queue_journeys* const each : {&b.queue, &other}) {
        each->taken(0, 1, ns(60));
        each->returned(0, ns(100));
        const journey_log::sending by(b.log, *each);
        b.log.interrupt_raised(each == &b.queue ? 1U : 2U);
        each->interrupt_sent(true);
    }
    b.log.interrupt_queued(1, 0);
    b.log.interrupt_queued(2, 3);
    b.log.interrupts_taken(3, ns(110));
    b.log.interrupt_handled(1, ns(115));
    b.log.interrupt_handled(2, ns(120));
    ASSERT_EQ(b.ended.size(), 1U);
    EXPECT_EQ(b.ended.front().device, "virtio-blk1");
    EXPECT_EQ(b.ended.front().end(), ns(120));
}

TEST(journeys, that_do_not_end_say_where_they_are) {
    bench b;
    b.queue.made_available(1, way);
    b.queue.made_available(2, way);
    b.queue.taken(2, 8, ns(170));
    b.queue.made_available(3, way);
    b.taken_and_returned(3, 9, 171, 190);
    const auto unfinished = b.log.unfinished();
    ASSERT_EQ(unfinished.size(), 3U);
    EXPECT_EQ(unfinished[0].waiting_for, journey_part::doorbell);
    EXPECT_EQ(unfinished[0].since, ns(150));
    EXPECT_EQ(unfinished[1].waiting_for, journey_part::device);
    EXPECT_EQ(unfinished[1].number, 8U);
    EXPECT_EQ(unfinished[2].waiting_for, journey_part::interrupt);
    EXPECT_EQ(unfinished[2].since, ns(190));
    b.queue.stop();
    EXPECT_TRUE(b.log.unfinished().empty());
    EXPECT_TRUE(b.ended.empty());
}

TEST(journeys, a_head_that_comes_again_is_another_request) {
    bench b;
    b.queue.made_available(1, way);
    b.queue.made_available(1, {.submitted = ns(500), .entered = ns(500), .available = ns(500)});
    b.taken_and_returned(1, 1, 510, 520);
    b.queue.completed(b.queue.collected(1, ns(530), ns(0)), ns(530));
    ASSERT_EQ(b.ended.size(), 1U);
    EXPECT_EQ(b.ended.front().begin, ns(500));
    b.queue.taken(1, 2, ns(600));
    b.queue.taken(1, 3, ns(610));  // a ring that is malformed
    EXPECT_EQ(b.log.unfinished().size(), 1U);
}

TEST(anatomy, is_of_all_and_knows_the_first_and_the_slowest) {
    bench b;
    for (unsigned i = 0; i < 100; ++i) {
        const double at = 1'000.0 * (i + 1);
        b.queue.made_available(0, {.submitted = ns(at), .entered = ns(at), .available = ns(at)});
        b.taken_and_returned(0, i + 1, at + 10, at + 10 + (i == 70 ? 500 : 100));
        b.queue.completed(b.queue.collected(0, ns(at + 600), ns(0)), ns(at + 600 + i));
    }
    ASSERT_EQ(b.log.kinds().size(), 1U);
    const kind_anatomy& of = b.log.kinds().front();
    EXPECT_EQ(of.total.count(), 100U);
    EXPECT_DOUBLE_EQ(of.total.maximum_ns(), 699);
    EXPECT_EQ(of.slowest.number, 100U);
    EXPECT_EQ(of.first.number, 1U);
    EXPECT_DOUBLE_EQ(of.parts[static_cast<std::size_t>(journey_part::device)].maximum_ns(), 500);
    double sum = 0;
    for (const durations& each : of.parts) {
        sum += each.mean_ns();
    }
    EXPECT_NEAR(sum, of.total.mean_ns(), 1e-6);
    EXPECT_EQ(b.log.slowest()->number, 100U);
    EXPECT_EQ(b.log.first()->number, 1U);
}

TEST(durations, fall_into_buckets_that_cover_them) {
    durations d;
    for (const double each : {100.0, 110.0, 900.0}) {
        d.add(ns(each));
    }
    const auto buckets = d.buckets(1);
    ASSERT_EQ(buckets.size(), 2U);
    EXPECT_EQ(buckets[0].count, 2U);
    EXPECT_LE(buckets[0].from_ns, 100);
    EXPECT_GT(buckets[0].to_ns, 110);
    EXPECT_DOUBLE_EQ(buckets[0].to_ns, 2 * buckets[0].from_ns);
    EXPECT_EQ(buckets[1].count, 1U);
    EXPECT_EQ(d.buckets(64).size(), 3U);
}

}  // namespace
}  // namespace pefsim::report
