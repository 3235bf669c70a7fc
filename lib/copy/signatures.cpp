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
  return in_context("reading signatures", [&] { return source->signatures(context, instance); });
}

}  // namespace

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
