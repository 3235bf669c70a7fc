#include "trust/requirements.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "io/digester.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"
#include "transport/signature_format.hpp"
#include "trust/gpg.hpp"
#include "trust/signed_identity.hpp"

namespace lade::trust {

namespace {

constexpr std::uint64_t max_key_file_size = 4 << 20;

void check_signed_by(const config::SignedBy& rule, const Gpg& gpg, const std::string& signature,
                     const UnparsedImage& image) {
  auto verified = gpg.verify(transport::simple_signing_message(signature));
  const auto& accepted = gpg.fingerprints();
  const auto is_accepted = [&](const std::string& fingerprint) {
    return std::ranges::find(accepted, fingerprint) != accepted.end();
  };
  if (!is_accepted(verified.fingerprint)) {
    const std::string primary = gpg.primary_fingerprint(verified.fingerprint);
    if (!is_accepted(primary)) {
      throw Error(Kind::denied,
                  fmt::format("signature by key {} of {} is not accepted", verified.fingerprint, primary));
    }
  }
  check_payload(parse_payload(verified.content, PayloadType::simple_signing), rule.identity, image);
}

Gpg ring_of(const config::SignedBy& rule, const std::filesystem::path& scratch) {
  if (rule.key_type != "GPGKeys")
    throw Error(Kind::unsupported, "Unimplemented \"keyType\" value " + spec::dump_json(rule.key_type));
  auto gpg = Gpg::with_keys(load_keys({rule.key_path, rule.key_data, rule.key_paths, {}}), scratch);
  if (gpg.fingerprints().empty()) throw Error(Kind::denied, "No public keys imported");
  return gpg;
}

}  // namespace

std::vector<std::string> load_keys(const KeySources& sources) {
  auto paths = sources.paths;
  if (!sources.path.empty()) paths.push_back(sources.path);
  std::vector<std::string> result = sources.datas;
  for (const auto& path : paths) result.push_back(os::read_file(path, max_key_file_size));
  if (!sources.data.empty()) result.push_back(sources.data);
  return result;
}

bool has_digest(const spec::RawManifest& manifest, const spec::Digest& digest) {
  return io::digest_of(spec::manifest_payload(manifest.bytes), digest.algorithm()) == digest;
}

void check_payload(const SignedPayload& payload, const config::SignedIdentity& identity,
                   const UnparsedImage& image) {
  if (!has_digest(image.manifest(), payload.manifest))
    throw Error(Kind::denied, fmt::format("Signature for digest {} does not match", payload.manifest.str()));
  if (!is_accepted_identity(identity, image.reference().docker_reference(), payload.reference)) {
    throw Error(Kind::denied,
                fmt::format("Signature for identity {} is not accepted", spec::dump_json(payload.reference)));
  }
}

void refuse_signatures(const std::vector<std::string>& reasons, const std::string& without) {
  if (reasons.empty())
    throw Error(Kind::denied, "A signature was required, but no signature exists" + without);
  if (reasons.size() == 1) throw Error(Kind::denied, reasons.front());
  throw Error(Kind::denied,
              fmt::format("None of the signatures were accepted, reasons: {}", fmt::join(reasons, "; ")));
}

void require_signed_by(const config::SignedBy& rule, UnparsedImage& image,
                       const std::filesystem::path& scratch) {
  std::vector<std::string> reasons;
  std::optional<Gpg> gpg;
  for (const auto& signature : image.signatures()) {
    if (transport::is_sigstore_signature(signature)) continue;
    try {
      if (!gpg) gpg.emplace(ring_of(rule, scratch));
      check_signed_by(rule, *gpg, signature, image);
      return;
    } catch (const Error& error) {
      reasons.emplace_back(error.what());
    }
  }
  refuse_signatures(reasons, "");
}

}  // namespace lade::trust
