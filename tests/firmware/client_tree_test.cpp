// SPDX-License-Identifier: Apache-2.0
//
// Client interface: the device tree (IEEE 1275-1994, 6.3.2.2), and what holds for every service.
#include <gtest/gtest.h>

#include <libfdt.h>

#include <map>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::h_status;
using abi::hcall;

constexpr std::uint32_t failure = 0xffff'ffff;
constexpr std::uint32_t nowhere = 0xffff'ff00;  // no RAM
constexpr auto ram_end = static_cast<std::uint32_t>(firmware_bench::default_ram);

class client_tree_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t buffer = firmware_bench::buffer_at;

    std::string text(std::uint32_t size) { return bench.get_text(buffer, size); }

    firmware_bench bench{
        {.slots = {{.devfn = abi::pci::devfn(3, 0), .function = {.costs = {}}},
                   {.devfn = abi::pci::devfn(3, 1), .function = {.msix_vectors = 0, .costs = {}}}}}};
};

// --- every service

TEST_F(client_tree_test, an_unknown_service_or_too_few_words_or_no_block_is_minus_1) {
    EXPECT_EQ(bench.client("frobnicate", {}).status, h_status::h_hardware);
    EXPECT_EQ(bench.client("", {}).status, h_status::h_hardware);
    EXPECT_EQ(bench.client("getprop ", {0, 0, 0, 0}).status, h_status::h_hardware);
    EXPECT_EQ(bench.client("GETPROP", {0, 0, 0, 0}).status, h_status::h_hardware);
    EXPECT_EQ(bench.client(std::string(1024, 'x'), {}).status, h_status::h_hardware);
    EXPECT_EQ(bench.call_block(hcall::h_client, nowhere, {}, 1).status, h_status::h_hardware);
    struct row {
        const char* name;
        std::size_t n_args;
        unsigned n_rets;
    };
    const row rows[] = {{"finddevice", 1, 1},
                        {"peer", 1, 1},
                        {"child", 1, 1},
                        {"parent", 1, 1},
                        {"getproplen", 2, 1},
                        {"getprop", 4, 1},
                        {"nextprop", 3, 1},
                        {"setprop", 4, 1},
                        {"canon", 3, 1},
                        {"package-to-path", 3, 1},
                        {"open", 1, 1},
                        {"close", 1, 0},
                        {"instance-to-package", 1, 1},
                        {"instance-to-path", 3, 1},
                        {"read", 3, 1},
                        {"write", 3, 1},
                        {"call-method", 2, 1},
                        {"claim", 3, 1},
                        {"release", 2, 0},
                        {"test", 1, 1},
                        {"quiesce", 0, 0},
                        {"milliseconds", 0, 1}};
    for (const row& each : rows) {
        std::vector<firmware_bench::cell> arguments(each.n_args, firmware_bench::cell(0));
        EXPECT_EQ(bench.client(each.name, arguments, each.n_rets).status, h_status::h_success) << each.name;
        EXPECT_EQ(bench.ask("test", {each.name}), 0U) << each.name;
        if (each.n_rets > 0) {
            EXPECT_EQ(bench.client(each.name, arguments, 0).status, h_status::h_hardware) << each.name;
        }
        if (!arguments.empty()) {
            arguments.pop_back();
            EXPECT_EQ(bench.client(each.name, arguments, each.n_rets).status, h_status::h_hardware)
                << each.name;
        }
    }
    EXPECT_EQ(bench.ask("test", {"interpret"}), failure);
    EXPECT_EQ(bench.ask("test", {nowhere}), failure);
    EXPECT_EQ(bench.ask("test", {""}), failure);
    for (const std::uint64_t at :
         {std::uint64_t{ram_end} - 8, std::uint64_t{ram_end}, ~std::uint64_t{0} - 8}) {
        EXPECT_EQ(bench.call(hcall::h_client, {at}), h_status::h_hardware) << at;
    }
    const report::tally& calls = *bench.recorder.metrics().find_tally("firmware", "client_calls");
    EXPECT_EQ(calls.labels().back(), "unknown service");
    EXPECT_EQ(calls.count(calls.labels().size() - 1), 6U);
}

TEST_F(client_tree_test, a_name_may_end_with_memory) {
    bench.put(ram_end - 5, std::string("peer\0", 5));
    EXPECT_EQ(bench.call_block(hcall::h_client, ram_end - 5, {0}, 1).status, h_status::h_success);
    bench.put(ram_end - 4, "peer");
    EXPECT_EQ(bench.call_block(hcall::h_client, ram_end - 4, {0}, 1).status, h_status::h_hardware)
        << "memory ends before the name does";
}

// --- nodes

TEST_F(client_tree_test, nodes_are_found_by_path_with_and_without_the_unit_address) {
    const std::uint32_t cpu = bench.node("/cpus/PowerPC,POWER9@0");
    EXPECT_NE(cpu, failure);
    EXPECT_EQ(bench.node("/cpus/PowerPC,POWER9"), failure) << "there are two of them";
    EXPECT_EQ(bench.node("/vdevice/vty"), bench.node("/vdevice/vty@71000000"));
    EXPECT_EQ(bench.node("/"), bench.ask("peer", {0}));
    EXPECT_EQ(bench.node("/nothing"), failure);
    EXPECT_EQ(bench.node("cpus"), failure);
    EXPECT_EQ(bench.node(""), failure);
    EXPECT_EQ(bench.ask("finddevice", {nowhere}), failure);
}

TEST_F(client_tree_test, what_is_no_phandle_has_no_relatives_and_no_properties) {
    for (const std::uint32_t none : {0x7fff'ffffU, failure, 100'000U}) {
        for (const char* service : {"peer", "child", "parent"}) {
            EXPECT_EQ(bench.ask(service, {none}), failure) << service;
        }
        EXPECT_EQ(bench.ask("getproplen", {none, "name"}), failure);
        EXPECT_EQ(bench.ask("getprop", {none, "name", buffer, 32}), failure);
        EXPECT_EQ(bench.ask("nextprop", {none, "", buffer}), failure);
        EXPECT_EQ(bench.ask("setprop", {none, "x", buffer, 4}), failure);
        EXPECT_EQ(bench.ask("package-to-path", {none, buffer, 32}), failure);
    }
    EXPECT_EQ(bench.ask("child", {0}), failure);
    EXPECT_EQ(bench.ask("parent", {0}), failure);
    const std::uint32_t root = bench.node("/");
    EXPECT_EQ(bench.ask("parent", {root}), 0U);
    EXPECT_EQ(bench.ask("peer", {root}), 0U);
}

/// The whole tree as a client walks it: what each node is called, and its properties.
class walk {
public:
    using node = std::map<std::string, std::vector<std::byte>>;

    explicit walk(firmware_bench& in) : bench_(in) { visit(bench_.ask("peer", {0})); }

    std::map<std::string, node> nodes;  // by path

private:
    static constexpr std::uint32_t buffer = firmware_bench::buffer_at;
    static constexpr std::uint32_t name_at = firmware_bench::buffer_at + 0x8000;

    void visit(std::uint32_t handle) {
        const std::uint32_t length = bench_.ask("package-to-path", {handle, buffer, 200});
        const std::string path = bench_.get_text(buffer, length);
        nodes[path] = properties(handle);
        std::uint32_t below = bench_.ask("child", {handle});
        while (below != 0) {
            EXPECT_EQ(bench_.ask("parent", {below}), handle) << path;
            visit(below);
            below = bench_.ask("peer", {below});
        }
    }
    node properties(std::uint32_t handle) {
        node all;
        std::uint32_t previous = 0;
        while (bench_.ask("nextprop", {handle, previous, name_at}) == 1) {
            const std::string name = bench_.get_text(name_at, 40).c_str();
            const std::uint32_t size = bench_.ask("getproplen", {handle, name});
            EXPECT_EQ(bench_.ask("getprop", {handle, name, buffer, 0x8000}), size) << name;
            all[name] = bench_.get(buffer, size);
            previous = name_at;
        }
        return all;
    }

    firmware_bench& bench_;
};

void compare(const void* blob, int at, const std::string& path, const walk& walked, std::size_t& count) {
    ++count;
    ASSERT_TRUE(walked.nodes.contains(path)) << path;
    walk::node expected;
    const std::string name = fdt_get_name(blob, at, nullptr);
    for (const char each : name.substr(0, name.find('@')) + '\0') {
        expected["name"].push_back(static_cast<std::byte>(each));
    }
    int property = 0;
    fdt_for_each_property_offset(property, blob, at) {
        const char* label = nullptr;
        int size = 0;
        const auto* value = static_cast<const std::byte*>(
            fdt_getprop_by_offset(blob, property, &label, &size));
        expected[label].assign(value, value + size);
    }
    EXPECT_EQ(walked.nodes.at(path), expected) << path;
    int child = 0;
    fdt_for_each_subnode(child, blob, at) {
        compare(blob, child, (path == "/" ? "" : path) + "/" + fdt_get_name(blob, child, nullptr), walked,
                count);
    }
}

TEST_F(client_tree_test, a_client_that_walks_the_tree_sees_what_a_flat_tree_has) {
    const std::vector<std::byte> blob = bench.subject->tree().flatten();
    const walk walked(bench);
    std::size_t count = 0;
    compare(blob.data(), 0, "/", walked, count);
    EXPECT_EQ(walked.nodes.size(), count);
    EXPECT_GT(count, 10U);
}

TEST_F(client_tree_test, each_node_is_what_canon_and_finddevice_make_of_its_path) {
    for (const auto& [path, properties] : walk(bench).nodes) {
        const std::uint32_t length = bench.ask("canon", {path, buffer, 200});
        EXPECT_EQ(text(length + 1), path + '\0');
        const std::vector<std::byte>& phandle = properties.at("phandle");
        EXPECT_EQ(bench.node(path), std::to_integer<std::uint32_t>(phandle[2]) << 8 |
                                        std::to_integer<std::uint32_t>(phandle[3]));
    }
}

// --- paths

TEST_F(client_tree_test, a_path_ends_with_a_nul_that_is_not_counted) {
    const std::uint32_t cpus = bench.node("/cpus");
    bench.put(buffer, std::string(16, '#'));
    EXPECT_EQ(bench.ask("package-to-path", {cpus, buffer, 16}), 5U);
    EXPECT_EQ(text(8), std::string("/cpus\0##", 8));
    // Where there is no room for it, it is left out, and so is what the room ends before.
    bench.put(buffer, std::string(16, '#'));
    EXPECT_EQ(bench.ask("canon", {"/cpus", buffer, 5}), 5U);
    EXPECT_EQ(text(6), "/cpus#");
    bench.put(buffer, std::string(16, '#'));
    EXPECT_EQ(bench.ask("canon", {"/cpus", buffer, 2}), 5U);
    EXPECT_EQ(text(4), "/c##");
    EXPECT_EQ(bench.ask("canon", {"/cpus", nowhere, 0}), 5U) << "nothing is stored";
    EXPECT_EQ(bench.ask("canon", {"/cpus", nowhere, 16}), failure);
    EXPECT_EQ(bench.ask("canon", {"/none", buffer, 16}), failure);
    EXPECT_EQ(bench.ask("package-to-path", {cpus, nowhere, 16}), failure);
    EXPECT_EQ(bench.ask("canon", {"/vdevice/vty", buffer, 100}), 21U) << "with its unit address";
    EXPECT_EQ(text(21), "/vdevice/vty@71000000");
}

// --- properties

TEST_F(client_tree_test, a_property_is_cut_to_the_room_and_told_in_full) {
    const std::uint32_t root = bench.node("/");
    EXPECT_EQ(bench.ask("getproplen", {root, "model"}), 15U);
    bench.put(buffer, std::string(32, '#'));
    EXPECT_EQ(bench.ask("getprop", {root, "model", buffer, 6}), 15U);
    EXPECT_EQ(text(8), "pefsim##");
    EXPECT_EQ(bench.ask("getprop", {root, "model", buffer, 32}), 15U);
    EXPECT_EQ(text(16), std::string("pefsim pSeries\0#", 16));
    EXPECT_EQ(bench.ask("getprop", {root, "model", nowhere, 0}), 15U);
    EXPECT_EQ(bench.ask("getprop", {root, "model", nowhere, 1}), failure);
    EXPECT_EQ(bench.ask("getprop", {root, "model", ram_end - 14, 15}), failure);
    EXPECT_EQ(bench.ask("getprop", {root, "nothing", buffer, 32}), failure);
    EXPECT_EQ(bench.ask("getproplen", {root, "nothing"}), failure);
    EXPECT_EQ(bench.ask("getproplen", {root, nowhere}), failure);
    EXPECT_EQ(bench.ask("getproplen", {bench.node("/interrupt-controller"), "interrupt-controller"}), 0U);
}

TEST_F(client_tree_test, the_first_property_comes_behind_no_name_and_none_behind_the_last) {
    const std::uint32_t cpus = bench.node("/cpus");
    for (const firmware_bench::cell& none : {firmware_bench::cell(0), firmware_bench::cell("")}) {
        EXPECT_EQ(bench.ask("nextprop", {cpus, none, buffer}), 1U);
        EXPECT_EQ(text(5), std::string("name\0", 5));
    }
    EXPECT_EQ(bench.ask("nextprop", {cpus, "#size-cells", buffer}), 0U);
    EXPECT_EQ(text(1), std::string("\0", 1));
    EXPECT_EQ(bench.ask("nextprop", {cpus, "nothing", buffer}), failure);
    EXPECT_EQ(bench.ask("nextprop", {cpus, std::string(1024, 'x'), buffer}), failure) << "no name at all";
    EXPECT_EQ(bench.ask("nextprop", {cpus, nowhere, buffer}), failure);
    EXPECT_EQ(bench.ask("nextprop", {cpus, "", nowhere}), failure);
}

TEST_F(client_tree_test, a_property_is_set_and_replaced) {
    const std::uint32_t chosen = bench.node("/chosen");
    bench.put(buffer, "value");
    EXPECT_EQ(bench.ask("setprop", {chosen, "linux,test", buffer, 5}), 5U);
    EXPECT_EQ(bench.ask("getprop", {chosen, "linux,test", buffer + 100, 32}), 5U);
    EXPECT_EQ(bench.get_text(buffer + 100, 5), "value");
    EXPECT_EQ(bench.ask("setprop", {chosen, "linux,test", nowhere, 0}), 0U);
    EXPECT_EQ(bench.ask("getproplen", {chosen, "linux,test"}), 0U);
    EXPECT_EQ(bench.ask("setprop", {chosen, "linux,test", nowhere, 1}), failure);
    EXPECT_EQ(bench.ask("setprop", {chosen, "linux,test", ram_end - 1, 2}), failure);
    EXPECT_EQ(bench.ask("setprop", {chosen, "", buffer, 1}), failure);
    EXPECT_EQ(bench.ask("setprop", {chosen, nowhere, buffer, 1}), failure);
    EXPECT_EQ(bench.ask("getproplen", {chosen, "linux,test"}), 0U);
}

TEST_F(client_tree_test, what_a_node_is_known_by_cannot_be_set) {
    // With a second "name" among its properties, a walk by nextprop would never end.
    const std::uint32_t chosen = bench.node("/chosen");
    const std::size_t before = walk(bench).nodes.at("/chosen").size();
    EXPECT_EQ(bench.ask("setprop", {chosen, "name", buffer, 4}), failure);
    EXPECT_EQ(bench.ask("setprop", {chosen, "phandle", buffer, 4}), failure);
    EXPECT_EQ(walk(bench).nodes.at("/chosen").size(), before);
}

TEST_F(client_tree_test, properties_do_not_take_all_of_the_hosts_memory) {
    const std::uint32_t chosen = bench.node("/chosen");
    unsigned done = 0;
    while (done < 100 && bench.ask("setprop", {chosen, fmt::format("big{}", done), 0, 1 << 20}) != failure) {
        ++done;
    }
    EXPECT_EQ(done, 3U) << "4 MiB with the names";
    EXPECT_EQ(bench.ask("setprop", {chosen, "huge", 0, 0xffff'ffff}), failure);
    EXPECT_EQ(bench.ask("setprop", {chosen, "small", buffer, 4}), 4U)
        << "there is still room for what is small";
}

}  // namespace
}  // namespace pefsim::firmware
