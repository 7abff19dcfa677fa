// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "guest/block_workload.h"
#include "platform/native/native_scenario.h"
#include "platform/quantity.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
a pool too small for its load: exhaustion, retry, recovery, nothing lost.

A bounce buffer pool that is too small for what is in flight: mappings fail ("swiotlb buffer is full"), the block
driver puts the requests back and tries again when others have completed, and in the end every block that was written
reads back as it should. Nothing is lost but time.)";

class swiotlb_pressure : public platform::native_scenario {
public:
    swiotlb_pressure() : native_scenario("swiotlb_pressure", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
        machine.swiotlb_size = std::uint64_t{1} << 20;
        machine.disks = {platform::disk_config{}};
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("block-size", block_size_, platform::quantity::bytes, "bytes", "size of a request");
        parameters.add("depth", depth_, "requests", "requests in flight, of each CPU");
        parameters.add("bytes", bytes_, platform::quantity::bytes, "bytes",
                       "how much is written and read in all");
    }

    void prepare(platform::native_machine_config& machine) override {
        if (block_size_ == 0 || block_size_ % 512 != 0 || block_size_ > bytes_) {
            throw std::invalid_argument(fmt::format("block-size: {} is not a multiple of 512B up to bytes={}",
                                                    platform::format_size(block_size_),
                                                    platform::format_size(bytes_)));
        }
        if (depth_ == 0 || depth_ > 1024) {
            throw std::invalid_argument(fmt::format("depth: {} is not within 1 to 1024", depth_));
        }
        machine.disks[0].size = machine.cpus * blocks() * block_size_;
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        guest::block_workload work{.block_size = static_cast<std::uint32_t>(block_size_),
                                   .depth = depth_,
                                   .total_bytes = bytes_,
                                   .read_percent = 50,
                                   .random = true,
                                   .read_back = true,
                                   .sectors = kernel.cpus() * blocks() * block_size_ / 512};
        result_ = run_block_workload_on_every_cpu(kernel, cpu, kernel.block(0), work);
        requeued_ = kernel.block(0).requeued();
        recovered_ = kernel.block(0).recovered();
    }

    void judge(platform::native_machine& after, platform::session& in) override {
        const std::uint64_t failures = after.counter("swiotlb", "failures");
        in.expect(failures > 0, fmt::format("the pool of {} was exhausted: {} mappings failed",
                                            platform::format_size(after.config().swiotlb_size), failures));
        in.expect(
            requeued_ > 0 && recovered_ == requeued_,
            fmt::format("the driver put {} requests back and started every one of them later", requeued_));
        in.expect(after.finished() && result_.errors == 0 &&
                      result_.bytes == bytes_ / block_size_ * block_size_,
                  fmt::format("all {} requests completed without error", result_.requests()));
        in.expect(
            result_.written > 0 && result_.read_back == result_.written && result_.mismatches == 0,
            fmt::format("each of the {} blocks that were written was read back with what it should hold",
                        result_.written));
        in.expect(after.device_accesses_not_shared() == 0 && after.canaries_seen() == 0,
                  "under pressure, too, devices met shared pages only and no canary reached the host");
        in.expect(after.recorder().violations().total() == 0, "nobody broke a rule");
    }

private:
    /// Of each CPU: few enough for most of them to be written and read again, and more than are in flight.
    [[nodiscard]] std::uint64_t blocks() const { return std::uint64_t{depth_} + depth_ / 2 + 1; }

    std::uint64_t block_size_ = std::uint64_t{64} << 10;
    unsigned depth_ = 64;
    std::uint64_t bytes_ = std::uint64_t{32} << 20;
    guest::block_workload_result result_;
    std::uint64_t requeued_ = 0;
    std::uint64_t recovered_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<swiotlb_pressure>(argc, argv); }
