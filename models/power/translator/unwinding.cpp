// SPDX-License-Identifier: Apache-2.0
#include "power/translator/unwinding.h"

#include <cstring>
#include <initializer_list>

extern "C" {
// Of libgcc, without a header.
void __register_frame(void* begin);    // NOLINT: its name
void __deregister_frame(void* begin);  // NOLINT: its name
}

namespace pefsim::power::host_code {
namespace {

/// DWARF's numbers of registers, in the order in which they are pushed.
constexpr std::initializer_list<std::uint8_t> pushed{6 /* rbp */, 3 /* rbx */, 12, 13, 14, 15};
constexpr std::uint8_t stack_pointer = 7;
constexpr std::uint8_t return_address = 16;
constexpr std::uint8_t def_cfa = 0x0c;
constexpr std::uint8_t offset = 0x80;
constexpr std::uint8_t data_alignment = 0x78;  // -8, as a signed LEB128

/// Writes a frame section: one common information entry, one description, and the end.
class section {
public:
    explicit section(std::byte* to) : begin_(to), at_(to) {}

    template <typename T>
    void put(T value) {
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    /// Begins an entry with its length, which end_entry() fills in.
    std::byte* begin_entry() {
        std::byte* entry = at_;
        put(std::uint32_t{0});
        return entry;
    }
    void end_entry(std::byte* entry) {
        while ((at_ - begin_) % 8 != 0) {
            put(std::uint8_t{0});  // no operation
        }
        const auto length = static_cast<std::uint32_t>(at_ - entry - 4);
        std::memcpy(entry, &length, sizeof length);
    }
    [[nodiscard]] std::uint32_t distance_from(const std::byte* earlier) const {
        return static_cast<std::uint32_t>(at_ - earlier);
    }

private:
    std::byte* begin_;
    std::byte* at_;
};

}  // namespace

unwinding::unwinding(std::uint64_t begin, std::uint64_t bytes, unsigned deeper) {
    section to(frame_.data());
    std::byte* common = to.begin_entry();
    to.put(std::uint32_t{0});  // it is a common information entry
    to.put(std::uint8_t{1});   // version
    to.put(std::uint8_t{0});   // no augmentation
    to.put(std::uint8_t{1});   // code alignment
    to.put(data_alignment);
    to.put(return_address);
    to.put(def_cfa);
    to.put(stack_pointer);
    to.put(static_cast<std::uint8_t>(8 * (1 + pushed.size()) + deeper));
    std::uint8_t place = 1;
    to.put(static_cast<std::uint8_t>(offset | return_address));
    to.put(place);
    for (const std::uint8_t each : pushed) {
        to.put(static_cast<std::uint8_t>(offset | each));
        to.put(++place);
    }
    to.end_entry(common);

    std::byte* description = to.begin_entry();
    to.put(to.distance_from(common));
    to.put(begin);
    to.put(bytes);
    to.end_entry(description);
    to.put(std::uint32_t{0});  // the end
    __register_frame(frame_.data());
}

unwinding::~unwinding() { __deregister_frame(frame_.data()); }

}  // namespace pefsim::power::host_code
