// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <stdexcept>
#include <string_view>

namespace pefsim::platform {

/// Does `what`; what it complains about is about `option`.
template <typename F>
auto about(std::string_view option, F what) {
    try {
        return what();
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(fmt::format("{}: {}", option, wrong.what()));
    }
}

}  // namespace pefsim::platform
