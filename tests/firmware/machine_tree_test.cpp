// SPDX-License-Identifier: Apache-2.0
//
// The device tree that firmware makes of a machine: dtc has nothing to say about it, and it agrees with abi/platform.h.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "abi/platform.h"
#include "firmware/machine_tree.h"
#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

namespace platform = abi::platform;
using device_tree::node;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

struct kind {
    const char* name;
    unsigned cpus;
    std::uint64_t ram_size;
    unsigned devices;
    bool with_files;
};

constexpr kind kinds[] = {{"one_cpu_no_devices", 1, 256 * mib, 0, false},
                          {"three_cpus_one_device", 3, 512 * mib, 1, true},
                          {"all_cpus_many_devices", 64, 64 * gib, 60, true}};

/// A machine's bridge with devices, and firmware's description of all of it.
struct described {
    explicit described(const kind& what)
        : bridge("bridge", recorder, {.ram_size = what.ram_size, .costs = {}}) {
        for (unsigned n = 0; n < what.devices; ++n) {
            // Two functions each for devices 1, 2 ...; some without MSI-X or pin, in all classes that have a name.
            constexpr std::uint32_t classes[] = {0x01'0000, 0x02'0000, 0x07'8000, 0x00'ff00};
            const pci::pci_function::config config{.vendor_id = 0x1af4,
                                                   .device_id = static_cast<std::uint16_t>(0x1040 + n),
                                                   .class_code = classes[n % 4],
                                                   .bar_size = std::uint64_t{0x1000} << n % 9,
                                                   .msix_vectors = n % 5 == 4 ? 0 : 1 + 30 * n,
                                                   .interrupt_pin = static_cast<std::uint8_t>(n % 5),
                                                   .costs = {}};
            pci::pci_function& device = devices.emplace_back(fmt::format("device{}", n).c_str(), recorder,
                                                             config);
            bridge.attach(abi::pci::devfn(1 + n / 2, n % 2), device);
        }
        machine_description machine{.ram_size = what.ram_size,
                                    .cpus = what.cpus,
                                    .bridge = bridge,
                                    .command_line = what.with_files ? "console=hvc0 quiet" : ""};
        if (what.with_files) {
            machine.kernel = extent{.at = 4 * mib, .size = 20 * mib};
            machine.initrd = extent{.at = 32 * mib, .size = 12345};
        }
        assign_addresses(bridge);
        describe_machine(tree, machine);
    }

    trace::recorder recorder;
    pci::host_bridge bridge;
    std::deque<silent_device> devices;
    device_tree::tree tree;
};

words cells(const node& of, std::string_view name) {
    const device_tree::property* found = of.find(name);
    if (found == nullptr) {
        return {};
    }
    std::vector<boost::endian::big_uint32_t> big(found->value.size() / 4);
    std::ranges::copy(std::span(found->value).first(4 * big.size()),
                      std::as_writable_bytes(std::span(big)).begin());
    return {big.begin(), big.end()};
}
std::string text(const node& of, std::string_view name) {
    const device_tree::property* found = of.find(name);
    return found == nullptr ? "" : reinterpret_cast<const char*>(found->value.data());
}
std::uint64_t wide(const words& all, std::size_t at) {
    return std::uint64_t{all.at(at)} << 32 | all.at(at + 1);
}

class machine_tree_test : public testing::simulation_test, public ::testing::WithParamInterface<kind> {
protected:
    described subject{GetParam()};

    node& bridge() { return *subject.tree.find(fmt::format("/pci@{:x}", platform::bridge_unit)); }
};

INSTANTIATE_TEST_SUITE_P(machines, machine_tree_test, ::testing::ValuesIn(kinds),
                         [](const auto& each) { return std::string(each.param.name); });

// --- dtc

/// What dtc says of a flat tree.
std::string judged(std::span<const std::byte> blob, std::string_view options, const std::string& name) {
    const std::filesystem::path folder = ::testing::TempDir();
    const std::filesystem::path file = folder / fmt::format("pefsim-{}-{}.dtb", name, ::getpid());
    const std::filesystem::path said = folder / fmt::format("pefsim-{}-{}.txt", name, ::getpid());
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(blob.data()), static_cast<std::streamsize>(blob.size()));
    const std::string command = fmt::format("dtc -I dtb {} -o /dev/null '{}' 2>'{}'", options, file.string(),
                                            said.string());
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    std::ostringstream words;
    words << std::ifstream(said).rdbuf();
    std::filesystem::remove(file);
    std::filesystem::remove(said);
    return status == 0 ? words.str() : fmt::format("status {}\n{}", status, words.str());
}

bool has_dtc() {
    return std::system("dtc --version >/dev/null 2>&1") == 0;  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
}

TEST_P(machine_tree_test, dtc_reads_it_without_a_warning) {
    if (!has_dtc()) {
        GTEST_SKIP() << "no dtc (Debian: device-tree-compiler)";
    }
    const std::vector<std::byte> blob = subject.tree.flatten();
    EXPECT_EQ(judged(blob, "-O dts", GetParam().name), "");
    EXPECT_EQ(judged(blob, "-O dtb", GetParam().name), "");
}

// --- processors and memory

TEST_P(machine_tree_test, each_processor_has_a_node_and_an_interrupt_server) {
    const node& cpus = *subject.tree.find("/cpus");
    ASSERT_EQ(cpus.children().size(), GetParam().cpus);
    for (std::uint32_t number = 0; number < GetParam().cpus; ++number) {
        const node& core = *subject.tree.find(fmt::format("/cpus/PowerPC,POWER9@{:x}", number));
        EXPECT_EQ(cells(core, "reg"), words{number});
        EXPECT_EQ(cells(core, "ibm,ppc-interrupt-server#s"), words{number});
        EXPECT_EQ(text(core, "device_type"), "cpu");
        EXPECT_EQ(cells(core, "timebase-frequency"), words{512'000'000});
        EXPECT_EQ(cells(core, "ibm,dec-bits"), words{56});
        const device_tree::property& features = *core.find("ibm,pa-features");
        EXPECT_EQ(std::to_integer<std::size_t>(features.value[0]), features.value.size() - 2);
    }
    EXPECT_EQ(cells(*subject.tree.find("/interrupt-controller"), "ibm,interrupt-server-ranges"),
              (words{0, GetParam().cpus}));
}

TEST_P(machine_tree_test, memory_and_files_are_where_they_are) {
    const words memory = cells(*subject.tree.find("/memory@0"), "reg");
    EXPECT_EQ(wide(memory, 0), 0U);
    EXPECT_EQ(wide(memory, 2), GetParam().ram_size);
    const node& chosen = *subject.tree.find("/chosen");
    EXPECT_EQ(text(chosen, "bootargs"), GetParam().with_files ? "console=hvc0 quiet" : "");
    EXPECT_EQ(chosen.find("linux,initrd-start") != nullptr, GetParam().with_files);
    if (GetParam().with_files) {
        EXPECT_EQ(wide(cells(chosen, "linux,initrd-start"), 0), 32 * mib);
        EXPECT_EQ(wide(cells(chosen, "linux,initrd-end"), 0), 32 * mib + 12345);
    }
    EXPECT_NE(subject.tree.find(text(chosen, "stdout-path")), nullptr);
}

TEST_P(machine_tree_test, rtas_has_a_token_for_each_call) {
    const node& rtas = *subject.tree.find("/rtas");
    for (const abi::rtas_declaration& each : abi::rtas_declarations) {
        EXPECT_EQ(cells(rtas, each.name), words{static_cast<std::uint32_t>(each.token)}) << each.name;
    }
    const std::string functions(
        reinterpret_cast<const char*>(rtas.find("ibm,hypertas-functions")->value.data()),
        rtas.find("ibm,hypertas-functions")->value.size());
    for (const std::string_view needed :
         {"hcall-term", "hcall-interrupt", "hcall-tce", "hcall-vio", "hcall-splpar", "hcall-set-mode"}) {
        EXPECT_NE(functions.find(std::string(needed) + '\0'), std::string::npos) << needed;
    }
}

// --- virtual devices

TEST_P(machine_tree_test, the_terminals_interrupt_is_an_edge_of_the_virtual_devices_sources) {
    const device_tree::node& devices = *subject.tree.find("/vdevice");
    EXPECT_NE(devices.find("interrupt-controller"), nullptr);
    EXPECT_EQ(cells(devices, "#interrupt-cells"), words{2});
    EXPECT_EQ(cells(devices, "interrupt-ranges"), (words{0x1104, 1}));
    EXPECT_EQ(cells(*subject.tree.find("/vdevice/vty@71000000"), "interrupts"), (words{0x1104, 0}));
    EXPECT_EQ(subject.tree.find("/vdevice/nvram@71000001")->find("interrupts"), nullptr);
}

// --- the host bridge

TEST_P(machine_tree_test, bars_lie_in_the_window_and_not_on_one_another) {
    const words ranges = cells(bridge(), "ranges");
    ASSERT_EQ(ranges.size(), 7U);
    EXPECT_EQ(wide(ranges, 1), platform::pci_memory_base.value());
    EXPECT_EQ(wide(ranges, 3), platform::pci_memory_base.value());
    EXPECT_EQ(wide(ranges, 5), platform::pci_memory_size);
    std::vector<extent> bars;
    for (const auto& each : bridge().children()) {
        const words assigned = cells(*each, "assigned-addresses");
        const words reg = cells(*each, "reg");
        ASSERT_EQ(reg.size(), 5 + assigned.size()) << "configuration space, and each BAR";
        const unsigned devfn = reg[0] >> 8 & 0xff;
        pci::pci_function& function = *subject.bridge.function(devfn);
        for (std::size_t n = 0; n < assigned.size(); n += 5) {
            EXPECT_EQ(assigned[n] & ~0x8000'0000U, reg[n + 5]);
            EXPECT_EQ(assigned[n] >> 8 & 0xffff, devfn);
            const extent bar{.at = wide(assigned, n + 1), .size = wide(assigned, n + 3)};
            EXPECT_EQ(wide(reg, n + 8), bar.size);
            EXPECT_EQ(bar.at % bar.size, 0U);
            EXPECT_EQ(bar.at % 0x1'0000, 0U);
            EXPECT_GE(bar.at, platform::pci_memory_base.value());
            EXPECT_LE(bar.at + bar.size, platform::pci_memory_base.value() + platform::pci_memory_size);
            const unsigned offset = assigned[n] & 0xff;
            EXPECT_EQ(std::uint64_t{function.config_read(offset + 4, 4)} << 32 |
                          (function.config_read(offset, 4) & ~0xfU),
                      bar.at)
                << "what stands in the BAR";
            bars.push_back(bar);
        }
        EXPECT_NE(function.config_read(abi::pci::command, 2) & abi::pci::command_memory_space, 0U);
        EXPECT_EQ(function.config_read(abi::pci::command, 2) & abi::pci::command_bus_master, 0U);
    }
    std::ranges::sort(bars, {}, &extent::at);
    for (std::size_t n = 1; n < bars.size(); ++n) {
        EXPECT_LE(bars[n - 1].at + bars[n - 1].size, bars[n].at);
    }
}

TEST_P(machine_tree_test, each_function_is_what_its_configuration_space_says) {
    ASSERT_EQ(bridge().children().size(), GetParam().devices);
    for (const auto& each : bridge().children()) {
        const unsigned devfn = cells(*each, "reg")[0] >> 8 & 0xff;
        pci::pci_function& function = *subject.bridge.function(devfn);
        EXPECT_EQ(cells(*each, "vendor-id"), words{0x1af4});
        EXPECT_EQ(cells(*each, "device-id"), words{function.config_read(abi::pci::device_id, 2)});
        EXPECT_EQ(cells(*each, "class-code"), words{function.config_read(abi::pci::revision_id, 4) >> 8});
        const std::uint32_t pin = function.config_read(abi::pci::interrupt_pin, 1);
        EXPECT_EQ(cells(*each, "interrupts"), pin != 0 ? words{pin} : words{});
        EXPECT_EQ(cells(*each, "ibm,req#msi-x"),
                  function.msix_size() != 0 ? words{function.msix_size()} : words{});
        EXPECT_EQ(cells(*each, "ibm,dma-window"),
                  (words{static_cast<std::uint32_t>(platform::liobn_of(devfn)), 0, 0, 0,
                         static_cast<std::uint32_t>(platform::dma_window_size)}));
    }
}

TEST_P(machine_tree_test, the_interrupt_map_is_how_pins_are_wired) {
    const device_tree::phandle controller = subject.tree.find("/interrupt-controller")->handle();
    const words mask = cells(bridge(), "interrupt-map-mask");
    EXPECT_EQ(mask, (words{0xf800, 0, 0, 7}));
    const words map = cells(bridge(), "interrupt-map");
    ASSERT_EQ(map.size() % 7, 0U);
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> sources;
    for (std::size_t n = 0; n < map.size(); n += 7) {
        EXPECT_EQ(map[n + 4], controller);
        EXPECT_EQ(map[n + 6], 1U) << "level";
        EXPECT_EQ(map[n] & ~mask[0], 0U);
        EXPECT_TRUE(sources.insert({{map[n], map[n + 3]}, map[n + 5]}).second) << "one row for each pin";
    }
    for (const auto& each : bridge().children()) {
        const unsigned devfn = cells(*each, "reg")[0] >> 8 & 0xff;
        for (std::uint32_t pin = 1; pin <= 4; ++pin) {
            const unsigned device = abi::pci::device_of(devfn);
            const auto found = sources.find({device << 11, pin});
            ASSERT_NE(found, sources.end());
            EXPECT_EQ(found->second,
                      platform::first_lsi_source + (device + pin - 1) % platform::lsi_source_count);
        }
    }
    EXPECT_EQ(wide(cells(bridge(), "reg"), 0), platform::bridge_unit);
}

// --- what does not fit

class large_bars_test : public testing::simulation_test {
protected:
    /// Addresses for devices with BARs of these sizes.
    void assign(std::initializer_list<std::uint64_t> sizes) {
        unsigned device = 1;
        for (const std::uint64_t size : sizes) {
            pci::pci_function& function = devices.emplace_back(
                fmt::format("device{}", device).c_str(), recorder,
                pci::pci_function::config{.bar_size = size, .msix_vectors = 0, .costs = {}});
            bridge.attach(abi::pci::devfn(device++, 0), function);
        }
        assign_addresses(bridge);
    }

    trace::recorder recorder;
    pci::host_bridge bridge{"bridge", recorder, {.costs = {}}};
    std::deque<silent_device> devices;
};

TEST_F(large_bars_test, the_window_is_used_to_its_end) {
    static_assert(platform::pci_memory_size == 256 * mib);
    EXPECT_NO_THROW(assign({128 * mib, 64 * mib, 64 * mib}));
}
TEST_F(large_bars_test, one_more_is_too_much) {
    EXPECT_THROW(assign({128 * mib, 128 * mib, 0x1000}), std::invalid_argument);
}
TEST_F(large_bars_test, alignment_may_take_the_room) {
    EXPECT_THROW(assign({0x1000, 256 * mib}), std::invalid_argument);
}
TEST_F(large_bars_test, larger_than_the_window) { EXPECT_THROW(assign({512 * mib}), std::invalid_argument); }
TEST_F(large_bars_test, aligned_to_behind_the_window) { EXPECT_THROW(assign({gib}), std::invalid_argument); }
TEST_F(large_bars_test, far_larger_than_the_window) {
    EXPECT_THROW(assign({1024 * gib}), std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::firmware
