// SPDX-License-Identifier: Apache-2.0
//
// pefsim-esm: makes and checks ESM blobs for a guest's image (esm/blob.h).
#include <fmt/format.h>

#include <array>
#include <boost/program_options.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "esm/archive.h"
#include "esm/blob.h"
#include "esm/measurements.h"
#include "output/help_text.h"
#include "output/standard_output.h"
#include "output/terminal.h"
#include "output/version.h"
#include "output/whole_file.h"
#include "power/elf_image.h"

namespace {

namespace options = boost::program_options;
namespace esm = pefsim::esm;
namespace output = pefsim::output;

constexpr int good = 0;
constexpr int not_as_it_should_be = 1;
constexpr int mistake = 2;

template <typename... Values>
void say(fmt::format_string<Values...> form, Values&&... values) {
    output::standard_output::write(fmt::format(form, std::forward<Values>(values)...) + "\n");
}

// --- what a user names

class arguments {
public:
    explicit arguments(options::variables_map given) : given_(std::move(given)) {}

    [[nodiscard]] bool has(const char* option) const { return given_.count(option) != 0; }
    [[nodiscard]] std::string text(const char* option) const {
        return has(option) ? given_[option].as<std::string>() : std::string();
    }
    [[nodiscard]] std::string needed(const char* option) const {
        if (text(option).empty()) {
            throw std::invalid_argument(fmt::format("--{} is needed; try --help", option));
        }
        return text(option);
    }
    [[nodiscard]] std::vector<std::string> all(const char* option) const {
        return has(option) ? given_[option].as<std::vector<std::string>>() : std::vector<std::string>();
    }

private:
    options::variables_map given_;
};

/// All of a file.
std::string content_of(std::string_view option, const std::string& name) {
    const auto refuse = [&](int error) {
        throw std::invalid_argument(
            fmt::format("{}: '{}' cannot be read: {}", option, name, std::strerror(error)));
    };
    if (std::filesystem::is_directory(name)) {
        refuse(EISDIR);
    }
    std::ifstream from(name, std::ios::binary);
    if (!from) {
        refuse(errno);
    }
    std::string content{std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
    if (from.bad()) {
        refuse(EIO);
    }
    return content;
}

/// Does `what` with a file; what it complains about is about option and file.
template <typename F>
auto with_file(std::string_view option, const std::string& name, F what) {
    const std::string content = content_of(option, name);
    try {
        return what(content);
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(fmt::format("{}: {}: {}", option, name, wrong.what()));
    }
}

void write(std::string_view what, const std::string& name, esm::byte_view content) {
    output::whole_file file(what, name);
    file.write(content);
    file.commit();
}

esm::private_key private_key_of(const arguments& given) {
    return with_file("key", given.needed("key"),
                     [](const std::string& pem) { return esm::private_key::read(pem); });
}

esm::public_key public_key_at(std::string_view option, const std::string& name) {
    return with_file(option, name, [](const std::string& pem) { return esm::public_key::read(pem); });
}

/// The blob of a file, which may be one, an archive with one, or an initrd with that in front.
esm::blob blob_of(const arguments& given) {
    return with_file("blob", given.needed("blob"), [](const std::string& content) {
        const esm::byte_view all = esm::bytes_of(content);
        const auto archived = esm::find_blob(all);
        return esm::blob::read(archived ? all.subspan(archived->at, archived->size) : all);
    });
}

/// As it will stand in memory.
esm::bytes kernel_of(const arguments& given) {
    return with_file("kernel", given.needed("kernel"), [](const std::string& content) {
        const esm::byte_view all = esm::bytes_of(content);
        if (content.empty()) {
            throw std::invalid_argument("it is empty");
        }
        return content.starts_with("\x7f"
                                   "ELF")
                   ? esm::image_as_loaded(pefsim::power::elf_image({all.begin(), all.end()}))
                   : esm::bytes(all.begin(), all.end());
    });
}

/// Without an archive that brings a blob.
esm::bytes initrd_of(const arguments& given) {
    if (!given.has("initrd")) {
        return {};
    }
    const std::string content = content_of("initrd", given.text("initrd"));
    const esm::byte_view all = esm::bytes_of(content);
    const auto archived = esm::find_blob(all);
    const esm::byte_view rest = archived ? all.subspan(archived->rest) : all;
    return {rest.begin(), rest.end()};
}

esm::measurements measured(const arguments& given) {
    return esm::measure(kernel_of(given), initrd_of(given), given.text("append"));
}

// --- what it does

int make_keys(const arguments& given) {
    const std::string secret = given.needed("private");
    const std::string known = given.needed("public");
    for (const std::string& each : {secret, known}) {
        if (std::filesystem::exists(each)) {
            throw std::invalid_argument(fmt::format("'{}' exists; a key is not replaced", each));
        }
    }
    const esm::private_key key = esm::private_key::make();
    const mode_t others = umask(S_IRWXG | S_IRWXO);
    write("private key", secret, esm::bytes_of(key.pem()));
    umask(others);
    write("public key", known, esm::bytes_of(key.public_half().pem()));
    say("{}: SHA-256 {}", known, esm::hex(key.public_half().fingerprint()));
    return good;
}

/// "NAME=PATH", or PATH for its last part.
std::pair<std::string, esm::bytes> file_named(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string path = equals == std::string::npos ? text : text.substr(equals + 1);
    const std::string name = equals == std::string::npos ? std::filesystem::path(path).filename().string()
                                                         : text.substr(0, equals);
    const std::string content = content_of("file", path);
    const esm::byte_view all = esm::bytes_of(content);
    return {name, esm::bytes(all.begin(), all.end())};
}

int make_blob(const arguments& given) {
    const std::string place = given.needed("output");
    const std::vector<std::string> machines = given.all("machine-key");
    if (machines.empty()) {
        throw std::invalid_argument(
            "--machine-key is needed: the public key of a machine that is to open the blob");
    }
    esm::blob_contents from{
        .expected = measured(given),
        .owner = {given.has("owner-key") ? public_key_at("owner-key", given.text("owner-key"))
                                         : esm::private_key::make().public_half(),
                  given.text("comment")},
        .machines = {},
        .files = {},
    };
    for (const std::string& each : machines) {
        from.machines.push_back({public_key_at("machine-key", each)});
    }
    for (const std::string& each : given.all("file")) {
        auto [name, content] = file_named(each);
        if (!from.files.emplace(name, std::move(content)).second) {
            throw std::invalid_argument(fmt::format("file: {} is named twice", name));
        }
    }
    const esm::bytes blob = esm::make_blob(from);
    write("blob", place, given.has("archive") ? esm::archive_of(blob) : blob);
    say("{}: a blob of {} bytes for a kernel of {} bytes as loaded", place, blob.size(),
        from.expected.kernel_size);
    return good;
}

int check_blob(const arguments& given) {
    const esm::blob blob = blob_of(given);
    const esm::private_key key = private_key_of(given);
    const esm::measurements image = measured(given);
    int status = good;
    const auto judge = [&](bool right, std::string_view what) {
        say("{}: {}", what, right ? "as the blob says" : "NOT as the blob says");
        status = right ? status : not_as_it_should_be;
    };
    try {
        const esm::opened_blob opened = blob.open(key);
        say("blob: {}", opened.sealed_whole()
                            ? "as it was made"
                            : "its digests are as they were made; the rest is not bound to them");
        const esm::measurements& expected = opened.expected();
        judge(image.kernel_size == expected.kernel_size && image.kernel == expected.kernel, "kernel");
        judge(image.initrd == expected.initrd, "initrd");
        judge(image.bootargs == expected.bootargs, "command line");
        judge(image.rtas == expected.rtas, "RTAS");
        for (const auto& [name, attached] : blob.files()) {
            say("file {}: {} bytes", name, opened.file(name)->size());
        }
    } catch (const esm::bad_blob& wrong) {
        say("blob: NOT good: {}", wrong.what());
        status = not_as_it_should_be;
    }
    return status;
}

std::string with_comment(const std::string& text) {
    return text.empty() ? text : fmt::format(", \"{}\"", text);
}

int show_blob(const arguments& given) {
    const esm::blob blob = blob_of(given);
    say("blob of {} bytes", blob.size());
    for (const esm::lockbox& each : blob.lockboxes()) {
        say("{}: for the key of SHA-256 {}{}", each.name, esm::hex(each.fingerprint),
            with_comment(each.comment));
    }
    for (const auto& [name, attached] : blob.files()) {
        say("file {}: {} bytes{}", name, attached.box.ciphertext.size(), with_comment(attached.comment));
    }
    if (!given.has("key")) {
        return good;
    }
    const esm::opened_blob opened = blob.open(private_key_of(given));
    const esm::measurements& expected = opened.expected();
    say("sealed whole: {}", opened.sealed_whole() ? "yes" : "no");
    say("kernel: {} bytes, SHA-512 {}", expected.kernel_size, esm::hex(expected.kernel));
    say("initrd: SHA-512 {}", esm::hex(expected.initrd));
    say("command line: SHA-512 {}", esm::hex(expected.bootargs));
    say("RTAS: SHA-512 {}", esm::hex(expected.rtas));
    return good;
}

// --- the command line

struct command {
    std::string_view name;
    std::string_view does;
    options::options_description (*known)();
    int (*run)(const arguments& given);
};

options::options_description of_keys() {
    options::options_description known;
    known.add_options()("private", options::value<std::string>(), "file for the private key, PEM; a new one")(
        "public", options::value<std::string>(), "file for the public key, PEM; a new one");
    return known;
}

options::options_description of_image() {
    options::options_description known;
    known.add_options()("kernel", options::value<std::string>(), "ELF file, or a flat image")(
        "initrd", options::value<std::string>(), "initial file system, if there is one")(
        "append", options::value<std::string>(), "the kernel's command line, all of it");
    return known;
}

options::options_description of_make() {
    options::options_description known = of_image();
    known.add_options()("machine-key", options::value<std::vector<std::string>>(),
                        "public key of a machine that may open the blob; may be given several times")(
        "owner-key", options::value<std::string>(),
        "public key of the guest's owner; otherwise one that nobody keeps")(
        "file", options::value<std::vector<std::string>>(),
        "NAME=PATH: a secret for the guest (UV_ESMB_GET_FILE); may be given several times")(
        "comment", options::value<std::string>(), "one line about the owner's key; everybody can read it")(
        "output", options::value<std::string>(),
        "file for the blob")("archive", "write a cpio archive instead, to be put in front of the initrd");
    return known;
}

options::options_description of_check() {
    options::options_description known = of_image();
    known.add_options()("blob", options::value<std::string>(), "the blob, or an initrd that brings it")(
        "key", options::value<std::string>(), "private key of a machine or of the owner");
    return known;
}

options::options_description of_show() {
    options::options_description known;
    known.add_options()("blob", options::value<std::string>(), "the blob, or an initrd that brings it")(
        "key", options::value<std::string>(),
        "private key of a machine or of the owner, to see digests, too");
    return known;
}

constexpr std::array commands{
    command{"keys", "makes a pair of RSA keys, of a machine or of a guest's owner", of_keys, make_keys},
    command{"make", "makes a blob for an image", of_make, make_blob},
    command{"check", "says what of an image is as a blob says; exit status 1 when something is not", of_check,
            check_blob},
    command{"show", "says what stands in a blob", of_show, show_blob},
};

std::string help() {
    const std::size_t columns = output::columns_of(STDOUT_FILENO);
    std::string text =
        "pefsim-esm: makes and checks ESM blobs, by which an Ultravisor knows a guest's image\n\n"
        "usage: pefsim-esm COMMAND [options]\n\nOptions\n";
    text += output::option_row("--help", "show this text (-h, too)", columns);
    text += output::option_row("--version", "show which pefsim this is", columns);
    for (const command& each : commands) {
        text += fmt::format("\nCommand {} ({})\n", each.name, each.does);
        const options::options_description known = each.known();
        for (const auto& option : known.options()) {
            const bool valued = option->semantic()->max_tokens() != 0;
            text += output::option_row(fmt::format("--{}{}", option->long_name(), valued ? " VALUE" : ""),
                                       option->description(), columns);
        }
    }
    return text;
}

int run(std::span<char*> words) {
    const std::string_view name = words.empty() ? std::string_view() : words.front();
    if (name == "--help" || name == "-h" || name == "help") {
        output::standard_output::write(help());
        return good;
    }
    if (name == "--version") {
        output::standard_output::write(fmt::format("pefsim-esm (pefsim) {}\n", output::version()));
        return good;
    }
    for (const command& each : commands) {
        if (each.name != name) {
            continue;
        }
        options::variables_map given;
        options::options_description known = each.known();
        known.add_options()("help,h", "this text");
        options::store(options::command_line_parser(static_cast<int>(words.size()), words.data())
                           .options(known)
                           .positional({})
                           .run(),
                       given);
        if (given.count("help") != 0) {
            output::standard_output::write(help());
            return good;
        }
        return each.run(arguments(given));
    }
    throw std::invalid_argument(name.empty() ? "no command is named; try --help"
                                             : fmt::format("'{}' is no command; try --help", name));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        output::occupy_standard_descriptors();
        const int status = run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
        output::standard_output::check();
        return status;
    } catch (const std::exception& problem) {
        output::complain(fmt::format("pefsim-esm: {}", problem.what()));
        return mistake;
    }
}
