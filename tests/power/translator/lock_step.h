// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "power/elf_image.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_translator.h"
#include "power/translator/region_translator.h"

namespace pefsim::testing {

/// A core on flat RAM with nothing around it, in hypervisor real mode as kernels of tests/benchmarks/core want it.
/// Hypercalls do nothing but end what asks to be switched off. Behind RAM stands a device of a small page.
class flat_machine : power::real_storage, power::mmu::table_storage {
public:
    static constexpr std::uint64_t ram_size = std::uint64_t{1} << 30;
    static constexpr std::uint64_t device = ram_size;

    /// \param how of a translator; none: the interpreter alone
    explicit flat_machine(const std::optional<power::region_translator::options>& how);
    ~flat_machine() override;
    flat_machine(const flat_machine&) = delete;
    flat_machine& operator=(const flat_machine&) = delete;

    void load(const power::elf_image& image);
    void put(std::uint64_t real, std::span<const std::uint32_t> words);

    /// A run of at most `most` instructions, and a hypercall if it ends there. False: the program has ended.
    bool run(std::int64_t most);

    /// From now on a new translator, which has seen nothing; none: the interpreter alone.
    void translate(const std::optional<power::region_translator::options>& how);
    /// The translator is asked when the next run begins.
    void ask_translator() { core_.use(translator_.get()); }
    /// RAM is zero again, nothing that was in it is known, and nothing is noticed. State is not touched.
    void clear();

    /// Where the core was when somebody around it looked: at an access to the device, or a store that is noticed.
    struct position {
        std::uint64_t nip = 0;
        std::uint64_t instructions = 0;
        std::uint64_t at = 0;  ///< real address, or place in RAM
        std::size_t size = 0;
        friend bool operator==(const position&, const position&) = default;
    };
    /// Stores into the small page at that real address are noticed from now on.
    void notice(std::uint64_t real) {
        noticed_ = real & power::small_page_mask;
        core_.forget_translations();
    }
    [[nodiscard]] const std::vector<position>& positions() const { return positions_; }

    power::core& core() { return core_; }
    std::span<std::byte> ram() { return {ram_, ram_size}; }
    [[nodiscard]] const power::region_translator* translator() const { return translator_.get(); }

private:
    std::byte* direct(std::uint64_t real, power::access_kind kind) override;
    std::byte* direct_block(std::uint64_t real, power::access_kind kind) override;
    outcome read(std::uint64_t real, std::span<std::byte> to, power::access_kind kind) override;
    outcome write(std::uint64_t real, std::span<const std::byte> from) override;
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t real, std::uint64_t value) override;
    [[nodiscard]] bool noticed(std::uint64_t real) const override {
        return (real & power::small_page_mask) == noticed_;
    }
    void stored(const std::byte* to, std::size_t size) override;
    void remember_position(std::uint64_t at, std::size_t size);

    static constexpr std::uint64_t nowhere = ~std::uint64_t{0};

    std::byte* ram_;
    std::uint64_t noticed_ = nowhere;
    std::vector<position> positions_;
    power::mmu::partition partition_;
    power::mmu::radix_translator mmu_{*this, partition_, nullptr};
    power::core core_;
    std::unique_ptr<power::region_translator> translator_;
};

/// What a program, or whoever looks at a core between runs, can find out of two cores that have executed the same: what
/// differs, in words, or nothing.
std::optional<std::string> difference(power::core& expected, power::core& found);

/// The real address of the first byte in which they differ. Costs as much as what was touched of them.
std::optional<std::uint64_t> first_difference(std::span<std::byte> a, std::span<std::byte> b);

/// Runs the same program on two machines and compares them at the end of every run. \returns the first difference, or
/// nothing
std::optional<std::string> lock_step(flat_machine& interpreted, flat_machine& translated,
                                     std::int64_t run_length, std::uint64_t most_instructions);

}  // namespace pefsim::testing
