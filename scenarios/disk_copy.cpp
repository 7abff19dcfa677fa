// SPDX-License-Identifier: Apache-2.0
#include "disk_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "backend/disk_image.h"
#include "output/stop_request.h"
#include "platform/quantity.h"

namespace fs = std::filesystem;
using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr std::uint64_t largest_chunk = std::uint64_t{16} << 20;

bool equal(backend::block_backend_if& one, backend::block_backend_if& other) {
    constexpr std::uint64_t piece = std::uint64_t{1} << 20;
    std::vector<std::byte> left(piece);
    std::vector<std::byte> right(piece);
    for (std::uint64_t at = 0; at < one.size(); at += piece) {
        // Where both are zeros nothing is read.
        at = std::max(at, std::min(one.next_data(at), other.next_data(at)));
        if (at >= one.size()) {
            break;
        }
        if (output::stop_request::made() != 0) {
            return false;
        }
        const std::size_t bytes = std::min(piece, one.size() - at);
        const auto left_part = std::span(left).first(bytes);
        const auto right_part = std::span(right).first(bytes);
        if (!one.read(at, left_part) || !other.read(at, right_part) ||
            !std::ranges::equal(left_part, right_part)) {
            return false;
        }
    }
    return true;
}

}  // namespace

void disk_copy_scenario::declare(platform::parameter_set& parameters) {
    parameters.add("disk", disk_, output::file_use::input,
                   "raw image to copy, never written; none: a disk in memory");
    parameters.add("copy-to", copy_to_, output::file_use::output,
                   "raw image that is created, or replaced, as the copy once that is whole; none: a disk in "
                   "memory");
    parameters.add("disk-size", disk_size_, platform::quantity::bytes, "bytes", "size of a disk in memory");
    parameters.add("chunk", chunk_, platform::quantity::bytes, "bytes", "how much is copied at a time");
    parameters.add("depth", depth_, "chunks", "how many chunks are under way at once, of each CPU");
    parameters.add("clear-buffers", clear_buffers_,
                   "the guest clears recycled memory before it reads into it");
}

void disk_copy_scenario::prepare(platform::native_machine_config& machine) {
    if (chunk_ == 0 || chunk_ % backend::sector_size != 0 || chunk_ > largest_chunk) {
        throw std::invalid_argument(fmt::format("chunk: {} is not a multiple of 512B up to {}",
                                                platform::format_size(chunk_),
                                                platform::format_size(largest_chunk)));
    }
    if (depth_ == 0 || depth_ > 1024) {
        throw std::invalid_argument(fmt::format("depth: {} is not within 1 to 1024", depth_));
    }
    constexpr std::uint64_t largest_in_memory = std::uint64_t{64} << 30;
    if (disk_.empty() &&
        (disk_size_ == 0 || disk_size_ % backend::sector_size != 0 || disk_size_ > largest_in_memory)) {
        throw std::invalid_argument(fmt::format("disk-size: {} is not a multiple of 512B up to {}",
                                                platform::format_size(disk_size_),
                                                platform::format_size(largest_in_memory)));
    }
    if (!disk_.empty()) {
        disk_size_ = backend::disk_image(disk_, backend::image_mode::read_only).size();
    }
    machine.disks = {
        {.image = disk_, .access = platform::disk_access::read_only, .size = disk_size_},
        {.size = disk_size_, .blank = true},
    };
}

/// The copy grows beside its place and gets there when it is whole.
void disk_copy_scenario::create_copy(platform::disk_config& as) {
    copy_.emplace("copy-to", copy_to_, output::whole_file::access::by_name);
    std::error_code error;
    fs::resize_file(copy_->scratch(), disk_size_, error);
    if (error) {
        copy_->fail(error.value());
        copy_->commit();
    }
    as.image = copy_->scratch();
    as.known_as = copy_to_;
}

void disk_copy_scenario::run(platform::session& in) {
    platform::native_machine_config machine = config();
    if (!copy_to_.empty() && !in.options().list_signals) {
        create_copy(machine.disks.back());
    }
    run_machine(
        in, machine, [this](guest::kernel& kernel, cpu::native::native_cpu& cpu) { guest_main(kernel, cpu); },
        [this, &in](platform::native_machine& after) { judge(after, in); }, {});
    if (copy_ && (whole_ || write_error_ != 0)) {
        in.commit("copy", *copy_);
    } else if (copy_) {
        copy_->discard();
        in.add_text(
            fmt::format("No copy: it is not whole, and '{}' is as it was before.\n", copy_to_.string()));
    }
}

void disk_copy_scenario::guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) {
    result_ = guest::copy_disk(
        kernel, cpu, kernel.block(0), kernel.block(1),
        {.chunk = static_cast<std::uint32_t>(chunk_), .depth = depth_, .clear_buffers = clear_buffers_});
}

void disk_copy_scenario::judge(platform::native_machine& after, platform::session& in) {
    in.expect(after.finished() && result_.ok() && result_.bytes == disk_size_,
              fmt::format("the guest read the {} of its first disk and wrote them to the second",
                          platform::format_size(disk_size_)));
    // What has not been copied to its end is not compared.
    whole_ = after.finished() && result_.ok() && equal(after.disk(0), after.disk(1));
    in.expect(whole_, "the copy equals the original, byte for byte");
    write_error_ = after.disk(1).write_error();
    if (copy_ && write_error_ != 0) {
        copy_->fail(write_error_);
    }
}
