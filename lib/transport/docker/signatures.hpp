// Where signatures of images in registries are kept (containers-signature(5), and the protocols of
// containers/image): with the registry if it says that it can (X-Registry-Supports-Signatures), in a
// lookaside directory or web server otherwise; sigstore signatures as attachments, under the tag
// sha256-<hex>.sig. Internal to docker/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/registries_d.hpp"
#include "registry/client.hpp"
#include "spec/reference.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

// Thread-safe. Documents are those of SignatureSource.
class DockerSignatures {
 public:
  // `place`: what the client reads and writes, after rewriting: registries.d is looked up by that.
  DockerSignatures(std::shared_ptr<registry::Client> client, const spec::Reference& place,
                   std::shared_ptr<const config::RegistriesD> registries_d);

  // After the first answer of the registry: it says what it can.
  std::vector<std::string> read(const Context& context, const spec::Digest& manifest) const;
  // Those of a lookaside replace what is there, the others are added.
  void write(const Context& context, const std::vector<std::string>& signatures,
             const spec::Digest& manifest) const;
  // Whether cosign's sha256-<hex>.sig tags are signatures, or artifacts like any other.
  bool reads_attachments() const { return attachments_; }
  // From the lookaside, where it can be written.
  void remove(const Context& context, const spec::Digest& manifest) const;

 private:
  std::vector<std::string> read_lookaside(const Context& context, const spec::Digest& manifest) const;
  void write_lookaside(const Context& context, const std::vector<std::string>& signatures,
                       const spec::Digest& manifest) const;
  std::vector<std::string> read_attachments(const Context& context, const spec::Digest& manifest) const;
  void write_attachments(const Context& context, const std::vector<std::string>& signatures,
                         const spec::Digest& manifest) const;

  std::shared_ptr<registry::Client> client_;
  spec::Reference place_;
  std::string lookaside_, staging_;  // URLs, to which "@sha256=<hex>/signature-N" is appended
  bool attachments_ = false;
};

}  // namespace lade::transport
