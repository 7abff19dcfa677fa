// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/timed_spinlock.h"

#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

namespace {

sc_time ns(double value) { return {value, sc_core::SC_NS}; }

/// Two CPUs that know no synchronisation but the lock: the first runs its whole quantum before the second begins.
struct lock_bench : cpu_bench {
    native_cpu second{"cpu1", recorder, {.number = 1}};
    dma_ops::timed_spinlock lock;
    dma_ops::lock_contention contention{recorder.metrics(), "locks"};

    lock_bench() {
        second.bus.bind(bus.initiators);
        second.hypervisor.bind(hypervisor);
    }
    /// Takes the lock when the CPU's local time is `when`, for `duration`; \returns when it had the lock.
    sc_time take_at(native_cpu& on, const sc_time& when, const sc_time& duration) {
        on.spend(when - on.now());
        lock.take(on, contention);
        const sc_time had = on.now();
        lock.hold_for(on, duration);
        EXPECT_EQ(on.now(), had + duration);
        return had;
    }
};

}  // namespace

TEST_F(cpu_test, a_lock_held_at_the_local_time_makes_another_cpu_wait) {
    lock_bench bench;
    std::vector<sc_time> had;
    bench.second.load([&](native_cpu& cpu) {
        had.push_back(bench.take_at(cpu, ns(50), ns(5)));    // before the first hold: free
        had.push_back(bench.take_at(cpu, ns(150), ns(5)));   // within it
        had.push_back(bench.take_at(cpu, ns(400), ns(5)));   // between two holds: free
        had.push_back(bench.take_at(cpu, ns(1005), ns(5)));  // within a hold that another one follows at once
    });
    bench.run([&](native_cpu& cpu) {
        had.push_back(bench.take_at(cpu, ns(100), ns(100)));
        bench.take_at(cpu, ns(1000), ns(20));
        bench.take_at(cpu, ns(1020), ns(20));
    });
    const std::vector<sc_time> expected{ns(100), ns(50), ns(200), ns(400), ns(1040)};
    EXPECT_EQ(had, expected);
    EXPECT_EQ(bench.contention.times.value(), 2U);
    EXPECT_EQ(bench.contention.wait.maximum_ns(), 50);
    EXPECT_EQ(bench.contention.wait.minimum_ns(), 35);
}

TEST_F(cpu_test, a_lock_that_has_been_held_many_times_makes_another_cpu_wait) {
    lock_bench bench;
    std::vector<sc_time> had;
    bench.second.load([&](native_cpu& cpu) {
        had.push_back(bench.take_at(cpu, ns(19'870), ns(5)));  // between two holds: free
        had.push_back(bench.take_at(cpu, ns(19'910), ns(5)));  // within the last
    });
    bench.run([&](native_cpu& cpu) {
        for (int i = 0; i < 200; ++i) {
            bench.take_at(cpu, ns(100 * i), ns(50));
            cpu.synchronize();  // what is past may be forgotten
        }
    });
    EXPECT_EQ(had, (std::vector{ns(19'870), ns(19'950)}));
    EXPECT_EQ(bench.contention.times.value(), 1U);
}

TEST_F(cpu_test, three_cpus_queue_up) {
    lock_bench bench;
    native_cpu third("cpu2", bench.recorder, {.number = 2});
    third.bus.bind(bench.bus.initiators);
    third.hypervisor.bind(bench.hypervisor);
    std::vector<sc_time> had;
    const auto work = [&](native_cpu& cpu) { had.push_back(bench.take_at(cpu, ns(100), ns(30))); };
    bench.second.load(work);
    third.load(work);
    bench.run(work);
    std::ranges::sort(had);
    EXPECT_EQ(had, (std::vector{ns(100), ns(130), ns(160)}));
}

TEST_F(cpu_test, a_cpu_does_not_wait_for_itself) {
    lock_bench bench;
    bench.run([&](native_cpu& cpu) {
        for (int i = 0; i < 100; ++i) {
            bench.lock.take(cpu, bench.contention);
            bench.lock.hold_for(cpu, ns(5));
        }
        EXPECT_EQ(cpu.now(), ns(500));
    });
    EXPECT_EQ(bench.contention.times.value(), 0U);
}

}  // namespace pefsim::testing
