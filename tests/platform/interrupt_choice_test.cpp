// SPDX-License-Identifier: Apache-2.0
//
// An operating system chooses its interrupt controller: ibm,client-architecture-support, PAPR 2.8, B.6.2.3 and B.6.2.4.
#include <gtest/gtest.h>

#include <boost/endian/arithmetic.hpp>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "abi/platform.h"
#include "interrupt/interrupt_controllers.h"
#include "platform/power/power_machine.h"
#include "tests/support/simulation.h"

namespace pefsim::platform {
namespace {

using boost::endian::big_uint32_t;
using interrupt::controller_kind;

constexpr std::uint64_t block_at = 0x2'0000;
constexpr std::uint64_t text_at = 0x2'1000;
constexpr std::uint64_t vector_at = 0x2'2000;
constexpr std::size_t xive_byte = 23;

/// A machine with firmware, and what its client asks for.
struct client {
    explicit client(bool xive) : machine("machine", config(xive), 1) {
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
    static power_machine_config config(bool xive) {
        power_machine_config config;
        config.cpus = 2;
        config.xive = xive;
        config.firmware = boot_configuration{};
        return config;
    }

    void put(std::uint64_t at, const void* bytes, std::size_t size) {
        std::memcpy(machine.memory().ram().write(memory::frame_kind::normal, at >> abi::page_shift) +
                        at % abi::page_size,
                    bytes, size);
    }
    /// \returns the first result
    std::uint32_t call(std::string_view name, std::initializer_list<std::uint32_t> arguments) {
        put(text_at, name.data(), name.size());
        put(text_at + name.size(), "", 1);
        std::vector<big_uint32_t> block{static_cast<std::uint32_t>(text_at),
                                        static_cast<std::uint32_t>(arguments.size()), 2};
        block.insert(block.end(), arguments.begin(), arguments.end());
        put(block_at, block.data(), 4 * block.size());
        power::registers state;
        state.gpr[3] = static_cast<std::uint64_t>(abi::hcall::h_client);
        state.gpr[4] = block_at;
        cpu::trap_context context{.cpu = 0, .delay = delay, .writer = {}};
        machine.host().hypercall(state, context);
        EXPECT_EQ(state.gpr[3], 0U) << name;
        big_uint32_t result;
        std::memcpy(&result,
                    machine.memory().ram().read(memory::frame_kind::normal, block_at >> abi::page_shift) +
                        4 * block.size(),
                    sizeof result);
        return result;
    }
    /// \param of_vector_5 its bytes from number 1 on; nothing: the list ends before it
    std::uint32_t architecture_support(const std::optional<std::vector<std::uint8_t>>& of_vector_5) {
        constexpr std::string_view root("/");
        constexpr std::string_view method("ibm,client-architecture-support");
        constexpr std::uint64_t root_at = text_at + 0x100;
        constexpr std::uint64_t method_at = text_at + 0x200;
        put(root_at, root.data(), root.size() + 1);
        put(method_at, method.data(), method.size() + 1);
        const std::uint32_t instance = call("open", {static_cast<std::uint32_t>(root_at)});
        std::vector<std::uint8_t> vector{0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0x05,  // POWER9
                                         0,    0,    0,    0,    0xff, 0, 0, 0};    // the last
        vector.push_back(of_vector_5 ? 4 : 3);
        for (const std::uint8_t extra :
             {std::uint8_t{1}, std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{0}}) {
            vector.push_back(extra);
            vector.insert(vector.end(), extra + 1U, 0x40);
        }
        if (of_vector_5) {
            vector.push_back(static_cast<std::uint8_t>(of_vector_5->size() - 1));
            vector.insert(vector.end(), of_vector_5->begin(), of_vector_5->end());
        }
        vector.insert(vector.end(), 64, 0x40);  // not a part of it
        put(vector_at, vector.data(), vector.size());
        return call("call-method",
                    {static_cast<std::uint32_t>(method_at), instance, static_cast<std::uint32_t>(vector_at)});
    }
    std::vector<std::byte> property(std::string_view node, std::string_view name) {
        const device_tree::property* const found = machine.firmware()->tree().find(node)->find(name);
        return found == nullptr ? std::vector<std::byte>{} : found->value;
    }
    std::string_view controller_text(std::string_view name) {
        const device_tree::property* const found =
            machine.firmware()->tree().find("/interrupt-controller")->find(name);
        return found == nullptr ? "" : reinterpret_cast<const char*>(found->value.data());
    }

    power_machine machine;
    sc_core::sc_time delay;
};

std::vector<std::byte> cells(std::initializer_list<std::uint32_t> of) {
    const std::vector<big_uint32_t> big(of.begin(), of.end());
    const auto bytes = std::as_bytes(std::span(big));
    return {bytes.begin(), bytes.end()};
}

std::vector<std::uint8_t> vector_5(std::uint8_t interrupts, std::size_t bytes = 26) {
    std::vector<std::uint8_t> vector(bytes);
    if (bytes >= xive_byte) {
        vector[xive_byte - 1] = interrupts;
    }
    return vector;
}

class interrupt_choice_test : public testing::simulation_test {};

TEST_F(interrupt_choice_test, xive_is_chosen_where_it_is_and_is_asked_for) {
    struct row {
        bool machine_has_it;
        std::optional<std::vector<std::uint8_t>> asked;
        bool chosen;
    };
    const row rows[] = {
        {true, vector_5(0x40), true},     {true, vector_5(0x80), false}, {true, vector_5(0x00), false},
        {false, vector_5(0x40), false},   {true, std::nullopt, false},   {true, vector_5(0x40, 22), false},
        {true, vector_5(0x40, 23), true},
    };
    for (const row& each : rows) {
        sc_core::sc_get_curr_simcontext()->reset();
        client subject(each.machine_has_it);
        const std::size_t where = static_cast<std::size_t>(&each - rows);
        EXPECT_EQ(subject.property("/chosen", "ibm,arch-vec-5-platform-support").at(1),
                  std::byte(each.machine_has_it ? 0x80 : 0))
            << where;
        EXPECT_EQ(subject.controller_text("compatible"), "IBM,ppc-xicp");
        EXPECT_EQ(subject.architecture_support(each.asked), 0U) << where;
        EXPECT_EQ(subject.machine.interrupts().active() == controller_kind::xive, each.chosen) << where;
        EXPECT_EQ(subject.controller_text("compatible"), each.chosen ? "ibm,power-ivpe" : "IBM,ppc-xicp")
            << where;
        EXPECT_EQ(subject.property("/chosen", "ibm,architecture-vec-5").at(xive_byte),
                  std::byte(each.chosen ? 0x40 : 0))
            << where;
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(interrupt_choice_test, a_flat_tree_says_xive_on_a_machine_that_has_it) {
    for (const bool xive : {true, false}) {
        sc_core::sc_get_curr_simcontext()->reset();
        client subject(xive);
        subject.machine.firmware()->flatten(subject.machine.interrupts());
        EXPECT_EQ(subject.machine.interrupts().active(),
                  xive ? controller_kind::xive : controller_kind::xics);
        EXPECT_EQ(subject.controller_text("compatible"), xive ? "ibm,power-ivpe" : "IBM,ppc-xicp");
        EXPECT_EQ(subject.property("/chosen", "ibm,architecture-vec-5").at(xive_byte),
                  std::byte(xive ? 0x40 : 0));
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(interrupt_choice_test, the_node_is_the_chosen_controllers_and_keeps_its_phandle) {
    namespace layout = abi::platform;
    using device_tree::lower;
    using device_tree::upper;
    client subject(true);
    constexpr std::string_view node("/interrupt-controller");
    const device_tree::phandle handle = subject.machine.firmware()->tree().find(node)->handle();
    EXPECT_EQ(subject.property("/", "ibm,plat-res-int-priorities"), cells({7, 0xf8}));
    ASSERT_EQ(subject.architecture_support(vector_5(0x40)), 0U);
    EXPECT_EQ(subject.controller_text("device_type"), "power-ivpe");
    EXPECT_EQ(
        subject.property(node, "reg"),
        cells({upper(layout::tima_user_page.value()), lower(layout::tima_user_page.value()), 0, 0x1'0000,
               upper(layout::tima_os_page.value()), lower(layout::tima_os_page.value()), 0, 0x1'0000}));
    EXPECT_EQ(subject.property(node, "ibm,xive-eq-sizes"), cells({16}));
    EXPECT_EQ(subject.property(node, "ibm,xive-lisn-ranges"), cells({0, 2}));
    EXPECT_EQ(subject.property(node, "#interrupt-cells"), cells({2}));
    EXPECT_EQ(subject.property(node, "ibm,interrupt-server-ranges"), cells({}));
    ASSERT_EQ(subject.architecture_support(vector_5(0)), 0U) << "it thinks better of it";
    EXPECT_EQ(subject.machine.interrupts().active(), controller_kind::xics);
    EXPECT_EQ(subject.controller_text("compatible"), "IBM,ppc-xicp");
    EXPECT_EQ(subject.property(node, "ibm,interrupt-server-ranges"), cells({0, 2}));
    EXPECT_EQ(subject.property(node, "reg"), cells({}));
    EXPECT_EQ(subject.machine.firmware()->tree().find(node)->handle(), handle);
}

}  // namespace
}  // namespace pefsim::platform
