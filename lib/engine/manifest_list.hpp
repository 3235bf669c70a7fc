// A list of images that is being put together: what a Docker manifest list and an OCI image index can hold
// between them. Written as the one that loses nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/descriptor.hpp"
#include "spec/json.hpp"

namespace lade::engine {

class ManifestList {
 public:
  struct Entry {
    spec::Descriptor descriptor;        // with a platform where anything of it is known
    std::vector<std::string> features;  // of the processor; Docker's lists only
    spec::Platform& platform();
  };

  ManifestList() = default;
  // Kind::invalid_input for what is no list.
  static ManifestList parse(std::string_view bytes);

  const std::vector<Entry>& entries() const { return entries_; }
  const spec::Annotations& annotations() const { return annotations_; }

  // At the end; in place of one with the same digest.
  void add(Entry entry);
  // Kind::not_found `no instance matching digest "D" found in manifest list: file does not exist`.
  void remove(const spec::Digest& digest);
  Entry& entry(const spec::Digest& digest);
  void annotate(const spec::Annotations& annotations);
  void set_subject(spec::Descriptor subject) { subject_ = std::move(subject); }

  // OCI's if there is anything that only OCI knows, Docker's if there is something that only Docker knows, or
  // nothing at all.
  std::string serialize() const;

  // What people are shown. `files`: those that an entry was made from, by its digest.
  spec::Json to_json(const std::map<std::string, std::vector<std::string>>& files) const;

 private:
  bool prefers_oci() const;

  std::vector<Entry> entries_;
  spec::Annotations annotations_;
  std::string artifact_type_;
  std::optional<spec::Descriptor> subject_;
};

}  // namespace lade::engine
