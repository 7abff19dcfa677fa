// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/power/privileged/radix_bench.h"

/// Radix translation: page sizes, shapes of trees, permissions, every fault, reference and change bits, invalidation.
namespace pefsim::testing {
namespace {

using namespace radix;

TEST(radix, page_sizes_and_shapes) {
    struct {
        const char* name;
        unsigned bits;
        std::vector<unsigned> levels;
        unsigned page;
    } const rows[] = {
        {"4 KiB", 52, {13, 9, 9, 9}, 12},
        {"64 KiB", 52, {13, 9, 9, 5}, 16},
        {"2 MiB", 52, {13, 9, 9}, 21},
        {"1 GiB", 52, {13, 9}, 30},
        {"39 bits", 39, {9, 9, 9}, 12},
        {"one table", 31, {15}, 16},
        {"smallest tables", 42, {5, 5, 5, 5, 5, 5}, 12},
        {"largest root", 52, {16, 15}, 21},
        {"widest", 62, {16, 16}, 30},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        radix_bench bench;
        bench.core.state[power::spr::pidr] = 3;
        const std::uint64_t page = std::uint64_t{1} << row.page;
        const std::uint64_t root = bench.make_process(3, row.bits, row.levels[0]);
        const std::uint64_t ea = 5 * page;
        const std::uint64_t real = 7 * page;
        bench.map(root, row.bits, row.levels, ea, valid | leaf | real | all_access);
        for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{0x123}, page / 2 + 4, page - 1}) {
            for (int again = 0; again < 2; ++again) {  // walked, then found
                const translation found = bench.translate(ea + offset, access_kind::load);
                EXPECT_EQ(found.error, storage_error::none);
                EXPECT_EQ(found.real, real + offset);
            }
        }
        EXPECT_EQ(bench.mmu.walks(), 1U);
        EXPECT_EQ(bench.translate(ea + page, access_kind::load).status, 0x4000'0000U);
        // Beyond the tree
        if (row.bits < 62) {
            EXPECT_EQ(bench.translate(ea | std::uint64_t{1} << row.bits, access_kind::load).error,
                      storage_error::segment);
        }
    }
}

TEST(radix, bits_of_a_page_number_below_the_page_size_do_not_count) {
    radix_bench bench;
    const std::uint64_t root = bench.make_process(0, 52, 13);
    bench.map(root, 52, {13, 9, 9}, 0x20'0000, valid | leaf | 0x40'3000 | all_access);
    EXPECT_EQ(bench.translate(0x20'0010, access_kind::load).real, 0x40'0010U);
}

TEST(radix, quadrants) {
    radix_bench bench;
    bench.core.state[power::spr::pidr] = 3;
    bench.map(bench.make_process(3, 52, 13), 52, linux_64k, 0x1'0000, valid | leaf | 0x10'0000 | all_access);
    bench.map(bench.make_process(0, 52, 13), 52, linux_64k, 0x1'0000, valid | leaf | 0x20'0000 | all_access);
    EXPECT_EQ(bench.translate(0x1'0000, access_kind::load).real, 0x10'0000U);
    EXPECT_EQ(bench.translate(kernel_base | 0x1'0000, access_kind::load).real, 0x20'0000U);
    EXPECT_EQ(bench.translate(std::uint64_t{1} << 62 | 0x1'0000, access_kind::load).error,
              storage_error::segment);
    EXPECT_EQ(bench.translate(std::uint64_t{2} << 62 | 0x1'0000, access_kind::load).error,
              storage_error::segment);
    bench.core.state[power::spr::pidr] = 0;
    EXPECT_EQ(bench.translate(0x1'0000, access_kind::load).real, 0x20'0000U);
}

TEST(radix, real_mode_ignores_four_bits) {
    radix_bench bench;
    bench.core.state.msr = power::msr_sf;
    EXPECT_EQ(bench.mmu.translate(bench.core.state, kernel_base | 0x1234, access_kind::load).real, 0x1234U);
    bench.core.state.msr = power::msr_sf | power::msr_ir;
    EXPECT_EQ(bench.mmu.translate(bench.core.state, 0x1234, access_kind::store).real, 0x1234U);
    EXPECT_NE(bench.mmu.translate(bench.core.state, 0x1234, access_kind::fetch).error, storage_error::none);
}

/// What a page allows: the outcome of load, store and fetch, as status bits.
struct permission {
    const char* name;
    std::uint64_t pte;
    std::uint64_t msr;  ///< PR
    std::uint64_t load, store, fetch;
    std::uint64_t amr = 0;
    std::uint64_t iamr = 0;
};

constexpr std::uint64_t refused = 0x0800'0000;
constexpr std::uint64_t no_execute = 0x1000'0000;
constexpr std::uint64_t key_no_store = std::uint64_t{1} << 63;
constexpr std::uint64_t key_no_load = std::uint64_t{1} << 62;

const permission permissions[] = {
    {"nothing", 0, power::msr_pr, refused, refused, no_execute},
    {"r", r, power::msr_pr, 0, refused, no_execute},
    {"rw", r | rw, power::msr_pr, 0, 0, no_execute},
    {"w implies r", rw, power::msr_pr, 0, 0, no_execute},
    {"x", x, power::msr_pr, refused, refused, 0},
    {"rx", r | x, power::msr_pr, 0, refused, 0},
    {"rwx", r | rw | x, power::msr_pr, 0, 0, 0},
    {"privileged rwx from problem state", privileged | r | rw | x, power::msr_pr, refused, refused, refused},
    {"privileged rwx", privileged | r | rw | x, 0, 0, 0, 0},
    {"privileged r", privileged | r, 0, 0, refused, no_execute},
    {"problem state's, from supervisor", r | rw | x, 0, 0, 0, 0},
    {"with AMR no store", r | rw | x, 0, 0, refused, 0, key_no_store},
    {"with AMR no load", r | rw | x, 0, refused, 0, 0, key_no_load},
    {"with IAMR", r | rw | x, 0, 0, 0, refused, 0, key_no_load},
    {"keys of others", r | rw | x, 0, 0, 0, 0, ~(key_no_store | key_no_load), ~key_no_load},
    {"keys do not bind problem state", r | rw | x, power::msr_pr, 0, 0, 0, ~std::uint64_t{0},
     ~std::uint64_t{0}},
    {"keys do not bind privileged pages", privileged | r | rw | x, 0, 0, 0, 0, ~std::uint64_t{0},
     ~std::uint64_t{0}},
    {"strong access order", sao | r | rw | x, power::msr_pr, 0, 0, 0},
    {"guarded", non_idempotent | r | rw | x, power::msr_pr, 0, 0, no_execute},
    {"tolerant", tolerant | r | rw | x, power::msr_pr, 0, 0, 0},
};

TEST(radix, permissions) {
    for (const permission& row : permissions) {
        for (const bool known : {false, true}) {
            SCOPED_TRACE(fmt::format("{}{}", row.name, known ? ", in the cache" : ""));
            radix_bench bench;
            bench.core.state[power::spr::pidr] = 1;
            const std::uint64_t at = bench.map(bench.make_process(1, 52, 13), 52, linux_64k, 0x3'0000,
                                               valid | leaf | 0x10'0000 | row.pte |
                                                   (known ? reference | change : 0));
            if (known) {  // by somebody who may
                bench.memory.write(at, valid | leaf | 0x10'0000 | r | rw | x | reference | change);
                bench.translate(0x3'0000, access_kind::load, power::msr_pr);
                bench.memory.write(at, valid | leaf | 0x10'0000 | row.pte | reference | change);
                bench.mmu.invalidate({});
                bench.translate(0x3'0000, access_kind::load, row.msr);
            }
            bench.core.state[power::spr::amr] = row.amr;
            bench.core.state[power::spr::iamr] = row.iamr;
            EXPECT_EQ(bench.translate(0x3'0000, access_kind::load, row.msr).status, row.load);
            EXPECT_EQ(bench.translate(0x3'0000, access_kind::store, row.msr).status, row.store);
            EXPECT_EQ(bench.translate(0x3'0000, access_kind::fetch, row.msr).status, row.fetch);
            const bool inhibited = (row.pte & non_idempotent) != 0;
            if (row.load == 0) {
                EXPECT_EQ(bench.translate(0x3'0000, access_kind::load, row.msr).inhibited, inhibited);
            }
        }
    }
}

TEST(radix, faults_of_tables) {
    constexpr std::uint64_t no_translation = 0x4000'0000;
    constexpr std::uint64_t unsupported = 0x0008'0000;
    constexpr std::uint64_t ea = 0x7'0000;
    struct {
        const char* name;
        void (*spoil)(radix_bench&, std::uint64_t root);
        storage_error error;
        std::uint64_t status;
    } const rows[] = {
        {"no process table", [](radix_bench& b, std::uint64_t) { b.partition.use({}); },
         storage_error::storage, no_translation},
        {"process beyond the table",
         [](radix_bench& b, std::uint64_t) { b.core.state[power::spr::pidr] = 256; }, storage_error::storage,
         no_translation},
        {"process table where nothing is",
         [](radix_bench& b, std::uint64_t) {
             b.partition.use({.base = flat_memory::size, .size_exponent = 12});
         },
         storage_error::table_machine_check, 0},
        {"empty process table entry",
         [](radix_bench& b, std::uint64_t) { b.memory.write(processes + 16, 0); }, storage_error::storage,
         unsupported},
        {"root of 2^4 entries",
         [](radix_bench& b, std::uint64_t root) {
             b.memory.write(processes + 16, std::uint64_t{2} << 61 | 5 << 5 | root | 4);
         },
         storage_error::storage, unsupported},
        {"root of 2^17 entries",
         [](radix_bench& b, std::uint64_t root) {
             b.memory.write(processes + 16, std::uint64_t{2} << 61 | 5 << 5 | root | 17);
         },
         storage_error::storage, unsupported},
        {"root beyond memory",
         [](radix_bench& b, std::uint64_t) {
             b.memory.write(processes + 16, std::uint64_t{2} << 61 | 5 << 5 | flat_memory::size | 13);
         },
         storage_error::table_machine_check, 0},
        {"invalid root entry", [](radix_bench& b, std::uint64_t root) { b.memory.write(root, 0); },
         storage_error::storage, no_translation},
        {"a leaf too early",
         [](radix_bench& b, std::uint64_t root) { b.memory.write(root, valid | leaf | r); },
         storage_error::storage, unsupported},
        {"tables that go below a page",
         [](radix_bench& b, std::uint64_t root) { b.memory.write(root, valid | b.table(16) | 16); },
         storage_error::storage, no_translation},
        {"a table of no entries",
         [](radix_bench& b, std::uint64_t root) {
             b.memory.write(root, b.memory.table_entry(root) & ~std::uint64_t{0x1f});
         },
         storage_error::storage, unsupported},
        {"second table beyond memory",
         [](radix_bench& b, std::uint64_t root) { b.memory.write(root, valid | flat_memory::size | 9); },
         storage_error::table_machine_check, 0},
        {"endless tables",
         [](radix_bench& b, std::uint64_t root) {
             b.memory.write(root, valid | root | 13);
             b.memory.write(root + 8 * (ea >> 13), valid | root | 13);
         },
         storage_error::storage, unsupported},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        radix_bench bench;
        bench.core.state[power::spr::pidr] = 1;
        const std::uint64_t root = bench.make_process(1, 52, 13);
        bench.map(root, 52, linux_64k, ea, valid | leaf | 0x10'0000 | all_access);
        EXPECT_EQ(bench.translate(ea, access_kind::load).error, storage_error::none);
        row.spoil(bench, root);
        bench.mmu.invalidate({});
        for (const access_kind kind : {access_kind::load, access_kind::store, access_kind::fetch}) {
            const translation found = bench.translate(ea, kind);
            EXPECT_EQ(found.error, row.error);
            EXPECT_EQ(found.status, row.status);
        }
    }
}

TEST(radix, reference_and_change_bits) {
    radix_bench bench;
    bench.core.state[power::spr::pidr] = 1;
    const std::uint64_t root = bench.make_process(1, 52, 13);
    constexpr std::uint64_t pte = valid | leaf | 0x10'0000 | r | rw;
    const std::uint64_t at = bench.map(root, 52, linux_4k, 0x3000, pte);
    EXPECT_EQ(bench.translate(0x3000, access_kind::fetch, power::msr_pr).status, no_execute);
    EXPECT_EQ(bench.memory.table_entry(at), pte);  // what is refused leaves no mark
    bench.translate(0x3000, access_kind::load, power::msr_pr);
    EXPECT_EQ(bench.memory.table_entry(at), pte | reference);
    bench.translate(0x3000, access_kind::store, power::msr_pr);
    EXPECT_EQ(bench.memory.table_entry(at), pte | reference | change);
    const std::uint64_t executable = bench.map(root, 52, linux_4k, 0x5000, valid | leaf | 0x20'0000 | x);
    bench.translate(0x5000, access_kind::fetch, power::msr_pr);
    EXPECT_EQ(bench.memory.table_entry(executable), valid | leaf | 0x20'0000 | x | reference);
}

/// Whoever writes down who stores where must find the instruction in NIP: not where the run began.
TEST(radix, reference_and_change_bits_are_set_by_the_instruction_in_nip) {
    relocated_bench bench;
    const std::uint64_t first = bench.kernel_code;
    bench.memory.put(first & 0xff'ffff, program()("addi", {4, 0, 1})("addi", {4, 4, 1})("ld", {5, 0, 3})(
                                            "std", {5, 8, 3})("attn"));
    bench.core.attention_leaves(true);
    bench.core.state.gpr[3] = bench.data;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> written;
    bench.memory.table_written = [&](std::uint64_t real) {
        written.emplace_back(real, bench.core.state.nip);
    };
    bench.core.state.nip = first;
    ASSERT_EQ(bench.core.run(100), power::exit_reason::attention);
    ASSERT_EQ(written.size(), 3U);
    EXPECT_EQ(written[0].second, first);  // its own page
    EXPECT_EQ(written[1], std::pair(bench.data_entry, first + 8));
    EXPECT_EQ(written[2], std::pair(bench.data_entry, first + 12));
}

TEST(radix, interrupts_report_the_fault) {
    constexpr std::uint64_t unmapped = 0x9'0000;
    struct {
        const char* name;
        const char* instruction;
        std::uint64_t address;
        std::uint64_t vector;
        std::uint64_t dsisr;
    } const rows[] = {
        {"load", "ld", unmapped, 0x300, 0x4000'0000},
        {"store", "std", unmapped, 0x300, 0x4200'0000},
        {"segment", "ld", std::uint64_t{1} << 62, 0x380, 0},
        {"outside the tree", "std", std::uint64_t{1} << 52, 0x380, 0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        relocated_bench bench;
        bench.core.state.gpr[3] = row.address;
        bench.run_kernel(program()(row.instruction, {4, 8, 3}));
        EXPECT_EQ(bench.core.state.nip, ail + row.vector);
        EXPECT_EQ(bench.core.state[power::spr::dar], row.address + 8);
        EXPECT_EQ(bench.core.state[power::spr::dsisr], row.dsisr);
        EXPECT_EQ(bench.core.state[power::spr::srr0], relocated_bench::kernel_code);
    }
}

TEST(radix, instruction_interrupts_report_the_fault) {
    struct {
        std::uint64_t address;
        std::uint64_t vector;
        std::uint64_t srr1;
    } const rows[] = {
        {0x9'0000, 0x400, 0x4000'0000},
        {relocated_bench::data, 0x400, 0x1000'0000},
        {std::uint64_t{2} << 62, 0x480, 0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.address);
        relocated_bench bench;
        bench.core.state.nip = row.address;
        bench.core.step();
        EXPECT_EQ(bench.core.state.nip, ail + row.vector);
        EXPECT_EQ(bench.core.state[power::spr::srr0], row.address);
        EXPECT_EQ(bench.core.state[power::spr::srr1] & 0x783f'0000, row.srr1);
    }
}

TEST(radix, a_store_over_two_pages_is_all_or_nothing) {
    relocated_bench bench;
    bench.core.state.gpr[3] = relocated_bench::data + 0xfffc;
    bench.core.state.gpr[4] = ~std::uint64_t{0};
    bench.run_kernel(program()("std", {4, 0, 3}));
    EXPECT_EQ(bench.core.state.nip, ail + 0x300);
    EXPECT_EQ(bench.core.state[power::spr::dar], relocated_bench::data + 0x1'0000);
    EXPECT_EQ(bench.memory.bytes[0x50'fffc], std::byte{0});
}

TEST(radix, misaligned_access_to_inhibited_storage) {
    relocated_bench bench;
    bench.map(bench.user_root, 52, linux_64k, relocated_bench::data,
              valid | leaf | 0x50'0000 | r | rw | tolerant);
    bench.core.state.gpr[3] = relocated_bench::data;
    bench.run_kernel(program()("lwz", {4, 4, 3})("lwz", {4, 2, 3}));
    EXPECT_EQ(bench.core.state.nip, ail + 0x600);
    EXPECT_EQ(bench.core.state[power::spr::dar], relocated_bench::data + 2);
}

/// RB of a tlbie of one 64 KiB page.
constexpr std::uint64_t page_64k(std::uint64_t ea) { return ea | std::uint64_t{5} << 5; }
constexpr std::uint64_t of_process(std::uint64_t pid) { return pid << 32; }

TEST(radix, old_translations_live_until_tlbie) {
    struct {
        const char* name;
        const char* instruction;
        std::uint64_t rb, rs;
        std::int64_t ric;
        bool forgotten;
    } const rows[] = {
        {"page", "tlbie", page_64k(relocated_bench::data), of_process(1), 0, true},
        {"page, here", "tlbiel", page_64k(relocated_bench::data), of_process(1), 0, true},
        {"page and walks", "tlbie", page_64k(relocated_bench::data), of_process(1), 2, true},
        {"a 4 KiB page in it", "tlbie", relocated_bench::data | 0x3000, of_process(1), 0, true},
        {"a 2 MiB page around it", "tlbie", std::uint64_t{1} << 5, of_process(1), 0, true},
        {"process", "tlbie", std::uint64_t{1} << 10, of_process(1), 2, true},
        {"process, here", "tlbiel", std::uint64_t{1} << 10, of_process(1), 0, true},
        {"partition", "tlbie", std::uint64_t{2} << 10, 0, 2, true},
        {"all", "tlbiel", std::uint64_t{3} << 10, 0, 2, true},
        {"another class", "tlbiel", std::uint64_t{1} << 10 | std::uint64_t{1} << 12, of_process(1), 0, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        relocated_bench bench;
        power::registers& state = bench.core.state;
        bench.memory.bytes[0x50'0000] = std::byte{1};
        bench.memory.bytes[0x60'0000] = std::byte{2};
        state.gpr[3] = relocated_bench::data;
        bench.run_kernel(program()("lbz", {4, 0, 3}));
        EXPECT_EQ(state.gpr[4], 1U);
        bench.memory.write(bench.data_entry, valid | leaf | 0x60'0000 | r | rw);
        state.gpr[5] = row.rb;
        state.gpr[6] = row.rs;
        bench.run_kernel(program()(row.instruction, {5, 6, row.ric, 1, 1})("lbz", {4, 0, 3}));
        EXPECT_EQ(state.gpr[4], row.forgotten ? 2U : 1U);
    }
}

TEST(radix, tlbie_reaches_other_processors_and_tlbiel_does_not) {
    for (const bool global : {true, false}) {
        relocated_bench bench;
        power::mmu::radix_translator other{bench.memory, bench.partition, nullptr};
        struct receiver : power::mmu::partition::member {
            std::vector<power::tlb_invalidation> heard;
            void forget_translations(const power::tlb_invalidation& what) override { heard.push_back(what); }
            void code_appeared() override {}
            void code_changed(std::uint64_t, std::size_t) override {}
        } receiver;
        bench.partition.join(receiver);
        bench.core.state.gpr[5] = page_64k(relocated_bench::data);
        bench.core.state.gpr[6] = of_process(1);
        bench.run_kernel(program()(global ? "tlbie" : "tlbiel", {5, 6, 0, 1, 1}));
        ASSERT_EQ(receiver.heard.size(), global ? 1U : 0U);
        if (global) {
            EXPECT_EQ(receiver.heard[0].ea, relocated_bench::data);
            EXPECT_EQ(receiver.heard[0].size, 0x1'0000U);
            EXPECT_EQ(receiver.heard[0].pid, 1U);
        }
        bench.partition.leave(receiver);
    }
}

TEST(radix, tlbie_is_the_hypervisors_without_gtse) {
    relocated_bench bench;
    bench.core.state[power::spr::lpcr] &= ~power::lpcr::gtse;
    bench.run_kernel(program()("tlbie", {5, 6, 0, 1, 1}));
    EXPECT_EQ(bench.core.state.nip, ail + 0x700);
}

TEST(radix, processes_change_by_pidr) {
    relocated_bench bench;
    power::registers& state = bench.core.state;
    bench.map(bench.make_process(2, 52, 13), 52, linux_64k, relocated_bench::data,
              valid | leaf | 0x60'0000 | r | rw);
    bench.memory.bytes[0x50'0000] = std::byte{1};
    bench.memory.bytes[0x60'0000] = std::byte{2};
    state.gpr[3] = relocated_bench::data;
    state.gpr[5] = 2;
    state.gpr[6] = 1;
    bench.run_kernel(
        program()("lbz", {7, 0, 3})("mtspr", {48, 5})("lbz", {8, 0, 3})("mtspr", {48, 6})("lbz", {9, 0, 3}));
    EXPECT_EQ(state.gpr[7], 1U);
    EXPECT_EQ(state.gpr[8], 2U);
    EXPECT_EQ(state.gpr[9], 1U);
}

TEST(radix, amr_binds_at_once) {
    relocated_bench bench;
    power::registers& state = bench.core.state;
    state.gpr[3] = relocated_bench::data;
    state.gpr[5] = key_no_store;
    bench.run_kernel(
        program()("stb", {4, 0, 3})("lbz", {4, 0, 3})("mtspr", {29, 5})("lbz", {4, 0, 3})("stb", {4, 0, 3}));
    EXPECT_EQ(state.nip, ail + 0x300);
    EXPECT_EQ(state[power::spr::dsisr], 0x0a00'0000U);
    EXPECT_EQ(state[power::spr::srr0], relocated_bench::kernel_code + 16);
}

TEST(radix, amor_and_uamor_limit_the_masks) {
    engine_bench bench;
    power::registers& state = bench.core.state;
    state[power::spr::amor] = 0xff00;
    state.gpr[3] = ~std::uint64_t{0};
    bench.execute(program()("mtspr", {29, 3})("mtspr", {61, 3})("mtspr", {157, 3}));
    EXPECT_EQ(state[power::spr::amr], 0xff00U);
    EXPECT_EQ(state[power::spr::iamr], 0xff00U);
    EXPECT_EQ(state[power::spr::uamor], 0xff00U);
    state[power::spr::uamor] = 0x0f00;
    state.gpr[3] = 0;
    state.nip = engine_bench::code;
    bench.set_msr(state.msr | power::msr_pr);
    bench.execute(program()("mtspr", {13, 3}));
    EXPECT_EQ(state[power::spr::amr], 0xf000U);
}

TEST(radix, problem_state_does_not_use_what_the_kernel_has_found) {
    relocated_bench bench;
    power::registers& state = bench.core.state;
    const std::uint64_t secret = kernel_base | 0x70'0000;
    bench.map(bench.user_root, 52, linux_64k, 0x1'0000, valid | leaf | 0x1'0000 | r | x);
    state.gpr[3] = secret;
    bench.run_kernel(program()("ld", {4, 0, 3}));
    state.nip = 0x1'0000;
    bench.set_msr(state.msr | power::msr_pr | power::msr_ee);
    bench.core.step();
    EXPECT_EQ(state.nip, ail + 0x300);
    EXPECT_EQ(state[power::spr::dsisr], 0x0800'0000U);
    EXPECT_EQ(state[power::spr::dar], secret);
}

TEST(radix, thirty_two_bit_mode_uses_the_low_half_of_addresses) {
    relocated_bench bench;
    power::registers& state = bench.core.state;
    bench.map(bench.user_root, 52, linux_64k, 0x1'0000, valid | leaf | 0x1'0000 | r | x);
    bench.memory.put(0x1'0000, program()("ld", {4, 0, 3}));
    bench.memory.bytes[0x50'0000] = std::byte{7};
    state.gpr[3] = 0xffff'ffff'0000'0000 | relocated_bench::data;
    state.nip = 0x1'0000;
    bench.set_msr((state.msr | power::msr_pr | power::msr_ee) & ~power::msr_sf);
    bench.core.step();
    EXPECT_EQ(state.gpr[4], 7U);
}

}  // namespace
}  // namespace pefsim::testing
