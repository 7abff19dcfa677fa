// SPDX-License-Identifier: Apache-2.0
#include "disk_copy.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
the main job: a secure guest copies a disk through bounce buffers; the host sees the pool and nothing else.

The main job: a guest makes itself secure, its platform's hook gives every virtio device SWIOTLB's DMA operations, and
it copies a disk. Each buffer bounces through a pool in shared pages; devices on the untrusted host never meet a page
that is not shared, and no planted canary reaches the host. Follow a request in the trace: submit, map, copy to the
bounce buffer, ring, doorbell (reflected), device, interrupt, copy back. With --clear-buffers no the guest reads into
recycled memory as it is, and SWIOTLB shows the host what stood there: the ledger names the bytes.)";

class swiotlb_block : public disk_copy_scenario {
public:
    swiotlb_block() : disk_copy_scenario("swiotlb_block", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
    }

    void judge(platform::native_machine& after, platform::session& in) override {
        disk_copy_scenario::judge(after, in);
        in.expect(after.guest_secure(), "the guest made itself secure (UV_ESM, MSR[S]=1)");
        in.expect(after.devices_with(guest::dma_ops_choice::platform_override) == after.config().disks.size(),
                  "the platform's hook gave every virtio device SWIOTLB's DMA operations");
        in.expect(after.device_accesses() > 0 && after.device_accesses_not_shared() == 0,
                  "every address that a device saw lies in a shared page");
        in.expect(after.bytes_bounced() >= 3 * after.disk(0).size(),
                  "every byte bounced: read data into the pool and back out of it, written data into it");
        if (clears_buffers()) {
            in.expect(after.canaries_seen() == 0, "no planted canary reached the host by any channel");
        } else {
            in.expect(after.canaries_seen() > 0,
                      "a canary in recycled memory reached the host: SWIOTLB copied the old "
                      "content of a buffer that the device was to fill");
        }
        in.expect(after.recorder().violations().total() == 0, "nobody broke a rule");
    }
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<swiotlb_block>(argc, argv); }
