// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/rtas_relay.h"

#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <fmt/format.h>
#include <span>
#include <vector>

#include "report/violations.h"
#include "ultravisor/firmware.h"
#include "ultravisor/guest_access.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::rtas_buffer;
using abi::rtas_status;

namespace {

using word = boost::endian::big_uint32_t;
constexpr std::size_t header_words = abi::rtas_header_size / sizeof(word);

/// ibm,configure-connector: call again (PAPR 2.8, 13.5.3.5). Its work area holds what it goes on with.
constexpr std::int32_t call_again = -2;

void report(const firmware& here, std::string_view what, std::uint64_t address, const power::registers& state,
            const cpu::trap_context& context) {
    here.recorder.violations().report({.when = context.now(),
                                       .kind = report::violation_kind::call_refused,
                                       .who = caller_name(state, context),
                                       .address = address,
                                       .size = 0,
                                       .page_state = {},
                                       .request = 0,
                                       .detail = fmt::format("H_RTAS: {}", what)});
}

}  // namespace

/// An argument block: token, number of arguments and of results, arguments, results.
struct rtas_relay::call {
    abi::phys_addr at;
    std::vector<word> words;
    std::uint32_t guests_buffer = 0;  ///< where the guest has it
    std::size_t buffer_bytes = 0;     ///< 0: there is none

    [[nodiscard]] std::uint32_t arguments() const { return words[1]; }
    [[nodiscard]] std::uint32_t results() const { return words[2]; }
    [[nodiscard]] word& argument(unsigned n) { return words[header_words + n]; }
    [[nodiscard]] std::uint32_t argument(unsigned n) const { return words[header_words + n]; }
    [[nodiscard]] std::span<word> all_results() {
        return std::span(words).subspan(header_words + arguments());
    }
    [[nodiscard]] std::span<const word> all_results() const {
        return std::span(words).subspan(header_words + arguments());
    }
    [[nodiscard]] std::int32_t status() const { return static_cast<std::int32_t>(all_results().front()); }
    /// nullptr for a token that nobody has declared, and for a call with too few arguments: it has no buffer
    [[nodiscard]] const abi::rtas_declaration* declared() const {
        const std::size_t row = abi::rtas_row(words[0]);
        return row < abi::rtas_declarations.size() && arguments() >= abi::rtas_declarations[row].n_args
                   ? &abi::rtas_declarations[row]
                   : nullptr;
    }

    static std::optional<call> read(firmware& here, abi::phys_addr at, const power::registers& state,
                                    cpu::trap_context& context) {
        call found{.at = at, .words = std::vector<word>(header_words)};
        if (!read_guest(here, at, std::as_writable_bytes(std::span(found.words)), state, context) ||
            found.arguments() > abi::rtas_max_words || found.results() == 0 ||
            found.results() > abi::rtas_max_words - found.arguments()) {
            return std::nullopt;
        }
        found.words.resize(header_words + found.arguments() + found.results());
        const auto arguments = std::span(found.words).subspan(header_words, found.arguments());
        if (!read_guest(here, at + abi::rtas_header_size, std::as_writable_bytes(arguments), state,
                        context)) {
            return std::nullopt;
        }
        return found;
    }
    /// The guest's results; its arguments stay as they are.
    [[nodiscard]] bool write_results(firmware& here, const power::registers& state,
                                     cpu::trap_context& context) const {
        return write_guest(here, at + abi::rtas_header_size + sizeof(word) * arguments(),
                           std::as_bytes(all_results()), state, context);
    }
};

void rtas_relay::begin(std::optional<abi::phys_addr> page) {
    page_ = page;
    starts_.clear();
}

/// \returns nothing when the buffer is too long, or says its own length where nothing can be read
std::optional<std::size_t> rtas_relay::buffer_length(firmware& here, const call& of,
                                                     const power::registers& state,
                                                     cpu::trap_context& context) const {
    const rtas_buffer& buffer = of.declared()->buffer;
    std::size_t bytes = 0;
    switch (buffer.size) {
    case rtas_buffer::extent::argument:
        bytes = of.argument(buffer.length);
        break;
    case rtas_buffer::extent::text: {
        char character = 0;
        do {
            if (bytes == rtas_buffer::max_text ||
                !read_guest(here, abi::phys_addr{of.argument(buffer.address)} + bytes,
                            std::as_writable_bytes(std::span(&character, 1)), state, context)) {
                return std::nullopt;
            }
            ++bytes;
        } while (character != '\0');
        break;
    }
    case rtas_buffer::extent::self_described: {
        boost::endian::big_uint16_t follow;
        if (!read_guest(here, abi::phys_addr{of.argument(buffer.address)},
                        std::as_writable_bytes(std::span(&follow, 1)), state, context)) {
            return std::nullopt;
        }
        bytes = sizeof follow + follow;
        break;
    }
    case rtas_buffer::extent::work_area:
        bytes = rtas_buffer::work_area_size;
        break;
    }
    return bytes <= buffer_size ? std::optional(bytes) : std::nullopt;
}

/// The copy of the buffer takes its place in the arguments. Nothing of an earlier call is left there.
bool rtas_relay::copy_buffer_out(firmware& here, call& of, const power::registers& state,
                                 cpu::trap_context& context) {
    const abi::rtas_declaration* const declared = of.declared();
    if (declared == nullptr || declared->buffer.which == rtas_buffer::kind::none) {
        return true;
    }
    const auto length = buffer_length(here, of, state, context);
    if (!length) {
        return false;
    }
    of.buffer_bytes = *length;
    of.guests_buffer = of.argument(declared->buffer.address);
    std::vector<std::byte> bytes(*length);
    if (declared->buffer.which != rtas_buffer::kind::to_guest &&
        !read_guest(here, abi::phys_addr{of.guests_buffer}, bytes, state, context)) {
        return false;
    }
    of.argument(declared->buffer.address) = static_cast<std::uint32_t>(buffer().value());
    return write_guest(here, buffer(), bytes, state, context);
}

std::uint32_t rtas_relay::new_cookie(const call& of) {
    std::uint32_t cookie = 0;
    while (cookie == 0 || starts_.contains(cookie)) {
        cookie = static_cast<std::uint32_t>(cookie_stream_.next());
    }
    starts_[cookie] = {.cpu = of.argument(0), .nip = of.argument(1), .r3 = of.argument(2)};
    return cookie;
}

bool rtas_relay::copy_back(firmware& here, const call& of, const power::registers& state,
                           cpu::trap_context& context) {
    const abi::rtas_declaration* const declared = of.declared();
    const bool expected = declared != nullptr &&
                          ((declared->buffer.which == rtas_buffer::kind::to_guest && of.status() == 0) ||
                           (declared->buffer.which == rtas_buffer::kind::both &&
                            (of.status() >= 0 || of.status() == call_again)));
    if (!expected) {
        return true;
    }
    std::vector<std::byte> bytes(of.buffer_bytes);
    return read_guest(here, buffer(), bytes, state, context) &&
           write_guest(here, abi::phys_addr{of.guests_buffer}, bytes, state, context);
}

void rtas_relay::serve(firmware& here, power::registers& state, cpu::trap_context& context) {
    const abi::phys_addr at{state.gpr[4]};
    const auto fail = [&](std::string_view why) {
        if (here.guest.secure()) {
            report(here, why, at.value(), state, context);
            state.gpr[3] = static_cast<std::uint64_t>(h_status::h_parameter);
        }
    };
    if (!page_) {
        fail("the guest has become secure without a device tree, and has no RTAS");
        return;
    }
    std::optional<call> guests = call::read(here, at, state, context);
    if (!guests) {
        fail("the argument block cannot be read, or is none");
        return;
    }
    call relayed = *guests;
    if (!copy_buffer_out(here, relayed, state, context)) {
        guests->all_results().front() = static_cast<std::uint32_t>(rtas_status::parameter_error);
        report(here,
               fmt::format("{}: its buffer cannot be read, or is longer than {} bytes",
                           abi::rtas_name(guests->words[0]), buffer_size),
               at.value(), state, context);
        if (!guests->write_results(here, state, context)) {
            fail("the results cannot be written");
            return;
        }
        state.gpr[3] = static_cast<std::uint64_t>(h_status::h_success);
        return;
    }
    std::optional<std::uint32_t> cookie;
    if (relayed.declared() != nullptr && relayed.declared()->token == abi::rtas::start_cpu) {
        cookie = new_cookie(relayed);
        relayed.argument(2) = *cookie;
    }
    here.shows.rtas_relayed.add(abi::rtas_row(relayed.words[0]));
    if (!write_guest(here, *page_, std::as_bytes(std::span(relayed.words)), state, context)) {
        fail("the Ultravisor's page does not come");
        return;
    }
    const hypervisor_calls::answer reply = here.host.call(abi::hcall::h_rtas, {page_->value()}, state,
                                                          context);
    if (context.terminated || !here.guest.secure()) {
        return;
    }
    if (reply.status == h_status::h_success) {
        // Numbers and arguments are the Ultravisor's own: the host may have changed its copy of them.
        const auto results = std::as_writable_bytes(relayed.all_results());
        const std::uint64_t behind = abi::rtas_header_size + sizeof(word) * relayed.arguments();
        if (!read_guest(here, *page_ + behind, results, state, context) ||
            !copy_back(here, relayed, state, context)) {
            fail("the results, or the buffer, cannot be copied");
            return;
        }
        std::ranges::copy(relayed.all_results(), guests->all_results().begin());
        if (!guests->write_results(here, state, context)) {
            fail("the results cannot be written");
            return;
        }
    }
    if (cookie && (reply.status != h_status::h_success || relayed.status() != 0)) {
        starts_.erase(*cookie);
    }
    state.gpr[3] = static_cast<std::uint64_t>(reply.status);
}

void rtas_relay::enter(firmware& here, power::registers& state, cpu::trap_context& context) {
    const auto found = starts_.find(static_cast<std::uint32_t>(state.gpr[3]));
    if (found == starts_.end() || found->second.cpu != context.cpu) {
        here.guest.end(
            fmt::format("the hypervisor started processor {} without the guest's start-cpu", context.cpu),
            state.nip, context);
        return;
    }
    state.nip = found->second.nip;
    state.gpr[3] = found->second.r3;
    state.msr = power::msr_sf | power::msr_me | power::msr_s;
    starts_.erase(found);
}

}  // namespace pefsim::ultravisor
