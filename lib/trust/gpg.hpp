// OpenPGP messages by GnuPG (gpgme): a text and one signature of it. Without gpgme at build time everything
// here is Kind::unsupported "signing is not supported: lade was built without gpgme".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/temp_dir.hpp"

namespace lade::trust {

// A key ring. Thread-safe: each call talks to a gpg of its own.
class Gpg {
 public:
  // The user's ($GNUPGHOME, ~/.gnupg).
  static Gpg of_user();
  // One with these keys only (each text may hold several), in a directory below `scratch` that goes with it.
  static Gpg with_keys(const std::vector<std::string>& keys, const std::filesystem::path& scratch);

  // Of the primary keys that were imported; empty for the user's ring.
  const std::vector<std::string>& fingerprints() const { return fingerprints_; }

  struct Verified {
    std::string content;
    std::string fingerprint;  // of the (sub)key that signed
  };
  // Kind::denied "Invalid GPG signature: ..." unless there is exactly one signature, good, by a key of the
  // ring that has not expired nor been revoked. Trust in the key is the caller's to decide.
  Verified verify(std::string_view message) const;
  // The primary key's fingerprint; Kind::denied if the ring does not have it.
  std::string primary_fingerprint(const std::string& fingerprint) const;

  // `key`: whatever gpg takes for a user ID. Without a passphrase gpg's agent asks for it. Wrong ones are
  // Kind::denied "Bad passphrase".
  std::string sign(std::string_view content, const std::string& key,
                   const std::optional<std::string>& passphrase) const;

  struct Unverified {
    std::string content;
    std::string key_id;  // 16 hex digits
  };
  // What the message says, whoever signed it.
  Unverified read_unverified(std::string_view message) const;

 private:
  Gpg() = default;
  std::optional<os::TempDir> directory_;
  std::vector<std::string> fingerprints_;
};

}  // namespace lade::trust
