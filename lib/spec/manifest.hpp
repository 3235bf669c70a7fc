// Manifests and indexes as values. Raw bytes are authoritative: a manifest is serialised again only when
// something in it has changed, and then members it does not know stay where they were.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/descriptor.hpp"

namespace lade::spec {

// Bytes as they came, not yet trusted to be well-formed; `digest` is computed from the bytes by whoever made
// this (of a signed schema 1 manifest: of its payload).
struct RawManifest {
  std::string bytes;
  std::string media_type;
  Digest digest;
};

// The bytes that the digest of a manifest is taken of: those of a signed schema 1 manifest (told by its
// content) without the signatures, all others as they are. Kind::invalid_input for broken signatures.
std::string manifest_payload(std::string_view bytes);

// A Docker schema 2 or OCI manifest of one image or artifact.
class Manifest {
 public:
  // media_type must be docker_manifest or oci_manifest. Kind::invalid_input for anything that is not a
  // well-formed manifest of that type, or that mixes formats ("ambiguous").
  static Manifest parse(std::string_view bytes, std::string_view media_type);
  // A new one with members in the order containers/image writes.
  static Manifest make(std::string_view media_type, const Descriptor& config,
                       const std::vector<Descriptor>& layers);

  Manifest(const Manifest&);
  Manifest& operator=(const Manifest&);
  Manifest(Manifest&&) noexcept;
  Manifest& operator=(Manifest&&) noexcept;
  ~Manifest();

  const std::string& media_type() const;  // docker_manifest or oci_manifest
  const Descriptor& config() const;
  const std::vector<Descriptor>& layers() const;
  const std::optional<Descriptor>& subject() const;
  const std::string& artifact_type() const;  // "" if absent
  const Annotations& annotations() const;
  // True when the config is not an image configuration.
  bool is_artifact() const;

  // Edited copies. with_layers replaces media type, digest, size, annotations and urls of each layer.
  Manifest with_layers(const std::vector<Descriptor>& layers) const;
  Manifest with_config(const Descriptor& config) const;
  // The same image as the other type: only media types change; config bytes and digests stay.
  // Kind::unsupported when a layer cannot be expressed ("...zstd...", encrypted) in Docker's format.
  Manifest as_media_type(std::string_view media_type) const;

  // Compact JSON, no newline.
  std::string serialize() const;

 private:
  struct Impl;
  explicit Manifest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A Docker manifest list or OCI image index.
class Index {
 public:
  static Index parse(std::string_view bytes, std::string_view media_type);
  static Index make(std::string_view media_type, const std::vector<Descriptor>& instances);

  Index(const Index&);
  Index& operator=(const Index&);
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

  const std::string& media_type() const;
  const std::vector<Descriptor>& instances() const;
  const std::optional<Descriptor>& subject() const;
  const std::string& artifact_type() const;
  const Annotations& annotations() const;

  // The instance for the first of wanted_platforms(choice) that has one; for an OCI index, of several equal
  // ones the zstd-annotated instance ("io.github.containers.compression.zstd" = "true") wins, then position;
  // instances without a platform come last. Kind::image_not_found is not used: Kind::invalid_input with
  // `no image found in manifest list for architecture "A", variant "V", OS "O"` (OCI: "image index").
  const Descriptor& choose(const PlatformChoice& choice) const;

  // Instances replaced one for one: the digest, size, media type (and annotations) of updated[i].
  Index with_instances(const std::vector<Descriptor>& updated) const;
  // Only the instances for which keep[i].
  Index with_subset(const std::vector<bool>& keep) const;
  Index as_media_type(std::string_view media_type) const;

  std::string serialize() const;

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::spec
