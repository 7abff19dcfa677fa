// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "guest/block_workload.h"
#include "platform/scenario.h"

/// What the block scenarios have in common: a guest copies one virtio disk to another, and the copy is compared byte for byte
/// on the host. Without --disk the source is a disk in memory; without --copy-to so is the copy.
class disk_copy_scenario : public pefsim::platform::scenario {
public:
    using scenario::scenario;

    void declare(pefsim::platform::parameter_set& parameters) override;
    void prepare(pefsim::platform::machine_config& machine) override;
    void guest_main(pefsim::guest::kernel& kernel, pefsim::cpu::native::native_cpu& cpu) override;
    void judge(pefsim::platform::machine& after, pefsim::platform::session& in) override;
    void run(pefsim::platform::session& in) override;

protected:
    [[nodiscard]] bool clears_buffers() const { return clear_buffers_; }

private:
    void create_copy() const;

    std::filesystem::path disk_;
    std::filesystem::path copy_to_;
    std::uint64_t disk_size_ = std::uint64_t{2} << 20;
    std::uint64_t chunk_ = std::uint64_t{64} << 10;
    unsigned depth_ = 8;
    bool clear_buffers_ = true;
    pefsim::guest::disk_copy_result result_;
};
