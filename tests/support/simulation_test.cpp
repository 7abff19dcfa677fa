// SPDX-License-Identifier: Apache-2.0
//
// The fixture itself: thousands of elaborations in one process, also after failures, leave nothing behind.
#include "tests/support/simulation.h"

#include <array>
#include <stdexcept>

#include <sys/resource.h>

#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

namespace pefsim::testing {

namespace {

using sc_core::sc_time;

const sc_time one_us(1, sc_core::SC_US);

struct delaying_target : sc_core::sc_module {
    tlm_utils::simple_target_socket<delaying_target> socket{"socket"};

    explicit delaying_target(const sc_core::sc_module_name& name) : sc_module(name) {
        socket.register_b_transport(this, &delaying_target::b_transport);
    }

private:
    void b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
        delay += sc_time(1, sc_core::SC_NS);
        payload.set_response_status(tlm::TLM_OK_RESPONSE);
    }
};

enum class ending { asleep, thrown, reported_error, reported_fatal, stopped };
constexpr std::array names{"asleep", "thrown", "reported_error", "reported_fatal", "stopped"};

/// Does four accesses, spawns a process, and then ends as told.
struct initiator : sc_core::sc_module {
    SC_HAS_PROCESS(initiator);

    tlm_utils::simple_initiator_socket<initiator> socket{"socket"};
    unsigned completed = 0;
    unsigned spawned = 0;

    initiator(const sc_core::sc_module_name& name, ending how) : sc_module(name), how_(how) {
        SC_THREAD(talk);
    }

private:
    void talk() {
        std::array<unsigned char, 8> data{};
        tlm::tlm_generic_payload payload;
        payload.set_command(tlm::TLM_READ_COMMAND);
        payload.set_data_ptr(data.data());
        payload.set_data_length(data.size());
        for (int i = 0; i < 4; ++i) {
            sc_time delay = sc_core::SC_ZERO_TIME;
            socket->b_transport(payload, delay);
            wait(delay);
            ++completed;
        }
        sc_core::sc_spawn([this] { ++spawned; });
        wait(sc_core::SC_ZERO_TIME);
        end();
    }

    void end() {
        switch (how_) {
        case ending::asleep:
            wait(sc_time(1, sc_core::SC_SEC));
            break;
        case ending::thrown:
            throw std::runtime_error("the thread gives up");
        case ending::reported_error:
            SC_REPORT_ERROR("test", "the thread reports an error");
            break;
        case ending::reported_fatal:
            SC_REPORT_FATAL("test", "the thread reports a fatal error");
            break;
        case ending::stopped:
            sc_core::sc_stop();
            break;
        }
    }

    ending how_;
};

struct bench {
    delaying_target target{"target"};
    initiator cpu;

    explicit bench(ending how) : cpu("cpu", how) { cpu.socket.bind(target.socket); }
};

struct module_with_unbound_port : sc_core::sc_module {
    sc_core::sc_in<bool> input{"input"};

    explicit module_with_unbound_port(const sc_core::sc_module_name& name) : sc_module(name) {}
};

struct module_that_cannot_be_built : sc_core::sc_module {
    sc_core::sc_signal<bool> child{"child"};

    explicit module_that_cannot_be_built(const sc_core::sc_module_name& name) : sc_module(name) {
        throw std::invalid_argument("bad parameter");
    }
};

#ifdef __SANITIZE_ADDRESS__
constexpr long allowed_growth_kib = 512 * 1024L;  // freed memory stays in quarantine
#else
constexpr long allowed_growth_kib = 16 * 1024L;
#endif

long peak_memory_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

// A whole life of a simulation in whatever context it is born into.
void live(ending how) {
    bench b(how);
    EXPECT_STREQ(b.cpu.name(), "cpu");  // not cpu_0: the names of earlier lives are forgotten
    EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
    EXPECT_EQ(tlm::tlm_global_quantum::instance().get(), sc_core::SC_ZERO_TIME);
    tlm::tlm_global_quantum::instance().set(one_us);
    switch (how) {
    case ending::asleep:
        sc_core::sc_start(one_us);
        EXPECT_EQ(sc_core::sc_time_stamp(), one_us);
        break;
    case ending::stopped:
        sc_core::sc_start(one_us);
        EXPECT_EQ(sc_core::sc_time_stamp(), sc_time(4, sc_core::SC_NS));
        break;
    default:
        EXPECT_THROW(sc_core::sc_start(one_us), sc_core::sc_report);
    }
    EXPECT_EQ(b.cpu.completed, 4U);
    EXPECT_EQ(b.cpu.spawned, 1U);
}

}  // namespace

class simulation_fixture : public simulation_test, public ::testing::WithParamInterface<ending> {};

TEST_P(simulation_fixture, lives) { live(GetParam()); }

INSTANTIATE_TEST_SUITE_P(endings, simulation_fixture,
                         ::testing::Values(ending::asleep, ending::thrown, ending::reported_error,
                                           ending::reported_fatal, ending::stopped),
                         [](const auto& test) { return names[static_cast<std::size_t>(test.param)]; });

// The fixture is constructed by hand here: ctest runs every test in a process of its own, which shows nothing.
class one_life : public simulation_test {
    void TestBody() override {}
};

TEST(many_simulations, in_one_process) {
    constexpr std::array endings{ending::asleep, ending::thrown, ending::reported_error,
                                 ending::reported_fatal, ending::stopped};
    const auto live_through = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            for (const ending how : endings) {
                const one_life fixture;
                live(how);
            }
        }
    };
    live_through(20);
    const long before = peak_memory_kib();
    live_through(400);
    EXPECT_LT(peak_memory_kib() - before, allowed_growth_kib);
}

TEST(many_simulations, survive_a_failed_elaboration) {
    for (int i = 0; i < 3; ++i) {
        {
            const one_life fixture;
            const module_with_unbound_port module("module");
            EXPECT_THROW(sc_core::sc_start(one_us), sc_core::sc_report);
        }
        {
            const one_life fixture;
            EXPECT_THROW(module_that_cannot_be_built("module"), std::invalid_argument);
        }
        const one_life fixture;
        live(ending::asleep);
    }
}

}  // namespace pefsim::testing
