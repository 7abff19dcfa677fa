// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/rtas_relay.h"

#include <array>
#include <boost/endian/arithmetic.hpp>
#include <libfdt.h>
#include <string>

#include "tests/ultravisor/uv_bench.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using abi::rtas;
using abi::rtas_buffer;
using abi::u_status;
using memory::frame_kind;
using memory::page_state;
using word = boost::endian::big_uint32_t;

namespace {

/// A guest with a device tree as an operating system hands it over. Its early memory ends with slot 1; what lies below
/// the last page is in use up to page `first_reserved`.
class rtas_relay_bench : public testing::uv_bench {
protected:
    static constexpr abi::gfn rtas_area = 9;
    static constexpr abi::gfn first_reserved = 22;
    static constexpr std::uint64_t block = 0x5'1230;   ///< of the guest
    static constexpr std::uint64_t buffer = 0x5'fff0;  ///< across two pages

    rtas_relay_bench() : uv_bench({.costs = {}, .seed = 1, .entry = esm_entry::kernel_entry}) {}

    /// \param spare bytes at the end that nothing uses
    /// \param initrd where firmware says that one stands, which it has not reserved; 0: none
    void put_device_tree(unsigned spare = 64, std::uint64_t initrd = 0) {
        std::vector<char> tree(4096);
        fdt_create(tree.data(), static_cast<int>(tree.size()));
        fdt_add_reservemap_entry(tree.data(), first_reserved * abi::page_size + 12, 5);
        fdt_add_reservemap_entry(tree.data(), 23 * abi::page_size, abi::page_size);
        fdt_finish_reservemap(tree.data());
        fdt_begin_node(tree.data(), "");
        fdt_property_u32(tree.data(), "#address-cells", 2);
        fdt_property_u32(tree.data(), "#size-cells", 2);
        fdt_begin_node(tree.data(), "memory@0");
        const std::array<fdt64_t, 2> reg{0, cpu_to_fdt64(slot_pages * abi::page_size)};
        fdt_property(tree.data(), "reg", reg.data(), sizeof reg);
        fdt_end_node(tree.data());
        fdt_begin_node(tree.data(), "chosen");
        fdt_property_u64(tree.data(), "linux,initrd-start", initrd);
        fdt_property_u64(tree.data(), "linux,initrd-end", initrd == 0 ? 0 : first_reserved * abi::page_size);
        fdt_end_node(tree.data());
        fdt_begin_node(tree.data(), "rtas");
        fdt_property_u32(tree.data(), "linux,rtas-base", rtas_area * abi::page_size + 0x100);
        fdt_property_u32(tree.data(), "rtas-size", 20);
        fdt_end_node(tree.data());
        fdt_end_node(tree.data());
        fdt_finish(tree.data());
        fdt_open_into(tree.data(), tree.data(), static_cast<int>(tree.size()));
        fdt_pack(tree.data());
        fdt_set_totalsize(tree.data(), fdt_totalsize(tree.data()) + spare);
        std::memcpy(bus.ram().write(frame_kind::normal, abi::gfn_of(abi::phys_addr{fdt})), tree.data(),
                    fdt_totalsize(tree.data()));
    }
    void become_secure_with_tree() {
        put_device_tree();
        fill(frame_kind::normal, rtas_area, 0x60);
        become_secure();
        ASSERT_EQ(log().total(), 0U) << log().kept()[0].detail;
    }

    std::byte* guests(std::uint64_t at) {
        return bus.ram().write(frame_kind::secure, abi::gfn_of(abi::phys_addr{at})) + at % abi::page_size;
    }
    void put_block(rtas token, const std::vector<std::uint32_t>& arguments, std::uint32_t results) {
        put_block(static_cast<std::uint32_t>(token), arguments, results);
    }
    void put_block(std::uint32_t token, const std::vector<std::uint32_t>& arguments, std::uint32_t results) {
        std::vector<word> words{token, static_cast<std::uint32_t>(arguments.size()), results};
        words.insert(words.end(), arguments.begin(), arguments.end());
        words.resize(words.size() + results, word(0xdead'beef));
        std::memcpy(guests(block), words.data(), words.size() * sizeof(word));
    }
    std::uint32_t word_of_guest(unsigned n) {
        word value;
        std::memcpy(&value, guests(block) + n * sizeof value, sizeof value);
        return value;
    }
    void put_buffer(const std::vector<std::byte>& bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            *guests(buffer + i) = bytes[i];
        }
    }
    std::vector<std::byte> buffer_of_guest(std::size_t size) {
        std::vector<std::byte> bytes(size);
        for (std::size_t i = 0; i < size; ++i) {
            bytes[i] = *guests(buffer + i);
        }
        return bytes;
    }

    /// The host's side of a call: what it finds and what it leaves.
    std::byte* hosts(std::uint64_t at) {
        EXPECT_TRUE(bus.exposed(abi::gfn_of(abi::phys_addr{at})));
        return bus.ram().write(frame_kind::normal, abi::gfn_of(abi::phys_addr{at})) + at % abi::page_size;
    }
    std::uint32_t word_of_host(unsigned n) {
        word value;
        std::memcpy(&value, hosts(hv.seen.back().gpr[4]) + n * sizeof value, sizeof value);
        return value;
    }
    void host_writes(unsigned n, std::uint32_t value) {
        const word as_word(value);
        std::memcpy(hosts(hv.seen.back().gpr[4]) + n * sizeof as_word, &as_word, sizeof as_word);
    }
    h_status call_rtas() { return hypercall(hcall::h_rtas, {block}); }
};

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(1 + (i * 7 + seed) % 251);
    }
    return bytes;
}

using rtas_relay_test = rtas_relay_bench;

TEST_F(rtas_relay_test, takes_the_highest_free_page_and_says_so_in_the_tree) {
    become_secure_with_tree();
    EXPECT_EQ(state(first_reserved - 1), page_state::shared_implicit);
    std::vector<std::byte> tree = frame(frame_kind::secure, abi::gfn_of(abi::phys_addr{fdt}));
    ASSERT_EQ(fdt_check_full(tree.data(), tree.size()), 0);
    ASSERT_EQ(fdt_num_mem_rsv(tree.data()), 3);
    std::uint64_t at = 0;
    std::uint64_t size = 0;
    ASSERT_EQ(fdt_get_mem_rsv(tree.data(), 2, &at, &size), 0);
    EXPECT_EQ(at, (first_reserved - 1) * abi::page_size);
    EXPECT_EQ(size, abi::page_size);
    EXPECT_GE(fdt_path_offset(tree.data(), "/rtas"), 0);
}

TEST_F(rtas_relay_test, does_not_take_a_page_of_the_initrd) {
    put_device_tree(64, 19 * abi::page_size + 100);
    fill(frame_kind::normal, first_reserved - 1, 0x77);
    become_secure();
    EXPECT_EQ(content(frame_kind::secure, first_reserved - 1), 0x77);
    EXPECT_EQ(state(first_reserved - 1), page_state::secure);
    EXPECT_EQ(state(18), page_state::shared_implicit);
}

TEST_F(rtas_relay_test, rtas_area_stays_the_guests_with_a_page_for_the_host) {
    become_secure_with_tree();
    EXPECT_EQ(state(rtas_area), page_state::pseudo_shared);
    EXPECT_EQ(content(frame_kind::secure, rtas_area), 0x60);
    EXPECT_EQ(content(frame_kind::normal, rtas_area), 0);
    EXPECT_EQ(bus.states().count(page_state::secure), slot_pages - 2);
}

TEST_F(rtas_relay_test, arguments_go_out_and_results_come_back) {
    become_secure_with_tree();
    put_block(rtas::ibm_read_pci_config, {0x800, 0x80000000, 0x20000000, 4}, 2);
    const auto beside = frame(frame_kind::secure, abi::gfn_of(abi::phys_addr{block}));
    hv.serve = [&](power::registers& registers, cpu::trap_context&) {
        EXPECT_EQ(word_of_host(0), static_cast<std::uint32_t>(rtas::ibm_read_pci_config));
        EXPECT_EQ(word_of_host(1), 4U);
        EXPECT_EQ(word_of_host(2), 2U);
        EXPECT_EQ(word_of_host(3), 0x800U);
        EXPECT_EQ(word_of_host(6), 4U);
        EXPECT_EQ(word_of_host(7), 0U) << "what stood in the guest's results";
        host_writes(1, 1);    // it may lie about numbers
        host_writes(3, 666);  // and change arguments
        host_writes(7, 0);
        host_writes(8, 0x1041'1af4);
        registers.gpr[3] = 0;
        return true;
    };
    EXPECT_EQ(call_rtas(), h_status::h_success);
    EXPECT_EQ(word_of_guest(1), 4U);
    EXPECT_EQ(word_of_guest(3), 0x800U);
    EXPECT_EQ(word_of_guest(7), 0U);
    EXPECT_EQ(word_of_guest(8), 0x1041'1af4U);
    // Nothing else of the page has changed.
    auto expected = beside;
    std::memcpy(expected.data() + block % abi::page_size, guests(block), 9 * sizeof(word));
    EXPECT_EQ(frame(frame_kind::secure, abi::gfn_of(abi::phys_addr{block})), expected);
    EXPECT_EQ(log().total(), 0U);
}

TEST_F(rtas_relay_test, nothing_of_an_earlier_call_is_in_the_page) {
    become_secure_with_tree();
    put_buffer(pattern(300, 1));
    put_block(rtas::nvram_store, {0, static_cast<std::uint32_t>(buffer), 300}, 2);
    hv.serve = [&](power::registers& registers, cpu::trap_context&) {
        registers.gpr[3] = 0;
        return true;
    };
    call_rtas();
    put_block(rtas::nvram_fetch, {0, static_cast<std::uint32_t>(buffer), 300}, 2);
    hv.serve = [&](power::registers& registers, cpu::trap_context&) {
        const std::byte* const there = hosts(word_of_host(4));
        EXPECT_TRUE(std::all_of(there, there + 300, [](std::byte b) { return b == std::byte{0}; }));
        registers.gpr[3] = 0;
        return true;
    };
    call_rtas();
    EXPECT_EQ(hv.seen.size(), 2U);
}

TEST_F(rtas_relay_test, every_call_with_a_buffer) {
    become_secure_with_tree();
    for (const abi::rtas_declaration& declared : abi::rtas_declarations) {
        if (declared.buffer.which == rtas_buffer::kind::none) {
            continue;
        }
        SCOPED_TRACE(std::string(declared.name));
        std::vector<std::byte> before = pattern(200, 3);
        std::size_t size = before.size();
        if (declared.buffer.size == rtas_buffer::extent::text) {
            before[50] = std::byte{0};
            size = 51;
        } else if (declared.buffer.size == rtas_buffer::extent::self_described) {
            before[0] = std::byte{0};
            before[1] = std::byte{77};
            size = 79;
        } else if (declared.buffer.size == rtas_buffer::extent::work_area) {
            size = rtas_buffer::work_area_size;
            before = pattern(size, 3);
        }
        std::vector<std::uint32_t> arguments(declared.n_args, 5);
        arguments[declared.buffer.address] = static_cast<std::uint32_t>(buffer);
        if (declared.buffer.size == rtas_buffer::extent::argument) {
            arguments[declared.buffer.length] = static_cast<std::uint32_t>(size);
        }
        const std::vector<std::byte> from_host = pattern(size, 9);
        const bool host_reads = declared.buffer.which != rtas_buffer::kind::to_guest;
        const bool host_writes_it = declared.buffer.which != rtas_buffer::kind::from_guest;
        for (const std::uint32_t status : {0U, static_cast<std::uint32_t>(-1)}) {
            put_buffer(before);
            put_block(declared.token, arguments, declared.n_rets);
            hv.serve = [&](power::registers& registers, cpu::trap_context&) {
                const std::uint32_t at = word_of_host(3 + declared.buffer.address);
                EXPECT_EQ(abi::gfn_of(abi::phys_addr{at}), first_reserved - 1) << "the Ultravisor's page";
                std::vector<std::byte> found(hosts(at), hosts(at) + size);
                EXPECT_EQ(found == std::vector(before.begin(), before.begin() + static_cast<long>(size)),
                          host_reads);
                std::ranges::copy(from_host, hosts(at));
                host_writes(3 + declared.n_args, status);
                registers.gpr[3] = 0;
                return true;
            };
            EXPECT_EQ(call_rtas(), h_status::h_success);
            EXPECT_EQ(word_of_guest(3 + declared.buffer.address), buffer) << "the guest's own argument";
            EXPECT_EQ(word_of_guest(3 + declared.n_args), status);
            EXPECT_EQ(buffer_of_guest(size) == from_host, host_writes_it && status == 0);
        }
    }
    EXPECT_EQ(log().total(), 0U);
}

TEST_F(rtas_relay_test, buffers_that_are_too_long_do_not_reach_the_host) {
    become_secure_with_tree();
    put_block(rtas::nvram_fetch, {0, static_cast<std::uint32_t>(buffer), 4097}, 2);
    EXPECT_EQ(call_rtas(), h_status::h_success);
    EXPECT_EQ(word_of_guest(6), static_cast<std::uint32_t>(-3));
    put_block(rtas::nvram_store, {0, 0x7fff'0000, 16}, 2);  // not in memory
    EXPECT_EQ(call_rtas(), h_status::h_success);
    EXPECT_EQ(word_of_guest(6), static_cast<std::uint32_t>(-3));
    put_buffer(std::vector<std::byte>(rtas_buffer::max_text, std::byte{'x'}));
    put_block(rtas::os_term, {static_cast<std::uint32_t>(buffer)}, 1);
    EXPECT_EQ(call_rtas(), h_status::h_success);
    EXPECT_EQ(word_of_guest(4), static_cast<std::uint32_t>(-3));
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().total(), 3U);
}

TEST_F(rtas_relay_test, blocks_that_are_none) {
    become_secure_with_tree();
    put_block(0x2003, std::vector<std::uint32_t>(17), 1);
    EXPECT_EQ(call_rtas(), h_status::h_parameter);
    put_block(0x2003, {1}, 16);
    EXPECT_EQ(call_rtas(), h_status::h_parameter);
    put_block(0x2003, {1}, 0);
    EXPECT_EQ(call_rtas(), h_status::h_parameter);
    for (const std::uint64_t at :
         {slot_pages * abi::page_size, ~std::uint64_t{7}, slot_pages * abi::page_size - 4}) {
        EXPECT_EQ(hypercall(hcall::h_rtas, {at}), h_status::h_parameter) << at;
    }
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().total(), 6U);
}

TEST_F(rtas_relay_test, a_token_that_nobody_knows_goes_to_the_host) {
    become_secure_with_tree();
    put_block(0x1, {1, 2}, 1);
    hv.serve = [&](power::registers& registers, cpu::trap_context&) {
        host_writes(5, static_cast<std::uint32_t>(-3));
        registers.gpr[3] = 0;
        return true;
    };
    EXPECT_EQ(call_rtas(), h_status::h_success);
    EXPECT_EQ(word_of_guest(5), static_cast<std::uint32_t>(-3));
}

TEST_F(rtas_relay_test, pages_that_are_out_come_in) {
    become_secure_with_tree();
    put_block(rtas::query_cpu_stopped_state, {1}, 2);
    ASSERT_EQ(hv.page_out(context, abi::gfn_of(abi::phys_addr{block})), u_status::u_success);
    ASSERT_EQ(hv.page_inval(context, first_reserved - 1), u_status::u_success);
    hv.seen.clear();
    hv.serve = [&](power::registers& registers, cpu::trap_context&) {
        if (registers.gpr[3] != static_cast<std::uint64_t>(hcall::h_rtas)) {
            return false;
        }
        EXPECT_EQ(word_of_host(3), 1U);
        host_writes(5, 2);
        registers.gpr[3] = 0;
        return true;
    };
    EXPECT_EQ(call_rtas(), h_status::h_success);
    EXPECT_EQ(word_of_guest(5), 2U);
    EXPECT_EQ(hv.count(hcall::h_svm_page_in), 2U);
}

TEST_F(rtas_relay_test, a_page_that_the_host_keeps_ends_the_call) {
    become_secure_with_tree();
    put_block(rtas::query_cpu_stopped_state, {1}, 2);
    ASSERT_EQ(hv.page_inval(context, first_reserved - 1), u_status::u_success);
    hv.serve = [&](power::registers& registers, cpu::trap_context&) {
        registers.gpr[3] = static_cast<std::uint64_t>(h_status::h_parameter);
        return true;
    };
    EXPECT_EQ(call_rtas(), h_status::h_parameter);
    EXPECT_EQ(hv.count(hcall::h_rtas), 0U);
}

TEST_F(rtas_relay_test, the_guest_does_not_touch_the_page) {
    become_secure_with_tree();
    EXPECT_EQ(unshare(first_reserved - 1), u_status::u_p2);
    ASSERT_EQ(hv.page_inval(context, first_reserved - 1), u_status::u_success);
    EXPECT_EQ(fault(abi::page_base(first_reserved - 1)), cpu::fault_outcome::terminated);
    EXPECT_TRUE(context.terminated);
}

TEST_F(rtas_relay_test, without_a_device_tree_there_is_no_rtas) {
    become_secure();
    put_block(rtas::power_off, {0, 0}, 1);
    EXPECT_EQ(call_rtas(), h_status::h_parameter);
    EXPECT_TRUE(hv.seen.empty());
    EXPECT_EQ(log().total(), 1U);
}

TEST_F(rtas_relay_test, a_damaged_tree_fails_uv_esm) {
    put_device_tree();
    std::memset(bus.ram().write(frame_kind::normal, abi::gfn_of(abi::phys_addr{fdt})) + 8, 0xff, 4);
    guest.nip = 0x1234;
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_EQ(guest.nip, 0x1234U);
    EXPECT_EQ(guest.msr & power::msr_s, 0U);
    EXPECT_EQ(bus.states().count(page_state::normal), ram_pages);
}

// Devicetree Specification, 5.3: an entry of the memory reservation block has 16 bytes.
TEST_F(rtas_relay_test, a_tree_with_room_for_the_reservation_alone_is_enough) {
    put_device_tree(sizeof(fdt_reserve_entry));
    become_secure();
    EXPECT_EQ(state(first_reserved - 1), page_state::shared_implicit);
}

TEST_F(rtas_relay_test, a_tree_without_room_fails_uv_esm) {
    put_device_tree(sizeof(fdt_reserve_entry) - 1);
    EXPECT_EQ(esm(), u_status::u_parameter);
    EXPECT_EQ(bus.states().count(page_state::normal), ram_pages);
}

class start_cpu_test : public rtas_relay_bench {
protected:
    static constexpr std::uint32_t start_here = 0xe000;

    /// \returns what the host is to put into R3
    std::uint32_t start_processor(std::uint32_t number, std::uint32_t r3, std::uint32_t status = 0) {
        std::uint32_t cookie = 0;
        put_block(rtas::start_cpu, {number, start_here, r3}, 1);
        hv.serve = [&](power::registers& registers, cpu::trap_context&) {
            EXPECT_EQ(word_of_host(3), number);
            cookie = word_of_host(5);
            host_writes(6, status);
            registers.gpr[3] = 0;
            return true;
        };
        EXPECT_EQ(call_rtas(), h_status::h_success);
        return cookie;
    }
    power::registers enter(unsigned number, std::uint64_t r3) {
        power::registers state;
        state[power::spr::lpidr] = abi::platform::lpid;
        state.nip = 0xbad;
        state.gpr[3] = r3;
        state.msr = power::msr_sf | power::msr_me;
        cpu::trap_context of{.cpu = number, .delay = delay, .writer = {}};
        uv.enter(state, of);
        ended = of.terminated;
        return state;
    }
    bool ended = false;
};

TEST_F(start_cpu_test, begins_secure_where_the_guest_wanted) {
    become_secure_with_tree();
    const std::uint32_t one = start_processor(1, 0x1111);
    const std::uint32_t two = start_processor(2, 0x2222);
    EXPECT_NE(one, 0x1111U);
    EXPECT_NE(one, 0U) << "what R3 has when nobody has set it";
    EXPECT_NE(one, two);
    const power::registers second = enter(2, two);
    EXPECT_EQ(second.nip, start_here);
    EXPECT_EQ(second.gpr[3], 0x2222U);
    EXPECT_EQ(second.msr, power::msr_sf | power::msr_me | power::msr_s);
    EXPECT_EQ(enter(1, one).gpr[3], 0x1111U);
    EXPECT_FALSE(ended);
}

TEST_F(start_cpu_test, a_cookie_is_good_once) {
    become_secure_with_tree();
    const std::uint32_t cookie = start_processor(1, 0x1111);
    enter(1, cookie);
    ASSERT_FALSE(ended);
    enter(1, cookie);
    EXPECT_TRUE(ended);
    EXPECT_EQ(uv.state(), vm_state::terminated);
}

TEST_F(start_cpu_test, not_for_another_processor) {
    become_secure_with_tree();
    const power::registers state = enter(3, start_processor(1, 0x1111));
    EXPECT_TRUE(ended);
    EXPECT_EQ(state.msr & power::msr_s, 0U);
}

TEST_F(start_cpu_test, not_when_the_call_failed) {
    become_secure_with_tree();
    enter(1, start_processor(1, 0x1111, static_cast<std::uint32_t>(-1)));
    EXPECT_TRUE(ended);
}

TEST_F(start_cpu_test, processors_of_an_ordinary_guest_begin_as_the_host_says) {
    const power::registers state = enter(1, 7);
    EXPECT_FALSE(ended);
    EXPECT_EQ(state.nip, 0xbadU);
    EXPECT_EQ(state.gpr[3], 7U);
}

}  // namespace

}  // namespace pefsim::ultravisor
