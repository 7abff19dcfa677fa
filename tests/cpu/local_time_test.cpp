// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

namespace {

sc_time ns(double value) { return {value, sc_core::SC_NS}; }

}  // namespace

TEST_F(cpu_test, runs_ahead_by_less_than_a_quantum) {
    cpu_bench bench({.quantum = one_us});
    std::vector<std::pair<sc_time, sc_time>> points;  // simulation time, local time
    bench.run([&](native_cpu& cpu) {
        for (int i = 0; i < 5; ++i) {
            cpu.spend(ns(400));
            points.emplace_back(sc_core::sc_time_stamp(), cpu.now());
        }
    });
    const std::vector<std::pair<sc_time, sc_time>> expected{
        {ns(0), ns(400)},
        {ns(0), ns(800)},
        {ns(1200), ns(1200)},  // caught up: past 1 us
        {ns(1200), ns(1600)},
        {ns(2000), ns(2000)}};  // the next multiple of the quantum
    EXPECT_EQ(points, expected);
}

TEST_F(cpu_test, quantum_zero_never_runs_ahead) {
    cpu_bench bench({.quantum = sc_core::SC_ZERO_TIME});
    bench.run([&](native_cpu& cpu) {
        cpu.spend(ns(1));
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(1));
        cpu.store<std::uint32_t>(phys_addr{0}, 1);
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(3));
    });
}

TEST_F(cpu_test, synchronize_lets_simulation_time_catch_up) {
    cpu_bench bench;
    bench.run([&](native_cpu& cpu) {
        cpu.synchronize();
        EXPECT_EQ(cpu.now(), ns(0));
        cpu.spend(ns(5));
        cpu.synchronize();
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(5));
        EXPECT_EQ(cpu.now(), ns(5));
    });
}

// Barriers are for what others may see or do; when there is nothing before local time, nobody is given way to.
TEST_F(cpu_test, a_barrier_gives_way_to_what_can_happen) {
    cpu_bench bench;
    sc_time other;
    sc_core::sc_spawn([&] {
        sc_core::wait(ns(300));
        other = sc_core::sc_time_stamp();
    });
    bench.run([&](native_cpu& cpu) {
        cpu.spend(ns(1));
        cpu.synchronize();  // the other process has begun to wait
        cpu.spend(ns(288));
        cpu.barrier();
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(1));
        EXPECT_EQ(cpu.now(), ns(299));
        EXPECT_EQ(other, ns(0));
        cpu.barrier();
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(309));
        EXPECT_EQ(cpu.now(), ns(309));
        EXPECT_EQ(other, ns(300));
        cpu.barrier();
        cpu.synchronize();
        EXPECT_EQ(sc_core::sc_time_stamp(), ns(319));
    });
    EXPECT_TRUE(bench.cpu.halted());
}

TEST_F(cpu_test, tells_what_its_time_goes_into) {
    cpu_bench bench;
    bench.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.ceded = state.gpr[3] == static_cast<std::uint64_t>(abi::hcall::h_cede);
        context.delay += ns(400);
    };
    bench.ultravisor.on_ultracall = [](power::registers&, cpu::trap_context& context) {
        context.delay += ns(500);
    };
    bench.hypervisor.on_fault = [](cpu::storage_fault&, power::registers&, cpu::trap_context& context) {
        context.delay += ns(1200);
        return cpu::fault_outcome::emulated;
    };
    bench.run([&](native_cpu& cpu) {
        cpu.spend(ns(7));
        cpu.barrier();                                                  // 10, its own
        cpu.store<std::uint32_t>(phys_addr{8}, 1);                      // 2, its own
        cpu.copy(phys_addr{2 * abi::page_size}, phys_addr{0}, 70'000);  // over a page's end; 10 GB/s
        cpu.spend_on_lock(ns(15), ns(30));                              // 30 are its own
        cpu.spend_on_lock(ns(100));
        cpu.hypercall(abi::hcall::h_random);
        cpu.ultracall(abi::ucall::uv_share_page, {1, 1});
        cpu.mmio_load<std::uint32_t>(phys_addr{0x100'0000'0000});
        cpu.wait_for_interrupt(one_us);  // H_CEDE, then idle for the rest

        const cpu::native::time_use& used = cpu.used();
        EXPECT_EQ(used.copies, ns(7000));
        EXPECT_EQ(used.locks, ns(115));
        EXPECT_EQ(used.hypercalls, ns(400 + 1200 + 400));
        EXPECT_EQ(used.ultracalls, ns(500));
        EXPECT_EQ(used.interrupts, ns(0));
        EXPECT_EQ(used.idle, ns(600));
        EXPECT_EQ(cpu.now() - used.sum(), ns(7 + 10 + 2 + 30));
    });
    EXPECT_TRUE(bench.cpu.halted());
}

// What each operation costs, with the default table of costs.
TEST_F(cpu_test, charges_the_table_of_costs) {
    cpu_bench bench;
    bench.hypervisor.on_hypercall = [](power::registers&, cpu::trap_context& context) {
        context.delay += ns(400);
    };
    bench.hypervisor.on_fault = [](cpu::storage_fault&, power::registers&, cpu::trap_context& context) {
        context.delay += ns(1200);
        return cpu::fault_outcome::emulated;
    };
    bench.run([&](native_cpu& cpu) {
        std::array<std::byte, 100> buffer{};
        const std::vector<std::pair<std::function<void()>, sc_time>> operations{
            {[&] { cpu.load<std::uint64_t>(phys_addr{8}); }, ns(2)},
            {[&] { cpu.store<std::uint8_t>(phys_addr{8}, 1); }, ns(2)},
            {[&] { cpu.read(phys_addr{8}, buffer); }, ns(12)},  // 100 bytes at 10 GB/s
            {[&] { cpu.write(phys_addr{8}, buffer); }, ns(12)},
            {[&] { cpu.fill(phys_addr{8}, 100, std::byte{0}); }, ns(12)},
            {[&] { cpu.copy(phys_addr{4096}, phys_addr{0}, 1000); }, ns(100)},
            {[&] { cpu.spend_cycles(1000); }, ns(263)},
            {[&] { cpu.barrier(); }, ns(10)},
            {[&] { cpu.hypercall(abi::hcall::h_random); }, ns(400)},
            {[&] { cpu.mmio_load<std::uint32_t>(phys_addr{0x100'0000'0000}); }, ns(1200)},
        };
        for (std::size_t i = 0; i < operations.size(); ++i) {
            const sc_time before = cpu.now();
            operations[i].first();
            EXPECT_EQ(cpu.now() - before, operations[i].second) << "operation " << i;
        }
    });
    EXPECT_TRUE(bench.cpu.halted());
}

TEST_F(cpu_test, a_long_copy_yields_between_pages) {
    cpu_bench bench({.quantum = one_us});
    sc_time halfway;
    sc_core::sc_spawn([&] {
        sc_core::wait(ns(10'000));
        halfway = sc_core::sc_time_stamp();
        EXPECT_FALSE(bench.cpu.halted());
    });
    bench.run([&](native_cpu& cpu) { cpu.copy(phys_addr{1 << 20}, phys_addr{0}, 4 * abi::page_size); });
    EXPECT_EQ(halfway, ns(10'000));
    EXPECT_TRUE(bench.cpu.halted());
}

TEST_F(cpu_test, refuses_a_bandwidth_of_nothing) {
    native_cpu::config parameters;
    parameters.costs.memcpy_gb_per_s = 0;
    trace::recorder recorder;
    EXPECT_THROW(native_cpu("cpu0", recorder, parameters), std::invalid_argument);
}

}  // namespace pefsim::testing
