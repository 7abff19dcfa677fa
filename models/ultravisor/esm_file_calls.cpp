// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/endian/conversion.hpp>
#include <string>

#include "ultravisor/service.h"

namespace pefsim::ultravisor {

using abi::u_status;

namespace {

constexpr std::size_t words = esm_files::piece_size / sizeof(std::uint64_t);

// Up to 64 characters in R5..R12, big-endian, filled up with NULs.
std::string name_in(const power::registers& state) {
    std::array<char, esm_files::piece_size> text{};
    for (std::size_t n = 0; n < words; ++n) {
        boost::endian::store_big_u64(
            reinterpret_cast<unsigned char*>(text.data()) + n * sizeof(std::uint64_t), state.gpr[5 + n]);
    }
    const std::string_view all(text.data(), text.size());
    return std::string(all.substr(0, all.find('\0')));
}

answer refusal(esm_files::outcome why) {
    switch (why) {
    case esm_files::outcome::another_process:
        return {u_status::u_parameter, "another process reads the file"};
    case esm_files::outcome::behind:
        return {u_status::u_parameter, "what stands at the offset has been read before"};
    case esm_files::outcome::changed:
        return {.status = u_status::u_parameter,
                .why = "the file has been changed since the ESM blob was made",
                .kind = report::violation_kind::image_unverified};
    case esm_files::outcome::no_such_file:
    case esm_files::outcome::done:
        break;
    }
    return {u_status::u_parameter, "no such file in the guest's ESM blob"};
}

// UV_ESMB_GET_FILE(offset in R4, name in R5..R12): up to 64 bytes in R4..R11, big-endian, and their number in R3.
answer uv_esmb_get_file(firmware& here, power::registers& state, cpu::trap_context& context) {
    esm_files* const files = here.vm.files();
    if (files == nullptr || !here.guest.secure()) {
        return {u_status::u_parameter, "the guest came without an ESM blob"};
    }
    context.delay += here.costs.crypt;
    const esm_files::piece part = files->read(name_in(state), state.gpr[4], state[power::spr::pidr]);
    if (part.result != esm_files::outcome::done) {
        return refusal(part.result);
    }
    state.gpr[3] = part.size;
    for (std::size_t n = 0; n < words; ++n) {
        state.gpr[4 + n] = boost::endian::load_big_u64(
            reinterpret_cast<const unsigned char*>(part.content.data()) + n * sizeof(std::uint64_t));
    }
    return {.resumes_elsewhere = true};
}

constexpr std::array rows{
    service{abi::ucall::uv_esmb_get_file, uv_esmb_get_file},
};

}  // namespace

std::span<const service> esm_file_services() { return rows; }

}  // namespace pefsim::ultravisor
