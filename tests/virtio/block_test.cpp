// SPDX-License-Identifier: Apache-2.0
//
// Requests to the block device, over a loopback transport.
#include "virtio/block.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <rapidcheck/gtest.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "abi/virtio_ring.h"
#include "backend/memory_disk.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/virtio/loopback_transport.h"

namespace pefsim::virtio::testing {

namespace {

namespace blk = abi::virtio::blk;
using abi::virtio::f_event_idx;
using abi::virtio::f_indirect_desc;
using abi::virtio::f_version_1;
using backend::memory_disk;
using report::violation_kind;
using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::SC_US;

constexpr std::uint64_t usual_features = f_version_1 | blk::f_flush | blk::f_seg_max | blk::f_blk_size;

/// A disk whose host fails on demand.
class failing_disk final : public backend::block_backend_if {
public:
    [[nodiscard]] std::uint64_t size() const override { return 1 << 20; }
    [[nodiscard]] bool read_only() const override { return false; }
    bool read(std::uint64_t offset, std::span<std::byte> to) override {
        std::ranges::fill(to, std::byte{0x11});
        return !fails && offset + to.size() <= fails_from;
    }
    bool write(std::uint64_t /*offset*/, std::span<const std::byte> /*from*/) override { return !fails; }
    bool flush() override {
        ++flushes;
        return !fails;
    }
    bool write_zeroes(std::uint64_t /*offset*/, std::uint64_t /*size*/, bool /*unmap*/) override {
        return !fails;
    }
    bool discard(std::uint64_t /*offset*/, std::uint64_t /*size*/) override { return !fails; }
    [[nodiscard]] std::string_view id() const override { return "exactly-20-bytes-id!"; }

    bool fails = false;
    std::uint64_t fails_from = ~std::uint64_t{0};
    unsigned flushes = 0;
};

struct bench : device_bench<block> {
    struct outcome {
        std::optional<std::uint32_t> used_length;
        unsigned status = 0xff;
        std::vector<std::byte> data;
    };

    bench(backend::block_backend_if& disk, const block::config& parameters) : device_bench(parameters) {
        device.disk(disk);
    }

    segment header(std::uint32_t type, std::uint64_t sector = 0) {
        blk::request_header h{};
        h.type = type;
        h.sector = sector;
        return buffer_with(h);
    }
    segment header(blk::request_type type, std::uint64_t sector = 0) {
        return header(static_cast<std::uint32_t>(type), sector);
    }
    segment status() { return buffer_with(std::uint8_t{0xff}); }

    /// Runs one request to its end; `in` is what the device may write besides the status.
    outcome run(const segment& request_header, std::vector<segment> out, std::vector<segment> in,
                std::uint16_t queue = 0) {
        const segment status_byte = status();
        out.insert(out.begin(), request_header);
        in.push_back(status_byte);
        EXPECT_TRUE(drivers[queue].add(out, in));
        kick(queue);
        sc_core::sc_start();
        outcome result;
        if (const auto used = drivers[queue].collect()) {
            result.used_length = used->len;
        }
        result.status = memory.load<std::uint8_t>(status_byte.at);
        for (const segment& s : in) {
            const auto part = bytes(s);
            result.data.insert(result.data.end(), part.begin(), part.end());
        }
        result.data.pop_back();
        return result;
    }
    outcome read(std::uint64_t sector, std::size_t size) {
        return run(header(blk::request_type::in, sector), {}, {buffer(size)});
    }
    outcome write(std::uint64_t sector, const std::vector<std::byte>& data) {
        const segment place = buffer(data.size());
        std::ranges::copy(data, bytes(place).begin());
        return run(header(blk::request_type::out, sector), {place}, {});
    }
};

constexpr unsigned ok = static_cast<unsigned>(blk::request_status::ok);
constexpr unsigned ioerr = static_cast<unsigned>(blk::request_status::ioerr);
constexpr unsigned unsupp = static_cast<unsigned>(blk::request_status::unsupp);

std::vector<std::byte> pattern(std::size_t size, unsigned from) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) {
        byte = static_cast<std::byte>(from++ * 37);
    }
    return bytes;
}

class block_test : public pefsim::testing::simulation_test {};

TEST_F(block_test, reads_what_is_on_the_disk_and_writes_it) {
    memory_disk disk({.size = 1 << 20, .seed = 5});
    bench b(disk, {});
    b.go_live(usual_features);
    std::vector<std::byte> expected(4096);
    memory_disk::generate(5, 8 * 512, expected);
    auto result = b.read(8, 4096);
    EXPECT_EQ(result.status, ok);
    EXPECT_EQ(result.used_length, 4097U);
    EXPECT_EQ(result.data, expected);

    const auto data = pattern(1024, 1);
    result = b.write(9, data);
    EXPECT_EQ(result.status, ok);
    EXPECT_EQ(result.used_length, 1U);
    std::ranges::copy(data, expected.begin() + 512);
    EXPECT_EQ(b.read(8, 4096).data, expected);
    EXPECT_EQ(b.device.count(block_operation::read), 2U);
    EXPECT_EQ(b.device.count(block_operation::write), 1U);
    EXPECT_EQ(b.device.errors(), 0U);
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

// The device moves 64 KiB at a time.
TEST_F(block_test, a_large_request_moves_all_of_its_bytes_and_no_others) {
    memory_disk disk({.size = 1 << 20, .seed = 5});
    bench b(disk, {});
    b.go_live(usual_features);
    for (const std::size_t size : {std::size_t{64} << 10, std::size_t{200} * 512}) {
        std::vector<std::byte> expected(size + 2 * 512);
        memory_disk::generate(5, 0, expected);
        EXPECT_EQ(b.read(0, expected.size()).data, expected);
        const auto data = pattern(size, 3);
        const auto written = b.write(1, data);
        EXPECT_EQ(written.status, ok);
        EXPECT_EQ(written.used_length, 1U);
        std::ranges::copy(data, expected.begin() + 512);
        const auto read = b.read(0, expected.size());
        EXPECT_EQ(read.status, ok);
        EXPECT_EQ(read.used_length, expected.size() + 1);
        EXPECT_EQ(read.data, expected);
        memory_disk::generate(5, 0, expected);
        EXPECT_EQ(b.write(0, expected).status, ok);
    }
    EXPECT_EQ(b.recorder.violations().total(), 0U);
}

TEST_F(block_test, D6_header_data_and_status_may_be_cut_anywhere) {
    memory_disk disk({.size = 1 << 20, .seed = 5});
    bench b(disk, {});
    b.go_live(usual_features);
    const auto data = pattern(512, 9);
    // One readable buffer: header and data together; header in three pieces for the read back.
    const segment together = b.buffer(16 + 512);
    blk::request_header h{};
    h.type = static_cast<std::uint32_t>(blk::request_type::out);
    h.sector = 3;
    b.memory.store(together.at, h);
    std::ranges::copy(data, b.bytes(together).begin() + 16);
    const segment status = b.status();
    b.drivers[0].add(std::array{together}, std::array{status});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.memory.load<std::uint8_t>(status.at), ok);

    h.type = static_cast<std::uint32_t>(blk::request_type::in);
    const segment whole = b.buffer_with(h);
    const std::array pieces{segment{whole.at, 1}, segment{whole.at + 1, 9}, segment{whole.at + 10, 6}};
    const segment answer = b.buffer(513);
    const std::array parts{segment{answer.at, 100}, segment{answer.at + 100, 413}};
    b.drivers[0].add(pieces, parts);
    b.kick();
    run_to_end();
    EXPECT_TRUE(std::ranges::equal(b.bytes(answer).first(512), data));
    EXPECT_EQ(b.bytes(answer)[512], std::byte{ok});
}

TEST_F(block_test, get_id_gives_twenty_bytes) {
    failing_disk disk;
    bench b(disk, {});
    b.go_live(usual_features);
    const auto result = b.run(b.header(blk::request_type::get_id), {}, {b.buffer(blk::id_bytes)});
    EXPECT_EQ(result.status, ok);
    EXPECT_EQ(result.used_length, 21U);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(result.data.data()), result.data.size()),
              "exactly-20-bytes-id!");
}

// --- errors

TEST_F(block_test, B2_a_write_to_a_read_only_disk_is_an_error_and_writes_nothing) {
    memory_disk disk({.size = 1 << 20, .seed = 5, .read_only = true});
    bench b(disk, {});
    EXPECT_NE(b.device.features() & blk::f_ro, 0U);
    b.go_live(usual_features | blk::f_ro);
    const auto before = b.read(0, 512).data;
    EXPECT_EQ(b.write(0, pattern(512, 0)).status, ioerr);
    EXPECT_EQ(b.read(0, 512).data, before);
    EXPECT_EQ(b.device.errors(), 1U);
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 0U);
}

TEST_F(block_test, B2_unknown_and_unoffered_types_are_unsupported) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.flush = false, .config_wce = false});
    EXPECT_EQ(b.device.features() & (blk::f_flush | blk::f_config_wce | blk::f_ro), 0U);
    b.go_live(f_version_1);
    for (const std::uint32_t type : {2U, 4U, 10U, 11U, 13U, 14U, 0x1000'0000U, 0xffff'ffffU}) {
        const auto result = b.run(b.header(type), {}, {});
        EXPECT_EQ(result.status, unsupp) << type;
        EXPECT_EQ(result.used_length, 1U);
    }
    EXPECT_EQ(b.device.count(block_operation::unsupported), 8U);
}

TEST_F(block_test, requests_beyond_the_capacity_or_of_broken_sectors_are_breaches) {
    memory_disk disk({.size = 64 * 512});
    bench b(disk, {});
    b.go_live(usual_features);
    EXPECT_EQ(b.read(63, 512).status, ok);
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 0U);
    const std::pair<std::uint64_t, std::size_t> bad[] = {
        {64, 512}, {63, 1024}, {0, 65 * 512}, {~std::uint64_t{0}, 512}, {std::uint64_t{1} << 55, 512},
        {0, 511},  {0, 513},   {0, 1}};
    for (const auto& [sector, size] : bad) {
        EXPECT_EQ(b.read(sector, size).status, ioerr) << sector << ' ' << size;
        EXPECT_EQ(b.write(sector, pattern(size, 0)).status, ioerr) << sector << ' ' << size;
    }
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 2 * std::size(bad));
    EXPECT_EQ(b.device.errors(), 2 * std::size(bad));
    EXPECT_EQ(b.read(64, 512).used_length, 0U);  // D10: nothing from the start of the buffer was written
}

TEST_F(block_test, a_breach_is_reported_with_its_request_at_the_devices_local_time) {
    memory_disk disk({.size = 1 << 20});
    timing::timing costs;
    costs.virtqueue_kick_ns = 2000;
    bench b(disk, {.costs = costs});
    b.go_live(usual_features | f_event_idx, {.event_idx = true});
    EXPECT_EQ(b.read(0, 511).status, ioerr);
    ASSERT_EQ(b.recorder.violations().total(), 1U);
    const report::violation& of_request = b.recorder.violations().kept().back();
    // Index, ring entry, descriptors, header: 400 ns.
    EXPECT_EQ(of_request.when, sc_time(2000 + 400, SC_NS));
    EXPECT_EQ(of_request.who, "device");
    EXPECT_EQ(of_request.address, 0U) << "its buffers are many";
    EXPECT_EQ(of_request.size, 16U + 511 + 1);
    EXPECT_EQ(of_request.request, b.device.queue(0).request.value());

    const sc_time start = sc_core::sc_time_stamp();
    b.drivers[0].offer(0xffff);
    b.kick();
    run_to_end();
    ASSERT_EQ(b.violations(violation_kind::virtqueue_malformed), 1U);
    // Index and ring entry.
    EXPECT_EQ(b.recorder.violations().kept().back().when, start + sc_time(2000 + 200, SC_NS));
}

TEST_F(block_test, requests_without_header_or_status_are_breaches) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {});
    b.go_live(usual_features);
    const segment short_header = b.buffer(15);
    const segment status = b.status();
    b.drivers[0].add(std::array{short_header}, std::array{status});
    b.drivers[0].add({}, std::array{b.status()});
    b.drivers[0].add(std::array{b.header(blk::request_type::flush)}, {});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.memory.load<std::uint8_t>(status.at), ioerr);
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 3U);
    for (const unsigned length : {1U, 1U, 0U}) {
        const auto used = b.drivers[0].collect();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->len, length);
    }
    EXPECT_EQ(b.transport.resets_needed, 0U);
}

TEST_F(block_test, a_host_that_fails_is_an_error) {
    failing_disk disk;
    bench b(disk, {});
    b.go_live(usual_features);
    disk.fails = true;
    EXPECT_EQ(b.read(0, 512).status, ioerr);
    EXPECT_EQ(b.write(0, pattern(512, 0)).status, ioerr);
    EXPECT_EQ(b.run(b.header(blk::request_type::flush), {}, {}).status, ioerr);
    disk.fails = false;
    EXPECT_EQ(b.read(0, 512).status, ok);
    EXPECT_EQ(b.device.errors(), 3U);
}

TEST_F(block_test, D10_a_read_that_fails_halfway_reports_what_was_written) {
    failing_disk disk;
    disk.fails_from = 128 << 10;
    bench b(disk, {});
    b.go_live(usual_features);
    const auto result = b.read(0, 256 << 10);
    EXPECT_EQ(result.status, ioerr);
    EXPECT_EQ(result.used_length, 128U << 10);
}

TEST_F(block_test, a_refused_buffer_is_an_error_of_that_request_only) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {});
    b.go_live(usual_features);
    const segment buffer = b.buffer(4096);
    b.memory.refuse(buffer.at + 4000, 1);
    EXPECT_EQ(b.run(b.header(blk::request_type::in), {}, {buffer}).status, ioerr);
    EXPECT_EQ(b.run(b.header(blk::request_type::out), {buffer}, {}).status, ioerr);
    EXPECT_EQ(b.read(0, 4096).status, ok);
    EXPECT_EQ(b.transport.resets_needed, 0U);
}

TEST_F(block_test, a_malformed_ring_stops_the_device_until_its_reset) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.queues = 2});
    b.go_live(usual_features);
    // One good request is in flight, then garbage.
    const segment status = b.status();
    b.drivers[0].add(std::array{b.header(blk::request_type::in)}, std::array{b.buffer(512), status});
    b.drivers[0].offer(0xffff);
    b.kick();
    run_to_end();
    EXPECT_EQ(b.transport.resets_needed, 1U);
    EXPECT_EQ(b.violations(violation_kind::virtqueue_malformed), 1U);
    EXPECT_FALSE(b.device.active(0));
    EXPECT_FALSE(b.device.active(1));
    EXPECT_EQ(b.memory.load<std::uint8_t>(status.at), 0xff);  // dropped
    EXPECT_FALSE(b.drivers[0].collect());
    EXPECT_TRUE(b.transport.interrupts.empty());

    b.device.reset();
    b.drivers.clear();
    b.go_live(usual_features);
    std::ranges::fill(b.memory.all().first(0x10000), std::byte{0});
    EXPECT_EQ(b.read(0, 512).status, ok);
}

// --- cache and flushes

TEST_F(block_test, B1_config_wce_needs_flush) {
    trace::recorder recorder;
    EXPECT_THROW(block("a", recorder, {.flush = false, .config_wce = true}), std::invalid_argument);
    EXPECT_THROW(block("b", recorder, {.blk_size = 1000}), std::invalid_argument);
    EXPECT_THROW(block("c", recorder, {.queue_size = 100}), std::invalid_argument);
    EXPECT_THROW(block("d", recorder, {.queues = 0}), std::invalid_argument);
    timing::timing no_bandwidth;
    no_bandwidth.block_gb_per_s = 0;
    EXPECT_THROW(block("e", recorder, {.costs = no_bandwidth}), std::invalid_argument);
}

TEST_F(block_test, B1_writeback_follows_flush_and_only_config_wce_lets_the_driver_change_it) {
    failing_disk disk;
    bench b(disk, {});
    const std::byte on{1};
    const std::byte off{0};
    const std::size_t at = offsetof(blk::config, writeback);
    const auto writeback = [&] {
        std::byte value{0xff};
        b.device.read_config(at, {&value, 1});
        return value;
    };
    b.device.negotiated(f_version_1 | blk::f_config_wce);
    EXPECT_EQ(writeback(), off);
    b.device.negotiated(f_version_1 | blk::f_flush);
    EXPECT_EQ(writeback(), on);
    EXPECT_FALSE(b.device.write_config(at, {&off, 1}));
    b.device.negotiated(f_version_1 | blk::f_flush | blk::f_config_wce);
    EXPECT_TRUE(b.device.write_config(at, {&off, 1}));
    EXPECT_EQ(writeback(), off);
    EXPECT_TRUE(b.device.write_config(at, {&on, 1}));
    const std::byte two{2};
    EXPECT_FALSE(b.device.write_config(at, {&two, 1}));
    EXPECT_FALSE(b.device.write_config(0, {&on, 1}));
    EXPECT_EQ(writeback(), on);
}

TEST_F(block_test, B2_writes_are_stable_at_once_without_a_cache_and_after_flush_with_one) {
    failing_disk disk;
    bench b(disk, {});
    b.go_live(f_version_1);
    EXPECT_EQ(b.write(0, pattern(512, 0)).status, ok);
    EXPECT_EQ(disk.flushes, 1U);
    b.device.negotiated(usual_features);
    EXPECT_EQ(b.write(0, pattern(512, 0)).status, ok);
    EXPECT_EQ(disk.flushes, 1U);
    EXPECT_EQ(b.run(b.header(blk::request_type::flush), {}, {}).status, ok);
    EXPECT_EQ(disk.flushes, 2U);
}

TEST_F(block_test, configuration_space) {
    memory_disk disk({.size = 100 * 512});
    bench b(disk, {.queues = 4, .queue_size = 64, .size_max = 4096, .blk_size = 4096});
    blk::config c{};
    b.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
    EXPECT_EQ(c.capacity, 100U);
    EXPECT_EQ(c.seg_max, 62U);
    EXPECT_EQ(c.size_max, 4096U);
    EXPECT_EQ(c.blk_size, 4096U);
    EXPECT_EQ(c.num_queues, 4U);
    EXPECT_EQ(c.unused0, 0U);
    EXPECT_EQ(b.device.features(), blk::f_seg_max | blk::f_size_max | blk::f_blk_size | blk::f_flush |
                                       blk::f_config_wce | blk::f_mq | blk::f_discard | blk::f_write_zeroes);
    std::array<std::byte, 16> beyond{};
    beyond.fill(std::byte{0xee});
    b.device.read_config(56, beyond);
    EXPECT_EQ(beyond[15], std::byte{0});
    b.device.read_config(4096, beyond);
    EXPECT_EQ(beyond[0], std::byte{0});
}

// --- discard and zeros

struct zone_bench : bench {
    static constexpr std::uint64_t features = usual_features | blk::f_discard | blk::f_write_zeroes;

    using bench::bench;

    static blk::zone zone(std::uint64_t sector, std::uint32_t sectors, std::uint32_t flags = 0) {
        blk::zone made{};
        made.sector = sector;
        made.num_sectors = sectors;
        made.flags = flags;
        return made;
    }
    outcome ask(blk::request_type type, const std::vector<blk::zone>& zones) {
        const segment place = buffer(zones.size() * sizeof(blk::zone));
        std::memcpy(bytes(place).data(), zones.data(), place.length);
        return run(header(type), {place}, {});
    }
};

bool all_zero(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

TEST_F(block_test, B3_zones_read_as_zeros_after_write_zeroes_whatever_unmap_says) {
    memory_disk disk({.size = 1 << 20, .seed = 5});
    zone_bench b(disk, {});
    b.go_live(zone_bench::features);
    const auto result = b.ask(blk::request_type::write_zeroes,
                              {b.zone(1, 3), b.zone(16, 8, blk::zone_unmap), b.zone(100, 0)});
    EXPECT_EQ(result.status, ok);
    EXPECT_EQ(result.used_length, 1U);
    EXPECT_TRUE(all_zero(b.read(1, 3 * 512).data));
    EXPECT_TRUE(all_zero(b.read(16, 8 * 512).data));
    for (const std::uint64_t sector : {0U, 4U, 15U, 24U, 100U}) {
        std::vector<std::byte> expected(512);
        memory_disk::generate(5, sector * 512, expected);
        EXPECT_EQ(b.read(sector, 512).data, expected) << sector;
    }
    EXPECT_EQ(b.device.count(block_operation::write_zeroes), 1U);
    EXPECT_EQ(b.violations(violation_kind::device_protocol), 0U);
}

TEST_F(block_test, B3_discarded_zones_of_a_disk_in_memory_are_given_back) {
    memory_disk disk({.size = 1 << 20, .initial = memory_disk::content::zero});
    zone_bench b(disk, {});
    b.go_live(zone_bench::features);
    EXPECT_EQ(b.write(128, pattern(512, 3)).status, ok);
    EXPECT_EQ(disk.next_data(0), 128U * 512);
    EXPECT_EQ(b.ask(blk::request_type::discard, {b.zone(128, 128)}).status, ok);
    EXPECT_EQ(disk.next_data(0), disk.size());
    EXPECT_EQ(b.device.count(block_operation::discard), 1U);
}

TEST_F(block_test, B3_bad_zones_are_breaches_and_change_nothing) {
    constexpr std::uint32_t capacity = 2048;
    memory_disk disk({.size = capacity * 512, .seed = 5});
    zone_bench b(disk, {});
    b.go_live(zone_bench::features);
    using enum blk::request_type;
    struct row {
        blk::request_type type;
        std::vector<blk::zone> zones;
        unsigned status;
    };
    const row rows[] = {
        {discard, {b.zone(0, 8, blk::zone_unmap)}, unsupp},
        {discard, {b.zone(0, 8, 2)}, unsupp},
        {write_zeroes, {b.zone(0, 8, 2)}, unsupp},
        {write_zeroes, {b.zone(0, 8), b.zone(8, 8, 0x8000'0001)}, unsupp},
        {write_zeroes, {b.zone(0, 8), b.zone(capacity, 1)}, ioerr},
        {discard, {b.zone(0, 8), b.zone(capacity - 1, 2)}, ioerr},
        {write_zeroes, {b.zone(~std::uint64_t{0}, 2)}, ioerr},
        {write_zeroes, {b.zone(0, ~0U)}, ioerr},
        {discard, std::vector<blk::zone>(33, b.zone(0, 1)), ioerr},
    };
    std::uint64_t breaches = 0;
    for (const row& each : rows) {
        EXPECT_EQ(b.ask(each.type, each.zones).status, each.status) << breaches;
        EXPECT_EQ(b.violations(violation_kind::device_protocol), ++breaches);
    }
    for (const std::size_t size : {0U, 15U, 24U}) {  // no zones, or a piece of one
        std::vector<segment> out;
        if (size != 0) {
            out.push_back(b.buffer(size));
        }
        EXPECT_EQ(b.run(b.header(discard), out, {}).status, ioerr);
        EXPECT_EQ(b.violations(violation_kind::device_protocol), ++breaches);
    }
    std::vector<std::byte> expected(capacity * 512);
    memory_disk::generate(5, 0, expected);
    EXPECT_EQ(b.read(0, capacity * 512).data, expected);
}

TEST_F(block_test, B3_the_limits_stand_in_configuration_space_as_far_as_they_are_offered) {
    memory_disk disk({.size = 1 << 20});
    const auto configuration = [](const bench& of) {
        blk::config c{};
        of.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
        return c;
    };
    const bench all(disk, {.blk_size = 4096});
    const blk::config c = configuration(all);
    EXPECT_EQ(c.max_discard_sectors, 1U << 22);
    EXPECT_EQ(c.max_discard_seg, 32U);
    EXPECT_EQ(c.discard_sector_alignment, 8U);
    EXPECT_EQ(c.max_write_zeroes_sectors, 1U << 22);
    EXPECT_EQ(c.max_write_zeroes_seg, 32U);
    EXPECT_EQ(c.write_zeroes_may_unmap, 1U);
}

TEST_F(block_test, B3_without_the_features_zones_are_unsupported) {
    memory_disk disk({.size = 1 << 20});
    zone_bench b(disk, {.discard = false, .write_zeroes = false});
    EXPECT_EQ(b.device.features(), blk::f_seg_max | blk::f_blk_size | blk::f_flush | blk::f_config_wce);
    b.go_live(usual_features);
    EXPECT_EQ(b.ask(blk::request_type::discard, {b.zone(0, 8)}).status, unsupp);
    EXPECT_EQ(b.ask(blk::request_type::write_zeroes, {b.zone(0, 8)}).status, unsupp);
    blk::config c{};
    b.device.read_config(0, std::as_writable_bytes(std::span{&c, 1}));
    EXPECT_EQ(c.max_discard_sectors, 0U);
    EXPECT_EQ(c.max_write_zeroes_sectors, 0U);
}

TEST_F(block_test, B3_a_read_only_disk_offers_neither) {
    memory_disk disk({.size = 1 << 20, .read_only = true});
    const bench b(disk, {});
    EXPECT_EQ(b.device.features() & (blk::f_discard | blk::f_write_zeroes), 0U);
}

TEST_F(block_test, B3_a_host_that_fails_to_give_zeros_is_an_error) {
    failing_disk disk;
    zone_bench b(disk, {});
    b.go_live(zone_bench::features & ~blk::f_flush);
    EXPECT_EQ(b.ask(blk::request_type::discard, {b.zone(0, 8)}).status, ok);
    EXPECT_EQ(disk.flushes, 1U) << "without a cache it is stable at once";
    disk.fails = true;
    EXPECT_EQ(b.ask(blk::request_type::discard, {b.zone(0, 8)}).status, ioerr);
    EXPECT_EQ(b.ask(blk::request_type::write_zeroes, {b.zone(0, 8)}).status, ioerr);
}

// --- time

timing::timing round_costs() {
    timing::timing costs;
    costs.virtqueue_kick_ns = 2000;
    costs.block_latency_us = 10;
    costs.block_gb_per_s = 1;  // 1 ns a byte
    return costs;
}

TEST_F(block_test, time_of_one_request_is_the_sum_of_its_parts) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features | f_event_idx, {.event_idx = true});
    b.read(0, 4096);
    // Kick 2 us; index, ring entry, descriptors, header: 400 ns; latency 10 us, bytes 4.096 us; data and status:
    // 200 ns; used element, used index, used_event: 300 ns.
    ASSERT_EQ(b.transport.interrupts.size(), 1U);
    EXPECT_EQ(b.transport.interrupts[0].when, sc_time(2000 + 400 + 10'000 + 4096 + 200 + 300, SC_NS));
    const auto* latency = b.recorder.metrics().find_histogram("device", "latency");
    ASSERT_NE(latency, nullptr);
    EXPECT_EQ(latency->count(), 1U);
    EXPECT_DOUBLE_EQ(latency->mean_ns(), 100 + 10'000 + 4096 + 200 + 300);
}

TEST_F(block_test, zeros_take_the_time_of_their_bytes_unless_they_may_be_unmapped) {
    memory_disk disk({.size = 1 << 20});
    zone_bench b(disk, {.costs = round_costs()});
    b.go_live(zone_bench::features);
    const auto time_of = [&](blk::request_type type, std::uint32_t flags) {
        const sc_time start = sc_core::sc_time_stamp();
        b.ask(type, {b.zone(0, 8, flags)});
        return b.transport.interrupts.back().when - start;
    };
    b.memory.cost = sc_core::SC_ZERO_TIME;
    const sc_time unmapped = time_of(blk::request_type::write_zeroes, blk::zone_unmap);
    EXPECT_EQ(unmapped, sc_time(2000 + 10'000, SC_NS)) << "kick and latency alone";
    EXPECT_EQ(time_of(blk::request_type::discard, 0), unmapped);
    EXPECT_EQ(time_of(blk::request_type::write_zeroes, 0), unmapped + sc_time(4096, SC_NS));
}

TEST_F(block_test, requests_in_flight_share_bandwidth_but_not_latency) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.memory.cost = sc_core::SC_ZERO_TIME;
    b.go_live(usual_features, {.size = 64});
    for (int i = 0; i < 8; ++i) {
        b.drivers[0].add(std::array{b.header(blk::request_type::in)}, std::array{b.buffer(4096), b.status()});
    }
    b.kick();
    run_to_end();
    ASSERT_EQ(b.transport.interrupts.size(), 8U);
    for (unsigned i = 0; i < 8; ++i) {
        EXPECT_EQ(b.transport.interrupts[i].when, sc_time(12'000 + 4096.0 * (i + 1), SC_NS));
    }
}

TEST_F(block_test, completions_come_in_order_of_completion_not_of_submission) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features, {.size = 16});
    const auto slow = b.drivers[0].add(std::array{b.header(blk::request_type::in)},
                                       std::array{b.buffer(4096), b.status()});
    const auto fast = b.drivers[0].add(std::array{b.header(blk::request_type::get_id)},
                                       std::array{b.buffer(20), b.status()});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.drivers[0].collect()->id, fast);
    EXPECT_EQ(b.drivers[0].collect()->id, slow);
}

TEST_F(block_test, a_flush_ends_after_everything_before_it) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features, {.size = 16});
    const auto write = b.drivers[0].add(std::array{b.header(blk::request_type::out), b.buffer(64 << 10)},
                                        std::array{b.status()});
    const auto flush = b.drivers[0].add(std::array{b.header(blk::request_type::flush)},
                                        std::array{b.status()});
    b.kick();
    run_to_end();
    EXPECT_EQ(b.drivers[0].collect()->id, write);
    EXPECT_EQ(b.drivers[0].collect()->id, flush);
}

TEST_F(block_test, D11_a_doorbell_without_work_is_harmless) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {});
    b.go_live(usual_features);
    for (int i = 0; i < 5; ++i) {
        b.kick();
        b.kick();
        run(sc_time(3, SC_US));
    }
    EXPECT_TRUE(b.transport.interrupts.empty());
    EXPECT_EQ(b.read(0, 512).status, ok);
}

TEST_F(block_test, a_doorbell_while_the_device_is_at_work_is_not_lost) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features | f_event_idx, {.size = 64, .event_idx = true});
    unsigned offered = 0;
    unsigned done = 0;
    // The driver follows the rules: it rings only when avail_event asks for it.
    for (unsigned step = 0; step < 2000; ++step) {
        if (b.drivers[0].free_descriptors() >= 3 && offered < 500) {
            const std::uint16_t before = b.drivers[0].avail_index();
            b.drivers[0].add(std::array{b.header(blk::request_type::in)},
                             std::array{b.buffer(512), b.status()});
            ++offered;
            if (abi::virtio::need_event(b.drivers[0].avail_event(), b.drivers[0].avail_index(), before)) {
                b.kick();
            }
        }
        run(sc_time(337.0 + 61.0 * (step % 13), SC_NS));
        while (b.drivers[0].collect()) {
            ++done;
        }
        b.next_buffer = 0;
    }
    run_to_end();
    while (b.drivers[0].collect()) {
        ++done;
    }
    EXPECT_EQ(offered, 500U);
    EXPECT_EQ(done, 500U);
}

// CPUs run ahead of simulated time by different amounts.
TEST_F(block_test, of_two_doorbells_the_earlier_wakes_the_device_in_whatever_order_they_are_rung) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features);
    const sc_time ahead(100, SC_US);
    for (const auto& [first, second] :
         {std::pair{sc_core::SC_ZERO_TIME, ahead}, {ahead, sc_core::SC_ZERO_TIME}}) {
        b.drivers[0].add(std::array{b.header(blk::request_type::in)}, std::array{b.buffer(512), b.status()});
        b.device.kick(0, first);
        b.device.kick(0, second);
        run(sc_time(50, SC_US));
        EXPECT_TRUE(b.drivers[0].collect()) << first;
        run(ahead);
    }
}

// --- queues and resets

TEST_F(block_test, the_bytes_that_a_queue_holds_are_those_of_its_requests_in_the_device) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features);
    for (const std::size_t size : {std::size_t{512}, std::size_t{1024}}) {
        b.drivers[0].add(std::array{b.header(blk::request_type::in)}, std::array{b.buffer(size), b.status()});
    }
    b.kick();
    run(sc_time(5, SC_US));  // both are in flight
    EXPECT_EQ(b.device.queue(0).held_bytes.value(), 2U * (16 + 1) + 512 + 1024);
    run_to_end();
    EXPECT_EQ(b.device.queue(0).held_bytes.value(), 0U);
}

TEST_F(block_test, every_queue_is_served) {
    memory_disk disk({.size = 1 << 20, .seed = 2});
    bench b(disk, {.queues = 4});
    b.go_live(usual_features | blk::f_mq);
    std::vector<std::byte> expected(512);
    for (std::uint16_t queue = 0; queue < 4; ++queue) {
        memory_disk::generate(2, queue * 512U, expected);
        const auto result = b.run(b.header(blk::request_type::in, queue), {}, {b.buffer(512)}, queue);
        EXPECT_EQ(result.status, ok);
        EXPECT_EQ(result.data, expected);
        EXPECT_EQ(b.transport.interrupts.back().queue, queue);
    }
}

TEST_F(block_test, D3_after_a_reset_nothing_moves) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.costs = round_costs()});
    b.go_live(usual_features, {.size = 16});
    const segment status = b.status();
    const segment data = b.buffer(512);
    // Reset at every moment of a request's life.
    for (unsigned ns = 0; ns < 16'000; ns += 97) {
        b.memory.store(status.at, std::uint8_t{0xff});
        std::ranges::fill(b.memory.all().first(0x1000), std::byte{0});
        b.drivers.clear();
        b.transport.interrupts.clear();
        b.go_live(usual_features, {.size = 16});
        b.drivers[0].add(std::array{b.header(blk::request_type::in)}, std::array{data, status});
        b.kick();
        if (ns != 0) {
            run(sc_time(ns, SC_NS));
        }
        b.device.reset();
        const unsigned accesses = b.memory.reads + b.memory.writes;
        run_to_end();
        ASSERT_EQ(b.memory.reads + b.memory.writes, accesses) << ns;
        b.next_buffer = 0x1000;
    }
    std::ranges::fill(b.memory.all().first(0x1000), std::byte{0});
    b.drivers.clear();
    b.go_live(usual_features, {.size = 16});
    EXPECT_EQ(b.read(0, 512).status, ok);
}

TEST_F(block_test, D5_a_reset_queue_stops_and_the_other_goes_on) {
    memory_disk disk({.size = 1 << 20});
    bench b(disk, {.queues = 2});
    b.go_live(usual_features, {.size = 16});
    for (std::uint16_t queue = 0; queue < 2; ++queue) {
        b.drivers[queue].add(std::array{b.header(blk::request_type::in)},
                             std::array{b.buffer(512), b.status()});
        b.kick(queue);
    }
    run(sc_time(5, SC_US));  // both are in flight
    b.device.deactivate(0);
    run_to_end();
    EXPECT_FALSE(b.drivers[0].collect());
    EXPECT_TRUE(b.drivers[1].collect());
    ASSERT_EQ(b.transport.interrupts.size(), 1U);
    EXPECT_EQ(b.transport.interrupts[0].queue, 1U);
}

// --- property

// Reads and writes in any mixture, many in flight, any segmentation: the disk is an array, and nothing is lost.
RC_GTEST_PROP(block_property, the_disk_is_an_array, ()) {
    struct once : pefsim::testing::simulation_test {
        void TestBody() override {}
    };
    const once context;
    constexpr std::size_t sectors = 64;
    memory_disk disk({.size = sectors * 512, .seed = 1});
    const bool indirect = *rc::gen::arbitrary<bool>();
    const bool event_idx = *rc::gen::arbitrary<bool>();
    bench b(disk, {.queue_size = 32});
    b.go_live(usual_features | (indirect ? f_indirect_desc : 0) | (event_idx ? f_event_idx : 0),
              {.size = 32, .indirect = indirect, .event_idx = event_idx});
    std::vector<std::byte> model(sectors * 512);
    memory_disk::generate(1, 0, model);

    const int rounds = *rc::gen::inRange(1, 6);
    for (int round = 0; round < rounds; ++round) {
        // Requests of one round touch different sectors, so their order does not matter.
        struct pending {
            segment status;
            bool write;
            std::size_t sector;
            std::vector<segment> data;
        };
        std::map<std::uint16_t, pending> in_flight;
        std::size_t sector = 0;
        while (sector < sectors) {
            sector += *rc::gen::inRange<std::size_t>(0, 8);
            const std::size_t count = *rc::gen::inRange<std::size_t>(1, 8);
            if (sector + count > sectors) {
                break;
            }
            pending p{b.status(), *rc::gen::arbitrary<bool>(), sector, {}};
            std::size_t left = count * 512;
            while (left != 0) {
                const std::size_t size = *rc::gen::inRange<std::size_t>(1, 1500);
                p.data.push_back(b.buffer(std::min(size, left)));
                left -= std::min(size, left);
            }
            std::vector<segment> out{
                b.header(p.write ? blk::request_type::out : blk::request_type::in, sector)};
            std::vector<segment> in;
            std::size_t at = sector * 512;
            for (const segment& s : p.data) {
                (p.write ? out : in).push_back(s);
                for (std::byte& byte : b.bytes(s)) {
                    byte = static_cast<std::byte>(at * 3 + static_cast<unsigned>(round));
                    model[at] = p.write ? byte : model[at];
                    ++at;
                }
            }
            in.push_back(p.status);
            if (const auto head = b.drivers[0].add(out, in)) {
                in_flight.emplace(*head, p);
                sector += count;
            } else {
                // No descriptors left: what the model learned of this one is not so.
                std::vector<std::byte> now(count * 512);
                disk.read(sector * 512, now);
                std::ranges::copy(now, model.begin() + static_cast<std::ptrdiff_t>(sector * 512));
                break;
            }
        }
        b.kick();
        sc_core::sc_start();
        while (const auto used = b.drivers[0].collect()) {
            const auto found = in_flight.find(static_cast<std::uint16_t>(used->id));
            RC_ASSERT(found != in_flight.end());
            const pending& p = found->second;
            RC_ASSERT(b.memory.load<std::uint8_t>(p.status.at) == ok);
            std::size_t at = p.sector * 512;
            for (const segment& s : p.data) {
                const auto bytes = b.bytes(s);
                RC_ASSERT(p.write || std::equal(bytes.begin(), bytes.end(),
                                                model.begin() + static_cast<std::ptrdiff_t>(at)));
                at += s.length;
            }
            in_flight.erase(found);
        }
        RC_ASSERT(in_flight.empty());
    }
    std::vector<std::byte> content(model.size());
    disk.read(0, content);
    RC_ASSERT(content == model);
    RC_ASSERT(b.recorder.violations().total() == 0U);
}

}  // namespace

}  // namespace pefsim::virtio::testing
