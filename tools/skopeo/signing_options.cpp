#include "skopeo/signing_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "common/prompt.hpp"
#include "config/sigstore_params.hpp"
#include "os/file.hpp"
#include "trust/cosign_key.hpp"
#include "trust/signer.hpp"

namespace lade::skopeo {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

constexpr std::uint64_t max_passphrase_file = 64 * 1024;
constexpr std::uint64_t max_key_file = 1024 * 1024;

[[noreturn]] void refuse_signing(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

std::shared_ptr<const trust::Signer> signer_of_key_file(const std::string& path,
                                                        const std::string& passphrase) {
  return in_context([&] { return "reading private key from " + path; },
                    [&] {
                      return trust::make_sigstore_signer(
                          trust::decrypt_cosign_key(os::read_file(path, max_key_file), passphrase));
                    });
}

// What needs a service on the network is not done in part.
std::shared_ptr<const trust::Signer> signer_of_parameters(const Invocation& invocation,
                                                          const std::string& path) {
  const auto parameters = config::read_sigstore_params(path);
  if (parameters.uses_fulcio)
    throw Error(Kind::unsupported, path + ": fulcio: signing with certificates of Fulcio is not supported");
  if (!parameters.rekor_url.empty())
    throw Error(Kind::unsupported, path + ": rekorURL: uploading signatures to Rekor is not supported");
  if (parameters.private_key_file.empty()) refuse_signing(path + ": there is no privateKeyFile to sign with");
  const auto passphrase = read_passphrase_file(invocation, parameters.private_key_passphrase_file);
  return signer_of_key_file(
      parameters.private_key_file,
      passphrase ? *passphrase : prompt_for_passphrase(invocation, parameters.private_key_file));
}

spec::Reference parse_sign_identity(const std::string& text) {
  return in_context("Could not parse --sign-identity", [&] {
    auto reference = spec::Reference::parse(text);
    if (reference.str() != text) refuse_signing("repository name must be canonical");
    return reference;
  });
}

}  // namespace

std::vector<Option> signing_options() {
  const std::string group = "Signing";
  return {
      {.name = "sign-by",
       .kind = ValueKind::text,
       .value_name = "FINGERPRINT",
       .help = "Sign the image using a GPG key with the specified FINGERPRINT",
       .group = group},
      {.name = "sign-by-sigstore",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Sign the image using a sigstore parameter file at PATH (keys in files only)",
       .group = group},
      {.name = "sign-by-sigstore-private-key",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Sign the image using a sigstore private key at PATH",
       .group = group},
      {.name = "sign-by-sq-fingerprint",
       .kind = ValueKind::text,
       .value_name = "FINGERPRINT",
       .help = "Sign the image using a Sequoia-PGP key",
       .hidden = true,
       .unavailable = "signing by Sequoia-PGP is not supported; --sign-by signs by GnuPG"},
      {.name = "sign-identity",
       .kind = ValueKind::text,
       .value_name = "REFERENCE",
       .help = "Identity of signed image, must be a fully specified docker reference. Defaults to the target "
               "docker reference.",
       .group = group},
      {.name = "sign-passphrase-file",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "Read a passphrase for signing an image from PATH",
       .group = group},
  };
}

std::optional<std::string> read_passphrase_file(const Invocation& invocation, const std::string& path) {
  if (path.empty()) return std::nullopt;
  invocation.context.log.debug("Reading user-specified passphrase for signing from " + path);
  const std::string text = os::read_file(path, max_passphrase_file);
  return text.substr(0, text.find('\n'));
}

std::string prompt_for_passphrase(const Invocation& invocation, const std::string& key_file) {
  if (isatty(STDIN_FILENO) != 1) {
    refuse_signing(
        fmt::format("Cannot prompt for a passphrase for key {}, standard input is not a TTY", key_file));
  }
  return common::ask_secret(invocation.out, fmt::format("Passphrase for key {}: ", key_file),
                            invocation.context.stop);
}

void apply_signing_options(const Invocation& invocation, copy::CopyOptions& options) {
  const Flags& flags = invocation.flags;
  const std::string gpg_key = flags.text("sign-by"), key_file = flags.text("sign-by-sigstore-private-key"),
                    parameters = flags.text("sign-by-sigstore");
  if (flags.given("sign-passphrase-file") && !gpg_key.empty() && !key_file.empty()) {
    refuse_signing(
        "Only one of --sign-by, --sign-by-sq-fingerprint and --sign-by-sigstore-private-key can be used with "
        "--sign-passphrase-file");
  }
  const auto passphrase = read_passphrase_file(invocation, flags.text("sign-passphrase-file"));
  if (!parameters.empty()) {
    options.signers.push_back(in_context("Error using --sign-by-sigstore",
                                         [&] { return signer_of_parameters(invocation, parameters); }));
  }
  if (!gpg_key.empty()) options.signers.push_back(trust::make_gpg_signer(gpg_key, passphrase));
  if (!key_file.empty()) {
    options.signers.push_back(
        signer_of_key_file(key_file, passphrase ? *passphrase : prompt_for_passphrase(invocation, key_file)));
  }
  if (const auto identity = flags.find_text("sign-identity"); identity && !identity->empty())
    options.sign_identity = parse_sign_identity(*identity);
}

}  // namespace lade::skopeo
