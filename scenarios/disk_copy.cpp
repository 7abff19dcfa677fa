// SPDX-License-Identifier: Apache-2.0
#include "disk_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "backend/disk_image.h"
#include "platform/quantity.h"

namespace fs = std::filesystem;
using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a programme, not a library

namespace {

constexpr std::uint64_t largest_chunk = std::uint64_t{16} << 20;

bool equal(backend::block_backend_if& one, backend::block_backend_if& other) {
    constexpr std::uint64_t piece = std::uint64_t{1} << 20;
    std::vector<std::byte> left(piece);
    std::vector<std::byte> right(piece);
    for (std::uint64_t at = 0; at < one.size(); at += piece) {
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
    parameters.add("disk", disk_, "raw image to copy, never written; none: a disk in memory");
    parameters.add("copy-to", copy_to_,
                   "raw image that is created, or replaced, as the copy; none: a disk in memory");
    parameters.add("disk-size", disk_size_, platform::quantity::bytes, "bytes", "size of a disk in memory");
    parameters.add("chunk", chunk_, platform::quantity::bytes, "bytes", "how much is copied at a time");
    parameters.add("depth", depth_, "chunks", "how many chunks are under way at once, of each CPU");
    parameters.add("clear-buffers", clear_buffers_,
                   "the guest clears recycled memory before it reads into it");
}

void disk_copy_scenario::prepare(platform::machine_config& machine) {
    if (chunk_ == 0 || chunk_ % backend::sector_size != 0 || chunk_ > largest_chunk) {
        throw std::invalid_argument(fmt::format("chunk: {} is not a multiple of 512B up to {}",
                                                platform::format_size(chunk_),
                                                platform::format_size(largest_chunk)));
    }
    if (depth_ == 0 || depth_ > 1024) {
        throw std::invalid_argument(fmt::format("depth: {} is not within 1 to 1024", depth_));
    }
    if (!disk_.empty()) {
        disk_size_ = backend::disk_image(disk_, backend::image_mode::read_only).size();
    }
    std::error_code none;
    if (!disk_.empty() && !copy_to_.empty() && fs::equivalent(disk_, copy_to_, none)) {
        throw std::invalid_argument(fmt::format("copy-to: '{}' is the disk itself", copy_to_.string()));
    }
    machine.disks = {
        {.image = disk_, .access = platform::disk_access::read_only, .size = disk_size_},
        {.image = copy_to_, .access = platform::disk_access::read_write, .size = disk_size_, .blank = true},
    };
}

void disk_copy_scenario::create_copy() const {
    std::error_code error;
    if (std::ofstream(copy_to_, std::ios::trunc | std::ios::binary)) {
        fs::resize_file(copy_to_, disk_size_, error);
    } else {
        error = std::make_error_code(std::errc::io_error);
    }
    if (error) {
        throw std::invalid_argument(fmt::format("copy-to: '{}' cannot be written", copy_to_.string()));
    }
}

void disk_copy_scenario::run(platform::session& in) {
    if (!copy_to_.empty() && !in.options().list_signals) {
        config().check();
        create_copy();
        in.add_file("copy", copy_to_);
    }
    scenario::run(in);
}

void disk_copy_scenario::guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) {
    result_ = guest::copy_disk(
        kernel, cpu, kernel.block(0), kernel.block(1),
        {.chunk = static_cast<std::uint32_t>(chunk_), .depth = depth_, .clear_buffers = clear_buffers_});
}

void disk_copy_scenario::judge(platform::machine& after, platform::session& in) {
    in.expect(after.finished() && result_.ok() && result_.bytes == disk_size_,
              fmt::format("the guest read the {} of its first disk and wrote them to the second",
                          platform::format_size(disk_size_)));
    in.expect(equal(after.disk(0), after.disk(1)), "the copy equals the original, byte for byte");
}
