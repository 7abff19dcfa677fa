// SPDX-License-Identifier: Apache-2.0
//
// UV_ESM with an ESM blob, and the files that come with it.
#include "esm/archive.h"
#include "esm/measurements.h"

#include <array>
#include <boost/endian/conversion.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "device_tree/tree.h"
#include "tests/esm/image.h"
#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {
namespace {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using abi::ucall;
using memory::frame_kind;
using memory::page_state;
using report::violation_kind;
using testing::blob_for;
using testing::bytes_from;
using ::testing::HasSubstr;
using testing::machine_key;

constexpr std::string_view line = "console=hvc0 svm=on";

}  // namespace

/// A guest with an image: kernel at kbase, which is not all of two pages, initrd, blob and RTAS, each across the border
/// of two pages, all in the slots.
class esm_image_bench : public testing::uv_bench {
protected:
    static constexpr std::uint64_t initrd_at = 0x9'fff0;
    static constexpr std::uint64_t blob_at = 0xc'fe00;
    static constexpr std::uint64_t rtas_at = 0x10'fff8;

    explicit esm_image_bench(const esm_checks& checks)
        : uv_bench({.costs = {}, .seed = 1, .entry = esm_entry::kernel_entry, .esm = checks}) {
        write(kbase, kernel);
        write(initrd_at, initrd);
        write(rtas_at, esm::rtas_code());
        for (const abi::gfn page : {1, 20, 30}) {
            fill(frame_kind::normal, page, static_cast<unsigned char>(page));
        }
    }

    esm::bytes kernel = pattern(0x1'8000, 3);
    esm::bytes initrd = pattern(0x5000, 7);
    std::map<std::string, esm::bytes> files;

    static esm::bytes pattern(std::size_t size, unsigned factor) {
        esm::bytes bytes(size);
        for (std::size_t n = 0; n < size; ++n) {
            bytes[n] = static_cast<std::byte>(n * factor + (n >> 8));
        }
        return bytes;
    }
    void write(std::uint64_t at, esm::byte_view what) {
        for (const std::byte each : what) {
            bus.ram().write(frame_kind::normal, at >> abi::page_shift)[at % abi::page_size] = each;
            ++at;
        }
    }
    void change(std::uint64_t at) {
        bus.ram().write(frame_kind::normal, at >> abi::page_shift)[at % abi::page_size] ^= std::byte{1};
    }
    esm::bytes blob() { return blob_for(esm::measure(kernel, initrd, line), files); }

    struct told {
        std::string bootargs{line};
        std::optional<std::size_t> blob_size;
        std::optional<std::uint64_t> initrd_at = esm_image_bench::initrd_at;
        std::size_t initrd_size;
        std::uint64_t rtas_at = esm_image_bench::rtas_at;
        std::uint64_t rtas_entry = esm_image_bench::rtas_at;
        std::vector<std::uint32_t> initrd_start{};  // instead of the initrd's
    };
    void write_tree(const told& what) {
        device_tree::tree tree;
        tree.root().set("#address-cells", {2});
        tree.root().set("#size-cells", {2});
        tree.root().add("memory@0").set("reg", {0, 0, 0, slot_pages * abi::page_size});
        device_tree::node& chosen = tree.root().add("chosen");
        const auto put = [&](const std::string& name, std::uint64_t at, std::uint64_t size) {
            chosen.set(name + "-start", {device_tree::upper(at), device_tree::lower(at)});
            chosen.set(name + "-end", {static_cast<std::uint32_t>(at + size)});
        };
        chosen.set("bootargs", what.bootargs);
        if (what.initrd_at) {
            put("linux,initrd", *what.initrd_at, what.initrd_size);
        }
        if (!what.initrd_start.empty()) {
            chosen.set("linux,initrd-start", what.initrd_start);
        }
        if (what.blob_size) {
            put("linux,esm-blob", blob_at, *what.blob_size);
        }
        device_tree::node& rtas = tree.root().add("rtas");
        rtas.set("linux,rtas-base", {static_cast<std::uint32_t>(what.rtas_at)});
        rtas.set("linux,rtas-entry", {static_cast<std::uint32_t>(what.rtas_entry)});
        write(fdt, tree.flatten({}, 0, 64));  // room for what the Ultravisor reserves
    }
    void write_image() {
        const esm::bytes made = blob();
        write(blob_at, made);
        write_tree({.blob_size = made.size(), .initrd_size = initrd.size()});
    }

    std::vector<std::vector<std::byte>> all_normal_memory() const {
        std::vector<std::vector<std::byte>> frames;
        for (abi::gfn page = 0; page < ram_pages; ++page) {
            frames.push_back(frame(frame_kind::normal, page));
        }
        return frames;
    }
    void expect_refused(u_status status, const std::string& named) {
        const auto before = all_normal_memory();
        EXPECT_EQ(esm(), status) << named;
        EXPECT_EQ(uv.state(), vm_state::normal);
        EXPECT_EQ(guest.msr & power::msr_s, 0U);
        EXPECT_EQ(hv.count(hcall::h_svm_init_done), 0U);
        EXPECT_EQ(hv.count(hcall::h_svm_init_abort), 1U);
        for (abi::gfn page = 0; page < ram_pages; ++page) {
            EXPECT_EQ(state(page), page_state::normal) << page;
            EXPECT_TRUE(frame(frame_kind::normal, page) == before[page]) << page;
            EXPECT_FALSE(bus.ram().touched(frame_kind::secure, page)) << page;
        }
        EXPECT_EQ(images(esm_image::refused), 1U);
        ASSERT_EQ(log().count(violation_kind::image_unverified), 1U) << named;
        EXPECT_THAT(log().kept()[0].detail, HasSubstr(named));
        ASSERT_EQ(log().count(violation_kind::call_refused), 1U);
        EXPECT_THAT(log().kept()[1].detail, HasSubstr("the guest's image is not verified"));
    }
    /// Before the hypervisor brings all.
    std::ptrdiff_t pages_asked_for() const {
        const std::vector<hcall> calls = hv.calls();
        return std::count(calls.begin(), std::ranges::find(calls, hcall::h_svm_init_done),
                          hcall::h_svm_page_in);
    }
    std::uint64_t images(esm_image what) const {
        for (const report::tally* each : recorder.metrics().tallies) {
            if (each->name().name == "esm_images") {
                return each->count(static_cast<std::size_t>(what));
            }
        }
        return ~std::uint64_t{0};
    }
};

static esm_checks with_key(esm_policy policy = esm_policy::strict) {
    return {.key = std::make_shared<const esm::private_key>(machine_key()), .policy = policy};
}

class esm_image_test : public esm_image_bench {
protected:
    esm_image_test() : esm_image_bench(with_key()) {}
};

TEST_F(esm_image_test, an_image_that_its_blob_knows_becomes_secure) {
    write_image();
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(guest.nip, kbase);
    EXPECT_EQ(images(esm_image::verified), 1U);
    EXPECT_EQ(log().total(), 0U);
    EXPECT_EQ(pages_asked_for(), 9) << "kernel 2, tree, initrd 2, blob 2, RTAS 2";
}

TEST_F(esm_image_test, an_image_without_an_initrd) {
    initrd.clear();
    const esm::bytes made = blob();
    write(blob_at, made);
    write_tree({.blob_size = made.size(), .initrd_at = std::nullopt, .initrd_size = 0});
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(esm_image_test, a_changed_first_byte_of_the_kernel) {
    write_image();
    change(kbase);
    expect_refused(u_status::u_permission, "UV_ESM: the kernel is not as its ESM blob says");
}

TEST_F(esm_image_test, a_changed_last_byte_of_the_kernel) {
    write_image();
    change(kbase + kernel.size() - 1);
    expect_refused(u_status::u_permission, "the kernel is not");
}

TEST_F(esm_image_test, what_stands_behind_the_kernel_is_not_measured) {
    write_image();
    change(kbase + kernel.size());
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
}

TEST_F(esm_image_test, a_changed_byte_of_the_initrd) {
    write_image();
    change(initrd_at + initrd.size() - 1);
    expect_refused(u_status::u_permission, "the initrd is not as its ESM blob says");
}

TEST_F(esm_image_test, an_initrd_that_is_cut_short) {
    const esm::bytes made = blob();
    write(blob_at, made);
    write_tree({.blob_size = made.size(), .initrd_size = initrd.size() - 1});
    expect_refused(u_status::u_permission, "the initrd is not");
}

TEST_F(esm_image_test, a_changed_command_line) {
    const esm::bytes made = blob();
    write(blob_at, made);
    write_tree({.bootargs = std::string(line) + " init=/bin/sh",
                .blob_size = made.size(),
                .initrd_size = initrd.size()});
    expect_refused(u_status::u_permission, "the command line \"console=hvc0 svm=on init=/bin/sh\" is not");
}

// Linux reads up to the first NUL; the digest of nothing is not that of what stands there.
TEST_F(esm_image_test, a_command_line_with_a_nul_is_not_an_empty_one) {
    const esm::bytes made = blob_for(esm::measure(kernel, initrd, ""));
    write(blob_at, made);
    for (const std::string& each : {std::string("init=/bin/sh\0", 13), std::string("init=/bin/sh\0x", 14)}) {
        write_tree({.bootargs = each, .blob_size = made.size(), .initrd_size = initrd.size()});
        EXPECT_EQ(esm(), u_status::u_permission);
    }
    EXPECT_THAT(log().kept()[0].detail, HasSubstr("the command line \"init=/bin/sh?\" is not"));
}

// Linux takes the lowest cells of whatever stands there.
TEST_F(esm_image_test, a_strange_place_of_an_initrd_is_not_none) {
    initrd.clear();
    const esm::bytes made = blob();
    write(blob_at, made);
    for (const std::vector<std::uint32_t>& each : {std::vector<std::uint32_t>{0, 0, 0x9'0000}, {0x10'0000}}) {
        write_tree({.blob_size = made.size(), .initrd_size = 16, .initrd_start = each});
        EXPECT_EQ(esm(), u_status::u_p3);
    }
}

TEST_F(esm_image_test, rtas_that_is_entered_elsewhere) {
    const esm::bytes made = blob();
    write(blob_at, made);
    write_tree({.blob_size = made.size(), .initrd_size = initrd.size(), .rtas_entry = rtas_at + 4});
    expect_refused(u_status::u_permission, "RTAS is entered elsewhere than where it is measured");
}

TEST_F(esm_image_test, changed_code_of_rtas) {
    write_image();
    change(rtas_at + 19);
    expect_refused(u_status::u_permission, "RTAS is not");
}

TEST_F(esm_image_test, a_changed_byte_of_the_blob) {
    write_image();
    change(blob_at + 700);
    const auto before = all_normal_memory();
    EXPECT_NE(esm(), u_status::u_success);
    EXPECT_EQ(uv.state(), vm_state::normal);
    EXPECT_TRUE(all_normal_memory() == before);
    ASSERT_EQ(log().count(violation_kind::image_unverified), 1U);
    EXPECT_THAT(log().kept()[0].detail, HasSubstr("UV_ESM: the ESM blob: "));
}

TEST_F(esm_image_test, a_changed_comment_in_the_blob) {
    write_image();
    const esm::bytes made = blob();
    change(blob_at + esm::text_of(made).find("a machine"));
    expect_refused(u_status::u_permission, "the ESM blob: something outside its digests has been changed");
}

TEST_F(esm_image_test, a_blob_for_another_machine) {
    const esm::bytes made = esm::make_blob({.expected = esm::measure(kernel, initrd, line),
                                            .owner = {testing::owner_key().public_half()},
                                            .machines = {},
                                            .files = {}});
    write(blob_at, made);
    write_tree({.blob_size = made.size(), .initrd_size = initrd.size()});
    expect_refused(u_status::u_no_key, "the ESM blob: no lockbox is for this key");
}

TEST_F(esm_image_test, no_blob) {
    write_tree({.blob_size = std::nullopt, .initrd_size = initrd.size()});
    expect_refused(u_status::u_parameter, "there is no ESM blob");
}

TEST_F(esm_image_test, no_device_tree) { expect_refused(u_status::u_p3, "there is no device tree"); }

TEST_F(esm_image_test, an_initrd_outside_memory) {
    const esm::bytes made = blob();
    write(blob_at, made);
    for (const std::uint64_t at :
         {ram_pages * abi::page_size - 0x1000, std::uint64_t{0xffff'ffff'ffff'ff00}}) {
        write_tree({.blob_size = made.size(), .initrd_at = at, .initrd_size = initrd.size()});
        EXPECT_NE(esm(), u_status::u_success);
        EXPECT_EQ(uv.state(), vm_state::normal);
    }
}

TEST_F(esm_image_test, a_page_of_the_initrd_that_does_not_come) {
    write_image();
    hv.serve = [](power::registers& registers, cpu::trap_context&) {
        const bool refuses = registers.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_page_in) &&
                             registers.gpr[4] == 0xa'0000;
        registers.gpr[3] = refuses ? static_cast<std::uint64_t>(h_status::h_parameter) : registers.gpr[3];
        return refuses;
    };
    expect_refused(u_status::u_parameter, "pages of the initrd do not come");
}

TEST_F(esm_image_test, everything_that_is_wrong_is_named) {
    write_image();
    change(kbase);
    change(initrd_at);
    change(rtas_at);
    EXPECT_EQ(esm(), u_status::u_permission);
    EXPECT_EQ(log().count(violation_kind::image_unverified), 3U);
}

TEST_F(esm_image_test, a_blob_within_the_initrd) {
    esm::bytes whole = esm::archive_of(blob());
    whole.insert(whole.end(), initrd.begin(), initrd.end());
    write(initrd_at, whole);
    write_tree({.blob_size = std::nullopt, .initrd_size = whole.size()});
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(images(esm_image::verified), 1U);
}

TEST_F(esm_image_test, a_change_behind_a_blob_within_the_initrd) {
    esm::bytes whole = esm::archive_of(blob());
    whole.insert(whole.end(), initrd.begin(), initrd.end());
    write(initrd_at, whole);
    change(initrd_at + whole.size() - 1);
    write_tree({.blob_size = std::nullopt, .initrd_size = whole.size()});
    expect_refused(u_status::u_permission, "the initrd is not");
}

// What has been measured stands where the hypervisor cannot change it, but for a slot that it takes away.
TEST_F(esm_image_test, a_hypervisor_that_changes_what_was_measured) {
    write_image();
    hv.serve = [this](power::registers& registers, cpu::trap_context& at) {
        if (registers.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            fill(frame_kind::normal, 4, 0xbd);
            EXPECT_EQ(hv.page_in(at, 4), u_status::u_success);
        }
        return false;
    };
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(bus.ram().read(frame_kind::secure, 4)[1], kernel[1]);
}

TEST_F(esm_image_test, a_hypervisor_that_takes_the_slot_of_what_was_measured) {
    write_image();
    hv.serve = [this](power::registers& registers, cpu::trap_context& at) {
        if (registers.gpr[3] == static_cast<std::uint64_t>(hcall::h_svm_init_done)) {
            EXPECT_EQ(hv.ask(at, ucall::uv_unregister_mem_slot, {abi::platform::lpid, 0}),
                      u_status::u_success);
            EXPECT_EQ(
                hv.ask(at, ucall::uv_register_mem_slot, {abi::platform::lpid, 0, 16 * abi::page_size, 0, 0}),
                u_status::u_success);
            fill(frame_kind::normal, 4, 0xbd);
            EXPECT_EQ(hv.page_in(at, 4), u_status::u_success);
        }
        return false;
    };
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_NE(uv.state(), vm_state::secure);
    EXPECT_EQ(guest.msr & power::msr_s, 0U);
}

class esm_image_warn : public esm_image_bench {
protected:
    esm_image_warn() : esm_image_bench(with_key(esm_policy::warn)) {}
};

TEST_F(esm_image_warn, goes_on_and_says_so) {
    files = {{"passphrase", bytes_from("secret")}};
    write_image();
    change(kbase + 1);
    change(initrd_at + 1);
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(guest.nip, kbase);
    EXPECT_EQ(images(esm_image::warned), 1U);
    ASSERT_EQ(log().count(violation_kind::image_unverified), 2U);
    EXPECT_EQ(log().count(violation_kind::call_refused), 0U);
    EXPECT_THAT(log().kept()[0].detail, HasSubstr("the kernel is not as its ESM blob says; it goes on"));
    EXPECT_THAT(log().kept()[1].detail, HasSubstr("the initrd is not as its ESM blob says; it goes on"));
}

TEST_F(esm_image_warn, goes_on_without_blob_and_tree) {
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(images(esm_image::warned), 1U);
}

class esm_image_without_key : public esm_image_bench {
protected:
    esm_image_without_key() : esm_image_bench({}) {}
};

TEST_F(esm_image_without_key, a_guest_without_a_blob_is_not_verified) {
    write_tree({.blob_size = std::nullopt, .initrd_size = initrd.size()});
    esm();
    EXPECT_EQ(uv.state(), vm_state::secure);
    EXPECT_EQ(images(esm_image::unverified), 1U);
    EXPECT_EQ(log().total(), 0U);
    EXPECT_EQ(pages_asked_for(), 2);
}

TEST_F(esm_image_without_key, a_blob_is_refused) {
    write_image();
    expect_refused(u_status::u_no_key, "the machine has no key for the ESM blob");
}

/// A secure guest whose blob has files.
class esm_files_test : public esm_image_bench {
protected:
    esm_files_test() : esm_image_bench(with_key()) {
        files = {{"passphrase", bytes_from("correct horse")}, {"long", pattern(150, 11)}, {"none", {}}};
        write_image();
        esm();
        hv.seen.clear();
        guest.msr |= power::msr_pr;  // svm-tools' esmb-get-file is a program
        guest[power::spr::pidr] = 77;
    }
    struct reply {
        std::int64_t status;
        std::string text;
    };
    reply get_file(const std::string& name, std::uint64_t offset) {
        std::array<unsigned char, 64> padded{};
        std::ranges::copy(name, padded.begin());
        guest.gpr[4] = offset;
        for (std::size_t n = 0; n < 8; ++n) {
            guest.gpr[5 + n] = boost::endian::load_big_u64(padded.data() + 8 * n);
        }
        ultracall(ucall::uv_esmb_get_file);
        std::string text(64, '\0');
        for (std::size_t n = 0; n < 8; ++n) {
            boost::endian::store_big_u64(reinterpret_cast<unsigned char*>(text.data()) + 8 * n,
                                         guest.gpr[4 + n]);
        }
        const auto status = static_cast<std::int64_t>(guest.gpr[3]);
        return {status, status > 0 ? text.substr(0, static_cast<std::size_t>(status)) : std::string()};
    }
    static constexpr auto parameter = static_cast<std::int64_t>(u_status::u_parameter);
};

TEST_F(esm_files_test, gives_a_file_in_pieces) {
    EXPECT_EQ(get_file("passphrase", 0).text, "correct horse");
    EXPECT_EQ(get_file("passphrase", 13).status, 0);
    std::string all;
    for (reply part = get_file("long", 0); part.status > 0; part = get_file("long", all.size())) {
        EXPECT_LE(part.status, 64);
        all += part.text;
    }
    EXPECT_EQ(bytes_from(all), pattern(150, 11));
    EXPECT_EQ(get_file("none", 0).status, 0);
    EXPECT_EQ(get_file("long", 1'000'000).status, 0) << "an assertion of the public Ultravisor";
    EXPECT_EQ(log().total(), 0U);
}

TEST_F(esm_files_test, gives_it_once_from_front_to_back) {
    ASSERT_EQ(get_file("long", 0).status, 64);
    EXPECT_EQ(get_file("long", 0).status, parameter);
    EXPECT_EQ(get_file("long", 63).status, parameter);
    EXPECT_EQ(get_file("long", 100).status, 50) << "what is left out is lost";
    EXPECT_EQ(get_file("long", 64).status, parameter);
    EXPECT_EQ(log().count(violation_kind::call_refused), 3U);
}

TEST_F(esm_files_test, gives_it_to_one_process) {
    ASSERT_EQ(get_file("long", 0).status, 64);
    guest[power::spr::pidr] = 78;
    EXPECT_EQ(get_file("long", 64).status, parameter);
    EXPECT_EQ(get_file("passphrase", 0).status, 13) << "each file has its own reader";
    guest[power::spr::pidr] = 77;
    EXPECT_EQ(get_file("long", 64).status, 64);
}

TEST_F(esm_files_test, of_another_name) {
    for (const std::string& name : {std::string(), std::string("passphras"), std::string("passphrase2"),
                                    std::string("../digest"), std::string(64, 'p')}) {
        EXPECT_EQ(get_file(name, 0).status, parameter) << name;
    }
}

TEST_F(esm_files_test, only_for_a_secure_guest) {
    guest.msr &= ~power::msr_s;
    EXPECT_EQ(get_file("passphrase", 0).status, static_cast<std::int64_t>(u_status::u_permission));
    guest.msr |= power::msr_hv;
    EXPECT_EQ(get_file("passphrase", 0).status, static_cast<std::int64_t>(u_status::u_permission));
    guest.msr = (guest.msr & ~power::msr_hv) | power::msr_s;
    hv.terminate(context);
    EXPECT_EQ(get_file("passphrase", 0).status, parameter) << "its files went with it";
}

TEST_F(esm_files_test, nothing_of_it_reaches_the_hypervisor) {
    get_file("passphrase", 0);
    EXPECT_TRUE(hv.seen.empty());
}

/// Whatever its pages were, nothing is left of a terminated guest's.
TEST_F(esm_image_test, secure_memory_holds_zeroes_only_after_terminate) {
    write_image();
    esm();
    ASSERT_EQ(uv.state(), vm_state::secure);
    for (abi::gfn page = 0; page < slot_pages; ++page) {
        fill(frame_kind::secure, page, static_cast<unsigned char>(0xa0 + page));
    }
    ASSERT_EQ(share(3, 2), u_status::u_success);
    ASSERT_EQ(share(18), u_status::u_success);
    ASSERT_EQ(unshare(4), u_status::u_success);
    for (const abi::gfn page : {5, 17}) {
        ASSERT_EQ(hv.page_out(context, page), u_status::u_success);
    }
    ASSERT_EQ(hv.page_in(context, 17), u_status::u_success);
    set_state(21, page_state::pseudo_shared);  // keeps its secure frame
    ASSERT_EQ(hv.terminate(context), u_status::u_success);
    for (abi::gfn page = 0; page < ram_pages; ++page) {
        EXPECT_EQ(content(frame_kind::secure, page), 0) << page;
        EXPECT_FALSE(bus.ram().touched(frame_kind::secure, page)) << page;
        EXPECT_EQ(state(page), page_state::normal) << page;
    }
    EXPECT_EQ(guest.msr & power::msr_s, power::msr_s);
    EXPECT_EQ(fault(abi::page_base(5)), cpu::fault_outcome::terminated);
}

}  // namespace pefsim::ultravisor
