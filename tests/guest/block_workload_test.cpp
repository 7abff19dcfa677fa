// SPDX-License-Identifier: Apache-2.0
//
// What a guest does with a disk: the mix of reads and writes, and the copy of a whole one.
#include "guest/block_workload.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "guest/virtio_blk_driver.h"
#include "tests/guest/mock_disk.h"

namespace pefsim::testing {

TEST_F(guest_test, a_disk_is_copied) {
    guest::kernel::config parameters;
    parameters.block_devices = 2;
    guest_bench bench(parameters);
    mock_disk from(bench, 1000);
    mock_disk to(bench, 1001);
    guest::fill_block_pattern(from.content, 3, 0, 0);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const auto result = guest::copy_disk(kernel, cpu, kernel.block(0), kernel.block(1),
                                             {.chunk = 3 * 4096, .depth = 5});
        EXPECT_TRUE(result.ok());
        EXPECT_EQ(result.bytes, from.content.size());
        EXPECT_THROW(guest::copy_disk(kernel, cpu, kernel.block(1), kernel.block(0)), guest::kernel_panic);
    });
    EXPECT_TRUE(std::equal(from.content.begin(), from.content.end(), to.content.begin()));
    EXPECT_EQ(to.served.back().type, 4U);
    bench.expect_clean_books();
}

TEST_F(guest_test, a_failing_disk_shows_in_the_copy) {
    guest::kernel::config parameters;
    parameters.block_devices = 2;
    guest_bench bench(parameters);
    mock_disk from(bench, 1024);
    mock_disk to(bench, 1024);
    from.status = [](const mock_disk::request& r) { return std::uint8_t{r.sector == 128}; };
    to.status = [](const mock_disk::request& r) { return std::uint8_t{r.sector == 256}; };
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const auto result = guest::copy_disk(kernel, cpu, kernel.block(0), kernel.block(1),
                                             {.chunk = 64 << 10, .depth = 2});
        EXPECT_EQ(result.errors, 2U);
        EXPECT_EQ(result.bytes, 6U * (64 << 10));
    });
}

struct mixes : simulation_test, ::testing::WithParamInterface<guest::block_workload> {};

TEST_P(mixes, move_every_byte_and_find_what_they_wrote) {
    guest_bench bench;
    mock_disk disk(bench, 1 << 14);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const auto result = guest::run_block_workload(kernel, cpu, kernel.block(0), GetParam());
        EXPECT_TRUE(result.ok());
        EXPECT_EQ(result.bytes, GetParam().total_bytes / GetParam().block_size * GetParam().block_size);
        EXPECT_EQ(result.reads + result.writes, result.bytes / GetParam().block_size);
        EXPECT_EQ(result.reads == 0, GetParam().read_percent == 0);
        EXPECT_EQ(result.writes == 0, GetParam().read_percent == 100);
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    bench.expect_clean_books();
}

INSTANTIATE_TEST_SUITE_P(
    cases, mixes,
    ::testing::Values(
        guest::block_workload{.total_bytes = 2 << 20},
        guest::block_workload{.depth = 1, .total_bytes = 1 << 20},
        guest::block_workload{.block_size = 512, .depth = 32, .total_bytes = 1 << 19, .read_percent = 0},
        guest::block_workload{
            .block_size = 256 << 10, .depth = 4, .total_bytes = 8 << 20, .read_percent = 100},
        guest::block_workload{
            .block_size = 65536, .total_bytes = (4 << 20) + 5, .random = false, .verify = false}));

// 125 blocks for three CPUs: 42, 42 and 41, each with 42 of the 126 requests, so that only the last begins again.
TEST_F(guest_test, a_workload_on_every_cpu_gives_each_a_part_of_the_disk) {
    constexpr std::uint64_t first_sector = 16;
    guest_bench bench({}, 3);
    mock_disk disk(bench, first_sector + 125 * 8 + 7, mock_disk::features | abi::virtio::blk::f_mq, 3);
    bench.run([](guest::kernel& kernel, native_cpu& cpu) {
        const auto result = guest::run_block_workload_on_every_cpu(
            kernel, cpu, kernel.block(0),
            {.depth = 4, .total_bytes = 126 * 4096, .random = false, .first_sector = first_sector});
        EXPECT_TRUE(result.ok());
        EXPECT_EQ(result.requests(), 126U);
        EXPECT_EQ(result.bytes, 126U * 4096);
        EXPECT_GT(result.cpu_time, result.duration) << "of three CPUs";
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    std::map<std::uint64_t, unsigned> times;
    for (const mock_disk::request& each : disk.served) {
        ++times[each.sector];
    }
    for (std::uint64_t block = 0; block < 125; ++block) {
        EXPECT_EQ(times[first_sector + 8 * block], block == 84 ? 2U : 1U) << block;
    }
    EXPECT_EQ(times.size(), 125U);
    for (std::uint16_t i = 0; i < 3; ++i) {
        EXPECT_EQ(disk.ring(i).seen, 42U) << i;
    }
    bench.expect_clean_books();
}

struct senseless_workload {
    guest::block_workload what;
    unsigned cpus;
    const char* why;  // empty: it makes sense
};

struct workload_checks : simulation_test, ::testing::WithParamInterface<senseless_workload> {};

TEST_P(workload_checks, say_what_makes_no_sense) {
    const senseless_workload& row = GetParam();
    guest_bench bench({}, row.cpus);
    mock_disk disk(bench, 64);
    bench.run([&row](guest::kernel& kernel, native_cpu& cpu) {
        EXPECT_TRUE(guest::run_block_workload_on_every_cpu(kernel, cpu, kernel.block(0), row.what).ok());
    });
    EXPECT_EQ(bench.kernel->finished(), *row.why == '\0') << bench.kernel->failure();
    EXPECT_EQ(bench.kernel->failure(), row.why);
    EXPECT_EQ(bench.kernel->mistake(), "");
}

INSTANTIATE_TEST_SUITE_P(
    rows, workload_checks,
    ::testing::Values(
        senseless_workload{{.depth = 1, .total_bytes = 8192, .sectors = 16}, 2, ""},
        senseless_workload{
            {.depth = 1, .total_bytes = 8192, .sectors = 15}, 2, "block workload: fewer blocks than CPUs"},
        senseless_workload{{.block_size = 512, .depth = 1, .total_bytes = 1024, .first_sector = 62}, 2, ""},
        senseless_workload{{.block_size = 512, .depth = 1, .total_bytes = 1024, .first_sector = 63},
                           2,
                           "block workload: fewer blocks than CPUs"},
        senseless_workload{{.block_size = 512, .depth = 1, .first_sector = 64},
                           2,
                           "block workload: block size, or where on the disk it begins"},
        senseless_workload{
            {.block_size = 511, .depth = 1}, 2, "block workload: block size, or where on the disk it begins"},
        senseless_workload{{.depth = 8, .total_bytes = 8192}, 1, ""},
        senseless_workload{{.depth = 9}, 1, "block workload: fewer blocks than requests in flight"},
        senseless_workload{{.depth = 0}, 1, "block workload: depth 0, or more than 100 percent of reads"},
        senseless_workload{{.depth = 1, .total_bytes = 8192, .read_percent = 100}, 1, ""},
        senseless_workload{{.depth = 1, .read_percent = 101},
                           1,
                           "block workload: depth 0, or more than 100 percent of reads"},
        senseless_workload{
            {.block_size = 513, .depth = 1}, 1, "block workload: the block size is not a multiple of 512"},
        senseless_workload{
            {.depth = 1, .first_sector = 64}, 1, "block workload: it begins beyond the end of the disk"},
        senseless_workload{{.depth = 1, .total_bytes = 8192, .first_sector = 32, .sectors = 32}, 1, ""},
        senseless_workload{{.depth = 1, .first_sector = 32, .sectors = 33},
                           1,
                           "block workload: it ends beyond the end of the disk"}));

// What is written back and forth differs by seed, block and version, so that a block in the wrong place is found out.
TEST(block_pattern, differs_by_seed_block_and_version) {
    std::set<std::vector<std::byte>> seen;
    for (std::uint64_t i = 0; i < 125; ++i) {
        std::vector<std::byte> bytes(512);
        guest::fill_block_pattern(bytes, i % 5, i / 5 % 5, i / 25);
        const std::vector<std::byte> first_word(bytes.begin(), bytes.begin() + 8);
        EXPECT_NE(first_word, std::vector<std::byte>(bytes.begin() + 8, bytes.begin() + 16));
        EXPECT_TRUE(seen.insert(bytes).second) << i;
    }
}

TEST_F(guest_test, a_read_of_what_was_written_before_is_verified) {
    guest_bench bench;
    mock_disk disk(bench, 64);
    std::set<std::uint64_t> written;
    std::uint64_t reads_of_written = 0;
    disk.status = [&](const mock_disk::request& r) {
        if (r.type == 1) {
            written.insert(r.sector);
        }
        reads_of_written += r.type == 0 && written.contains(r.sector) ? 1 : 0;
        return std::uint8_t{0};
    };
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const auto result = guest::run_block_workload(kernel, cpu, kernel.block(0),
                                                      {.depth = 1, .total_bytes = 1 << 18});
        EXPECT_TRUE(result.ok());
        EXPECT_GT(reads_of_written, 0U);
        EXPECT_EQ(result.verified, reads_of_written);
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
}

TEST_F(guest_test, a_disk_that_forgets_is_found_out) {
    guest_bench bench;
    mock_disk disk(bench, 64);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        unsigned writes = 0;
        disk.status = [&](const mock_disk::request& r) {
            if (r.type == 1 && ++writes == 20) {
                std::ranges::fill(disk.content, std::byte{0});
            }
            return std::uint8_t{0};
        };
        const auto result = guest::run_block_workload(kernel, cpu, kernel.block(0),
                                                      {.depth = 4, .total_bytes = 1 << 18});
        EXPECT_GT(result.mismatches, 0U);
        EXPECT_FALSE(result.ok());
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    bench.expect_clean_books();
}

TEST_F(guest_test, every_block_that_was_written_is_read_back) {
    guest_bench bench;
    mock_disk disk(bench, 64);
    bench.run([&](guest::kernel& kernel, native_cpu& cpu) {
        guest::block_workload work{
            .depth = 3, .total_bytes = 8 * 4096, .read_percent = 0, .random = false, .read_back = true};
        const auto whole = guest::run_block_workload(kernel, cpu, kernel.block(0), work);
        EXPECT_TRUE(whole.ok());
        EXPECT_EQ(whole.verified, 0U);
        EXPECT_EQ(whole.written, 8U);
        EXPECT_EQ(whole.read_back, 8U);
        EXPECT_EQ(whole.requests(), 8U);
        EXPECT_EQ(whole.bytes, work.total_bytes);

        unsigned reads = 0;
        disk.status = [&](const mock_disk::request& r) {
            if (r.type == 0 && ++reads == 1) {
                disk.content[5 * 4096 + 7] ^= std::byte{1};
            }
            return static_cast<std::uint8_t>(r.type == 0 && r.sector == 8);
        };
        const auto damaged = guest::run_block_workload(kernel, cpu, kernel.block(0), work);
        EXPECT_EQ(damaged.errors, 0U);  // of the mix
        EXPECT_EQ(damaged.read_back, 7U);
        EXPECT_EQ(damaged.mismatches, 1U);
        EXPECT_FALSE(damaged.ok());
    });
    EXPECT_TRUE(bench.kernel->finished()) << bench.kernel->failure();
    bench.expect_clean_books();
}

}  // namespace pefsim::testing
