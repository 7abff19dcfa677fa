// SPDX-License-Identifier: Apache-2.0
#include "disk_copy.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
an ordinary guest: virtio hands out guest physical addresses, and the host reads all of memory.

An ordinary guest copies a disk. Its devices do not offer ACCESS_PLATFORM, so virtio chooses virtio_direct_dma_ops and
hands out guest physical addresses: no copy, no hypercall, and nothing between the host and the guest's memory. The
planted canaries are all in the host's view, and the ledger names their bytes.)";

class direct_block : public disk_copy_scenario {
public:
    direct_block() : disk_copy_scenario("direct_block", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override { machine.access_platform = false; }

    void judge(platform::native_machine& after, platform::session& in) override {
        disk_copy_scenario::judge(after, in);
        in.expect(after.devices_with(guest::dma_ops_choice::virtio_direct) == after.config().disks.size(),
                  "virtio chose virtio_direct_dma_ops for every device, ACCESS_PLATFORM being absent");
        in.expect(after.bytes_bounced() == 0, "no byte was bounced");
        in.expect(after.canaries_seen() == after.config().canaries,
                  "the host can read everything: every planted canary is in its view");
        in.expect(after.recorder().violations().total() == 0, "nobody broke a rule");
    }
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<direct_block>(argc, argv); }
