// SPDX-License-Identifier: Apache-2.0
#include "platform/native/native_scenario.h"

using namespace pefsim;

/// A secure guest writes a block, reads it back, and the host never sees a canary.
class my_block_scenario : public platform::native_scenario {
public:
    my_block_scenario()
        : native_scenario("my_block", "Writes one block through SWIOTLB and reads it back.") {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
        machine.disks = {platform::disk_config{}};
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        const guest::buffer out = kernel.alloc(4096);
        const guest::buffer in = kernel.alloc(4096);
        cpu.fill(out.at(), 4096, std::byte{0x5a});
        cpu.fill(in.at(), 4096, std::byte{0});
        kernel.block(0).write(cpu, 0, out.at(), 4096);
        kernel.block(0).read(cpu, 0, in.at(), 4096);
        same_ = cpu.load<std::uint64_t>(in.at()) == 0x5a5a'5a5a'5a5a'5a5a;
    }

    void judge(platform::native_machine& after, platform::session& session) override {
        session.expect(after.finished() && same_, "the guest read what it had written");
        session.expect(after.canaries_seen() == 0, "no canary reached the host");
    }

private:
    bool same_ = false;
};

int main(int argc, char** argv) { return platform::run_scenario<my_block_scenario>(argc, argv); }
