// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "abi/network_peer.h"
#include "platform/power/operating_system.h"
#include "platform/power/power_scenario.h"
#include "platform/quantity.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library
namespace peer = abi::network_peer;

namespace {

/// What a guest image's init says of its checks: "### DISK-OK ...", "### NET-FAIL ..." (scenarios/linux/README.md).
constexpr std::string_view mark = "### ";

/// In hexadecimal, of the file that the peer serves.
std::string sha256_of_pattern(std::uint64_t seed, std::uint64_t size) {
    std::vector<std::byte> content(size);
    for (std::uint64_t at = 0; at < size; ++at) {
        content[at] = peer::pattern_byte(seed, 0, at);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::string text;
    for (unsigned n = 0; n < length; ++n) {
        text += fmt::format("{:02x}", digest[n]);
    }
    return text;
}

class linux_scenario : public platform::power_scenario {
public:
    linux_scenario()
        : power_scenario(
              "linux",
              "Boots a Linux kernel for ppc64le, as it is, on a pSeries machine: firmware, device tree, "
              "virtio devices. Its console is standard output; the report comes after it, unless --quiet. "
              "scenarios/run makes a guest from Debian's packages when none is named: --image "
              "stock|built, or --kernel and --initrd.") {}

    void configure(platform::power_machine_config& machine) override {
        machine.time_limit = sc_core::sc_time(600, sc_core::SC_SEC);
        machine.memory_size = std::uint64_t{512} << 20;
        machine.network = true;
        machine.entropy = true;
    }

    void declare(platform::parameter_set& parameters) override {
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

    void prepare(platform::power_machine_config& machine) override {
        if (!image_.empty()) {
            guest_.kernel = guest_.kernel.empty() ? image_ / "vmlinux" : guest_.kernel;
            guest_.initrd = guest_.initrd.empty() ? image_ / "initrd" : guest_.initrd;
        }
        guest_.settle(machine);
        machine_ = &machine;
    }

    void run(platform::session& in) override {
        machine_->firmware->command_line = command_line(in.options().seed);
        if (machine_->disks.empty()) {
            machine_->disks = {platform::disk_config{.blank = true}};
        }
        power_scenario::run(in);
    }

    [[nodiscard]] const power::elf_image* program() const override { return guest_.program(); }
    [[nodiscard]] std::vector<power::debug::moved_symbols::piece> moved() const override {
        return guest_.where_it_runs();
    }
    void load(platform::power_machine& machine) override { guest_.load(machine); }

    void judge(platform::power_machine& after, platform::session& in) override {
        in.expect(after.finished(), fmt::format("the guest powers the machine off, or asks for a reboot: {}",
                                                after.ending().text));
        judge_checks(after.host().console_output(), in);
    }

private:
    /// The user's, and what an image's init is told of the network.
    [[nodiscard]] std::string command_line(std::uint64_t seed) const {
        std::string line = guest_.command_line.empty() ? "console=hvc0" : guest_.command_line;
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

    static void judge_checks(const std::string& console, platform::session& in) {
        std::istringstream lines(console);
        for (std::string line; std::getline(lines, line);) {
            while (line.ends_with('\r')) {
                line.pop_back();
            }
            const std::string_view word = std::string_view(line).substr(0, line.find(' ', mark.size()));
            if (!word.starts_with(mark)) {
                continue;
            }
            if (word.ends_with("-OK") || word.ends_with("-FAIL")) {
                in.expect(word.ends_with("-OK"),
                          fmt::format("the guest's check {}", line.substr(mark.size())));
            }
        }
    }

    std::filesystem::path image_;
    std::uint64_t fetch_ = std::uint64_t{64} << 10;
    platform::operating_system guest_;
    platform::power_machine_config* machine_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<linux_scenario>(argc, argv); }
