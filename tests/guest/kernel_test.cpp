// SPDX-License-Identifier: Apache-2.0
//
// Boot, secure mode, several CPUs, panics: the kernel as a whole; its scheduler and its device tree.
#include "guest/kernel.h"

#include <fmt/format.h>

#include "guest/device_tree.h"
#include "tests/guest/guest_bench.h"

namespace pefsim::testing {

TEST_F(guest_test, boots_without_devices_and_says_so) {
    guest_bench bench({}, 2);
    bool ran = false;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        ran = true;
        EXPECT_EQ(cpu.number(), 0U);
        EXPECT_EQ(kernel.cpus(), 2U);
        EXPECT_EQ(kernel.state(), guest::kernel_state::running);
        kernel.printk(cpu, "a line that is longer than one call can carry");
    });
    EXPECT_TRUE(ran);
    EXPECT_TRUE(bench.kernel->finished());
    EXPECT_TRUE(bench.cpus[1]->halted());
    EXPECT_EQ(bench.host.console, "pefsim native guest kernel: 2 CPUs, 64 MiB\n"
                                  "a line that is longer than one call can carry\n");
    EXPECT_EQ(bench.kernel->messages().size(), 2U);
    EXPECT_GE(bench.kernel->workload_end(), bench.kernel->workload_begin());
}

TEST_F(guest_test, what_a_cpu_does_is_said_with_the_kernels_state_unless_it_runs) {
    guest_bench bench;
    EXPECT_EQ(bench.kernel->what_it_does(*bench.cpus[0]), "runs, the kernel is off");
    bench.run([](guest::kernel& kernel, native_cpu& cpu) { EXPECT_EQ(kernel.what_it_does(cpu), "runs"); });
    EXPECT_EQ(bench.kernel->what_it_does(*bench.cpus[0]), "runs, the kernel is finished");
}

TEST_F(guest_test, becomes_secure_with_all_its_cpus) {
    guest_bench bench({.secure = true}, 3);
    std::array<bool, 3> secure{};
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.on_every_cpu(cpu, [&](native_cpu& on) { secure.at(on.number()) = on.secure(); });
    });
    EXPECT_EQ(secure, (std::array<bool, 3>{true, true, true}));
    ASSERT_EQ(bench.host.esm_arguments.size(), 2U);
    EXPECT_NE(bench.host.esm_arguments[0], 0U);
    EXPECT_EQ(bench.host.esm_arguments[1] % abi::page_size, 0U);
}

TEST_F(guest_test, hands_a_device_tree_to_the_ultravisor) {
    guest_bench bench({.secure = true, .command_line = "svm=on console=hvc0"});
    bench.run({});
    const std::byte* page = bench.bus.ram().read(memory::frame_kind::normal,
                                                 abi::gfn_of(abi::phys_addr{bench.host.esm_arguments[1]}));
    const auto cell = [page](std::size_t at) {
        return std::to_integer<std::uint32_t>(page[at]) << 24 |
               std::to_integer<std::uint32_t>(page[at + 1]) << 16 |
               std::to_integer<std::uint32_t>(page[at + 2]) << 8 |
               std::to_integer<std::uint32_t>(page[at + 3]);
    };
    EXPECT_EQ(cell(0), 0xd00dfeedU);
    const std::string_view blob(reinterpret_cast<const char*>(page), cell(4));
    EXPECT_NE(blob.find("svm=on console=hvc0"), std::string_view::npos);
    EXPECT_NE(blob.find("memory@0"), std::string_view::npos);
}

struct device_tree_page : simulation_test {
    /// Boots with a device tree of one page and `beyond` bytes.
    static std::string failure_with_tree(std::size_t beyond) {
        constexpr unsigned cpus = 2;
        std::string line(abi::page_size - guest::flat_device_tree(guest_bench::ram, cpus, "").size() + 3,
                         'x');
        EXPECT_EQ(guest::flat_device_tree(guest_bench::ram, cpus, line).size(), abi::page_size);
        line.append(beyond, 'x');
        guest_bench bench({.secure = true, .command_line = line}, cpus);
        bench.run({});
        EXPECT_EQ(bench.kernel->finished(), bench.kernel->failure().empty());
        return bench.kernel->failure();
    }
};

TEST_F(device_tree_page, may_be_full) { EXPECT_EQ(failure_with_tree(0), ""); }

TEST_F(device_tree_page, holds_no_more_than_itself) {
    EXPECT_EQ(failure_with_tree(1), "a device tree of 65540 bytes does not fit its page");
}

// The blob, token by token, as the Devicetree Specification's chapter 5 describes it.
TEST(device_tree, has_the_structure_of_the_specification) {
    const auto blob = guest::flat_device_tree(std::uint64_t{5} << 30, 2, "x");
    const auto cell = [&blob](std::size_t at) {
        return std::to_integer<std::uint32_t>(blob.at(at)) << 24 |
               std::to_integer<std::uint32_t>(blob.at(at + 1)) << 16 |
               std::to_integer<std::uint32_t>(blob.at(at + 2)) << 8 |
               std::to_integer<std::uint32_t>(blob.at(at + 3));
    };
    const auto text = [&blob](std::size_t at) {
        return std::string(reinterpret_cast<const char*>(blob.data() + at));
    };
    ASSERT_EQ(cell(4), blob.size());
    EXPECT_EQ(cell(20), 17U);
    EXPECT_EQ(cell(8) % 4, 0U);
    EXPECT_EQ(cell(16) % 8, 0U);
    std::size_t at = cell(8);
    const std::size_t end = at + cell(36);
    const std::size_t strings = cell(12);
    std::vector<std::string> path;
    std::map<std::string, std::vector<std::uint32_t>> found;
    while (cell(at) != 9) {
        const std::uint32_t token = cell(at);
        at += 4;
        if (token == 1) {
            path.push_back(text(at));
            at += (path.back().size() + 4) & ~std::size_t{3};
        } else if (token == 2) {
            ASSERT_FALSE(path.empty());
            path.pop_back();
        } else {
            ASSERT_EQ(token, 3U);
            const std::uint32_t size = cell(at);
            std::vector<std::uint32_t> cells;
            for (std::uint32_t i = 0; i + 4 <= size; i += 4) {
                cells.push_back(cell(at + 8 + i));
            }
            found[path.back() + ":" + text(strings + cell(at + 4))] = cells;
            at += 8 + ((size + 3) & ~std::uint32_t{3});
        }
    }
    EXPECT_TRUE(path.empty());
    EXPECT_EQ(at + 4, end);
    EXPECT_EQ(found.at("memory@0:reg"), (std::vector<std::uint32_t>{0, 0, 1, 0x4000'0000}));
    EXPECT_EQ(found.at("PowerPC,POWER9@1:reg"), (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(found.at("PowerPC,POWER9@1:ibm,ppc-interrupt-server#s"), (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(found.at(":#address-cells"), (std::vector<std::uint32_t>{2}));
    EXPECT_EQ(found.at(":#size-cells"), (std::vector<std::uint32_t>{2})) << "two cells each in memory's reg";
    EXPECT_EQ(found.at("cpus:#address-cells"), (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(found.at("cpus:#size-cells"), (std::vector<std::uint32_t>{0}));
}

TEST_F(guest_test, a_busy_terminal_loses_the_rest_of_a_line_and_nothing_else) {
    guest_bench bench;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        std::string& console = bench.host.console;
        console.clear();
        bench.host.terminal_busy = 99;
        kernel.printk(cpu, "a line of more than one call");
        EXPECT_EQ(console, "a line of more than one call\n");
        console.clear();
        bench.host.terminal_busy = 100;
        kernel.printk(cpu, "a line that finds the terminal busy");
        EXPECT_EQ(console, "");
        EXPECT_EQ(bench.host.terminal_busy, 0U);
        kernel.printk(cpu, "the next one");
        EXPECT_EQ(console, "the next one\n");
    });
    EXPECT_TRUE(bench.kernel->finished());
    EXPECT_EQ(bench.kernel->messages().size(), 1U + 3) << "kept for the report, whatever the terminal did";
}

TEST_F(guest_test, a_device_that_is_not_there_is_a_panic) {
    guest::kernel::config parameters;
    parameters.net_devices = 1;
    parameters.entropy_devices = 1;
    guest_bench bench(parameters);
    bench.run([](guest::kernel& kernel, native_cpu&) {
        EXPECT_EQ(kernel.block_devices(), 0U);
        EXPECT_THROW(kernel.block(0), guest::kernel_panic) << "its driver waits for it";
        EXPECT_THROW(kernel.net(0), guest::kernel_panic);
        EXPECT_THROW(kernel.entropy(0), guest::kernel_panic);
        kernel.entropy(7);
    });
    EXPECT_EQ(bench.kernel->state(), guest::kernel_state::panicked);
    EXPECT_EQ(bench.kernel->failure(), "there is no virtio-rng7");
}

TEST_F(guest_test, a_write_that_leaves_its_buffer_is_noted) {
    guest_bench bench;
    abi::phys_addr at{};
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(100);
        at = data.at();
        cpu.fill(data.at(90), 10, std::byte{1});
        cpu.fill(data.at(100), 28, std::byte{1});  // begins behind it, in no buffer
        EXPECT_EQ(bench.violations(report::violation_kind::past_buffer), 0U);
        cpu.fill(data.at(90), 30, std::byte{1});
    });
    ASSERT_EQ(bench.violations(report::violation_kind::past_buffer), 1U);
    const auto& noted = bench.recorder.violations().kept()[0];
    EXPECT_EQ(noted.who, "cpu0");
    EXPECT_EQ(noted.address, at.value() + 90);
    EXPECT_EQ(noted.size, 30U);
    EXPECT_EQ(
        noted.detail,
        fmt::format("the last 20 bytes lie behind the end of a buffer of 100 bytes at {:#x}", at.value()));
}

TEST_F(guest_test, panics_when_it_cannot_become_secure) {
    guest_bench bench({.secure = true});
    bench.host.esm_status = -2;
    bool ran = false;
    bench.run([&](guest::kernel&, native_cpu&) { ran = true; });
    EXPECT_FALSE(ran);
    EXPECT_EQ(bench.kernel->state(), guest::kernel_state::panicked);
    EXPECT_NE(bench.kernel->failure().find("Switch to secure mode failed (UV_ESM: -2)"), std::string::npos);
    EXPECT_NE(bench.host.console.find("Kernel panic"), std::string::npos);
}

TEST_F(guest_test, panics_when_memory_runs_out) {
    guest_bench bench;
    bench.run([](guest::kernel& kernel, native_cpu&) {
        std::vector<guest::buffer> all;
        while (true) {
            all.push_back(kernel.alloc(1 << 20));
        }
    });
    EXPECT_EQ(bench.kernel->state(), guest::kernel_state::panicked);
    EXPECT_NE(bench.kernel->failure().find("out of memory"), std::string::npos);
}

TEST_F(guest_test, a_panic_on_another_cpu_ends_the_guest) {
    guest_bench bench({}, 2);
    bench.run([](guest::kernel& kernel, native_cpu& cpu) {
        kernel.run_on(cpu, 1, [](native_cpu&) { throw guest::kernel_panic("as the test says"); });
        kernel.join(cpu);
    });
    EXPECT_EQ(bench.kernel->state(), guest::kernel_state::panicked);
    EXPECT_EQ(bench.kernel->failure(), "as the test says");
}

TEST_F(guest_test, a_terminated_guest_is_over) {
    guest_bench bench({}, 2);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        bench.host.on_hypercall = [](cpu::trap_context& context) { context.terminated = true; };
        kernel.printk(cpu, "the last words");
        ADD_FAILURE() << "goes on after its end";
    });
    EXPECT_EQ(bench.kernel->state(), guest::kernel_state::terminated);
    EXPECT_TRUE(bench.cpus[0]->halted());
}

TEST_F(guest_test, too_little_memory_is_refused) {
    trace::recorder recorder;
    native_cpu cpu("cpu0", recorder, {});
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{0x42'0000 - 1}, std::uint64_t{0x42'0000 + 1},
          (std::uint64_t{64} << 30) + abi::page_size}) {
        EXPECT_THROW(
            guest::kernel(("kernel" + std::to_string(size)).c_str(), recorder, {.ram_size = size}, {&cpu}),
            std::invalid_argument)
            << size;
    }
}

// --- the scheduler

TEST_F(guest_test, work_runs_where_it_was_given_and_in_order) {
    guest_bench bench({}, 3);
    std::vector<std::pair<unsigned, int>> done;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        for (int i = 0; i < 4; ++i) {
            kernel.run_on(cpu, 1, [&done, i, &kernel](native_cpu& on) {
                kernel.sleep(on, 5 * one_us);
                done.emplace_back(on.number(), i);
            });
        }
        kernel.run_on(cpu, 2, [&](native_cpu& on) {
            kernel.run_on(on, 1, [&](native_cpu& third) { done.emplace_back(third.number(), 9); });
        });
        kernel.join(cpu);
        EXPECT_EQ(done.size(), 5U);
        kernel.run_on(cpu, 0, [&](native_cpu& on) { done.emplace_back(on.number(), 10); });
        EXPECT_EQ(done.size(), 6U) << "on the calling CPU at once";
    });
    std::erase_if(done, [](const auto& each) { return each.second == 9; });
    EXPECT_EQ(done, (std::vector<std::pair<unsigned, int>>{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {0, 10}}));
}

// arch/powerpc/include/asm/xics.h: IPI_PRIORITY, more favoured than the 5 of a device's interrupt.
TEST_F(guest_test, other_cpus_are_called_with_the_priority_of_an_ipi) {
    guest_bench bench({}, 2);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) { kernel.on_every_cpu(cpu, [](native_cpu&) {}); });
    ASSERT_FALSE(bench.host.ipi_priorities.empty());
    for (const std::uint64_t priority : bench.host.ipi_priorities) {
        EXPECT_EQ(priority, 4U);
    }
}

TEST_F(guest_test, cpus_work_at_the_same_time) {
    guest_bench bench({}, 4);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const sc_time begin = cpu.now();
        kernel.on_every_cpu(cpu, [&](native_cpu& on) { on.spend(one_ms); });
        EXPECT_LT(cpu.now() - begin, 2 * one_ms);
    });
}

TEST_F(guest_test, waiting_ends_at_the_deadline_and_not_much_later) {
    guest_bench bench;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        guest::scheduler& cpus = kernel.cpu_scheduler();
        const sc_time begin = cpu.now();
        EXPECT_FALSE(cpus.wait_until(
            cpu, [] { return false; }, begin + one_ms));
        EXPECT_GE(cpu.now(), begin + one_ms);
        EXPECT_LT(cpu.now(), begin + one_ms + 5 * one_us);
        EXPECT_TRUE(cpus.wait_until(
            cpu, [] { return true; }, begin))
            << "the condition counts, even when it is late";

        std::vector<int> order;
        cpus.defer(cpu, 2 * one_ms, [&order](native_cpu&) { order.push_back(2); });
        cpus.defer(cpu, one_ms, [&order](native_cpu&) { order.push_back(1); });
        kernel.sleep(cpu, 3 * one_ms);
        EXPECT_EQ(order, (std::vector<int>{1, 2}));
        cpu.local_irq_disable();
        EXPECT_THROW(kernel.sleep(cpu, one_us), std::logic_error);
        cpu.local_irq_enable();
    });
    EXPECT_TRUE(bench.kernel->finished());
}

TEST_F(guest_test, a_mutex_is_handed_over_in_order) {
    guest_bench bench({}, 4);
    std::vector<unsigned> order;
    guest::mutex lock;
    bool inside = false;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        guest::scheduler& cpus = kernel.cpu_scheduler();
        kernel.on_every_cpu(cpu, [&](native_cpu& on) {
            kernel.sleep(on, on.number() * 100 * one_us);
            lock.lock(cpus, on);
            EXPECT_FALSE(inside);
            inside = true;
            kernel.sleep(on, one_ms);
            inside = false;
            order.push_back(on.number());
            lock.unlock(cpus, on);
        });
    });
    EXPECT_EQ(order, (std::vector<unsigned>{0, 1, 2, 3}));
}

}  // namespace pefsim::testing
