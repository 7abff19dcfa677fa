// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "guest/block_workload.h"
#include "output/whole_file.h"
#include "platform/native/native_scenario.h"

/// What the block scenarios have in common: a guest copies one virtio disk to another, and the copy is compared byte
/// for byte on the host. Without --disk the source is a disk in memory; without --copy-to so is the copy. The file that
/// --copy-to names is there, or replaced, when the copy is whole and equal, and only then.
class disk_copy_scenario : public pefsim::platform::native_scenario {
public:
    using native_scenario::native_scenario;

    void declare(pefsim::platform::parameter_set& parameters) override;
    void prepare(pefsim::platform::native_machine_config& machine) override;
    void guest_main(pefsim::guest::kernel& kernel, pefsim::cpu::native::native_cpu& cpu) override;
    void judge(pefsim::platform::native_machine& after, pefsim::platform::session& in) override;
    void run(pefsim::platform::session& in) override;

protected:
    [[nodiscard]] bool clears_buffers() const { return clear_buffers_; }

private:
    /// \throws output::write_error when the disk has no room for it
    void create_copy(pefsim::platform::disk_config& as);

    std::filesystem::path disk_;
    std::filesystem::path copy_to_;
    std::uint64_t disk_size_ = std::uint64_t{2} << 20;
    std::uint64_t chunk_ = std::uint64_t{64} << 10;
    unsigned depth_ = 8;
    bool clear_buffers_ = true;
    pefsim::guest::disk_copy_result result_;
    std::optional<pefsim::output::whole_file> copy_;
    bool whole_ = false;
    int write_error_ = 0;  // errno of the first write to the copy that the host refused
};
