// index.json of an OCI image layout: which names mean which manifests. Members nobody knows stay.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "spec/descriptor.hpp"
#include "spec/json.hpp"
#include "transport/oci/layout_name.hpp"

namespace lade::transport::oci {

inline constexpr std::string_view ref_name_annotation = "org.opencontainers.image.ref.name";
inline constexpr std::string_view index_file = "index.json";
inline constexpr std::string_view layout_file = "oci-layout";
inline constexpr std::string_view layout_text = R"({"imageLayoutVersion":"1.0.0"})";
inline constexpr std::size_t max_index_size = 64 * 1024 * 1024;

class LayoutIndex {
 public:
  LayoutIndex();
  // Kind::invalid_input for what is no index.
  explicit LayoutIndex(std::string_view text);

  const std::vector<spec::Descriptor>& manifests() const { return manifests_; }
  // "" if the entry has no name.
  static std::string name_of(const spec::Descriptor& entry);

  // Position of the entry that `name` means. Kind::image_not_found `no descriptor found for reference "x"`;
  // Kind::invalid_input "more than one image in oci, choose an image", and for a position out of range.
  std::size_t choose(const LayoutName& name) const;

  // As containers/image does it: an entry with this name loses it; an unnamed entry with this digest is
  // replaced; else the new entry goes to the end.
  void add(const spec::Descriptor& entry);
  void remove(std::size_t position);

  std::string serialize() const;

 private:
  spec::Json& entries();

  spec::Json document_;
  std::vector<spec::Descriptor> manifests_;  // the same as in document_
};

}  // namespace lade::transport::oci
