// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "hypervisor/services.h"

/// The Ultravisor's hypercalls (Documentation/powerpc/ultravisor.rst of the kernel): for it only, H_UNSUPPORTED for a
/// guest.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

h_status h_svm_page_in(host& here, const call& of) {
    return here.guest.page_in(abi::phys_addr{of.argument(0)}, of.argument(1), of.argument(2), of.context);
}

h_status h_svm_page_out(host& here, const call& of) {
    return here.guest.page_out(abi::phys_addr{of.argument(0)}, of.argument(1), of.argument(2), of.context);
}

h_status h_svm_init_start(host& here, const call& of) { return here.guest.init_start(of.context); }
h_status h_svm_init_done(host& here, const call& of) { return here.guest.init_done(of.context); }
h_status h_svm_init_abort(host& here, const call& of) { return here.guest.init_abort(of.context); }

template <abi::h_status (*serve)(host&, const call&)>
h_status for_the_ultravisor(host& here, const call& of) {
    return of.from_secure_guest() ? serve(here, of) : h_status::h_unsupported;
}

constexpr std::array rows{
    service{abi::hcall::h_svm_page_in, for_the_ultravisor<h_svm_page_in>},
    service{abi::hcall::h_svm_page_out, for_the_ultravisor<h_svm_page_out>},
    service{abi::hcall::h_svm_init_start, for_the_ultravisor<h_svm_init_start>},
    service{abi::hcall::h_svm_init_done, for_the_ultravisor<h_svm_init_done>},
    service{abi::hcall::h_svm_init_abort, for_the_ultravisor<h_svm_init_abort>},
};

}  // namespace

std::span<const service> secure_guest_services() { return rows; }

}  // namespace pefsim::hypervisor
