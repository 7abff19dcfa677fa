// SPDX-License-Identifier: Apache-2.0
#include "linux/linux_scenario.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>

#include "abi/network_peer.h"
#include "platform/quantity.h"

namespace peer = pefsim::abi::network_peer;

namespace pefsim::linux_guest {

namespace {

constexpr std::string_view mark = "### ";

/// In hexadecimal.
std::string sha256_of(std::span<const std::byte> content) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::string text;
    for (unsigned n = 0; n < length; ++n) {
        text += fmt::format("{:02x}", digest[n]);
    }
    return text;
}

/// Of the file that the peer serves.
std::string sha256_of_pattern(std::uint64_t seed, std::uint64_t size) {
    std::vector<std::byte> content(size);
    for (std::uint64_t at = 0; at < size; ++at) {
        content[at] = peer::pattern_byte(seed, 0, at);
    }
    return sha256_of(content);
}

/// What the guest says that it has written to a disk.
struct written_part {
    std::size_t disk = 0;
    std::uint64_t first = 0;  ///< byte
    std::uint64_t bytes = 0;
    std::string sha256;
};

std::optional<written_part> written_part_of(const std::string& line) {
    std::istringstream words(line);
    std::string name;
    written_part part;
    if (!(words >> name >> part.first >> part.bytes >> part.sha256) || name.size() != 3 || name < "vda" ||
        name > "vdz") {
        return std::nullopt;
    }
    part.disk = static_cast<std::size_t>(name.back() - 'a');
    return part;
}

/// Of the disk, as the host has it.
std::optional<std::string> sha256_of(platform::power_machine& after, const written_part& what) {
    if (what.disk >= after.disks()) {
        return std::nullopt;
    }
    backend::block_backend_if& disk = after.disk(what.disk);
    if (what.bytes > disk.size() || what.first > disk.size() - what.bytes) {
        return std::nullopt;
    }
    std::vector<std::byte> content(what.bytes);
    return disk.read(what.first, content) ? std::optional(sha256_of(content)) : std::nullopt;
}

void judge_disk(platform::power_machine& after, const std::string& said, platform::session& in) {
    const auto part = written_part_of(said);
    const auto found = part ? sha256_of(after, *part) : std::nullopt;
    const bool equal = found && *found == part->sha256;
    in.expect(equal,
              fmt::format("on the disk, in the host's hands, stands what the guest wrote: {}{}", said,
                          equal ? "" : "; the host finds " + found.value_or("no such part of a disk")));
}

}  // namespace

void linux_scenario::configure(platform::power_machine_config& machine) {
    machine.time_limit = sc_core::sc_time(600, sc_core::SC_SEC);
    machine.memory_size = std::uint64_t{512} << 20;
    machine.network = true;
    machine.entropy = true;
}

void linux_scenario::declare(platform::parameter_set& parameters) {
    parameters.add("image", image_, output::file_use::input,
                   "folder with a guest's vmlinux and initrd, as scenarios/linux/image makes them");
    parameters.add_files("image", output::file_use::input, [this] {
        using files = std::vector<std::filesystem::path>;
        return image_.empty() ? files{} : files{image_ / "vmlinux", image_ / "initrd"};
    });
    parameters.add("fetch", fetch_, platform::quantity::bytes, "bytes",
                   "file that an image's init fetches from the peer; 0: none");
    guest_.declare(parameters);
}

void linux_scenario::prepare(platform::power_machine_config& machine) {
    if (!image_.empty()) {
        guest_.kernel = guest_.kernel.empty() ? image_ / "vmlinux" : guest_.kernel;
        guest_.initrd = guest_.initrd.empty() ? image_ / "initrd" : guest_.initrd;
    }
    guest_.settle(machine);
    machine_ = &machine;
}

void linux_scenario::run(platform::session& in) {
    machine_->firmware->command_line = command_line(in.options().seed);
    settle_disks();
    power_scenario::run(in);
}

void linux_scenario::settle_disks() {
    if (machine_->disks.empty()) {
        machine_->disks = {platform::disk_config{.blank = true}};
    }
}

/// With what an image's init is told of the network.
std::string linux_scenario::command_line(std::uint64_t seed) const {
    std::string line = guest_.command_line.empty() ? usual_command_line_ : guest_.command_line;
    const bool with_peer = machine_->network && machine_->network_backend == platform::network_kind::peer;
    if (with_peer && line.find("pefsim.net=") == std::string::npos) {
        line += " pefsim.net=192.0.2.2/24,192.0.2.1";
        if (fetch_ != 0) {
            line += fmt::format(" pefsim.fetch=tftp://192.0.2.1/pattern-{},{}", fetch_,
                                sha256_of_pattern(seed, fetch_));
        }
    }
    return line;
}

void linux_scenario::judge(platform::power_machine& after, platform::session& in) {
    judge_end(after, in);
    judge_checks(after, in);
}

void linux_scenario::judge_end(const platform::power_machine& after, platform::session& in) {
    in.expect(after.finished(),
              fmt::format("the guest powers the machine off, or asks for a reboot: {}", after.ending().text));
}

void linux_scenario::judge_checks(platform::power_machine& after, platform::session& in) {
    std::istringstream lines(after.host().console_output());
    for (std::string line; std::getline(lines, line);) {
        while (line.ends_with('\r')) {
            line.pop_back();
        }
        if (!line.starts_with(mark)) {
            continue;
        }
        const std::string said = line.substr(mark.size());
        const std::string_view word = std::string_view(said).substr(0, said.find(' '));
        if (word.ends_with("-OK") || word.ends_with("-FAIL")) {
            in.expect(word.ends_with("-OK"), fmt::format("the guest's check {}", said));
        } else if (word == "WROTE") {
            judge_disk(after, said.substr(word.size()), in);
        }
    }
}

}  // namespace pefsim::linux_guest
