// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "device_tree/flat_tree.h"
#include "esm/bytes.h"
#include "esm/digest.h"
#include "esm/keys.h"
#include "esm/measurements.h"
#include "esm/secret_box.h"

/// The ESM blob: what a guest's owner sends along with an image, so that an Ultravisor lets the guest become secure
/// with this image only, and gives it his secrets. Format: docs/README.ESM of open-power/svm-tools, which makes blobs,
/// and svm/svm-esmb.c of open-power/ultravisor, which reads them.
///
/// A flat device tree:
///
///     /                        compatible = "ibm,esm"
///     /lockboxes/NAME          NAME: origin-lockbox (of the owner), lockbox-1 .. (of machines)
///         encrypted-symkey     the blob's key, wrapped for that one's public key: RSA-OAEP
///         untrusted-comment    text
///         pubkey-fingerprint/  algorithm = "SHA256", hash of the public key's PEM
///     /digest/digests-fdt      a box: algorithm = "AES256-GCM", iv, mac, ciphertext, untrusted-comment
///     /file                    files-fdt = a flat tree, or nothing
///
/// In the box of digests, a flat tree: compatible = "ibm,esm", and /digests with algorithm = "SHA512", rtas, kernel,
/// kernel-size (one cell), initrd, bootargs. In files-fdt: compatible = "ibm,esm-file", and /files/NAME, a box each.
///
/// Where this differs:
/// * /digests has one property more, "pefsim,envelope": the SHA-512 of all of the blob, but with zeros for the values
///   of iv, mac and ciphertext of the box that it lies in. With it no byte of a blob can change unseen; boxes, names
///   and comments of svm-tool's blobs are not bound to each other. A blob without is accepted.
/// * A machine's lockbox is found by its fingerprint; the public Ultravisor takes lockbox-1.
/// * The public Ultravisor lets a TPM unwrap the key (H_TPM_COMM); here the machine's key is a file that a user gives.
///
/// A blob says what its owner has measured, not who the owner is: whoever has a machine's public key can make one for
/// any image. What protects him is that his secrets are in no other blob.
namespace pefsim::esm {

/// What is wrong with a blob.
enum class defect : std::uint8_t {
    form,       ///< it is no ESM blob, or lacks something
    key,        ///< it has no lockbox for this key, or one that does not open
    integrity,  ///< it has been changed
};

class bad_blob : public std::invalid_argument {
public:
    bad_blob(defect kind, const std::string& what) : invalid_argument(what), kind_(kind) {}
    [[nodiscard]] defect kind() const { return kind_; }

private:
    defect kind_;
};

struct lockbox {
    std::string name;
    esm::fingerprint fingerprint{};
    bytes encrypted_key;
    std::string comment;
};

struct attachment {
    secret_box box;
    std::string comment;
};

/// A blob that a key has opened.
class opened_blob {
public:
    [[nodiscard]] const measurements& expected() const { return expected_; }
    /// All of the blob is known to be as it was made, not only what its boxes hold.
    [[nodiscard]] bool sealed_whole() const { return sealed_whole_; }
    [[nodiscard]] bool has_file(const std::string& name) const { return files_.contains(name); }
    /// \throws bad_blob (integrity) when it has been changed  \returns nullopt when there is no such file
    [[nodiscard]] std::optional<bytes> file(const std::string& name) const;

private:
    friend class blob;
    explicit opened_blob(const master_key& key) : key_(key) {}

    master_key key_;
    measurements expected_;
    bool sealed_whole_ = false;
    std::map<std::string, attachment> files_;
};

/// A blob as anybody sees it.
class blob {
public:
    /// \throws bad_blob (form) naming what is not as it should be
    static blob read(byte_view from);

    [[nodiscard]] const std::vector<lockbox>& lockboxes() const { return lockboxes_; }
    [[nodiscard]] const std::map<std::string, attachment>& files() const { return files_; }
    [[nodiscard]] std::size_t size() const { return tree_.bytes().size(); }

    /// \throws bad_blob
    [[nodiscard]] opened_blob open(const private_key& by) const;

private:
    explicit blob(device_tree::flat_tree tree) : tree_(std::move(tree)) {}
    void read_digests(opened_blob& into) const;
    [[nodiscard]] digest envelope() const;

    device_tree::flat_tree tree_;
    std::vector<lockbox> lockboxes_;
    secret_box digests_;
    std::map<std::string, attachment> files_;
};

/// What a blob is made of.
struct blob_contents {
    struct recipient {
        public_key key;
        std::string comment{};
    };
    measurements expected;
    recipient owner;
    std::vector<recipient> machines;
    std::map<std::string, bytes> files;  ///< secrets, by the names that the guest asks for
};

/// \throws std::invalid_argument naming what cannot be put into a blob
bytes make_blob(const blob_contents& from);

/// 1 to 31 characters: a letter, then letters, digits and ,._+- (Devicetree Specification 0.4, 2.2.1).
bool is_file_name(std::string_view name);

}  // namespace pefsim::esm
