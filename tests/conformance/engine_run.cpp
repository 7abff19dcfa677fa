// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/engine_run.h"

#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include "power/engine/core.h"
#include "power/instructions/power9_decoder.h"
#include "power/translator/region_translator.h"

namespace pefsim::conformance {
namespace {

using namespace power;  // NOLINT(google-build-using-namespace): the vocabulary of this file
using power::registers;
using power::spr;
using u64 = std::uint64_t;

constexpr std::size_t code_size = 0x20000;
constexpr u64 msr_bit(unsigned n) { return u64{1} << (63 - n); }
/// VEC, VSX, FP, and FE0 and FE1, which qemu-ppc64le sets: floating-point exceptions are precise.
constexpr u64 facilities = msr_bit(38) | msr_bit(40) | msr_bit(50) | msr_bit(52) | msr_bit(55);
constexpr u64 program_msr = power::msr_sf | power::msr_ee | power::msr_pr | power::msr_ir | power::msr_dr |
                            power::msr_ri | power::msr_le | facilities;
/// What Linux lets a program use.
constexpr u64 program_fscr = u64{1} << facility_cause::dscr | u64{1} << facility_cause::tar |
                             u64{1} << facility_cause::scv;
constexpr std::uint32_t system_call = 0x4400'0002;

/// Real storage is the two regions one behind the other.
class flat_memory final : public translator, public real_storage {
public:
    translation translate(const registers& /*state*/, u64 ea, access_kind kind) override {
        if (ea - VECTOR_CODE_AT < code_size) {
            return {.real = ea - VECTOR_CODE_AT};
        }
        if (ea - VECTOR_REGION_AT < VECTOR_REGION_SIZE && kind != access_kind::fetch) {
            return {.real = ea - VECTOR_REGION_AT + code_size};
        }
        constexpr u64 no_translation = 0x4000'0000;
        return {.error = storage_error::storage, .status = no_translation};
    }
    std::byte* direct(u64 real, access_kind /*kind*/) override {
        return bytes_.data() + (real & small_page_mask);
    }
    outcome read(u64 /*real*/, std::span<std::byte> /*to*/, access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(u64 /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }

    std::byte* at(u64 real) { return bytes_.data() + real; }

private:
    alignas(4096) std::array<std::byte, code_size + VECTOR_REGION_SIZE> bytes_{};
};

constexpr u64 memory_real = VECTOR_MEMORY_AT - VECTOR_REGION_AT + code_size;

/// The signal that Linux sends for an interrupt.
int signal_of(const interrupt_cause& cause) {
    switch (cause.which) {
    case vector::data_storage:
    case vector::data_segment:
    case vector::instruction_storage:
    case vector::instruction_segment:
        return SIGSEGV;
    case vector::alignment:
        return SIGBUS;
    case vector::program:
        return (cause.srr1 & program::trap) != 0         ? SIGTRAP
               : (cause.srr1 & program::enabled_fp) != 0 ? SIGFPE
                                                         : SIGILL;
    default:
        return SIGILL;
    }
}

/// What an operating system allows its programs. FSCR is there as soon as something looks at it.
template <typename special_register>
void allow_facilities(registers& of) {
    if constexpr (requires { special_register::fscr; }) {
        constexpr u64 tar_and_dscr = msr_bit(55) | msr_bit(61);
        of[special_register::fscr] = tar_and_dscr;
    }
}

void load(registers& to, const vector_state& from) {
    std::memcpy(to.gpr.begin(), from.gpr, sizeof from.gpr);
    std::memcpy(to.vsr.data(), from.vsr, sizeof from.vsr);
    to[spr::lr] = from.lr;
    to[spr::ctr] = from.ctr;
    to[spr::xer] = from.xer;
    to[spr::tar] = from.tar;
    to[spr::fscr] = program_fscr;
    to.cr = static_cast<std::uint32_t>(from.cr);
    to.fpscr = from.fpscr;
    to.vscr = static_cast<std::uint32_t>(from.vscr[0]);
    to.nip = VECTOR_CODE_AT;
    to.msr = program_msr;
    allow_facilities<spr>(to);
}

void save(vector_state& to, const registers& from) {
    std::memcpy(to.gpr, from.gpr.begin(), sizeof to.gpr);
    std::memcpy(to.vsr, from.vsr.data(), sizeof to.vsr);
    to.lr = from[spr::lr];
    to.ctr = from[spr::ctr];
    to.xer = from[spr::xer];
    to.tar = from[spr::tar];
    to.cr = static_cast<std::uint32_t>(from.cr);
    to.fpscr = from.fpscr;
    to.vscr[0] = from.vscr;
}

}  // namespace

struct engine_run::machine {
    flat_memory memory;
    core processor{isa::power9_decoder(), memory, memory};
    std::unique_ptr<region_translator> host_code;

    void place(const vector_group& group) {
        std::memcpy(memory.at(0), group.word, 4 * group.words);
        std::memcpy(memory.at(4 * group.words), &system_call, sizeof system_call);
        processor.forget_real(0);
    }

    vector_state execute(const vector_state& input, unsigned words) {
        load(processor.state, input);
        processor.msr_changed();
        std::memcpy(memory.at(memory_real), input.memory, sizeof input.memory);
        std::memset(memory.at(code_size + VECTOR_REGION_SIZE - VECTOR_TAIL_SIZE), 0, VECTOR_TAIL_SIZE);
        const exit_reason why = processor.run(1000);

        vector_state result = input;
        save(result, processor.state);
        std::memcpy(result.memory, memory.at(memory_real), sizeof result.memory);
        const interrupt_cause& cause = processor.interrupt();
        if (why != exit_reason::interrupt) {
            result.signal = SIGABRT;  // no program meets it: a difference in any case
        } else if (cause.which != vector::system_call ||
                   processor.state.nip != VECTOR_CODE_AT + 4 * (words + 1)) {
            result.signal = static_cast<u64>(signal_of(cause));
            result.nip = processor.state.nip - VECTOR_CODE_AT;
            result.address = result.signal == SIGSEGV || result.signal == SIGBUS ? cause.dar : 0;
        }
        return result;
    }
};

engine_run::engine_run(bool translated) : machine_(std::make_unique<machine>()) {
    machine_->processor.interrupts_leave(true);
    if (translated) {
        machine_->host_code = std::make_unique<region_translator>(
            machine_->processor, region_translator::options::at_first_execution());
    }
}
engine_run::~engine_run() = default;

std::vector<vector_state> engine_run::execute(const vectors& of) {
    machine_->place(of.group);
    if (machine_->host_code != nullptr && !of.inputs.empty()) {
        machine_->execute(of.inputs.front(), of.group.words);  // the engine has met the code now
        machine_->processor.use(machine_->host_code.get());    // and asks when it meets it again
    }
    std::vector<vector_state> results;
    results.reserve(of.inputs.size());
    for (const vector_state& input : of.inputs) {
        results.push_back(machine_->execute(input, of.group.words));
    }
    return results;
}

engine_run::counts engine_run::executed() const {
    const region_translator* const host_code = machine_->host_code.get();
    return {.executed = machine_->processor.instructions(),
            .translated = host_code != nullptr ? host_code->counters().running.instructions : 0};
}

}  // namespace pefsim::conformance
