// SPDX-License-Identifier: Apache-2.0
#include "backend/frame_capture.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace pefsim::backend {

using sc_core::sc_time;

frame_capture::frame_capture(const sc_core::sc_module_name& module_name, std::filesystem::path file,
                             std::string_view interface, description describe)
    : sc_module(module_name),
      file_(std::move(file), interface),
      describe_(std::move(describe)) {
    SC_METHOD(write_due);
    sensitive << due_;
    dont_initialize();
}

std::string frame_capture::comment_on(std::span<const frame_buffer> buffers) const {
    std::string comment;
    for (const frame_buffer& each : buffers.first(std::min(buffers.size(), most_described))) {
        comment += (comment.empty() ? "" : "; ") + describe_(each);
    }
    if (buffers.size() > most_described) {
        comment += fmt::format("; and {} more", buffers.size() - most_described);
    }
    return comment;
}

void frame_capture::record(std::span<const std::byte> frame, frame_direction direction,
                           std::span<const frame_buffer> buffers, const sc_time& when) {
    record(frame, direction, comment_on(buffers), when);
}

void frame_capture::record(std::span<const std::byte> frame, frame_direction direction,
                           std::string_view remark, const sc_time& when) {
    waiting_.emplace(when, waiting_frame{{frame.begin(), frame.end()}, direction, std::string(remark)});
    write_due();
}

void frame_capture::write_due() {
    const sc_time now = sc_core::sc_time_stamp();
    write_until(now);
    if (!waiting_.empty()) {
        due_.notify(waiting_.begin()->first - now);
    }
}

void frame_capture::write_until(const sc_time& when) {
    const auto later = waiting_.upper_bound(when);
    for (auto each = waiting_.begin(); each != later; ++each) {
        file_.record(each->second.bytes, each->second.direction, each->first, each->second.comment);
    }
    waiting_.erase(waiting_.begin(), later);
}

void frame_capture::commit() {
    write_until(sc_core::sc_max_time());
    file_.commit();
}

}  // namespace pefsim::backend
