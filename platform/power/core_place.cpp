// SPDX-License-Identifier: Apache-2.0
#include "platform/power/core_place.h"

#include <boost/endian/conversion.hpp>
#include <cstring>
#include <fmt/format.h>
#include <optional>

#include "abi/address.h"
#include "memory/smf_check.h"
#include "power/isa/disassembler.h"
#include "power/mmu/radix_translator.h"

namespace pefsim::platform {
namespace {

namespace mmu = power::mmu;

/// What a core reaches, without an access: tables are read, and stay as they are.
class view final : public mmu::table_storage {
public:
    view(const memory::memory_bus& memory, bool secure) : memory_(memory), secure_(secure) {}

    template <class T>
    [[nodiscard]] std::optional<T> look(std::uint64_t real, memory::access_kind kind) const {
        const abi::phys_addr at{real};
        if (real % sizeof(T) != 0 || !memory_.ram().contains(at, sizeof(T))) {
            return std::nullopt;
        }
        const abi::gfn page = abi::gfn_of(at);
        const memory::smf_verdict verdict = memory::smf_check(memory::world::guest, secure_,
                                                              memory_.states()[page], kind);
        if (verdict == memory::smf_verdict::page_fault || verdict == memory::smf_verdict::refused) {
            return std::nullopt;
        }
        const auto frame = verdict == memory::smf_verdict::secure_frame ? memory::frame_kind::secure
                                                                        : memory::frame_kind::normal;
        T value;
        std::memcpy(&value, memory_.ram().read(frame, page) + abi::page_offset(at), sizeof value);
        return value;
    }

    bool read(std::uint64_t real, std::uint64_t& value) override {
        const auto found = look<std::uint64_t>(real, memory::access_kind::read);
        value = boost::endian::big_to_native(found.value_or(0));
        return found.has_value();
    }
    bool write(std::uint64_t /*real*/, std::uint64_t /*value*/) override { return true; }

private:
    const memory::memory_bus& memory_;
    bool secure_;
};

std::optional<std::uint32_t> instruction_at(const power::registers& state, const memory::memory_bus& memory,
                                            const mmu::partition& partition) {
    view reached(memory, (state.msr & power::msr_s) != 0);
    mmu::partition tables;  // without members: nobody is told anything
    tables.use(partition.processes());
    mmu::radix_translator addresses(reached, tables, nullptr);
    const power::translation found = addresses.translate(state, state.nip, power::access_kind::fetch);
    if (found.error != power::storage_error::none) {
        return std::nullopt;
    }
    const auto word = reached.look<std::uint32_t>(found.real, memory::access_kind::fetch);
    return word && (state.msr & power::msr_le) == 0 ? boost::endian::endian_reverse(*word) : word;
}

}  // namespace

std::string place_of(const power::registers& state, const memory::memory_bus& memory,
                     const power::mmu::partition& partition, const power::debug::symbol_lookup* symbols) {
    std::string text = fmt::format("{:#x}", state.nip);
    if (symbols != nullptr) {
        if (const std::string symbol = text_of(symbols->at(state.nip)); !symbol.empty()) {
            text += fmt::format(" <{}>", symbol);
        }
    }
    if (const auto word = instruction_at(state, memory, partition)) {
        text += fmt::format(": {}", power::isa::disassemble(*word, state.nip));
    }
    return text;
}

}  // namespace pefsim::platform
