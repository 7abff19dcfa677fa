// SPDX-License-Identifier: Apache-2.0
//
// What a scenario adds to its machines in build(): modules, DMA operations, devices and their drivers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dma_ops/direct_dma_ops.h"
#include "platform/native/native_scenario.h"
#include "report/metrics.h"
#include "tests/support/simulation.h"
#include "virtio/entropy.h"

namespace pefsim::platform {
namespace {

using cpu::native::native_cpu;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two machines, one after the other; each test adds to them what it wants.
class two_machines : public native_scenario {
public:
    two_machines() : native_scenario("two_machines", "A scenario for tests.") {}

    std::function<void(native_machine_config&)> in_configure = [](native_machine_config&) {};
    std::function<void(native_machine&)> in_build;
    std::function<void(guest::kernel&, native_cpu&)> in_guest = [](guest::kernel&, native_cpu&) {};
    std::function<void(native_machine&)> in_judge = [](native_machine&) {};

    void configure(native_machine_config& machine) override { in_configure(machine); }
    void build(native_machine& machine) override { in_build(machine); }
    void run(session& in) override {
        for (const std::string_view label : {"first", "second"}) {
            run_machine(in, config(), in_guest,
                        [&](native_machine& after) {
                            in.expect(after.finished(), "the guest finished");
                            in_judge(after);
                        },
                        {.label = std::string(label)});
        }
    }
};

class additions : public testing::simulation_test {
protected:
    static void run(two_machines& subject) {
        constexpr std::array options{"two_machines", "--quiet", "--no-trace"};
        EXPECT_EQ(run_scenario(subject, static_cast<int>(options.size()), options.data()), 0);
    }
};

TEST_F(additions, live_as_long_as_their_machine_and_go_in_reverse_order) {
    struct part {
        part(std::vector<std::string>& log, std::string_view called) : story(log), name(called) {
            story.push_back("begin " + name);
        }
        ~part() { story.push_back("end " + name); }
        std::vector<std::string>& story;
        std::string name;
    };
    std::vector<std::string> story;
    two_machines subject;
    subject.in_build = [&](native_machine& machine) {
        machine.own<part>(story, "a");
        machine.own<part>(story, "b");
    };
    subject.in_judge = [&](native_machine&) { story.emplace_back("judged"); };
    run(subject);
    EXPECT_THAT(story, ElementsAre("begin a", "begin b", "judged", "end b", "end a",  //
                                   "begin a", "begin b", "judged", "end b", "end a"));
}

/// As direct, under another name.
class mine : public dma_ops::direct_dma_ops {
public:
    using direct_dma_ops::direct_dma_ops;
    [[nodiscard]] std::string_view operations() const override { return "mine"; }
};

TEST_F(additions, dma_operations_of_the_architecture_and_of_the_platform) {
    for (const bool platform : {false, true}) {
        two_machines subject;
        subject.in_configure = [&](native_machine_config& machine) {
            machine.iommu = false;
            machine.arch_dma_ops = dma_operations::direct;
            machine.access_platform = true;  // the device is the architecture's, not virtio's
            machine.override_when = platform ? guest::platform_override::always
                                             : guest::platform_override::never;
            machine.disks = {disk_config{}};
        };
        subject.in_build = [&](native_machine& machine) {
            auto& operations = machine.own<mine>("mine", machine.recorder(),
                                                 dma_ops::direct_dma_ops::config{});
            platform ? machine.use_as_platform(operations) : machine.use_as_arch(operations);
        };
        subject.in_guest = [](guest::kernel& kernel, native_cpu& cpu) {
            const guest::buffer block = kernel.alloc(512);
            kernel.block(0).read(cpu, 0, block.at(), 512);
        };
        subject.in_judge = [&](native_machine& after) {
            EXPECT_EQ(after.devices_with(platform ? guest::dma_ops_choice::platform_override
                                                  : guest::dma_ops_choice::architecture_default),
                      1U);
            EXPECT_GT(after.counter("mine", "maps"), 0U);
            EXPECT_EQ(after.counter("direct", "maps"), 0U);
            EXPECT_THAT(after.kernel().messages(), Contains(HasSubstr("virtio-blk0: dma_ops mine")));
        };
        run(subject);
    }
}

TEST_F(additions, a_device_has_the_next_slot_and_the_first_driver_of_its_type_that_is_free) {
    two_machines subject;
    backend::entropy_source source(1);
    std::vector<guest::virtio_rng_driver*> drivers;
    subject.in_configure = [](native_machine_config& machine) { machine.disks = {disk_config{}}; };
    subject.in_build = [&](native_machine& machine) {
        drivers.clear();
        for (const std::string_view name : {"virtio-rng0", "virtio-rng1", "virtio-rng2"}) {
            machine.add_device<virtio::entropy>(std::string(name), {.costs = machine.config().costs})
                .source(source);
        }
        for (const std::string_view name : {"virtio-left", "virtio-right"}) {
            drivers.push_back(&machine.kernel().add_driver<guest::virtio_rng_driver>(name));
        }
        EXPECT_EQ(machine.host_bridge().function(4U << 3)->basename(), std::string("virtio-rng2"));
    };
    subject.in_guest = [&](guest::kernel&, native_cpu& cpu) {
        for (guest::virtio_rng_driver* const each : drivers) {
            std::vector<std::byte> bytes(100);
            EXPECT_EQ(each->read(cpu, bytes), 100U);
        }
    };
    subject.in_judge = [](native_machine& after) {
        EXPECT_EQ(after.counter("kernel.virtio_left", "bytes"), 100U);
        EXPECT_EQ(after.counter("virtio-rng0.entropy", "bytes"), 100U);
        EXPECT_EQ(after.counter("virtio-rng1.entropy", "bytes"), 100U);
        EXPECT_EQ(after.counter("virtio-rng2.entropy", "bytes"), 0U);
        EXPECT_THAT(after.kernel().messages(), Contains(HasSubstr("pci 04.0: one device more than drivers")));
    };
    run(subject);
}

}  // namespace
}  // namespace pefsim::platform
