// Options of commands that encrypt or decrypt layers on their way.
#pragma once

#include <vector>

#include "common/arguments.hpp"
#include "common/option.hpp"
#include "copy/copy.hpp"

namespace lade::common {

// --encryption-key and --encrypt-layer.
std::vector<Option> encryption_options();
// --decryption-key.
std::vector<Option> decryption_options();

// Reads the keys; does nothing for a command without these options. Kind::invalid_input for options that
// contradict each other; Kind::unsupported for protocols other than jwe and pkcs7.
void apply_encryption_options(const Flags& flags, copy::CopyOptions& options);

}  // namespace lade::common
