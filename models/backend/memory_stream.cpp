// SPDX-License-Identifier: Apache-2.0
#include "backend/memory_stream.h"

#include <algorithm>
#include <cstring>

namespace pefsim::backend {

std::size_t memory_stream::read(std::span<std::byte> to) {
    const std::size_t size = std::min(to.size(), input_.size() - taken_);
    std::memcpy(to.data(), input_.data() + taken_, size);
    taken_ += size;
    if (taken_ == input_.size()) {
        input_.clear();
        taken_ = 0;
    }
    return size;
}

void memory_stream::write(std::span<const std::byte> from) {
    output_.append(reinterpret_cast<const char*>(from.data()), from.size());
}

void memory_stream::feed(std::string_view text) {
    input_ += text;
    if (device_ != nullptr && !text.empty()) {
        device_->input_ready();
    }
}

void memory_stream::connect(bool connected) {
    if (connected_ != connected) {
        connected_ = connected;
        if (device_ != nullptr) {
            device_->connection_changed();
        }
    }
}

}  // namespace pefsim::backend
