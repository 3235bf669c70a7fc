#include "copy/signatures.hpp"

#include <algorithm>

#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

bool are_left_behind(const CopyOptions& options, bool of_list) {
  return options.remove_signatures || (of_list && options.remove_list_signatures);
}

std::vector<std::string> signatures_of(Session& session, const Context& context, const spec::Digest& digest) {
  auto* source = session.source.signature_source();
  if (source == nullptr) return {};
  const auto instance = digest == session.top_digest ? std::nullopt : std::optional(digest);
  const auto read = [&] {
    return in_context("reading signatures", [&] { return source->signatures(context, instance); });
  };
  bool first = false;
  return session.shared.signatures.get(digest.str(), read, first);
}

spec::Reference identity_to_sign(const Session& session) {
  const auto& given = session.options.sign_identity;
  if (given && given->is_name_only()) {
    throw Error(Kind::invalid_input, "Sign identity must be a fully specified reference " + given->str());
  }
  const auto own = session.destination_reference.docker_reference();
  if (!given && !own) {
    throw Error(Kind::invalid_input, "Cannot determine canonical Docker reference for destination " +
                                         session.destination_reference.str());
  }
  return given ? *given : *own;
}

}  // namespace

void check_policy(Session& session, const Context& context, const spec::RawManifest& manifest) {
  if (session.policy == nullptr) return;
  trust::UnparsedImage image(session.source_reference, manifest,
                             [&] { return signatures_of(session, context, manifest.digest); });
  session.policy->check(image);
}

void refuse_impossible_signing(const Session& session) {
  if (session.options.signers.empty()) return;
  if (session.destination.signature_destination() == nullptr)
    throw Error(Kind::unsupported, "writing signatures: " + session.destination.traits().why_no_signatures);
  identity_to_sign(session);
}

std::vector<std::string> create_signatures(const Session& session, const Context& context,
                                           const spec::RawManifest& written) {
  std::vector<std::string> result;
  const auto& signers = session.options.signers;
  if (signers.empty()) return result;
  const auto identity = identity_to_sign(session);
  for (const auto& signer : signers) {
    const std::string number = signers.size() == 1 ? "" : " " + std::to_string(result.size() + 1);
    context.progress.step("Creating signature" + number + ": " + std::string(signer->progress_message()));
    result.push_back(
        in_context("creating signature" + number, [&] { return signer->sign(context, written, identity); }));
  }
  return result;
}

std::vector<std::string> read_signatures(Session& session, const Context& context,
                                         const spec::RawManifest& manifest) {
  const bool of_list = spec::is_list(manifest.media_type);
  if (are_left_behind(session.options, of_list)) return {};
  context.progress.step(of_list ? "Getting image list signatures" : "Getting image source signatures");
  auto signatures = signatures_of(session, context, manifest.digest);
  if (signatures.empty()) return signatures;
  context.progress.step(of_list ? "Checking if image list destination supports signatures"
                                : "Checking if image destination supports signatures");
  if (session.destination.signature_destination() != nullptr) return signatures;
  throw Error(Kind::unsupported, "Can not copy signatures to " + session.destination_reference.str() + ": " +
                                     session.destination.traits().why_no_signatures);
}

void write_signatures(Session& session, const Context& context, const std::vector<std::string>& signatures,
                      const std::optional<spec::Digest>& instance) {
  in_context("writing signatures", [&] {
    session.destination.signature_destination()->put_signatures(context, signatures, instance);
  });
}

bool has_signatures(Session& session, const Context& context, const spec::RawManifest& manifest) {
  const bool of_list = spec::is_list(manifest.media_type);
  if (!are_left_behind(session.options, of_list) &&
      !signatures_of(session, context, manifest.digest).empty()) {
    return true;
  }
  if (!of_list || session.options.remove_signatures || session.source.signature_source() == nullptr) {
    return false;
  }
  const auto list = spec::Index::parse(manifest.bytes, manifest.media_type);
  return std::any_of(list.instances().begin(), list.instances().end(), [&](const auto& instance) {
    return !signatures_of(session, context, instance.digest).empty();
  });
}

}  // namespace lade::copy
