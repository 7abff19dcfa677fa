// SPDX-License-Identifier: Apache-2.0
#include "platform/power/guest_view.h"

#include <boost/endian/conversion.hpp>

#include "platform/power/guest_words.h"

namespace pefsim::platform {

guest_view::guest_view(const power::registers& state, const memory::memory_bus& memory,
                       const power::mmu::partition& partition)
    : state_(state),
      memory_(memory) {
    tables_.use(partition.processes());
}

template <class T>
std::optional<T> guest_view::at_real(std::uint64_t real, memory::access_kind kind) const {
    return guest_word<T>(memory_, real, (state_.msr & power::msr_s) != 0, kind);
}

template <class T>
std::optional<T> guest_view::at(std::uint64_t ea, power::access_kind kind) {
    const power::translation found = addresses_.translate(state_, ea, kind);
    if (found.error != power::storage_error::none) {
        return std::nullopt;
    }
    const auto bytes = at_real<T>(found.real, kind == power::access_kind::fetch ? memory::access_kind::fetch
                                                                                : memory::access_kind::read);
    return bytes && (state_.msr & power::msr_le) == 0 ? boost::endian::endian_reverse(*bytes) : bytes;
}

std::optional<std::uint32_t> guest_view::instruction(std::uint64_t ea) {
    return at<std::uint32_t>(ea, power::access_kind::fetch);
}

std::optional<std::uint64_t> guest_view::doubleword(std::uint64_t ea) {
    return at<std::uint64_t>(ea, power::access_kind::load);
}

bool guest_view::read(std::uint64_t real, std::uint64_t& value) {
    const auto found = at_real<std::uint64_t>(real, memory::access_kind::read);
    value = boost::endian::big_to_native(found.value_or(0));
    return found.has_value();
}

}  // namespace pefsim::platform
