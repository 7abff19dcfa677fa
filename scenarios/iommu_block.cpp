// SPDX-License-Identifier: Apache-2.0
#include "disk_copy.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
an ordinary guest with ACCESS_PLATFORM: each buffer is mapped by hypercall, for the device alone.

An ordinary guest whose devices offer ACCESS_PLATFORM copies a disk. virtio keeps the architecture's DMA operations:
each buffer gets entries in the device's TCE table by H_PUT_TCE or H_PUT_TCE_INDIRECT, and loses them by H_STUFF_TCE.
Nothing is copied, but every mapping is a call. The table protects the guest from its devices, not from its
hypervisor, which still reads all of memory.)";

class iommu_block : public disk_copy_scenario {
public:
    iommu_block() : disk_copy_scenario("iommu_block", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.access_platform = true;
        machine.arch_dma_ops = platform::dma_operations::iommu;
    }

    void judge(platform::native_machine& after, platform::session& in) override {
        disk_copy_scenario::judge(after, in);
        in.expect(after.devices_with(guest::dma_ops_choice::architecture_default) ==
                      after.config().disks.size(),
                  "virtio kept the architecture's DMA operations, ACCESS_PLATFORM being negotiated");
        in.expect(after.hypercalls({abi::hcall::h_put_tce, abi::hcall::h_put_tce_indirect}) > 0 &&
                      after.hypercalls({abi::hcall::h_stuff_tce}) > 0,
                  "buffers were mapped and unmapped by hypercall");
        in.expect(after.counter("pci", "iommu_bypasses") == 0, "every device access went through a TCE");
        in.expect(after.bytes_bounced() == 0, "no byte was bounced");
        in.expect(after.recorder().violations().total() == 0, "nobody broke a rule");
    }
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<iommu_block>(argc, argv); }
