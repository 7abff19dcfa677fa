// SPDX-License-Identifier: Apache-2.0
#include "esm/blob.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include "esm/tree_writer.h"

namespace pefsim::esm {
namespace {

using device_tree::flat_tree;

constexpr const char* compatible = "ibm,esm";
constexpr const char* files_compatible = "ibm,esm-file";
constexpr const char* cipher = "AES256-GCM";
constexpr const char* key_hash = "SHA256";
constexpr const char* image_hash = "SHA512";
constexpr const char* envelope_property = "pefsim,envelope";
const std::string lockboxes_path = "/lockboxes";
const std::string digests_box_path = "/digest/digests-fdt";
const std::string digests_path = "/digests";
const std::string files_path = "/files";
constexpr std::string_view owners_lockbox = "origin-lockbox";
constexpr std::array box_properties{"iv", "mac", "ciphertext"};
constexpr std::size_t largest_comment = 1024;

// --- reading

[[noreturn]] void malformed(const std::string& what) { throw bad_blob(defect::form, what); }

byte_view value_of(const flat_tree& tree, const std::string& path, const char* name) {
    const auto value = tree.find(path, name);
    if (!value) {
        malformed(fmt::format("{} has no property {}", path, name));
    }
    return *value;
}

bytes copy_of(byte_view from) { return {from.begin(), from.end()}; }

void must_be(const flat_tree& tree, const std::string& path, const char* name, std::string_view value) {
    if (tree.text(path, name) != value) {
        malformed(fmt::format("{}: {} is not \"{}\"", path, name, value));
    }
}

template <std::size_t Size>
std::array<std::byte, Size> sized(const flat_tree& tree, const std::string& path, const char* name) {
    const byte_view value = value_of(tree, path, name);
    if (value.size() != Size) {
        malformed(fmt::format("{}: {} has {} bytes, not {}", path, name, value.size(), Size));
    }
    std::array<std::byte, Size> result{};
    std::ranges::copy(value, result.begin());
    return result;
}

secret_box read_box(const flat_tree& tree, const std::string& path) {
    must_be(tree, path, "algorithm", cipher);
    secret_box box{.iv = copy_of(value_of(tree, path, "iv")),
                   .mac = copy_of(value_of(tree, path, "mac")),
                   .ciphertext = copy_of(value_of(tree, path, "ciphertext"))};
    if (box.iv.empty() || box.mac.size() != secret_box::mac_size) {
        malformed(fmt::format("{}: an IV of {} bytes and a tag of {}", path, box.iv.size(), box.mac.size()));
    }
    return box;
}

lockbox read_lockbox(const flat_tree& tree, const std::string& name) {
    const std::string path = lockboxes_path + "/" + name;
    const std::string key = path + "/pubkey-fingerprint";
    must_be(tree, key, "algorithm", key_hash);
    return {.name = name,
            .fingerprint = sized<fingerprint{}.size()>(tree, key, "hash"),
            .encrypted_key = copy_of(value_of(tree, path, "encrypted-symkey")),
            .comment = tree.text(path, "untrusted-comment").value_or("")};
}

std::map<std::string, attachment> read_files(const flat_tree& blob) {
    std::map<std::string, attachment> files;
    const auto content = blob.find("/file", "files-fdt");
    if (!content) {
        return files;  // svm-tool makes it with the first file
    }
    const auto tree = flat_tree::read(*content);
    if (!tree || !tree->has(files_path)) {
        malformed("/file: files-fdt is no flat tree of files");
    }
    must_be(*tree, "/", "compatible", files_compatible);
    for (const std::string& each : tree->children(files_path)) {
        const std::string path = files_path + "/" + each;
        files.emplace(each,
                      attachment{read_box(*tree, path), tree->text(path, "untrusted-comment").value_or("")});
    }
    return files;
}

// --- writing

void write_box(tree_writer& to, const secret_box& box, const std::string& comment) {
    to.property("algorithm", cipher);
    to.property("untrusted-comment", comment);
    to.property("iv", box.iv);
    to.property("mac", box.mac);
    to.property("ciphertext", box.ciphertext);
}

void write_lockbox(tree_writer& to, const std::string& name, const blob_contents::recipient& whose,
                   const master_key& key) {
    to.begin(name);
    to.property("untrusted-comment", whose.comment);
    to.property("encrypted-symkey", whose.key.wrap(key.content()));
    to.begin("pubkey-fingerprint");
    to.property("algorithm", key_hash);
    to.property("hash", whose.key.fingerprint());
    to.end();
    to.end();
}

bytes digests_tree(const measurements& of, const digest& envelope) {
    tree_writer to(0);
    to.property("compatible", compatible);
    to.begin("digests");
    to.property("algorithm", image_hash);
    to.property("rtas", of.rtas);
    to.property("kernel", of.kernel);
    to.property("kernel-size", of.kernel_size);
    to.property("initrd", of.initrd);
    to.property("bootargs", of.bootargs);
    to.property(envelope_property, envelope);
    to.end();
    return to.finish();
}

bytes files_tree(const std::map<std::string, bytes>& files, const master_key& key) {
    std::size_t room = 0;
    for (const auto& [name, content] : files) {
        room += content.size() + 512;
    }
    tree_writer to(room);
    to.property("compatible", files_compatible);
    to.begin("files");
    for (const auto& [name, content] : files) {
        to.begin(name);
        write_box(to, seal(key, content), "");
        to.end();
    }
    to.end();
    return to.finish();
}

void check(const blob_contents& from) {
    const auto check_comment = [](const std::string& text) {
        if (text.size() > largest_comment || text.find('\n') != std::string::npos ||
            text.find('\0') != std::string::npos) {
            throw std::invalid_argument(
                fmt::format("a comment must be one line of at most {} characters", largest_comment));
        }
    };
    check_comment(from.owner.comment);
    for (const auto& each : from.machines) {
        check_comment(each.comment);
    }
    for (const auto& [name, content] : from.files) {
        if (!is_file_name(name)) {
            throw std::invalid_argument(
                fmt::format("'{}' cannot be a file's name: a letter, then letters, digits and ,._+-, "
                            "31 characters at most",
                            name));
        }
    }
}

}  // namespace

bool is_file_name(std::string_view name) {
    constexpr std::size_t longest = 31;
    const auto fits = [](char each) {
        return std::isalnum(static_cast<unsigned char>(each)) != 0 ||
               std::string_view(",._+-").find(each) != std::string_view::npos;
    };
    return !name.empty() && name.size() <= longest &&
           std::isalpha(static_cast<unsigned char>(name.front())) != 0 && std::ranges::all_of(name, fits);
}

// --- blob

blob blob::read(byte_view from) {
    auto tree = flat_tree::read(from);
    if (!tree) {
        malformed("it is no flat device tree");
    }
    blob result(std::move(*tree));
    must_be(result.tree_, "/", "compatible", compatible);
    for (const std::string& each : result.tree_.children(lockboxes_path)) {
        result.lockboxes_.push_back(read_lockbox(result.tree_, each));
    }
    if (result.lockboxes_.empty()) {
        malformed(lockboxes_path + " has no lockbox");
    }
    result.digests_ = read_box(result.tree_, digests_box_path);
    result.files_ = read_files(result.tree_);
    return result;
}

digest blob::envelope() const {
    bytes all = copy_of(tree_.bytes());
    for (const char* const each : box_properties) {
        const byte_view value = value_of(tree_, digests_box_path, each);
        std::fill_n(all.begin() + (value.data() - tree_.bytes().data()), value.size(), std::byte{0});
    }
    return digest_of(all);
}

opened_blob blob::open(const private_key& by) const {
    const auto mine = std::ranges::find(lockboxes_, by.public_half().fingerprint(), &lockbox::fingerprint);
    if (mine == lockboxes_.end()) {
        throw bad_blob(defect::key, "no lockbox is for this key");
    }
    auto secret = by.unwrap(mine->encrypted_key);
    if (!secret || secret->size() != master_key::size) {
        throw bad_blob(defect::key, fmt::format("{} does not open", mine->name));
    }
    opened_blob opened{master_key(*secret)};
    OPENSSL_cleanse(secret->data(), secret->size());
    opened.files_ = files_;
    read_digests(opened);
    return opened;
}

void blob::read_digests(opened_blob& into) const {
    const auto content = esm::open(into.key_, digests_);
    if (!content) {
        throw bad_blob(defect::integrity, "the digests have been changed");
    }
    const auto tree = flat_tree::read(*content);
    if (!tree) {
        malformed("the digests are no flat tree");
    }
    constexpr std::size_t size = digest{}.size();
    must_be(*tree, digests_path, "algorithm", image_hash);
    const auto kernel_size = tree->number(digests_path, "kernel-size");
    if (!kernel_size || *kernel_size > 0xffff'ffff) {
        malformed(digests_path + ": kernel-size is no cell");
    }
    into.expected_ = {.rtas = sized<size>(*tree, digests_path, "rtas"),
                      .kernel = sized<size>(*tree, digests_path, "kernel"),
                      .kernel_size = static_cast<std::uint32_t>(*kernel_size),
                      .initrd = sized<size>(*tree, digests_path, "initrd"),
                      .bootargs = sized<size>(*tree, digests_path, "bootargs")};
    into.sealed_whole_ = tree->find(digests_path, envelope_property).has_value();
    if (into.sealed_whole_ && sized<size>(*tree, digests_path, envelope_property) != envelope()) {
        throw bad_blob(defect::integrity, "something outside its digests has been changed");
    }
}

std::optional<bytes> opened_blob::file(const std::string& name) const {
    const auto found = files_.find(name);
    if (found == files_.end()) {
        return std::nullopt;
    }
    auto content = esm::open(key_, found->second.box);
    if (!content) {
        throw bad_blob(defect::integrity, fmt::format("the file {} has been changed", name));
    }
    return content;
}

bytes make_blob(const blob_contents& from) {
    check(from);
    const master_key key = master_key::make();
    const std::size_t inner_size = digests_tree(from.expected, {}).size();
    const secret_box empty{.iv = bytes(secret_box::iv_size),
                           .mac = bytes(secret_box::mac_size),
                           .ciphertext = bytes(inner_size)};
    const bytes files = from.files.empty() ? bytes() : files_tree(from.files, key);

    constexpr std::size_t room_of_lockbox = 4096;
    tree_writer to(files.size() + inner_size + room_of_lockbox * (1 + from.machines.size()));
    to.property("compatible", compatible);
    to.begin("lockboxes");
    write_lockbox(to, std::string(owners_lockbox), from.owner, key);
    for (std::size_t n = 0; n < from.machines.size(); ++n) {
        write_lockbox(to, fmt::format("lockbox-{}", n + 1), from.machines[n], key);
    }
    to.end();
    to.begin("digest");
    to.begin("digests-fdt");
    write_box(to, empty, "");
    to.end();
    to.end();
    to.begin("file");
    if (!files.empty()) {
        to.property("files-fdt", files);
    }
    to.end();
    bytes made = to.finish();

    // The envelope is a digest of all that is there now; its own box is filled last.
    const secret_box digests = seal(key, digests_tree(from.expected, digest_of(made)));
    const int node = fdt_path_offset(made.data(), digests_box_path.c_str());
    for (const auto& [name, value] :
         {std::pair{"iv", &digests.iv}, {"mac", &digests.mac}, {"ciphertext", &digests.ciphertext}}) {
        if (fdt_setprop_inplace(made.data(), node, name, value->data(), static_cast<int>(value->size())) !=
            0) {
            throw std::logic_error("writing an ESM blob: the digests do not fit their box");
        }
    }
    return made;
}

}  // namespace pefsim::esm
