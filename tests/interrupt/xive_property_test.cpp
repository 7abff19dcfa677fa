// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <gtest/gtest.h>
#include <map>
#include <rapidcheck.h>
#include <utility>
#include <vector>

#include "tests/interrupt/xive_bench.h"
#include "tests/support/simulation.h"

namespace pefsim::interrupt {
namespace {

namespace layout = abi::xive;

constexpr unsigned servers = 2;
constexpr unsigned priorities = 3;  // 4, 5, 6: small queues of each server
constexpr std::uint8_t most_favoured = 4;
constexpr std::uint32_t first = abi::platform::first_msi_source;
constexpr std::uint32_t sources = 8;

/// What a guest knows of a queue: where it reads next, and the generation of what is new.
struct reader {
    std::uint32_t next = 0;
    std::uint32_t generation = layout::entry_generation;
};

/// A guest that handles interrupts as Linux does, over queues of 1,024 entries that wrap. What it may rely on: an event
/// of a source that is on is handled at least once after it came, and never without one; the line is asserted exactly
/// while something more favoured than CPPR is pending.
class session {
public:
    explicit session(xive_bench& bench) : bench_(bench) {
        bench_.controller.reset(xive_bench::now());
        for (unsigned server = 0; server < servers; ++server) {
            for (unsigned n = 0; n < priorities; ++n) {
                const auto priority = static_cast<std::uint8_t>(most_favoured + n);
                clear(bench_.give_queue(server, priority));
            }
            set_cppr(server, 0xff);
        }
        for (std::uint32_t n = 0; n < sources; ++n) {
            bench_.connect(first + n, n % servers, static_cast<std::uint8_t>(most_favoured + n % priorities));
        }
    }

    void act(unsigned what, unsigned argument) {
        const std::uint32_t source = first + argument % sources;
        switch (what) {
        case 0:
        case 1:
            raise(source);
            break;
        case 2:
            interrupt(argument % servers);
            break;
        case 3:
            set_cppr(argument % servers, static_cast<std::uint8_t>(argument / servers % 9));
            break;
        default:
            set_mask(source, !masked_[source]);
            break;
        }
        for (unsigned server = 0; server < servers; ++server) {
            const std::uint64_t ring = bench_.load(abi::platform::tima_os_page + 0x10, 8, server).value();
            const auto pending = static_cast<std::uint8_t>(ring >> 40);
            RC_ASSERT(bench_.lines[server].level ==
                      (pending != 0 && std::countl_zero(pending) < cppr_[server]));
            RC_ASSERT(static_cast<std::uint8_t>(ring >> 48) == cppr_[server]);
        }
    }

    void drain() {
        for (std::uint32_t n = 0; n < sources; ++n) {
            set_mask(first + n, false);
        }
        for (unsigned server = 0; server < servers; ++server) {
            set_cppr(server, 0xff);
            while (bench_.lines[server].level) {
                interrupt(server);
            }
        }
        for (std::uint32_t n = 0; n < sources; ++n) {
            RC_ASSERT(outstanding_[first + n] == 0U);
            RC_ASSERT(bench_.state(first + n) == event_state::reset);
        }
    }

private:
    void clear(std::uint64_t queue) {
        std::byte* const page = bench_.bus.ram().write(memory::frame_kind::normal, queue >> abi::page_shift);
        std::fill_n(page, std::size_t{1} << xive_bench::queue_shift, std::byte{0});
    }

    void raise(std::uint32_t source) {
        outstanding_[source] += masked_[source] ? 0 : 1;
        bench_.event(source);
    }

    void set_cppr(unsigned server, std::uint8_t value) {
        bench_.cppr(value, server);
        cppr_[server] = value > layout::least_favoured_priority ? layout::no_priority : value;
    }

    /// P is kept by the guest while the source is off: its entry is in the queue still.
    void set_mask(std::uint32_t source, bool mask) {
        if (mask == masked_[source]) {
            return;
        }
        masked_[source] = mask;
        if (mask) {
            const auto before = bench_.state_load(source, layout::esb_set_pq_01).value();
            kept_[source] = (before & 2) != 0;
            // What was held back is gone with Q.
            outstanding_[source] = kept_[source] ? 1 : 0;
        } else {
            bench_.state_load(source, kept_[source] ? layout::esb_set_pq_10 : layout::esb_set_pq_00);
            kept_[source] = false;
        }
    }

    /// One external interrupt: acknowledge, all that is new in the queue of its priority, end.
    void interrupt(unsigned server) {
        const bool expected = bench_.lines[server].level;
        const std::uint16_t taken = bench_.acknowledge(server);
        RC_ASSERT((taken >> 8 == layout::nsr_exception) == expected);
        if (!expected) {
            return;
        }
        const auto priority = static_cast<std::uint8_t>(taken);
        while (const std::uint32_t source = take(server, priority)) {
            handle(source);
        }
        set_cppr(server, 0xff);
    }

    /// \returns 0 when there is nothing new
    std::uint32_t take(unsigned server, std::uint8_t priority) {
        reader& at = readers_[{server, priority}];
        const std::uint32_t entry = bench_.entry(xive_bench::queue_at(server, priority), at.next);
        if ((entry & layout::entry_generation) != at.generation) {
            return 0;
        }
        at.next = (at.next + 1) % (1U << (xive_bench::queue_shift - 2));
        at.generation ^= at.next == 0 ? layout::entry_generation : 0;
        return entry & layout::eisn_mask;
    }

    void handle(std::uint32_t source) {
        RC_ASSERT(source - first < sources);
        RC_ASSERT(outstanding_[source] > 0U);
        outstanding_[source] = 0;
        if (masked_[source]) {
            kept_[source] = false;
            return;
        }
        const auto before = bench_.state_load(source, layout::esb_set_pq_00).value();
        if ((before & 1) != 0) {
            outstanding_[source] = 1;
            bench_.trigger(source);
            xive_bench::settle();
        }
    }

    xive_bench& bench_;
    std::map<std::pair<unsigned, std::uint8_t>, reader> readers_;
    std::array<std::uint8_t, servers> cppr_{};
    std::map<std::uint32_t, unsigned> outstanding_;
    std::map<std::uint32_t, bool> masked_;
    std::map<std::uint32_t, bool> kept_;
};

class xive_property_test : public testing::simulation_test {};

TEST_F(xive_property_test, no_event_is_lost_and_none_is_made_up) {
    xive_bench bench(servers);
    // rapidcheck does not know of the simulation: one bench serves all of its cases.
    EXPECT_TRUE(rc::check("XIVE's way of events", [&] {
        session guest(bench);
        const auto acts = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
            rc::gen::pair(rc::gen::inRange(0U, 5U), rc::gen::inRange(0U, 1'000U)));
        for (const auto& [what, argument] : acts) {
            guest.act(what, argument);
        }
        guest.drain();
    }));
}

}  // namespace
}  // namespace pefsim::interrupt
