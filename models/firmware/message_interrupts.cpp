// SPDX-License-Identifier: Apache-2.0
#include "firmware/message_interrupts.h"

#include <algorithm>

#include "firmware/pci_address.h"
#include "firmware/rtas_service.h"

/// RTAS for message-signalled interrupts. PAPR 2.8, 7.3.10.5. Firmware writes address and data of each vector into the
/// function's MSI-X table; an operating system masks, enables, and reads them back.
namespace pefsim::firmware {

using abi::rtas_status;

// --- who has which

std::optional<unsigned> message_interrupts::find_free(unsigned count) const {
    unsigned run = 0;
    for (unsigned each = 0; each < sources; ++each) {
        run = taken_[each] ? 0 : run + 1;
        if (run == count) {
            return each + 1 - count;
        }
    }
    return std::nullopt;
}

unsigned message_interrupts::available(unsigned devfn) const {
    taken_sources others = taken_;
    mark(others, of(devfn), false);
    unsigned longest = 0;
    unsigned run = 0;
    for (unsigned each = 0; each < sources; ++each) {
        run = others[each] ? 0 : run + 1;
        longest = std::max(longest, run);
    }
    return longest;
}

void message_interrupts::mark(taken_sources& in, const range& which, bool taken) {
    for (unsigned n = 0; n < which.count; ++n) {
        in[which.first - abi::platform::first_msi_source + n] = taken;
    }
}

bool message_interrupts::assign(unsigned devfn, unsigned count) {
    range& mine = ranges_.at(devfn);
    mark(taken_, mine, false);
    const std::optional<unsigned> first = count == 0 ? 0 : find_free(count);
    if (first) {
        mine = {abi::platform::first_msi_source + *first, count};
    }
    mark(taken_, mine, true);
    return first.has_value();
}

// --- calls

namespace {

/// The argument `function` of ibm,change-msi.
enum class change : std::uint32_t {
    query = 0,    ///< how many are assigned
    set_any = 1,  ///< of the platform's choice, which is the fourth result; with three results: MSI
    reset = 2,    ///< what the function had when the system began: none
    set_msi = 3,
    set_msix = 4,
};

/// Whether a request is one for MSI-X. No function here has MSI.
bool asks_for_msix(change which, std::size_t results) {
    constexpr std::size_t results_with_type = 3;  // behind the status
    return which == change::set_msix || (which == change::set_any && results >= results_with_type);
}

rtas_status change_msi(parts& here, const rtas_call& of) {
    constexpr std::uint32_t type_msix = 2;
    pci::pci_function* function = function_at(here.bridge, of.argument(0), of.wide_argument(1));
    const std::uint32_t requested = of.argument(4);
    const std::uint32_t sequence = of.argument(5);
    const auto answer = [&](rtas_status status, std::uint32_t count) {
        of.result(0, count);
        of.result(1, sequence + 1);
        if (of.results.size() > 2) {
            of.result(2, type_msix);
        }
        return status;
    };
    if (function == nullptr) {
        return answer(rtas_status::parameter_error, 0);
    }
    const unsigned devfn = function->devfn();
    const auto which = static_cast<change>(of.argument(3));
    if (which == change::query) {
        return answer(rtas_status::success, here.messages.of(devfn).count);
    }
    if (which > change::set_msix) {
        return answer(rtas_status::parameter_error, 0);
    }
    const std::uint32_t wanted = which == change::reset ? 0 : requested;
    const bool possible = asks_for_msix(which, of.results.size()) && function->msix_size() != 0;
    if (wanted != 0 && !possible) {
        return answer(rtas_status::parameter_error, 0);
    }
    const unsigned count = std::min({wanted, function->msix_size(), here.messages.available(devfn)});
    if ((wanted != 0 && count == 0) || !here.messages.assign(devfn, count)) {
        return answer(rtas_status::hardware_error, 0);
    }
    for (unsigned n = 0; n < count; ++n) {
        function->set_message(n, {abi::platform::msi_address, here.messages.of(devfn).first + n});
    }
    return answer(rtas_status::success, count);
}

rtas_status query_interrupt_source_number(parts& here, const rtas_call& of) {
    constexpr std::uint32_t edge = 0;
    const pci::pci_function* function = function_at(here.bridge, of.argument(0), of.wide_argument(1));
    const std::uint32_t vector = of.argument(3);
    if (function == nullptr || vector >= here.messages.of(function->devfn()).count) {
        return rtas_status::parameter_error;
    }
    of.result(0, here.messages.of(function->devfn()).first + vector);
    of.result(1, edge);
    return rtas_status::success;
}

constexpr std::array rows{
    rtas_service{abi::rtas::change_msi, change_msi},
    rtas_service{abi::rtas::query_interrupt_source_number, query_interrupt_source_number},
};

}  // namespace

std::span<const rtas_service> message_interrupt_services() { return rows; }

}  // namespace pefsim::firmware
