// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/opv_run.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "power/engine/core.h"
#include "power/instructions/power9_decoder.h"
#include "power/translator/region_translator.h"

namespace pefsim::opv {
namespace {

using power::access_kind;
using power::registers;
using power::small_page;
using power::small_page_mask;
using power::spr;

/// Real storage is there wherever the test touches it; effective addresses lie where the test's comments say, and where
/// they say nothing at the same real address, without the bits that real mode ignores.
class environment : public power::translator, public power::real_storage {
public:
    explicit environment(const std::vector<placement>& placements) {
        for (const placement& each : placements) {
            places_.emplace(each.ea, each.real);
        }
    }

    power::translation translate(const registers& /*state*/, std::uint64_t ea,
                                 access_kind /*kind*/) override {
        constexpr std::uint64_t real_bits = ~std::uint64_t{0} >> 4;
        const auto found = places_.find(ea & small_page_mask);
        return {.real = found != places_.end() ? found->second | ea % small_page : ea & real_bits};
    }
    std::byte* direct(std::uint64_t real, access_kind /*kind*/) override {
        std::unique_ptr<page>& there = pages_[real & small_page_mask];
        if (!there) {
            there = std::make_unique<page>();
        }
        return there->data();
    }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, access_kind /*kind*/) override {
        return outcome::machine_check;  // all storage is direct
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }

    std::uint8_t& byte(std::uint64_t real) {
        return *reinterpret_cast<std::uint8_t*>(direct(real, access_kind::load) + real % small_page);
    }

private:
    using page = std::array<std::byte, small_page>;
    std::map<std::uint64_t, std::uint64_t> places_;
    std::map<std::uint64_t, std::unique_ptr<page>> pages_;
};

/// How a register is read and written: as one word, or two.
struct accessor {
    std::function<std::vector<std::uint64_t>()> read;
    std::function<void(const std::vector<std::uint64_t>&)> write;
    std::uint64_t compared = ~std::uint64_t{0};  ///< bits of each word that count
};

accessor word(std::uint64_t& in, std::uint64_t compared = ~std::uint64_t{0}) {
    return {[&in] { return std::vector{in}; },
            [&in](const std::vector<std::uint64_t>& from) { in = from.back(); }, compared};
}

/// The number in names such as G31.
std::optional<unsigned> number_behind(std::string_view name, std::string_view prefix, unsigned limit) {
    unsigned number = 0;
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    const char* const end = name.data() + name.size();
    const auto result = std::from_chars(name.data() + prefix.size(), end, number);
    return result.ec == std::errc{} && result.ptr == end && number < limit ? std::optional(number)
                                                                           : std::nullopt;
}

accessor vector_at(power::vector_register& at) {
    return {[&at] {
                return std::vector{at.high, at.low};
            },
            [&at](const std::vector<std::uint64_t>& from) {
                at.high = from.front();
                at.low = from.size() > 1 ? from.back() : 0;
            }};
}

/// Bits of XER that the ISA defines: SO, OV, CA, OV32, CA32 and the length of strings.
constexpr std::uint64_t xer_bits = 0xe00c'007f;

struct named_register {
    std::string_view name;
    spr which;
    std::uint64_t compared = ~std::uint64_t{0};
};
constexpr std::array special_registers{
    named_register{"LR", spr::lr},
    named_register{"CTR", spr::ctr},
    named_register{"XER", spr::xer, xer_bits},
    named_register{"TAR", spr::tar},
    named_register{"DAR", spr::dar},
    named_register{"DSISR", spr::dsisr, 0xffff'ffff},
    named_register{"SRR0", spr::srr0},
    named_register{"SRR1", spr::srr1},
    named_register{"HSRR0", spr::hsrr0},
    named_register{"HSRR1", spr::hsrr1},
    named_register{"CFAR", spr::cfar},
    named_register{"DSCR", spr::dscr},
    named_register{"VRSAVE", spr::vrsave, 0xffff'ffff},
    named_register{"SPRG0", spr::sprg0},
    named_register{"SPRG1", spr::sprg1},
    named_register{"SPRG2", spr::sprg2},
    named_register{"SPRG3", spr::sprg3},
    named_register{"PPR", spr::ppr},
    named_register{"AMR", spr::amr},
    named_register{"IAMR", spr::iamr},
    named_register{"UAMOR", spr::uamor},
    named_register{"FSCR", spr::fscr},
    named_register{"DEC", spr::dec, 0},  // runs
};

std::optional<accessor> find(registers& state, std::string_view name) {
    if (const auto n = number_behind(name, "G", 32)) {
        return word(state.gpr[*n]);
    }
    for (const std::string_view prefix : {"F", "FPR"}) {
        if (const auto n = number_behind(name, prefix, 32)) {
            return word(state.vsr[*n].high);
        }
    }
    for (const std::string_view prefix : {"V", "VR"}) {
        if (const auto n = number_behind(name, prefix, 32)) {
            return vector_at(state.vsr[*n + 32]);
        }
    }
    for (const std::string_view prefix : {"VS", "VSR"}) {
        if (const auto n = number_behind(name, prefix, 64)) {
            return vector_at(state.vsr[*n]);
        }
    }
    if (name == "IAR") {
        return word(state.nip);
    }
    if (name == "MSR") {
        return word(state.msr);
    }
    if (name == "FPSCR") {
        return word(state.fpscr);
    }
    if (name == "CR") {
        return accessor{[&state] { return std::vector<std::uint64_t>{std::uint32_t{state.cr}}; },
                        [&state](const std::vector<std::uint64_t>& from) {
                            state.cr = static_cast<std::uint32_t>(from.back());
                        }};
    }
    if (name == "VSCR") {
        return accessor{[&state] {
                            return std::vector<std::uint64_t>{0, state.vscr};
                        },
                        [&state](const std::vector<std::uint64_t>& from) {
                            state.vscr = static_cast<std::uint32_t>(from.back());
                        }};
    }
    for (const named_register& each : special_registers) {
        if (each.name == name) {
            return word(state[each.which], each.compared);
        }
    }
    return std::nullopt;
}

std::string hexadecimal(const std::vector<std::uint64_t>& words) {
    std::string digits;
    for (const std::uint64_t each : words) {
        digits += fmt::format("{:016x}", each);
    }
    return digits;
}

/// The low words that both have: a file may write a register with fewer digits.
bool equal(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b, std::uint64_t mask) {
    for (std::size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
        if (((a[a.size() - i] ^ b[b.size() - i]) & mask) != 0) {
            return false;
        }
    }
    return true;
}

class runner {
public:
    explicit runner(const test& that)
        : test_(that),
          machine_(that.placements),
          core_(power::isa::power9_decoder(), machine_, machine_) {}

    /// At one go, what was met before in host code.
    std::string run_translated() {
        using power::region_translator;
        region_translator host_code(core_, region_translator::options::at_first_execution());
        run();
        for (const step& each : test_.steps) {
            core_.forget_code(each.real, each.bytes.size());  // the test may have changed it
        }
        core_.use(&host_code);
        return run();
    }

    /// Instruction by instruction, with the trace.
    std::string follow() {
        prepare();
        for (const step& each : test_.steps) {
            if (each.last || !passes()) {
                break;
            }
            execute(each);
        }
        finish();
        return difference_;
    }

    /// At one go, as programs run; interrupts are delivered here, so that the end, an undefined word, is seen.
    std::string run() {
        prepare();
        core_.interrupts_leave(true);
        const std::uint64_t end = test_.steps.back().ea;
        const auto limit = static_cast<std::int64_t>(2 * test_.steps.size() + small_page);
        const std::uint64_t begin = core_.instructions();
        while (core_.state.nip != end) {
            const bool interrupted = core_.run(limit) == power::exit_reason::interrupt;
            if (core_.state.nip != end && interrupted) {
                power::enter_interrupt(core_.state, core_.state.nip, core_.interrupt());
                core_.msr_changed();
            }
            if (core_.instructions() - begin > static_cast<std::uint64_t>(limit)) {
                fail(test_.steps.back().line, "run at one go, it does not end");
                break;
            }
        }
        finish();
        return difference_;
    }

private:
    [[nodiscard]] bool passes() const { return difference_.empty(); }
    template <typename... T>
    void fail(std::size_t line, fmt::format_string<T...> text, T&&... values) {
        if (passes()) {
            difference_ = fmt::format("line {}: {}", line, fmt::format(text, std::forward<T>(values)...));
        }
    }

    void prepare() {
        core_.state = {};
        core_.state.msr = power::msr_sf;
        for (const storage_value& each : test_.storage) {
            for (std::size_t i = 0; i < each.bytes.size(); ++i) {
                machine_.byte(each.real + i) = each.bytes[i];
            }
        }
        for (auto each = test_.steps.rbegin(); each != test_.steps.rend();
             ++each) {  // of two at one place the first
            for (std::size_t i = 0; i < each->bytes.size(); ++i) {
                machine_.byte(each->real + i) = each->bytes[i];
            }
        }
        for (const register_value& each : test_.registers) {
            if (const auto access = find(core_.state, each.name)) {
                access->write(each.words);
            } else {
                fail(each.line, "unknown register {}", each.name);
            }
        }
        core_.msr_changed();
    }

    void execute(const step& each) {
        if (core_.state.nip != each.ea) {
            fail(each.line, "{}: next instruction is at {:#x}, not {:#x}", each.text, core_.state.nip,
                 each.ea);
            return;
        }
        core_.step();
        check(each.writes, each.text);
        check(each.stores, each.text);
    }

    void check(const std::vector<register_value>& values, std::string_view after) {
        for (const register_value& each : values) {
            const auto access = find(core_.state, each.name);
            if (!access) {
                fail(each.line, "{}: unknown register {}", after, each.name);
            } else if (const auto is = access->read(); !equal(is, each.words, access->compared)) {
                fail(each.line, "{}: {} is {}, not {}", after, each.name, hexadecimal(is),
                     hexadecimal(each.words));
            }
        }
    }
    void check(const std::vector<storage_value>& values, std::string_view after) {
        for (const storage_value& each : values) {
            for (std::size_t i = 0; i < each.bytes.size(); ++i) {
                if (const unsigned is = machine_.byte(each.real + i); is != each.bytes[i]) {
                    fail(each.line, "{}: the byte at {:#x} is {:02x}, not {:02x}", after, each.real + i, is,
                         each.bytes[i]);
                }
            }
        }
    }

    /// The results are those behind the last instruction, which only ends the trace.
    void finish() {
        if (!passes()) {
            return;
        }
        if (!test_.steps.empty() && test_.steps.back().last) {
            if (core_.state.nip != test_.steps.back().ea) {
                fail(test_.steps.back().line, "the end is at {:#x}, not {:#x}", core_.state.nip,
                     test_.steps.back().ea);
            }
            core_.state.nip += 4;
        }
        check(test_.final_registers, "results");
        check(test_.final_storage, "results");
    }

    const test& test_;
    environment machine_;
    power::core core_;
    std::string difference_;
};

}  // namespace

std::string difference(const test& that) {
    const std::string in_trace = std::make_unique<runner>(that)->follow();
    const bool has_end = !that.steps.empty() && that.steps.back().last;
    if (!in_trace.empty() || !has_end) {
        return in_trace;
    }
    const std::string at_one_go = std::make_unique<runner>(that)->run();
    return at_one_go.empty() && power::region_translator::available()
               ? std::make_unique<runner>(that)->run_translated()
               : at_one_go;
}

}  // namespace pefsim::opv
