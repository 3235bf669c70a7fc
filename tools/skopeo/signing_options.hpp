// Options of commands that write images and may sign them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/command.hpp"
#include "copy/copy.hpp"
#include "trust/keys.hpp"

namespace lade::skopeo {

// --sign-by, --sign-by-sigstore, --sign-by-sigstore-private-key, --sign-identity, --sign-passphrase-file
std::vector<common::Option> signing_options();

// Reads keys and passphrases: before anything is copied.
void apply_signing_options(const common::Invocation& invocation, copy::CopyOptions& options);

// The first line of the file, as gpg reads it; nullopt for "".
std::optional<std::string> read_passphrase_file(const common::Invocation& invocation,
                                                const std::string& path);

// Asks at the terminal. Kind::invalid_input "Cannot prompt for a passphrase for key ..., standard input is
// not a TTY".
std::string prompt_for_passphrase(const common::Invocation& invocation, const std::string& key_file);

}  // namespace lade::skopeo
