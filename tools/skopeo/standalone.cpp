// Signatures of manifests in files: standalone-sign, standalone-verify, and a look into one unverified.
#include <fmt/format.h>

#include "common/session.hpp"
#include "os/file.hpp"
#include "skopeo/commands.hpp"
#include "skopeo/signing_options.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"
#include "spec/time.hpp"
#include "transport/signature_format.hpp"
#include "trust/gpg.hpp"
#include "trust/payload.hpp"
#include "trust/signer.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

std::string read_named(std::string_view what, const std::string& path, std::size_t limit) {
  return in_context([&] { return fmt::format("Error reading {}", what); },
                    [&] { return os::read_file(path, limit); });
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t start = 0; start <= text.size();) {
    const auto comma = std::min(text.find(',', start), text.size());
    result.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return result;
}

std::vector<Option> standalone_sign_options() {
  return {{.name = "output",
           .short_name = 'o',
           .kind = ValueKind::text,
           .value_name = "SIGNATURE",
           .help = "output the signature to SIGNATURE"},
          {.name = "passphrase-file",
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "file that contains a passphrase for the key"}};
}

int run_standalone_sign(Invocation& invocation) {
  const std::string output = invocation.flags.text("output");
  if (invocation.arguments.size() != 3 || output.empty()) {
    invocation.refuse_usage(
        fmt::format("Usage: {} standalone-sign manifest docker-reference key-fingerprint -o signature",
                    invocation.program.name));
  }
  const auto& arguments = invocation.arguments;
  const std::string manifest = read_named(arguments[0], arguments[0], spec::max_manifest_size);
  const auto passphrase = read_passphrase_file(invocation, invocation.flags.text("passphrase-file"));
  const std::string signature = in_context("Error creating signature", [&] {
    return trust::sign_with_gpg(invocation.context, manifest, arguments[1], arguments[2], passphrase);
  });
  in_context("Error writing signature to " + output, [&] {
    os::write_all(os::open_file(output, O_WRONLY | O_CREAT | O_TRUNC, 0644), io::as_bytes(signature));
  });
  return 0;
}

std::vector<Option> standalone_verify_options() {
  return {{.name = "public-key-file",
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "File containing public keys. If not specified, will use local GPG keys."}};
}

int run_standalone_verify(Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  if (arguments.size() != 4) {
    invocation.refuse_usage(
        fmt::format("Usage: {} standalone-verify manifest docker-reference key-fingerprint signature",
                    invocation.program.name));
  }
  const std::string keys = invocation.flags.text("public-key-file");
  trust::StandaloneRule rule{arguments[1], {}, std::nullopt};
  if (arguments[2] != "any") rule.fingerprints = split_at_commas(arguments[2]);
  if (keys.empty() && rule.fingerprints.empty())
    throw Error(Kind::invalid_input, "Cannot use any fingerprint without a public key file");
  const auto manifest = read_named("manifest from " + arguments[0], arguments[0], spec::max_manifest_size);
  const auto signature =
      read_named("signature from " + arguments[3], arguments[3], transport::max_signature_size);
  if (!keys.empty())
    rule.public_keys = read_named("public keys from " + keys, keys, transport::max_signature_size);
  const auto scratch = common::Session(invocation).environment().get("TMPDIR");
  const auto verified = in_context("Error verifying signature", [&] {
    return trust::verify_standalone(signature, manifest, rule, scratch.empty() ? "/tmp" : scratch);
  });
  invocation.out.line(fmt::format("Signature verified using fingerprint {}, digest {}", verified.fingerprint,
                                  verified.digest.str()));
  return 0;
}

int run_dump_signature(Invocation& invocation) {
  if (invocation.arguments.size() != 1) {
    invocation.refuse_usage(fmt::format("Usage: {} untrusted-signature-dump-without-verification signature",
                                        invocation.program.name));
  }
  const std::string& path = invocation.arguments[0];
  const auto signature = read_named("untrusted signature from " + path, path, transport::max_signature_size);
  const auto scratch = common::Session(invocation).environment().get("TMPDIR");
  const spec::Json document = in_context("Error decoding untrusted signature", [&]() -> spec::Json {
    const auto unverified = trust::Gpg::with_keys({}, scratch.empty() ? "/tmp" : scratch)
                                .read_unverified(transport::simple_signing_message(signature));
    const auto payload = trust::parse_payload(unverified.content, trust::PayloadType::simple_signing);
    spec::Json time;
    if (payload.timestamp) time = spec::format_time(*payload.timestamp);
    return {{"UntrustedDockerManifestDigest", payload.manifest.str()},
            {"UntrustedDockerReference", payload.reference},
            {"UntrustedCreatorID", payload.creator ? spec::Json(*payload.creator) : spec::Json()},
            {"UntrustedTimestamp", std::move(time)},
            {"UntrustedShortKeyIdentifier", unverified.key_id}};
  });
  invocation.out.line(spec::dump_json(document, 4));
  return 0;
}

}  // namespace

const common::Command standalone_sign_command{
    .name = "standalone-sign",
    .summary = "Create a signature using local files",
    .description = "Create a signature using local files",
    .synopsis = "[command options] MANIFEST DOCKER-REFERENCE KEY-FINGERPRINT --output|-o SIGNATURE",
    .example = "standalone-sign manifest.json registry.example.com/app:1 me@example.com -o app.signature",
    .argument = common::ArgumentHint::file,
    .options = standalone_sign_options,
    .run = run_standalone_sign};

const common::Command standalone_verify_command{
    .name = "standalone-verify",
    .summary = "Verify a signature using local files",
    .description =
        "Verify a signature using local files\n\nKEY-FINGERPRINTS can be a comma separated list of "
        "fingerprints, or \"any\" if you trust all the keys in the public key file.",
    .synopsis = "MANIFEST DOCKER-REFERENCE KEY-FINGERPRINTS SIGNATURE",
    .example =
        "standalone-verify --public-key-file keys.gpg manifest.json registry.example.com/app:1 any "
        "app.signature",
    .argument = common::ArgumentHint::file,
    .options = standalone_verify_options,
    .run = run_standalone_verify};

const common::Command dump_signature_command{
    .name = "untrusted-signature-dump-without-verification",
    .summary = "Dump contents of a signature WITHOUT VERIFYING IT",
    .description = "Dump contents of a signature WITHOUT VERIFYING IT",
    .synopsis = "SIGNATURE",
    .example = "",
    .argument = common::ArgumentHint::file,
    .run = run_dump_signature,
    .hidden = true};

}  // namespace lade::skopeo
