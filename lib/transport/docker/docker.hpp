// docker://[host[:port]/]path[:tag][@digest]: images in registries.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "registry/client.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

const Transport& docker_transport();

// What follows "docker:" where a repository is meant (list-tags). Kind::invalid_input
// "No tag or digest allowed in reference".
spec::Reference parse_docker_repository(std::string_view rest);

// The name is taken literally: no mirrors, no rewriting.
std::vector<std::string> list_docker_tags(const Context& context, const spec::Reference& repository,
                                          const Options& options);
// Removes the name and leaves the image. Kind::invalid_input without a tag; Kind::unsupported where the
// registry cannot do that.
void delete_docker_tag(const Context& context, const spec::Reference& reference, const Options& options);

// Of the manifest that open_docker_source would read, without reading it; nullopt if it is nowhere.
std::optional<spec::Digest> find_docker_digest(const Context& context, const spec::Reference& reference,
                                               const Options& options);

// A name, and where it points to.
class DockerReference final : public ImageReference {
 public:
  // `reference` has a tag, a digest, or both: read by digest, written to the tag.
  explicit DockerReference(spec::Reference reference);
  // "name@@unknown-digest@@": written without a tag, under the digest that comes out.
  static DockerReference untagged(const spec::Reference& name);

  std::string_view transport() const override { return "docker"; }
  std::string rest() const override;
  std::optional<spec::Reference> docker_reference() const override { return reference_; }
  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override;
  std::unique_ptr<ImageDestination> open_destination(const Context& context,
                                                     const Options& options) const override;
  // Deletes the manifest, and with it every tag it has.
  void remove(const Context& context, const Options& options) const override;

  std::string policy_identity() const override;
  std::vector<std::string> policy_scopes() const override;

 private:
  DockerReference(spec::Reference reference, bool untagged)
      : reference_(std::move(reference)), untagged_(untagged) {}

  spec::Reference reference_;
  bool untagged_ = false;
};

// source.cpp: tries the mirrors of registries.conf and then the registry itself, and reads the manifest.
std::unique_ptr<ImageSource> open_docker_source(const Context& context, const spec::Reference& reference,
                                                const Options& options);
// destination.cpp
std::unique_ptr<ImageDestination> open_docker_destination(const spec::Reference& reference,
                                                          const Options& options);

}  // namespace lade::transport
