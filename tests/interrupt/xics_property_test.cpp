// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <rapidcheck.h>
#include <vector>

#include "interrupt/xics.h"
#include "tests/interrupt/xics_bench.h"
#include "tests/support/simulation.h"

namespace pefsim::interrupt {
namespace {

constexpr std::uint32_t first = abi::platform::first_msi_source;
constexpr unsigned servers = 2;
constexpr std::uint32_t sources = 6;

/// What the guest may rely on, said without presentation, rejection or re-presentation: each server is shown the most
/// favoured of the interrupts that are out for it, if that is more favoured than CPPR.
struct expectation {
    struct source {
        unsigned server = 0;
        std::uint8_t priority = 0xff;
        unsigned edges = 0;  // not accepted yet: at most one presented and one kept
    };
    std::map<std::uint32_t, source> of;
    std::array<std::uint8_t, servers> cppr{0xff, 0xff};

    [[nodiscard]] unsigned most_favoured(unsigned server) const {
        unsigned best = 0xff;
        for (const auto& [number, each] : of) {
            if (each.server == server && each.edges > 0) {
                best = std::min<unsigned>(best, each.priority);
            }
        }
        return best;
    }
    [[nodiscard]] bool line(unsigned server) const { return most_favoured(server) < cppr[server]; }
};

class session {
public:
    explicit session(xics_bench& bench) : bench_(bench) {
        empty();
        for (std::uint32_t n = 0; n < sources; ++n) {
            const auto priority = static_cast<std::uint8_t>(1 + n % 4);
            bench_.route(first + n, n % servers, priority);
            expected_.of[first + n] = {n % servers, priority, 0};
            counts_[first + n] = bench_.controller.presented(first + n);
        }
    }

    void act(unsigned what, unsigned argument) {
        const unsigned server = argument % servers;
        switch (what) {
        case 0:
            raise(first + argument % sources);
            break;
        case 1:
            accept(server);
            break;
        case 2:
            end(server);
            break;
        default:
            set_cppr(server, static_cast<std::uint8_t>(argument / servers % 6));
            break;
        }
        for (unsigned each = 0; each < servers; ++each) {
            RC_ASSERT(bench_.lines[each].level == expected_.line(each));
        }
    }

    /// Takes everything that is out. Nothing is lost, nothing comes twice.
    void drain() {
        for (unsigned server = 0; server < servers; ++server) {
            in_service_[server].clear();
            set_cppr(server, 0xff);
            while (expected_.line(server)) {
                accept(server);
                end(server);
            }
            RC_ASSERT(bench_.accept(server) == 0U);
        }
        for (const auto& [number, each] : expected_.of) {
            RC_ASSERT(each.edges == 0U);
        }
    }

private:
    /// Forgets what an earlier session left behind.
    void empty() {
        for (unsigned server = 0; server < servers; ++server) {
            bench_.cppr(0xff, server);
            while (const std::uint32_t source = bench_.accept(server)) {
                bench_.eoi(source, 0xff, server);
            }
        }
    }

    void raise(std::uint32_t number) {
        expectation::source& source = expected_.of[number];
        // An edge that finds another one waiting is one with it; one that finds it presented is kept.
        const bool presented = shown_[source.server] == number;
        source.edges = std::min(source.edges + 1, presented ? 2U : 1U);
        bench_.raise(number);
        note_shown(source.server);
    }

    void accept(unsigned server) {
        const bool line = expected_.line(server);
        const std::uint32_t xirr = bench_.controller.xirr(server, xics_bench::now());
        RC_ASSERT(xirr >> 24 == expected_.cppr[server]);
        RC_ASSERT(((xirr & 0xff'ffff) != 0) == line);
        if (line) {
            expectation::source& source = expected_.of.at(xirr & 0xff'ffff);
            RC_ASSERT(source.priority == expected_.most_favoured(server));
            RC_ASSERT(source.server == server);
            RC_ASSERT(source.edges > 0U);
            --source.edges;
            in_service_[server].push_back(xirr);
            expected_.cppr[server] = source.priority;
        }
        note_shown(server);
    }

    void end(unsigned server) {
        if (in_service_[server].empty()) {
            return;
        }
        const std::uint32_t xirr = in_service_[server].back();
        in_service_[server].pop_back();
        RC_ASSERT(bench_.controller.eoi(server, xirr, xics_bench::now()));
        expected_.cppr[server] = static_cast<std::uint8_t>(xirr >> 24);
        note_shown(server);
    }

    void set_cppr(unsigned server, std::uint8_t priority) {
        bench_.cppr(priority, server);
        expected_.cppr[server] = priority;
        note_shown(server);
    }

    /// Which source the server is shown can only be told from its counts, since priorities may be equal. Of several
    /// that were presented in one act the most favoured has displaced the others.
    void note_shown(unsigned server) {
        if (!bench_.lines[server].level) {
            shown_[server] = 0;
        }
        std::array<unsigned, servers> best{0xff, 0xff};
        for (const auto& [number, source] : expected_.of) {
            const std::uint64_t count = bench_.controller.presented(number);
            if (count != counts_[number] && bench_.lines[source.server].level &&
                source.priority < best[source.server]) {
                best[source.server] = source.priority;
                shown_[source.server] = number;
            }
            counts_[number] = count;
        }
        // An interrupt that is given back is one with the edge that was kept behind it.
        for (auto& [number, source] : expected_.of) {
            if (shown_[source.server] != number) {
                source.edges = std::min(source.edges, 1U);
            }
        }
    }

    xics_bench& bench_;
    expectation expected_;
    std::array<std::vector<std::uint32_t>, servers> in_service_;
    std::array<std::uint32_t, servers> shown_{};
    std::map<std::uint32_t, std::uint64_t> counts_;
};

class xics_property_test : public testing::simulation_test {};

TEST_F(xics_property_test, each_server_is_shown_the_most_favoured_interrupt_and_none_is_lost) {
    xics_bench bench(servers);
    const bool holds = rc::check("XICS presentation", [&bench] {
        using step = std::pair<unsigned, unsigned>;
        const auto steps = *rc::gen::container<std::vector<step>>(
            rc::gen::pair(rc::gen::inRange(0U, 4U), rc::gen::inRange(0U, 1000U)));
        session played(bench);
        for (const auto& [what, argument] : steps) {
            played.act(what, argument);
        }
        played.drain();
    });
    EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace pefsim::interrupt
