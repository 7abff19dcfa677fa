// SPDX-License-Identifier: Apache-2.0
//
// Simulated time grows with every cost, over all values that it may have, and other values are refused.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "dma_ops/call_form.h"
#include "guest/kernel.h"
#include "hypervisor/hostile_host.h"
#include "platform/native/native_machine.h"
#include "tests/support/simulation.h"
#include "timing/cost_range.h"

namespace pefsim::platform {
namespace {

using cpu::native::native_cpu;

/// A secure guest with SWIOTLB, or an ordinary one behind the IOMMU. Nothing of it runs in parallel, so that a cost
/// cannot change who comes first.
native_machine_config configured(bool secure) {
    native_machine_config config;
    config.memory_size = std::uint64_t{8} << 20;
    config.canaries = 0;
    config.secure = secure;
    config.platform_dma_ops = secure ? dma_operations::swiotlb : dma_operations::none;
    config.access_platform = !secure;
    config.swiotlb_size = std::uint64_t{1} << 20;
    config.disks = {disk_config{.size = std::uint64_t{1} << 20}};
    config.entropy = true;
    config.time_limit = sc_core::sc_time(1e6, sc_core::SC_SEC);
    return config;
}

/// When a guest has read a block and some entropy, and used a page that its host had taken from it, one after the
/// other.
sc_core::sc_time end_of_run(const native_machine_config& config) {
    sc_core::sc_get_curr_simcontext()->reset();
    native_machine subject("machine", config, 1);
    subject.run([&](guest::kernel& kernel, native_cpu& cpu) {
        const guest::buffer block = kernel.alloc(4096);
        kernel.block(0).read(cpu, 0, block.at(), 4096);
        std::array<std::byte, 64> bytes;
        kernel.entropy(0).read(cpu, bytes);
        if (config.secure) {
            sc_core::sc_time delay;
            hypervisor::hostile_host(subject.host()).page_out(abi::gfn_of(block.at()), delay);
            cpu.read(block.at(), bytes);
        }
    });
    return subject.facts().elapsed;
}

class cost_test : public testing::simulation_test {};

TEST_F(cost_test, values_that_time_cannot_hold_are_refused_by_name) {
    for (const timing::cost& cost : timing::costs) {
        const timing::cost_range range = timing::range_of(cost);
        for (const double value :
             {-1.0, std::nextafter(range.least, -1), std::nextafter(range.most, 1e300), 1e18,
              std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
            native_machine_config config;
            config.costs.*cost.field = value;
            try {
                config.check();
                ADD_FAILURE() << cost.name << ' ' << value;
            } catch (const std::invalid_argument& refusal) {
                EXPECT_EQ(std::string(refusal.what()).find("timing." + std::string(cost.name) + ": "), 0U);
            }
        }
        for (const double value : {range.least, range.most}) {
            native_machine_config config;
            config.costs.*cost.field = value;
            EXPECT_NO_THROW(config.check()) << cost.name << ' ' << value;
        }
    }
    native_machine_config config;
    config.costs.memcpy_gb_per_s = 1e-18;
    EXPECT_THROW(config.check(), std::invalid_argument);
}

/// 12 decades up to the most that is allowed, every third with a neighbour.
std::vector<double> values(const timing::cost& cost) {
    const timing::cost_range range = timing::range_of(cost);
    std::vector<double> result{range.least};
    for (int decade = -12; decade <= 0; ++decade) {
        const double value = range.most * std::pow(10, decade);
        for (const double each : {value, decade % 3 == 0 ? value * 1.25 : value}) {
            if (range.contains(each) && each != result.back()) {
                result.push_back(each);
            }
        }
    }
    return result;
}

/// The way of calling DMA operations that a cost is of, if it is of one.
dma_ops::call_form calls_of(std::string_view cost) {
    return cost == "indirect_call"           ? dma_ops::call_form::predicted
           : cost == "indirect_call_barrier" ? dma_ops::call_form::retpoline
           : cost == "static_call"           ? dma_ops::call_form::static_call
                                             : dma_ops::call_form::direct;
}

TEST_F(cost_test, a_run_takes_longer_with_every_cost) {
    for (const timing::cost& cost : timing::costs) {
        bool counts = false;
        for (const bool secure : {true, false}) {
            native_machine_config config = configured(secure);
            config.dma_calls = calls_of(cost.name);
            const timing::cost_range range = timing::range_of(cost);
            const auto end_with = [&](double value) {
                config.costs.*cost.field = value;
                return end_of_run(config);
            };
            if (end_with(range.least) == end_with(range.most)) {
                continue;  // this guest does not need it
            }
            std::vector<sc_core::sc_time> ends;
            for (const double value : values(cost)) {
                ends.push_back(end_with(value));
                if (ends.size() > 1) {
                    const sc_core::sc_time& before = ends[ends.size() - 2];
                    EXPECT_TRUE(cost.unit == "GB/s" ? ends.back() <= before : ends.back() >= before)
                        << cost.name << '=' << value << " ends at " << ends.back() << " after " << before;
                }
            }
            counts = true;
        }
        // Of a POWER9 core, which tests/platform/power_machine_test.cpp drives, of XIVE's interrupts, and of a network.
        const bool used = cost.name != "instruction" && cost.name != "interrupt_return" &&
                          !cost.name.starts_with("net_");
        EXPECT_EQ(counts, used) << cost.name;
    }
}

}  // namespace
}  // namespace pefsim::platform
