// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "linux/linux_scenario.h"

namespace pefsim::linux_guest {

/// Scenarios of a Linux that asks to become secure (PPC_SVM, svm=on), so that its virtio devices may only be told of
/// memory that it shares: SWIOTLB's.
///
/// | told to Linux or to its devices     | here                | without it                                      |
/// |-------------------------------------|---------------------|-------------------------------------------------|
/// | svm=on                              | always              | an ordinary guest                               |
/// | swiotlb=2048,force                  | boot_with()         | no pool is there when init_svm() wants to share |
/// |                                     |                     | it (5.19 to 7.2): buffers are private           |
/// | VIRTIO_F_ACCESS_PLATFORM            | configure()         | virtio does not use the DMA API: rings, too     |
/// | dynamic DMA windows                 | always offered      | 32-bit TCEs, which SWIOTLB is not asked for     |
class secure_linux : public linux_scenario {
public:
    using linux_scenario::linux_scenario;

    void configure(platform::power_machine_config& machine) override;

protected:
    /// The guest has become secure, and Linux knows it.
    static void judge_secure(platform::power_machine& after, platform::session& in);
    /// Nobody outside has touched, or was told of, a page that the guest does not share.
    static void judge_privacy(const platform::power_machine& after, platform::session& in);
    /// Linux shares what it has to share, and no page more; who has shared each of those that it need not is named.
    static void judge_shares(const platform::power_machine& after, platform::session& in);
    /// Host and devices were told of private pages: by which driver, in how many.
    static void expect_private_addresses(platform::power_machine& after, platform::session& in);
};

}  // namespace pefsim::linux_guest
