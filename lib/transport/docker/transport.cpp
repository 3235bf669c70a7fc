#include <fmt/format.h>

#include "transport/docker/docker.hpp"
#include "transport/docker/signatures.hpp"

namespace lade::transport {

namespace {

constexpr std::string_view unknown_digest = "@@unknown-digest@@";

std::string_view without_slashes(std::string_view rest) {
  if (!rest.starts_with("//")) {
    throw Error(Kind::invalid_input, fmt::format("docker: image reference {} does not start with //", rest));
  }
  return rest.substr(2);
}

class DockerTransport final : public Transport {
 public:
  std::string_view name() const override { return "docker"; }

  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    std::string_view text = without_slashes(rest);
    if (!text.ends_with(unknown_digest)) {
      return std::make_unique<DockerReference>(spec::Reference::parse(text).with_default_tag());
    }
    text.remove_suffix(unknown_digest.size());
    const spec::Reference name = spec::Reference::parse(text);
    if (!name.is_name_only()) {
      throw Error(
          Kind::invalid_input,
          fmt::format("docker: image reference \"{}{}\" has unknown digest set but it contains either a "
                      "tag or digest",
                      name.str(), unknown_digest));
    }
    return std::make_unique<DockerReference>(DockerReference::untagged(name));
  }
};

// The name as it stands; of tag and digest, the digest says what is meant.
std::unique_ptr<registry::Client> make_client(const spec::Reference& reference, registry::Access access,
                                              const Options& options) {
  return registry::Client::make(reference.domain(), reference.path(), access, options.registry);
}

std::string policy_name(const spec::Reference& reference) {
  return reference.digest() ? reference.with_digest(*reference.digest()).str() : reference.str();
}

}  // namespace

const Transport& docker_transport() {
  static const DockerTransport transport;
  return transport;
}

spec::Reference parse_docker_repository(std::string_view rest) {
  spec::Reference reference = spec::Reference::parse(without_slashes(rest));
  if (!reference.is_name_only()) throw Error(Kind::invalid_input, "No tag or digest allowed in reference");
  return reference;
}

std::vector<std::string> list_docker_tags(const Context& context, const spec::Reference& repository,
                                          const Options& options) {
  return make_client(repository, registry::Access::pull, options)->tags(context);
}

void delete_docker_tag(const Context& context, const spec::Reference& reference, const Options& options) {
  if (!reference.tag()) {
    throw Error(Kind::invalid_input,
                fmt::format("{} has no tag that could be deleted", reference.familiar()));
  }
  make_client(reference, registry::Access::remove, options)->delete_tag(context, *reference.tag());
}

DockerReference::DockerReference(spec::Reference reference) : reference_(std::move(reference)) {
  if (reference_.is_name_only()) {
    throw Error(Kind::invalid_input,
                fmt::format("Docker reference {} has neither a tag nor a digest", reference_.familiar()));
  }
}

DockerReference DockerReference::untagged(const spec::Reference& name) {
  return {name.without_tag_or_digest(), true};
}

std::string DockerReference::rest() const {
  return fmt::format("//{}{}", reference_.familiar(), untagged_ ? unknown_digest : "");
}

std::unique_ptr<ImageSource> DockerReference::open_source(const Context& context,
                                                          const Options& options) const {
  if (untagged_) {
    throw Error(
        Kind::invalid_input,
        fmt::format("reading images from docker: reference \"{}\" without a tag or digest is not supported",
                    rest()));
  }
  return open_docker_source(context, reference_, options);
}

std::unique_ptr<ImageDestination> DockerReference::open_destination(const Context&,
                                                                    const Options& options) const {
  return open_docker_destination(reference_, options);
}

void DockerReference::remove(const Context& context, const Options& options) const {
  if (untagged_) {
    throw Error(Kind::invalid_input, fmt::format("\"{}\" names no image that could be deleted", rest()));
  }
  const std::shared_ptr<registry::Client> client = make_client(reference_, registry::Access::remove, options);
  const std::string name = reference_.digest() ? reference_.digest()->str() : *reference_.tag();
  const auto found = client->find_manifest(context, name);
  if (!found) {
    throw Error(Kind::not_found,
                fmt::format("Unable to delete {}. Image may not exist or is not stored with a v2 "
                            "Schema in a v2 registry",
                            reference_.str()));
  }
  client->delete_manifest(context, found->digest);
  if (options.registries_d)
    DockerSignatures(client, reference_, options.registries_d).remove(context, found->digest);
}

std::string DockerReference::policy_identity() const {
  return policy_name(reference_);
}

// containers-policy.json(5): repository, namespaces, host with its port, then *.domain from the longest on.
std::vector<std::string> DockerReference::policy_scopes() const {
  auto scopes = docker_scopes(reference_);
  scopes.erase(scopes.begin());
  return scopes;
}

std::vector<std::string> docker_scopes(const spec::Reference& reference) {
  std::vector<std::string> scopes{policy_name(reference)};
  std::string name = reference.name();
  for (auto slash = name.size(); slash != std::string::npos; slash = name.rfind('/')) {
    name.resize(slash);
    scopes.push_back(name);
  }
  name.resize(std::min(name.find(':'), name.size()));
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.')) {
    name.erase(0, dot + 1);
    scopes.push_back("*." + name);
  }
  return scopes;
}

}  // namespace lade::transport
