#include "transport/docker/signatures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/digester.hpp"
#include "io/readers.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "transport/docker/docker.hpp"
#include "transport/signature_format.hpp"

namespace lade::transport {

namespace {

constexpr std::size_t max_docker_signatures = 128;
constexpr std::string_view file_scheme = "file://";

bool is_web_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

[[noreturn]] void refuse_lookaside(const std::string& url, std::string_view doing) {
  throw Error(Kind::unsupported, fmt::format("Unsupported scheme when {} {}", doing, url));
}

// Kind::unsupported for a lookaside that cannot be written.
std::filesystem::path path_to_write(const std::string& url) {
  if (url.starts_with(file_scheme)) return url.substr(file_scheme.size());
  if (!is_web_url(url)) refuse_lookaside(url, "writing signature to");
  throw Error(Kind::unsupported,
              fmt::format("Writing directly to a {} lookaside {} is not supported. Configure a "
                          "lookaside-staging: location",
                          url.substr(0, url.find(':')), url));
}

std::string url_of_signature(const std::string& base, const spec::Digest& manifest, std::size_t number) {
  return fmt::format("{}@{}={}/signature-{}", base, manifest.algorithm_name(), manifest.hex(), number);
}

std::string base_url(const std::string& top, const spec::Reference& place) {
  const bool decorated = top.find_first_of("?#") != std::string::npos;
  const bool elsewhere = top.starts_with(file_scheme) && !top.starts_with("file:///");
  if (decorated || elsewhere) throw Error(Kind::invalid_input, "Invalid signature storage URL " + top);
  return top + "/" + place.path();
}

std::string attachment_tag(const spec::Digest& manifest) {
  return fmt::format("{}-{}.sig", manifest.algorithm_name(), manifest.hex());
}

std::optional<spec::Manifest> find_attachments(const Context& context, registry::Client& client,
                                               const spec::Digest& manifest) {
  const std::string tag = attachment_tag(manifest);
  try {
    const auto raw = client.manifest(context, tag);
    if (raw.media_type != spec::media_type::oci_manifest) {
      throw Error(Kind::invalid_input, "unexpected MIME type for sigstore attachment manifest " + tag + ": " +
                                           spec::dump_json(raw.media_type));
    }
    return spec::Manifest::parse(raw.bytes, raw.media_type);
  } catch (const Error& error) {
    if (error.kind() != Kind::image_not_found && error.kind() != Kind::not_found) throw;
    return std::nullopt;
  }
}

std::string read_small_blob(const Context& context, registry::Client& client, const spec::Descriptor& blob,
                            std::string_view what) {
  const auto body = client.blob(context, blob.digest, blob.size);
  io::VerifyingReader verified(*body.reader, blob.digest, blob.size);
  return io::read_all(verified, max_signature_size, what);
}

spec::Descriptor put_small_blob(const Context& context, registry::Client& client, const std::string& bytes,
                                std::string_view media_type) {
  const auto digest = io::digest_of(bytes);
  if (!client.find_blob(context, digest)) {
    const auto reader = io::make_text_reader(bytes);
    std::uint64_t written = 0;
    client.put_blob(context, digest, bytes.size(), *reader, written);
  }
  return {std::string(media_type), digest, bytes.size(), {}, {}, {}, "", ""};
}

// What the layers of an attachment have for a config; cosign looks at its diff_ids only.
std::string attachment_config(const std::vector<spec::Descriptor>& layers) {
  spec::Json diff_ids = spec::Json::array();
  for (const auto& layer : layers) diff_ids.push_back(layer.digest.str());
  const spec::Json config = {{"architecture", ""},
                             {"os", ""},
                             {"config", spec::Json::object()},
                             {"rootfs", {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}}}};
  return spec::dump_json(config);
}

}  // namespace

DockerSignatures::DockerSignatures(std::shared_ptr<registry::Client> client, const spec::Reference& place,
                                   std::shared_ptr<const config::RegistriesD> registries_d)
    : client_(std::move(client)), place_(place) {
  const auto scopes = docker_scopes(place);
  lookaside_ = base_url(registries_d->lookaside(scopes).value, place);
  staging_ = base_url(registries_d->lookaside_for_writing(scopes).value, place);
  attachments_ = registries_d->use_sigstore_attachments(scopes).value == "true";
}

std::vector<std::string> DockerSignatures::read(const Context& context, const spec::Digest& manifest) const {
  auto result = client_->keeps_signatures() ? client_->signatures(context, manifest)
                                            : read_lookaside(context, manifest);
  if (attachments_) std::ranges::move(read_attachments(context, manifest), std::back_inserter(result));
  return result;
}

std::vector<std::string> DockerSignatures::read_lookaside(const Context& context,
                                                          const spec::Digest& manifest) const {
  std::vector<std::string> result;
  std::size_t total = 0;
  while (true) {
    const std::string url = url_of_signature(lookaside_, manifest, result.size() + 1);
    context.log.debug("Reading " + url);
    std::optional<std::string> signature;
    if (url.starts_with(file_scheme)) {
      signature = os::find_file(url.substr(file_scheme.size()), max_signature_size);
    } else if (is_web_url(url)) {
      signature = client_->find_document(context, url, max_signature_size);
    } else {
      refuse_lookaside(url, "reading signature from");
    }
    if (!signature) return result;
    in_context([&] { return "parsing signature " + url; }, [&] { check_signature_format(*signature); });
    total += signature->size();
    result.push_back(*std::move(signature));
    if (result.size() > max_docker_signatures || total > max_signatures_size) {
      throw Error(Kind::invalid_input, fmt::format("server provided {} signatures, assuming that's "
                                                   "unreasonable and a server error",
                                                   result.size()));
    }
  }
}

std::vector<std::string> DockerSignatures::read_attachments(const Context& context,
                                                            const spec::Digest& manifest) const {
  return in_context("reading sigstore attachments", [&] {
    std::vector<std::string> result;
    const auto attachments = find_attachments(context, *client_, manifest);
    if (!attachments) return result;
    std::size_t total = 0;
    for (const auto& layer : attachments->layers()) {
      total += layer.size;
      if (result.size() == max_docker_signatures || layer.size > max_signature_size ||
          total > max_signatures_size) {
        throw Error(Kind::invalid_input, "there are more attachments than anyone needs");
      }
      result.push_back(serialize(
          {layer.media_type, read_small_blob(context, *client_, layer, "attachment"), layer.annotations}));
    }
    return result;
  });
}

void DockerSignatures::write(const Context& context, const std::vector<std::string>& signatures,
                             const spec::Digest& manifest) const {
  std::vector<std::string> simple, sigstore;
  for (const auto& signature : signatures)
    (is_sigstore_signature(signature) ? sigstore : simple).push_back(signature);
  if (!sigstore.empty()) write_attachments(context, sigstore, manifest);
  if (simple.empty()) return;
  if (client_->keeps_signatures()) {
    for (auto& signature : simple) signature = simple_signing_message(signature);
    client_->add_signatures(context, manifest, simple);
  } else {
    write_lookaside(context, simple, manifest);
  }
}

void DockerSignatures::write_lookaside(const Context& context, const std::vector<std::string>& signatures,
                                       const spec::Digest& manifest) const {
  std::size_t number = 0;
  for (const auto& signature : signatures) {
    const auto path = path_to_write(url_of_signature(staging_, manifest, ++number));
    context.log.debug("Writing to " + path.string());
    os::mkdir_all(path.parent_path());
    os::write_file(path, simple_signing_message(signature));
  }
  while (os::remove_file(path_to_write(url_of_signature(staging_, manifest, ++number)))) {
  }
}

void DockerSignatures::remove(const Context& context, const spec::Digest& manifest) const {
  if (is_web_url(staging_)) {
    context.log.debug("signatures in the lookaside " + staging_ + " stay: it cannot be written");
    return;
  }
  for (std::size_t number = 1;; ++number) {
    const auto path = path_to_write(url_of_signature(staging_, manifest, number));
    if (!os::remove_file(path)) return;
    context.log.debug("Deleted " + path.string());
  }
}

void DockerSignatures::write_attachments(const Context& context, const std::vector<std::string>& signatures,
                                         const spec::Digest& manifest) const {
  if (!attachments_)
    throw Error(Kind::unsupported, "writing sigstore attachments is disabled by configuration");
  in_context("writing sigstore attachments", [&] {
    const auto there = find_attachments(context, *client_, manifest);
    auto layers = there ? there->layers() : std::vector<spec::Descriptor>();
    for (const auto& document : signatures) {
      const auto signature = parse_sigstore_signature(document);
      auto layer = put_small_blob(context, *client_, signature.payload, signature.media_type);
      layer.annotations = signature.annotations;
      if (std::ranges::find(layers, layer) == layers.end()) layers.push_back(std::move(layer));
    }
    if (there && there->layers().size() == layers.size()) return;
    const auto config =
        put_small_blob(context, *client_, attachment_config(layers), spec::media_type::oci_config);
    const auto bytes = spec::Manifest::make(spec::media_type::oci_manifest, config, layers).serialize();
    client_->put_manifest(context, attachment_tag(manifest),
                          {bytes, std::string(spec::media_type::oci_manifest), io::digest_of(bytes)});
  });
}

}  // namespace lade::transport
