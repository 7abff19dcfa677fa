// SPDX-License-Identifier: Apache-2.0
#include "platform/native/native_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "exposure/ledger.h"
#include "guest/block_workload.h"
#include "hypervisor/host_view.h"
#include "hypervisor/hostile_host.h"
#include "report/metrics.h"
#include "report/quantity_text.h"
#include "report/run_ending.h"
#include "report/run_report.h"
#include "report/violations.h"
#include "tests/support/simulation.h"

namespace pefsim::platform {
namespace {

using cpu::native::native_cpu;
using memory::page_state;
using report::ending_kind;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

native_machine_config secure_with_disk() {
    native_machine_config config;
    config.memory_size = std::uint64_t{64} << 20;
    config.secure = true;
    config.platform_dma_ops = dma_operations::swiotlb;
    config.disks = {disk_config{}};
    return config;
}

class machine_test : public testing::simulation_test {};

TEST_F(machine_test, contradictory_configurations_are_refused_by_name) {
    struct row {
        std::function<void(native_machine_config&)> change;
        std::string_view named;
    };
    const std::array rows{
        row{[](native_machine_config& c) { c.cpus = 0; }, "cpus"},
        row{[](native_machine_config& c) { c.cpus = 65; }, "cpus"},
        row{[](native_machine_config& c) { c.memory_size = 12345; }, "memory.size"},
        row{[](native_machine_config& c) { c.memory_size = std::uint64_t{128} << 30; }, "memory.size"},
        row{[](native_machine_config& c) { c.ultravisor = false; }, "ultravisor=no"},
        row{[](native_machine_config& c) { c.quantum = sc_core::SC_ZERO_TIME; }, "quantum"},
        row{[](native_machine_config& c) { c.swiotlb_size = c.memory_size; }, "swiotlb.size"},
        row{[](native_machine_config& c) { c.swiotlb_size = 1000; }, "swiotlb.size"},
        row{[](native_machine_config& c) { c.swiotlb_areas = 1000; }, "swiotlb.areas"},
        row{[](native_machine_config& c) { c.queue_size = 3; }, "virtio.queue_size"},
        row{[](native_machine_config& c) { c.iommu = false; }, "host.iommu"},
        row{[](native_machine_config& c) { c.platform_dma_ops = dma_operations::iommu; }, "dma_ops.platform"},
        row{[](native_machine_config& c) { c.mtu = 67; }, "net.mtu"},
        row{[](native_machine_config& c) { c.costs.memcpy_gb_per_s = 0; }, "timing.memcpy"},
    };
    EXPECT_NO_THROW(secure_with_disk().check());
    for (const row& each : rows) {
        native_machine_config config = secure_with_disk();
        each.change(config);
        try {
            config.check();
            ADD_FAILURE() << each.named;
        } catch (const std::invalid_argument& error) {
            EXPECT_NE(std::string_view(error.what()).find(each.named), std::string_view::npos)
                << error.what();
        }
    }
}

/// Writes `secret` into guest memory and does some I/O; \returns where the host finds the bytes afterwards. This is a
/// search of all that the host can read, independent of the exposure ledger.
std::vector<abi::phys_addr> host_finds(const native_machine_config& config) {
    constexpr std::string_view secret = "not for the host's eyes, 32 byte";
    native_machine subject("machine", config, 1);
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer hidden = kernel.alloc(secret.size());
        cpu.write(hidden.at(), std::as_bytes(std::span(secret)));
        run_block_workload(kernel, cpu, kernel.block(0), {.depth = 4, .total_bytes = 1 << 20});
    });
    EXPECT_TRUE(subject.finished()) << subject.ending().text;
    return hypervisor::host_view(subject.memory()).find(std::as_bytes(std::span(secret)));
}

TEST_F(machine_test, the_host_finds_a_secret_in_an_ordinary_guest) {
    native_machine_config config = secure_with_disk();
    config.secure = false;
    EXPECT_FALSE(host_finds(config).empty());
}

TEST_F(machine_test, the_host_finds_no_secret_in_a_secure_guest) {
    EXPECT_TRUE(host_finds(secure_with_disk()).empty());
}

TEST_F(machine_test, what_is_shared_is_the_pool_and_the_rings_and_nothing_else) {
    native_machine subject("machine", secure_with_disk(), 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) {
        run_block_workload(kernel, cpu, kernel.block(0), {.depth = 8, .total_bytes = 1 << 20});
    });
    ASSERT_TRUE(subject.finished()) << subject.ending().text;
    const std::uint64_t pool_pages = subject.config().swiotlb_size >> abi::page_shift;
    const std::uint64_t ring_pages = 1;
    EXPECT_EQ(subject.memory().states().count(page_state::shared), pool_pages + ring_pages);
    EXPECT_EQ(subject.memory().states().count(page_state::secure),
              subject.memory().states().size() - pool_pages - ring_pages);
}

// The customary address of 32-bit interrupt messages is RAM here like any other.
TEST_F(machine_test, a_device_in_bypass_reaches_ram_around_4_gib) {
    constexpr abi::phys_addr at{0xffff'0000};
    native_machine_config config;
    config.memory_size = std::uint64_t{5} << 30;
    config.disks = {disk_config{}};
    native_machine subject("machine", config, 1);
    std::vector<std::byte> expected(2 * abi::page_size);
    std::vector<std::byte> got(expected.size());
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        guest::fill_block_pattern(expected, 1, 2, 3);
        const guest::buffer source = kernel.alloc(expected.size());
        const auto bytes = static_cast<std::uint32_t>(expected.size());
        cpu.write(source.at(), expected);
        EXPECT_EQ(kernel.block(0).write(cpu, 0, source.at(), bytes), guest::block_status::ok);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, at, bytes), guest::block_status::ok);
        cpu.read(at, got);
    });
    EXPECT_TRUE(subject.finished()) << subject.ending().text;
    EXPECT_EQ(subject.devices_with(guest::dma_ops_choice::virtio_direct), 1U);
    EXPECT_EQ(got, expected);
    EXPECT_EQ(subject.recorder().violations().total(), 0U);
}

// PAPR 14.5.4.1, and KVM: the bytes f4 1a 42 10 are the integer 0xf41a4210.
TEST_F(machine_test, h_logical_ci_load_gives_a_big_endian_integer_and_mmio_a_little_endian_one) {
    for (const bool secure : {false, true}) {
        sc_core::sc_get_curr_simcontext()->reset();
        native_machine_config config = secure_with_disk();
        config.secure = secure;
        native_machine subject("machine", config, 1);
        subject.run([](guest::kernel& kernel, native_cpu& cpu) {
            const abi::phys_addr header = abi::platform::ecam_base +
                                          abi::pci::ecam_offset(kernel.pci().devices()[0].devfn, 0);
            EXPECT_EQ(cpu.hypercall(abi::hcall::h_logical_ci_load, {4, header.value()}),
                      abi::h_status::h_success);
            EXPECT_EQ(cpu.state().gpr[4], 0xf41a'4210U);
            EXPECT_EQ(cpu.mmio_load<std::uint32_t>(header), 0x1042'1af4U);
            const abi::phys_addr line = header + abi::pci::interrupt_line;
            EXPECT_EQ(cpu.hypercall(abi::hcall::h_logical_ci_store, {1, line.value(), 0x5a}),
                      abi::h_status::h_success);
            EXPECT_EQ(cpu.mmio_load<std::uint8_t>(line), 0x5a);
        });
        EXPECT_TRUE(subject.finished()) << subject.ending().text;
        EXPECT_EQ(subject.guest_secure(), secure);
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(machine_test, several_cpus_work_in_their_own_areas) {
    native_machine_config config = secure_with_disk();
    config.cpus = 4;
    native_machine subject("machine", config, 1);
    std::array<guest::block_workload_result, 4> results;
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.on_every_cpu(cpu, [&](native_cpu& on) {
            const std::uint64_t part = kernel.block(0).capacity() / 4;
            results[on.number()] = run_block_workload(kernel, on, kernel.block(0),
                                                      {.depth = 8,
                                                       .total_bytes = 2 << 20,
                                                       .first_sector = on.number() * part,
                                                       .sectors = part,
                                                       .seed = on.number()});
        });
    });
    ASSERT_TRUE(subject.finished()) << subject.ending().text;
    for (const guest::block_workload_result& each : results) {
        EXPECT_TRUE(each.ok());
        EXPECT_GT(each.verified, 0U);
    }
    EXPECT_EQ(subject.recorder().violations().total(), 0U);
    EXPECT_EQ(subject.device_accesses_not_shared(), 0U);
}

TEST_F(machine_test, a_page_that_the_host_changed_ends_the_guest) {
    native_machine subject("machine", secure_with_disk(), 1);
    bool reached = false;
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(abi::page_size);
        cpu.fill(data.at(), abi::page_size, std::byte{1});
        cpu.synchronize();
        hypervisor::hostile_host enemy(subject.host());
        sc_core::sc_time delay;
        ASSERT_EQ(enemy.page_out(abi::gfn_of(data.at()), delay), abi::u_status::u_success);
        ASSERT_TRUE(enemy.tamper(abi::gfn_of(data.at()), 12345, delay));
        static_cast<void>(cpu.load<std::uint64_t>(data.at()));
        reached = true;
    });
    EXPECT_FALSE(reached);
    EXPECT_FALSE(subject.finished());
    EXPECT_EQ(subject.ending().kind, ending_kind::terminated);
    EXPECT_THAT(subject.ending().text, StartsWith("the guest was ended: "));
    EXPECT_GT(subject.recorder().violations().count(report::violation_kind::page_tampered), 0U);
    EXPECT_EQ(subject.memory().states().count(page_state::secure), 0U) << "its memory was scrubbed";
}

TEST_F(machine_test, with_bus_errors_a_refused_device_gets_nothing) {
    native_machine_config config = secure_with_disk();
    config.platform_dma_ops = dma_operations::none;
    config.policy = host_policy::bus_error;
    native_machine subject("machine", config, 1);
    guest::block_status status = guest::block_status::ok;
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(4096);
        status = kernel.block(0).read(cpu, 0, data.at(), 4096);
    });
    EXPECT_NE(status, guest::block_status::ok);
    EXPECT_GT(subject.recorder().violations().count(report::violation_kind::refused_access), 0U);
    EXPECT_EQ(subject.counter("ultravisor", "pages_encrypted"), 0U);
}

TEST_F(machine_test, a_guest_that_waits_for_ever_ends_at_the_time_limit) {
    native_machine_config config;
    config.time_limit = sc_core::sc_time(5, sc_core::SC_MS);
    native_machine subject("machine", config, 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) { kernel.sleep(cpu, {1, sc_core::SC_SEC}); });
    EXPECT_FALSE(subject.finished());
    EXPECT_EQ(subject.ending().kind, ending_kind::time_limit);
    EXPECT_TRUE(subject.ending().partial());
    EXPECT_EQ(subject.ending().text, "the guest had not finished at the time limit of 5.00 ms");
    EXPECT_THAT(subject.ending().details,
                ElementsAre(AllOf(StartsWith("cpu0 waits since "),
                                  HasSubstr(" for the end of its sleep, until 1.00 s")),
                            StartsWith("console: pefsim native guest kernel: 1 CPUs")));
}

TEST_F(machine_test, who_waited_for_which_device_is_said) {
    native_machine_config config = secure_with_disk();
    config.cpus = 2;
    config.costs.block_latency_us = 1e6;
    config.time_limit = sc_core::sc_time(500, sc_core::SC_MS);
    native_machine subject("machine", config, 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(4096);
        kernel.block(0).read(cpu, 0, data.at(), 4096);
    });
    EXPECT_EQ(subject.ending().kind, ending_kind::time_limit);
    EXPECT_THAT(subject.ending().details,
                IsSupersetOf({AllOf(StartsWith("cpu0 waits since "),
                                    EndsWith(" for a request's completion (virtio-blk0)")),
                              AllOf(StartsWith("cpu1 waits since "), EndsWith(" for work"))}));
}

TEST_F(machine_test, a_panic_is_told_with_its_last_console_lines) {
    native_machine subject("machine", {}, 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) {
        kernel.printk(cpu, "about to look for a disk");
        static_cast<void>(kernel.block(7));
    });
    EXPECT_FALSE(subject.finished());
    EXPECT_EQ(subject.ending().kind, ending_kind::panicked);
    EXPECT_EQ(subject.ending().text, "guest panic: there is no virtio-blk7");
    EXPECT_THAT(subject.ending().details,
                IsSupersetOf({"console: about to look for a disk",
                              "console: Kernel panic - not syncing: there is no virtio-blk7"}));
}

TEST_F(machine_test, a_guest_without_memory_says_so) {
    native_machine subject("machine", {}, 1);
    subject.run(
        [](guest::kernel& kernel, native_cpu&) { static_cast<void>(kernel.alloc(std::size_t{1} << 40)); });
    EXPECT_EQ(subject.ending().kind, ending_kind::out_of_memory);
    EXPECT_EQ(subject.ending().text, "guest panic: out of memory: 1099511627776 bytes");
}

TEST_F(machine_test, sixty_four_gigabytes_take_little_of_the_host) {
    native_machine_config config = secure_with_disk();
    config.secure = false;
    config.platform_dma_ops = dma_operations::none;
    config.memory_size = std::uint64_t{64} << 30;
    native_machine subject("machine", config, 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_TRUE(run_block_workload(kernel, cpu, kernel.block(0), {.total_bytes = 1 << 20}).ok());
    });
    EXPECT_TRUE(subject.finished());
    EXPECT_LT(subject.memory().ram().resident(), std::uint64_t{64} << 20);
}

TEST_F(machine_test, an_entropy_device_fills_buffers) {
    native_machine_config config = secure_with_disk();
    config.entropy = true;
    native_machine subject("machine", config, 1);
    std::array<std::byte, 64> bytes{};
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_EQ(kernel.entropy(0).read(cpu, bytes), bytes.size());
    });
    EXPECT_TRUE(subject.finished()) << subject.ending().text;
    EXPECT_GT(std::ranges::count_if(bytes, [](std::byte each) { return each != std::byte{0}; }), 48);
}

TEST_F(machine_test, writing_past_a_buffer_is_noted) {
    native_machine subject("machine", {}, 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer data = kernel.alloc(4096);
        cpu.fill(data.at(), 4096, std::byte{1});
        cpu.fill(data.at(4000), 100, std::byte{1});
        const std::array<std::byte, 32> bytes{};
        cpu.write(data.at(4096 - bytes.size()), bytes);
        cpu.write(data.at(4096 - 1), bytes);
    });
    const report::violation_log& log = subject.recorder().violations();
    EXPECT_EQ(log.total(), 0U);
    ASSERT_EQ(log.count(report::violation_kind::past_buffer), 2U);
    EXPECT_THAT(log.kept()[0].detail,
                StartsWith("the last 4 bytes lie behind the end of a buffer of 4096 bytes at "));
    EXPECT_EQ(log.kept()[1].size, 32U);
    EXPECT_EQ(log.groups().size(), 1U);
}

TEST_F(machine_test, a_buffer_that_was_given_back_is_none) {
    native_machine subject("machine", {}, 1);
    subject.run([](guest::kernel& kernel, native_cpu& cpu) {
        const abi::phys_addr at = kernel.alloc(100).at();
        const guest::buffer larger = kernel.alloc(128);
        EXPECT_EQ(larger.at(), at);
        cpu.fill(at, 128, std::byte{1});
    });
    EXPECT_EQ(subject.recorder().violations().notes(), 0U);
}

TEST_F(machine_test, rates_are_of_the_workloads_time) {
    native_machine subject("machine", secure_with_disk(), 1);
    sc_core::sc_time begin;
    sc_core::sc_time end;
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        begin = cpu.now();
        const guest::buffer data = kernel.alloc(65536);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, data.at(), 65536), guest::block_status::ok);
        end = cpu.now();
    });
    const report::metric_registry& metrics = subject.recorder().metrics();
    const report::metric_registry::window window = metrics.rate_window(subject.elapsed());
    EXPECT_EQ(window.begin, begin);
    EXPECT_EQ(window.end, end);
    EXPECT_LT(window.length() * 10, subject.elapsed()) << "the boot of a secure guest is much longer";
    const std::string rate = report::rate_text(65536, "bytes", window.length().to_seconds());
    const std::string text = report::figures_text(subject.recorder().record(), subject.facts());
    const std::size_t line = text.find("kernel.virtio_blk0.bytes_read");
    ASSERT_NE(line, std::string::npos) << text;
    EXPECT_THAT(text.substr(line, text.find('\n', line) - line), HasSubstr(rate));
    const auto figures = subject.facts().figures;
    const auto throughput = std::ranges::find(figures, "throughput", &report::run_facts::figure::name);
    ASSERT_NE(throughput, figures.end());
    EXPECT_DOUBLE_EQ(throughput->value, 65536 / window.length().to_seconds() / 1e6);
}

TEST_F(machine_test, what_crosses_in_registers_does_not_depend_on_canaries) {
    std::vector<std::uint64_t> bytes;
    for (const unsigned count : {0U, 8U}) {
        sc_core::sc_get_curr_simcontext()->reset();
        native_machine_config config = secure_with_disk();
        config.canaries = count;
        native_machine subject("machine", config, 1);
        subject.run([](guest::kernel& kernel, native_cpu& cpu) {
            const guest::buffer data = kernel.alloc(4096);
            kernel.block(0).read(cpu, 0, data.at(), 4096);
        });
        bytes.push_back(subject.recorder()
                            .ledger()
                            .summary()
                            .crossings[static_cast<std::size_t>(exposure::channel_kind::hypercall_register)]
                            .bytes);
    }
    sc_core::sc_get_curr_simcontext()->reset();
    EXPECT_EQ(bytes[0], bytes[1]);
}

}  // namespace
}  // namespace pefsim::platform
