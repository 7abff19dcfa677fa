// SPDX-License-Identifier: Apache-2.0
//
// The block driver in a booted guest, against a disk that obeys, fails, starves it or breaks the rules.
#include "guest/virtio_blk_driver.h"

#include <numeric>

#include "guest/block_workload.h"
#include "tests/guest/mock_disk.h"

namespace pefsim::testing {

namespace {

using guest::block_completion;
using guest::block_operation;
using guest::block_status;
using guest::segment;
namespace blk = abi::virtio::blk;

constexpr const char* blk0 = "kernel.virtio_blk0";

struct block_test : simulation_test {
    guest_bench bench;
    explicit block_test(guest::kernel::config parameters = {}, unsigned cpus = 1) : bench(parameters, cpus) {}

    void run(const std::function<void(guest::kernel&, native_cpu&)>& work) {
        bool ran = false;
        bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
            work(kernel, cpu);
            ran = true;
        });
        EXPECT_TRUE(ran) << bench.kernel->failure();
        EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
        bench.expect_clean_books();
    }
};

std::vector<std::byte> numbered(std::size_t size, unsigned seed) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(i * 7 + i / 256 + seed);
    }
    return bytes;
}

}  // namespace

TEST_F(block_test, reads_and_writes_what_stands_on_the_disk) {
    mock_disk disk(bench, 4096);
    disk.content = numbered(disk.content.size(), 1);
    const auto before = disk.content;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        auto& block = kernel.block(0);
        EXPECT_EQ(block.capacity(), 4096U);
        const guest::buffer memory = kernel.alloc(64 << 10);
        std::vector<std::byte> got(4096);
        EXPECT_EQ(block.read(cpu, 8, memory.at(), 4096), block_status::ok);
        cpu.read(memory.at(), got);
        EXPECT_TRUE(std::equal(got.begin(), got.end(), before.begin() + 4096));

        const auto fresh = numbered(64 << 10, 99);
        cpu.write(memory.at(), fresh);
        EXPECT_EQ(block.write(cpu, 128, memory.at(), 64 << 10), block_status::ok);
        EXPECT_EQ(block.flush(cpu), block_status::ok);
        EXPECT_TRUE(std::equal(fresh.begin(), fresh.end(), disk.content.begin() + (64 << 10)));
        EXPECT_EQ(block.get_id(cpu), std::string(20, 'x'));
    });
    EXPECT_EQ(bench.violations(), 0U);
    EXPECT_EQ(bench.count(blk0, "bytes_read"), 4096U);
    EXPECT_EQ(bench.count(blk0, "bytes_written"), 64U << 10);
    EXPECT_EQ(disk.served.back().type, 8U);
    EXPECT_EQ(disk.served[2].type, 4U);
    EXPECT_EQ(disk.served[2].sector, 0U);
}

TEST_F(block_test, what_cannot_succeed_is_not_asked_of_the_device) {
    mock_disk disk(bench, 16, mock_disk::features & ~blk::f_flush);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        auto& block = kernel.block(0);
        const guest::buffer memory = kernel.alloc(8192);
        EXPECT_EQ(block.read(cpu, 16, memory.at(), 512), block_status::out_of_range);
        EXPECT_EQ(block.read(cpu, 1, memory.at(), 8192), block_status::out_of_range);
        EXPECT_EQ(block.read(cpu, ~0ULL, memory.at(), 512), block_status::out_of_range);
        EXPECT_EQ(block.write(cpu, 15, memory.at(), 1024), block_status::out_of_range);
        EXPECT_EQ(block.flush(cpu), block_status::unsupported);
        EXPECT_TRUE(disk.served.empty());
        EXPECT_EQ(block.read(cpu, 0, memory.at(), 8192), block_status::ok);
        EXPECT_THROW(block.read(cpu, 0, memory.at(), 100), std::logic_error);
        EXPECT_THROW(kernel.block(1), guest::kernel_panic) << "there is a driver for one device only";
    });
}

TEST_F(block_test, a_read_only_disk_is_not_written) {
    mock_disk disk(bench, 16, mock_disk::features | blk::f_ro);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_TRUE(kernel.block(0).read_only());
        EXPECT_EQ(kernel.block(0).write(cpu, 0, memory.at(), 512), block_status::read_only);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::ok);
    });
    EXPECT_EQ(disk.served.size(), 1U);
}

TEST_F(block_test, device_errors_reach_the_caller) {
    mock_disk disk(bench, 64);
    std::uint8_t answer = 1;
    disk.status = [&](const mock_disk::request&) { return answer; };
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::io_error);
        EXPECT_EQ(kernel.block(0).write(cpu, 0, memory.at(), 512), block_status::io_error);
        answer = 2;
        EXPECT_EQ(kernel.block(0).flush(cpu), block_status::unsupported);
        EXPECT_EQ(bench.violations(), 0U);
        answer = 77;
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::io_error);
        EXPECT_EQ(bench.violations(), 1U);
        answer = 0;
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::ok);
    });
}

// The data of a read that the device says it has not written are not data.
TEST_F(block_test, a_short_read_is_an_error) {
    mock_disk disk(bench, 64);
    std::uint32_t lie = 512;
    disk.length = [&](const mock_disk::request&, std::uint32_t) { return lie; };
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::io_error);
        EXPECT_EQ(bench.violations(), 1U);
        lie = 513;
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::ok);
        lie = 0;  // of a write only the status is written
        EXPECT_EQ(kernel.block(0).write(cpu, 0, memory.at(), 512), block_status::ok);
    });
}

// A device that says "used" but has written no status: what stood there before is not taken for one.
TEST_F(block_test, a_missing_status_is_an_error) {
    mock_disk disk(bench, 64);
    disk.device.on_notify = [&](std::uint16_t, const sc_time& delay) {
        while (const auto chain = disk.ring().take()) {
            disk.ring().put_used(chain->head, 513);
        }
        disk.device.interrupt(1, delay);
    };
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::io_error);
    });
    EXPECT_EQ(bench.violations(), 1U);
}

// --- splitting

struct limits {
    std::uint32_t size_max;
    std::uint32_t seg_max;
    std::size_t max_mapping;
    std::uint32_t max_request;
    std::vector<std::uint32_t> segments;
    std::vector<std::size_t> device_requests;  // bytes each
};

struct splitting : simulation_test, ::testing::WithParamInterface<limits> {};

TEST_P(splitting, keeps_to_the_limits_and_loses_nothing) {
    const limits& p = GetParam();
    guest::kernel::config parameters;
    parameters.block.max_request_bytes = p.max_request;
    guest_bench bench(parameters);
    bench.direct.max_size = p.max_mapping;
    mock_disk disk(bench, 4096, mock_disk::features | (p.size_max != 0 ? blk::f_size_max : 0));
    disk.set_config(8, p.size_max);
    disk.set_config(12, p.seg_max);
    disk.content = numbered(disk.content.size(), 5);
    const auto total = std::accumulate(p.segments.begin(), p.segments.end(), std::size_t{0});
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        std::vector<guest::buffer> memory;
        std::vector<segment> data;
        for (const std::uint32_t size : p.segments) {
            memory.push_back(kernel.alloc(size));
            data.push_back({memory.back().at(), size});
        }
        EXPECT_EQ(
            kernel.block(0).execute(cpu, {.operation = block_operation::read, .sector = 3, .data = data}),
            block_status::ok);
        std::vector<std::byte> got;
        for (const segment& each : data) {
            std::vector<std::byte> part(each.length);
            cpu.read(each.at, part);
            got.insert(got.end(), part.begin(), part.end());
        }
        EXPECT_TRUE(std::equal(got.begin(), got.end(), disk.content.begin() + 3 * 512));
    });
    EXPECT_TRUE(bench.kernel->finished());
    std::vector<std::size_t> sizes;
    std::uint64_t sector = 3;
    for (const mock_disk::request& each : disk.served) {
        EXPECT_EQ(each.sector, sector);
        sector += each.data_bytes / 512;
        sizes.push_back(each.data_bytes);
        EXPECT_LE(each.segments, std::max(p.seg_max, 1U));
    }
    EXPECT_EQ(sizes, p.device_requests);
    EXPECT_EQ(bench.count(blk0, "bytes_read"), total);
    bench.expect_clean_books();
}

INSTANTIATE_TEST_SUITE_P(
    cases, splitting,
    ::testing::Values(
        limits{0, 126, SIZE_MAX, 1280 << 10, {4096}, {4096}},
        limits{0, 126, 262144, 1280 << 10, {1 << 20}, {1 << 20}},  // four segments of the largest mapping
        limits{0, 2, 262144, 1280 << 10, {1 << 20}, {512 << 10, 512 << 10}},
        limits{4096, 126, SIZE_MAX, 1280 << 10, {16384}, {16384}},  // size_max: four segments
        limits{4096, 1, SIZE_MAX, 1280 << 10, {16384}, {4096, 4096, 4096, 4096}},
        limits{0, 126, SIZE_MAX, 8192, {4096, 512, 8192}, {8192, 4608}},  // a segment cut at the limit
        limits{0, 126, 1000, 1280 << 10, {2048}, {2048}},                 // a mapping limit that is no sector
        limits{100, 0, SIZE_MAX, 1280 << 10, {1024}, {512, 512}}));       // limits that make no sense

// VIRTIO 1.2, 5.2.5: a field whose feature was not negotiated says nothing.
TEST_F(guest_test, limits_without_their_feature_are_not_believed) {
    guest_bench bench({}, 3);
    mock_disk disk(bench, 64, mock_disk::features & ~blk::f_seg_max, 3);
    disk.set_config<std::uint32_t>(8, 512);  // size_max
    bench.run([](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_EQ(kernel.block(0).queues(), 1U);
        EXPECT_EQ(kernel.block(0).max_segments(), 1U);
        const guest::buffer memory = kernel.alloc(8192);
        const std::array data{segment{memory.at(), 4096}, segment{memory.at(4096), 4096}};
        EXPECT_EQ(kernel.block(0).execute(cpu, {.data = data}), block_status::ok);
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    ASSERT_EQ(disk.served.size(), 2U);
    EXPECT_EQ(disk.served[0].data_bytes, 4096U);
    EXPECT_EQ(disk.served[1].data_bytes, 4096U);
    bench.expect_clean_books();
}

// --- exhaustion

TEST_F(block_test, requests_without_a_mapping_wait_and_recover) {
    mock_disk disk(bench, 4096);
    bench.direct.most_live = 10;  // two requests of four mappings each fit
    unsigned completed = 0;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(64 << 10);
        disk.hold = true;
        for (unsigned i = 0; i < 16; ++i) {
            const segment data{memory.at(4096 * i), 4096};
            kernel.block(0).submit(cpu, {.sector = 8 * i, .data = {&data, 1}},
                                   [&completed](native_cpu&, const block_completion& result) {
                                       completed += result.ok() ? 1 : 100;
                                   });
        }
        EXPECT_EQ(disk.held[0].size(), 2U);
        EXPECT_EQ(kernel.block(0).requeued(), 1U) << "the others wait behind it";
        disk.hold = false;
        disk.release(0);
        kernel.cpu_scheduler().wait_until(cpu, [&] { return completed == 16; });
        EXPECT_GE(kernel.block(0).requeued(), 7U);
        EXPECT_EQ(kernel.block(0).recovered(), kernel.block(0).requeued());
    });
    EXPECT_EQ(disk.served.size(), 16U);
    EXPECT_GT(bench.count(blk0, "retries"), 0U);
    EXPECT_EQ(bench.violations(), 0U);
}

TEST_F(block_test, a_request_without_anything_under_way_is_tried_again_later) {
    mock_disk disk(bench, 4096);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(4096);
        bench.direct.budget = 0;
        bool done = false;
        const segment data{memory.at(), 4096};
        const sc_time begin = cpu.now();
        kernel.block(0).submit(cpu, {.data = {&data, 1}},
                               [&done](native_cpu&, const block_completion& result) { done = result.ok(); });
        kernel.sleep(cpu, 7 * one_ms);
        EXPECT_FALSE(done);
        EXPECT_EQ(bench.direct.failures, 3U) << "at once, after 3 ms and after 6 ms";
        bench.direct.budget = 100;
        kernel.cpu_scheduler().wait_until(cpu, [&] { return done; });
        EXPECT_GT(cpu.now() - begin, 9 * one_ms);
        EXPECT_LT(cpu.now() - begin, 10 * one_ms);
    });
    EXPECT_EQ(bench.count(blk0, "recovered"), 1U);
}

TEST_F(block_test, requests_that_wait_are_tried_again_together) {
    mock_disk disk(bench, 4096);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(4096);
        bench.direct.budget = 0;
        unsigned completed = 0;
        const segment data{memory.at(), 4096};
        for (unsigned i = 0; i < 3; ++i) {
            kernel.block(0).submit(cpu, {.data = {&data, 1}},
                                   [&completed](native_cpu&, const block_completion& result) {
                                       completed += result.ok() ? 1 : 100;
                                   });
        }
        EXPECT_EQ(bench.direct.failures, 3U) << "each at once";
        kernel.sleep(cpu, 7 * one_ms);
        EXPECT_EQ(bench.direct.failures, 3U + 2) << "the first of them, after 3 ms and after 6 ms";
        bench.direct.budget = 100;
        kernel.cpu_scheduler().wait_until(cpu, [&] { return completed == 3; });
    });
    EXPECT_EQ(bench.count(blk0, "retries"), 5U);
}

TEST_F(block_test, a_request_that_never_finds_a_mapping_ends_with_an_error) {
    mock_disk disk(bench, 4096);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(4096);
        bench.direct.budget = 0;
        const sc_time begin = cpu.now();
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 4096), block_status::no_memory);
        EXPECT_GE(cpu.now() - begin, sc_time(30, sc_core::SC_SEC));
        bench.direct.budget = 100;
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 4096), block_status::ok);
    });
}

TEST_F(block_test, more_requests_than_descriptors) {
    mock_disk disk(bench, 4096, mock_disk::features & ~abi::virtio::f_indirect_desc, 1, 8);
    unsigned completed = 0;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_EQ(kernel.block(0).max_segments(), 6U);
        const guest::buffer memory = kernel.alloc(64 << 10);
        for (unsigned i = 0; i < 100; ++i) {
            const segment data{memory.at(512 * i), 512};
            kernel.block(0).submit(cpu, {.sector = i, .data = {&data, 1}},
                                   [&completed](native_cpu&, const block_completion& result) {
                                       completed += result.ok() ? 1 : 100;
                                   });
        }
        kernel.cpu_scheduler().wait_until(cpu, [&] { return completed == 100; });
    });
    for (unsigned i = 0; i < 100; ++i) {
        EXPECT_EQ(disk.served[i].sector, i) << "in order";
    }
}

TEST_F(block_test, a_callback_may_submit) {
    mock_disk disk(bench, 4096);
    unsigned left = 50;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        struct chain_of_requests {
            guest::virtio_blk_driver& block;
            segment data;
            unsigned& left;
            void next(native_cpu& on) {
                block.submit(on, {.data = {&data, 1}}, [this](native_cpu& cpu, const block_completion&) {
                    if (--left != 0) {
                        next(cpu);
                    }
                });
            }
        } chain{kernel.block(0), {memory.at(), 512}, left};
        chain.next(cpu);
        kernel.cpu_scheduler().wait_until(cpu, [&] { return left == 0; });
    });
    EXPECT_EQ(disk.served.size(), 50U);
}

// --- a device that breaks the rules is given up, and everybody is told

TEST_F(block_test, a_broken_queue_fails_everything) {
    mock_disk disk(bench, 4096);
    bench.direct.most_live = 10;
    std::vector<block_status> results;
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(4096);
        disk.hold = true;
        const segment data{memory.at(), 512};
        for (unsigned i = 0; i < 5; ++i) {
            kernel.block(0).submit(cpu, {.data = {&data, 1}},
                                   [&results](native_cpu&, const block_completion& result) {
                                       results.push_back(result.status);
                                   });
        }
        disk.ring().put_used(63, 1);
        disk.device.interrupt(1, sc_core::SC_ZERO_TIME);
        kernel.cpu_scheduler().wait_until(cpu, [&] { return results.size() == 5; });
        EXPECT_EQ(std::count(results.begin(), results.end(), block_status::device_failed), 5);
        EXPECT_FALSE(kernel.block(0).usable());
        EXPECT_EQ(disk.device.status, abi::virtio::status_failed);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::device_failed);
        disk.device.interrupt(1, sc_core::SC_ZERO_TIME);  // late and unasked
        kernel.sleep(cpu, one_ms);
    });
    EXPECT_EQ(bench.violations(), 1U);
    EXPECT_NE(bench.host.console.find("given up"), std::string::npos);
}

TEST_F(block_test, a_device_that_needs_a_reset_is_given_up) {
    mock_disk disk(bench, 4096);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer memory = kernel.alloc(512);
        disk.hold = true;
        disk.device.status |= abi::virtio::status_device_needs_reset;
        disk.device.interrupt(0, 10 * one_us);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::device_failed);
    });
}

TEST_F(block_test, a_changed_capacity_is_noticed) {
    mock_disk disk(bench, 16);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        disk.set_config<std::uint64_t>(0, 8);
        disk.device.interrupt(0, sc_core::SC_ZERO_TIME);
        kernel.sleep(cpu, one_ms);
        EXPECT_EQ(kernel.block(0).capacity(), 8U);
    });
}

TEST_F(block_test, spurious_interrupts_do_nothing) {
    mock_disk disk(bench, 16);
    run([&](guest::kernel& kernel, native_cpu& cpu) {
        for (unsigned i = 0; i < 10; ++i) {
            disk.device.interrupt(1, i * one_us);
            disk.device.interrupt(0, i * one_us);
        }
        kernel.sleep(cpu, one_ms);
        const guest::buffer memory = kernel.alloc(512);
        EXPECT_EQ(kernel.block(0).read(cpu, 0, memory.at(), 512), block_status::ok);
    });
    EXPECT_EQ(bench.violations(), 0U);
}

// --- several CPUs and queues

TEST_F(guest_test, each_cpu_has_its_queue_and_its_interrupt) {
    guest_bench bench({}, 4);
    mock_disk disk(bench, 1 << 16, mock_disk::features | blk::f_mq, 4);
    std::array<guest::block_workload_result, 4> results;
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_EQ(kernel.block(0).queues(), 4);
        kernel.on_every_cpu(cpu, [&](native_cpu& on) {
            results.at(on.number()) = guest::run_block_workload(kernel, on, kernel.block(0),
                                                                {.depth = 4,
                                                                 .total_bytes = 1 << 20,
                                                                 .first_sector = on.number() * (1U << 14),
                                                                 .sectors = 1 << 10,
                                                                 .seed = on.number()});
        });
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    for (unsigned i = 0; i < 4; ++i) {
        EXPECT_TRUE(results.at(i).ok());
        EXPECT_EQ(results.at(i).bytes, 1U << 20);
        EXPECT_GT(results.at(i).verified, 0U);
        EXPECT_GT(disk.ring(static_cast<std::uint16_t>(i)).seen, 200U);
        EXPECT_GT(bench.count(bench.cpus[i]->name(), "interrupts"), 10U);
    }
    bench.expect_clean_books();
}

TEST_F(guest_test, cpus_share_a_queue_when_the_device_has_too_few) {
    guest_bench bench({}, 3);
    mock_disk disk(bench, 1 << 16, mock_disk::features);
    disk.device.set_msix_vectors(1);  // and even the vector is shared with configuration changes
    std::array<bool, 3> good{};
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.on_every_cpu(cpu, [&](native_cpu& on) {
            good.at(on.number()) = guest::run_block_workload(kernel, on, kernel.block(0),
                                                             {.depth = 4,
                                                              .total_bytes = 1 << 20,
                                                              .first_sector = on.number() * (1U << 14),
                                                              .sectors = 1 << 14,
                                                              .seed = on.number()})
                                       .ok();
        });
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    EXPECT_EQ(good, (std::array<bool, 3>{true, true, true}));
    bench.expect_clean_books();
}

TEST_F(guest_test, starved_cpus_share_what_is_there) {
    guest_bench bench({}, 2);
    bench.direct.most_live = 9;
    mock_disk disk(bench, 1 << 16, mock_disk::features | blk::f_mq, 2);
    std::array<bool, 2> good{};
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        kernel.on_every_cpu(cpu, [&](native_cpu& on) {
            good.at(on.number()) = guest::run_block_workload(kernel, on, kernel.block(0),
                                                             {.depth = 8,
                                                              .total_bytes = 1 << 20,
                                                              .first_sector = on.number() * (1U << 14),
                                                              .sectors = 1 << 14,
                                                              .seed = on.number()})
                                       .ok();
        });
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    EXPECT_EQ(good, (std::array<bool, 2>{true, true}));
    EXPECT_EQ(bench.count(blk0, "recovered"), bench.count(blk0, "requeued"));
    EXPECT_GT(bench.count(blk0, "requeued"), 0U);
    bench.expect_clean_books();
}

// --- workloads

}  // namespace pefsim::testing
