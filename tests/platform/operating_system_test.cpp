// SPDX-License-Identifier: Apache-2.0
#include "platform/power/operating_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/endian/arithmetic.hpp>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "abi/platform.h"
#include "abi/rtas.h"
#include "power/registers.h"
#include "tests/support/simulation.h"

namespace pefsim::platform {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

class operating_system_test : public testing::simulation_test {
protected:
    operating_system_test() {
        std::filesystem::create_directories(folder_);
        machine_.memory_size = 16 * mib;
    }
    ~operating_system_test() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path file(std::string_view name, std::string_view content) {
        const std::filesystem::path path = folder_ / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    /// An ELF64 file with a segment at `address`, whose content is "kernel", and the entry at its third byte.
    static std::string elf(std::uint64_t address, std::uint64_t size, bool little) {
        std::string image(0x80, '\0');
        const auto put = [&](std::size_t at, std::uint64_t value, std::size_t bytes) {
            for (std::size_t n = 0; n < bytes; ++n) {
                image.at(at + (little ? n : bytes - 1 - n)) = static_cast<char>(value >> (8 * n));
            }
        };
        image.replace(0, 7,
                      std::string("\x7f"
                                  "ELF\x02",
                                  5) +
                          (little ? '\x01' : '\x02') + '\x01');
        for (const auto& [at, value, bytes] : std::initializer_list<std::array<std::uint64_t, 3>>{
                 {16, 2, 2},   // ET_EXEC
                 {18, 21, 2},  // EM_PPC64
                 {20, 1, 4},
                 {24, address + 2, 8},
                 {32, 64, 8},  // program headers
                 {48, 2, 4},   // ABI version 2
                 {52, 64, 2},
                 {54, 56, 2},
                 {56, 1, 2},
                 {58, 64, 2},
                 {64, 1, 4},  // PT_LOAD
                 {68, 7, 4},
                 {72, 0x78, 8},
                 {80, address, 8},
                 {88, 0, 8},  // p_paddr: where the kernel stands is firmware's to say
                 {96, 6, 8},
                 {104, size, 8},
                 {112, 8, 8}}) {
            put(at, value, bytes);
        }
        return image.replace(0x78, 6, "kernel").substr(0, 0x80);
    }
    std::string text(power_machine& in, std::uint64_t at, std::size_t size) {
        return {reinterpret_cast<const char*>(
                    in.memory().ram().read(memory::frame_kind::normal, at >> abi::page_shift) +
                    at % abi::page_size),
                size};
    }
    std::vector<std::uint32_t> words(power_machine& in, std::uint64_t at, std::size_t count) {
        std::vector<boost::endian::big_uint32_t> big(count);
        std::memcpy(big.data(), text(in, at, 4 * count).data(), 4 * count);
        return {big.begin(), big.end()};
    }
    static std::vector<std::uint32_t> code(abi::hcall number) {
        const abi::firmware_entry entry = abi::entry_to(static_cast<std::uint16_t>(number));
        return {entry.begin(), entry.end()};
    }
    /// \returns what settle() says is wrong
    std::string mistake(operating_system& of) {
        try {
            of.settle(machine_);
        } catch (const std::invalid_argument& wrong) {
            return wrong.what();
        }
        return "nothing is wrong";
    }

    operating_system subject_;
    power_machine_config machine_;

private:
    std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                    fmt::format("operating_system_test.{}", ::getpid());
};

TEST_F(operating_system_test, a_client_of_open_firmware_begins_in_32_bit_real_mode_with_its_entry_in_r5) {
    subject_.kernel = file("kernel", elf(0xc000'0000'0000'0000, 0x1'2345, true));
    subject_.initrd = file("initrd", "initial file system");
    subject_.command_line = "quiet";
    subject_.settle(machine_);
    power_machine machine("machine", machine_, 1);
    subject_.load(machine);
    const power::registers& state = machine.cpu(0).state();
    EXPECT_EQ(state.nip, 0x40'0002U);
    EXPECT_EQ(state.msr, power::msr_me);
    EXPECT_EQ(text(machine, 0x40'0000, 7), std::string("kernel\0", 7));
    EXPECT_EQ(state.gpr[3], 0x42'0000U) << "on a page of its own behind all of the kernel";
    EXPECT_EQ(state.gpr[4], 19U);
    EXPECT_EQ(text(machine, state.gpr[3], 19), "initial file system");
    EXPECT_EQ(words(machine, state.gpr[5], 5), code(abi::hcall::h_client));
    EXPECT_GT(state.gpr[1], state.gpr[5] + 0x1000) << "a stack";
    EXPECT_LT(state.gpr[1], 0x1'0000U) << "in what firmware keeps";
    EXPECT_FALSE(machine.cpu(0).stopped());
    const device_tree::node& chosen = *machine.firmware()->tree().find("/chosen");
    EXPECT_EQ(chosen.find("bootargs")->value.size(), 6U);
    EXPECT_EQ(chosen.find("linux,initrd-start")->value.size(), 8U);
}

TEST_F(operating_system_test, a_flat_tree_is_in_r3_and_the_kernel_in_its_own_byte_order) {
    for (const bool little : {true, false}) {
        operating_system subject;
        subject.mode = boot_mode::fdt;
        subject.kernel = file("kernel", elf(0x1000, 6, little));
        subject.address = 0x80'0000;
        subject.settle(machine_);
        power_machine machine(little ? "little" : "big", machine_, 1);
        subject.load(machine);
        const power::registers& state = machine.cpu(0).state();
        EXPECT_EQ(state.nip, 0x80'0002U);
        EXPECT_EQ(state.msr, power::msr_sf | power::msr_me | (little ? power::msr_le : 0));
        EXPECT_EQ(state.gpr[4], 0x80'0000U);
        EXPECT_EQ(state.gpr[5], 0U);
        EXPECT_EQ(state.gpr[3] % 8, 0U);
        EXPECT_EQ(words(machine, state.gpr[3], 1)[0], 0xd00d'feedU);
        const device_tree::property& entry = *machine.firmware()->tree().find("/rtas")->find(
            "linux,rtas-entry");
        boost::endian::big_uint32_t at;
        std::memcpy(&at, entry.value.data(), sizeof at);
        EXPECT_EQ(words(machine, at, 5), code(abi::hcall::h_rtas));
    }
}

TEST_F(operating_system_test, a_flat_image_begins_where_it_stands) {
    subject_.kernel = file("kernel", "flat image");
    subject_.settle(machine_);
    EXPECT_EQ(subject_.program(), nullptr);
    power_machine machine("machine", machine_, 1);
    subject_.load(machine);
    EXPECT_EQ(machine.cpu(0).state().nip, 0x40'0000U);
    EXPECT_EQ(text(machine, 0x40'0000, 10), "flat image");
    EXPECT_EQ(machine.cpu(0).state().gpr[3], 0U) << "no initrd";
    EXPECT_EQ(machine.cpu(0).state().gpr[4], 0U);
    EXPECT_EQ(machine.firmware()->tree().find("/chosen")->find("linux,initrd-start"), nullptr);
}

TEST_F(operating_system_test, other_processors_are_stopped) {
    machine_.cpus = 3;
    subject_.kernel = file("kernel", "flat image");
    subject_.settle(machine_);
    power_machine machine("machine", machine_, 1);
    subject_.load(machine);
    EXPECT_FALSE(machine.cpu(0).stopped());
    EXPECT_TRUE(machine.cpu(1).stopped());
    EXPECT_TRUE(machine.cpu(2).stopped());
}

TEST_F(operating_system_test, files_to_the_last_byte_of_memory_fit_and_one_more_does_not) {
    subject_.kernel = file("kernel", "flat image");
    subject_.address = 16 * mib - 0x2'0000;
    subject_.initrd = file("initrd", std::string(0x1'0000, 'x'));
    EXPECT_EQ(mistake(subject_), "nothing is wrong");
    subject_.initrd = file("initrd", std::string(0x1'0001, 'x'));
    EXPECT_THAT(mistake(subject_), AllOf(HasSubstr("initrd"), HasSubstr("65537 bytes at 0xff0000")));
    subject_.initrd.clear();
    subject_.kernel = file("kernel", std::string(0x2'0000, 'x'));
    EXPECT_EQ(mistake(subject_), "nothing is wrong");
    subject_.kernel = file("kernel", std::string(0x2'0001, 'x'));
    EXPECT_THAT(mistake(subject_), AllOf(HasSubstr("kernel"), HasSubstr("131073 bytes at 0xfe0000")));
    // What a segment only takes counts, too.
    subject_.kernel = file("kernel", elf(0, 0x2'0000, true));
    EXPECT_EQ(mistake(subject_), "nothing is wrong");
    subject_.kernel = file("kernel", elf(0, 0x2'0001, true));
    EXPECT_THAT(mistake(subject_), HasSubstr("131073 bytes"));
}

TEST_F(operating_system_test, empty_files_are_named) {
    EXPECT_THAT(mistake(subject_), HasSubstr("--kernel FILE"));
    subject_.kernel = file("nothing", "");
    EXPECT_THAT(mistake(subject_), AllOf(HasSubstr("kernel: "), HasSubstr("nothing is empty")));
    subject_.kernel = file("kernel", "flat image");
    subject_.initrd = file("nothing", "");
    EXPECT_THAT(mistake(subject_), AllOf(HasSubstr("initrd: "), HasSubstr("nothing is empty")));
    subject_.initrd.clear();
    subject_.address = 0x1234;
    EXPECT_THAT(mistake(subject_), HasSubstr("kernel.address: 0x1234"));
}

TEST_F(operating_system_test, a_kernel_on_firmwares_own_page_is_refused) {
    subject_.kernel = file("kernel", "flat image");
    subject_.address = 0;
    subject_.settle(machine_);
    EXPECT_THROW(power_machine("machine", machine_, 1), std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::platform
