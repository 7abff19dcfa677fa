// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/esm_image.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

#include "abi/rtas.h"
#include "device_tree/flat_tree.h"
#include "esm/archive.h"
#include "esm/blob.h"
#include "ultravisor/guest_access.h"

namespace pefsim::ultravisor {

using abi::phys_addr;
using abi::u_status;
using device_tree::flat_tree;

namespace {

const std::string chosen = "/chosen";
const std::string initrd_property = "linux,initrd";
const std::string blob_property = "linux,esm-blob";

struct extent {
    phys_addr at;
    std::uint64_t size = 0;
};

u_status status_of(esm::defect kind) {
    switch (kind) {
    case esm::defect::key:
        return u_status::u_no_key;
    case esm::defect::integrity:
        return u_status::u_permission;
    case esm::defect::form:
        break;
    }
    return u_status::u_parameter;
}

/// What /chosen says of something by two properties, WHAT-start and WHAT-end.
std::optional<extent> extent_of(const flat_tree& tree, const std::string& what) {
    const auto start = tree.number(chosen, what + "-start");
    const auto end = tree.number(chosen, what + "-end");
    if (!start || !end || *end < *start) {
        return std::nullopt;
    }
    return extent{phys_addr{*start}, *end - *start};
}

/// It says something of it, however badly.
bool mentions(const flat_tree& tree, const std::string& what) {
    return tree.find(chosen, what + "-start") || tree.find(chosen, what + "-end");
}

class image_check {
public:
    image_check(firmware& here, phys_addr kbase, phys_addr fdt, const power::registers& state,
                cpu::trap_context& context)
        : here_(here),
          kbase_(kbase),
          fdt_(fdt),
          state_(state),
          context_(context) {}

    image_verdict run(std::span<const std::byte> of_tree) {
        const auto tree = flat_tree::read(of_tree);
        const bool named = tree && mentions(*tree, blob_property);
        if (here_.esm.key == nullptr && !named) {
            return come_to(esm_image::unverified);
        }
        if (tree) {
            check(*tree);
        } else {
            fail(u_status::u_p3, "there is no device tree", fdt_);
        }
        if (!failure_) {
            return come_to(esm_image::verified);
        }
        return come_to(here_.esm.policy == esm_policy::warn ? esm_image::warned : esm_image::refused);
    }

private:
    image_verdict come_to(esm_image end) {
        here_.shows.esm_images.add(static_cast<std::size_t>(end));
        return {.refusal = end == esm_image::refused ? failure_ : std::nullopt,
                .verified = end == esm_image::verified};
    }

    void fail(u_status status, const std::string& what, phys_addr at) {
        here_.recorder.violations().report(
            {.when = context_.now(),
             .kind = report::violation_kind::image_unverified,
             .who = caller_name(state_, context_),
             .address = at.value(),
             .size = 0,
             .page_state = {},
             .request = 0,
             .detail = fmt::format("UV_ESM: {}{}", what,
                                   here_.esm.policy == esm_policy::warn ? "; it goes on (esm.check = warn)"
                                                                        : "")});
        if (!failure_) {
            failure_ = answer{status, "the guest's image is not verified", at.value()};
        }
    }

    /// Bytes of the guest's, from where the hypervisor cannot change them any more.
    std::optional<esm::bytes> take(const std::string& what, const extent& where) {
        esm::bytes content;
        bool there = here_.bus.ram().contains(where.at, where.size);
        if (there) {
            content.resize(where.size);
            there = read_guest(here_, where.at, content, state_, context_);
        }
        if (!there) {
            fail(u_status::u_parameter, fmt::format("pages of {} do not come", what), where.at);
            return std::nullopt;
        }
        context_.delay += here_.costs.crypt *
                          (static_cast<double>(where.size) / static_cast<double>(abi::page_size));
        return content;
    }

    void check(const flat_tree& tree) {
        const auto initrd_at = extent_of(tree, initrd_property);
        // What an operating system may make something of must not pass for nothing.
        if (!initrd_at && mentions(tree, initrd_property)) {
            return fail(u_status::u_p3, "the device tree says something strange of the initrd", fdt_);
        }
        const auto initrd = initrd_at ? take("the initrd", *initrd_at) : esm::bytes();
        if (!initrd) {
            return;
        }
        std::size_t initrd_begin = 0;
        const auto blob = find_blob(tree, *initrd, initrd_begin);
        if (!blob) {
            return;
        }
        if (here_.esm.key == nullptr) {
            return fail(u_status::u_no_key, "the machine has no key for the ESM blob", blob_at_);
        }
        try {
            esm::opened_blob opened = esm::blob::read(*blob).open(*here_.esm.key);
            compare_kernel(opened.expected());
            compare("the initrd", esm::byte_view(*initrd).subspan(initrd_begin), opened.expected().initrd,
                    initrd_at ? initrd_at->at : phys_addr{});
            compare_command_line(tree, opened.expected());
            compare_rtas(tree, opened.expected());
            here_.vm.keep(esm_files(std::move(opened)));
        } catch (const esm::bad_blob& wrong) {
            fail(status_of(wrong.kind()), fmt::format("the ESM blob: {}", wrong.what()), blob_at_);
        }
    }

    std::optional<esm::bytes> find_blob(const flat_tree& tree, const esm::bytes& initrd,
                                        std::size_t& initrd_begin) {
        if (const auto where = extent_of(tree, blob_property)) {
            blob_at_ = where->at;
            return take("the ESM blob", *where);
        }
        if (const auto archived = esm::find_blob(initrd)) {
            initrd_begin = archived->rest;
            blob_at_ = extent_of(tree, initrd_property)->at + archived->at;
            const auto first = initrd.begin() + static_cast<std::ptrdiff_t>(archived->at);
            return esm::bytes(first, first + static_cast<std::ptrdiff_t>(archived->size));
        }
        fail(u_status::u_parameter, "there is no ESM blob", fdt_);
        return std::nullopt;
    }

    void compare(const std::string& what, esm::byte_view content, const esm::digest& expected, phys_addr at) {
        if (esm::digest_of(content) != expected) {
            fail(u_status::u_permission, fmt::format("{} is not as its ESM blob says", what), at);
        }
    }

    void compare_kernel(const esm::measurements& expected) {
        if (const auto kernel = take("the kernel", {kbase_, expected.kernel_size})) {
            compare("the kernel", *kernel, expected.kernel, kbase_);
        }
    }

    void compare_command_line(const flat_tree& tree, const esm::measurements& expected) {
        // All of it but the last NUL: what stands behind another must not pass for nothing.
        esm::byte_view line = tree.find(chosen, "bootargs").value_or(esm::byte_view());
        line = !line.empty() && line.back() == std::byte{0} ? line.first(line.size() - 1) : line;
        std::string shown(esm::text_of(line));
        std::ranges::replace_if(
            shown, [](unsigned char each) { return each < ' ' || each > '~'; }, '?');
        compare(fmt::format("the command line \"{}\"", shown), line, expected.bootargs, fdt_);
    }

    void compare_rtas(const flat_tree& tree, const esm::measurements& expected) {
        const auto base = tree.number("/rtas", "linux,rtas-base");
        if (!base) {
            return fail(u_status::u_permission, "there is no RTAS, which the ESM blob has a digest of", fdt_);
        }
        if (tree.number("/rtas", "linux,rtas-entry").value_or(*base) != *base) {
            return fail(u_status::u_permission, "RTAS is entered elsewhere than where it is measured", fdt_);
        }
        const auto size = tree.number("/rtas", "slof,rtas-size").value_or(sizeof(abi::firmware_entry));
        if (const auto code = take("RTAS", {phys_addr{*base}, size})) {
            compare("RTAS", *code, expected.rtas, phys_addr{*base});
        }
    }

    firmware& here_;
    phys_addr kbase_;
    phys_addr fdt_;
    const power::registers& state_;
    cpu::trap_context& context_;
    std::optional<answer> failure_;  // the first
    phys_addr blob_at_;
};

}  // namespace

image_verdict check_image(firmware& here, phys_addr kbase, phys_addr fdt, std::span<const std::byte> tree,
                          const power::registers& state, cpu::trap_context& context) {
    return image_check(here, kbase, fdt, state, context).run(tree);
}

}  // namespace pefsim::ultravisor
