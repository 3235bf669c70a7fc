// An OCI layout as a directory. Internal to oci/.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/context.hpp"
#include "transport/oci/layout_name.hpp"
#include "transport/oci/layout_source.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::oci {

class LayoutDirectory final : public LayoutFiles {
 public:
  // shared_blob_dir "": blobs are in <path>/blobs.
  LayoutDirectory(std::filesystem::path path, const std::string& shared_blob_dir);

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& blobs() const { return blobs_; }
  std::filesystem::path blob_path(const spec::Digest& digest) const;
  std::filesystem::path index_path() const { return path_ / index_file; }

  // Whether there is an index.json.
  bool exists() const;
  std::string index() const override;
  std::optional<Blob> find_blob(const spec::Digest& digest) const override;

 private:
  std::filesystem::path path_;
  std::filesystem::path blobs_;
};

std::unique_ptr<ImageDestination> open_destination(const LayoutName& name, const Options& options);

// Takes the image out of index.json, then removes the blobs that nothing else in the layout needs. Blobs in a
// shared directory stay: other layouts may need them.
void remove_image(const Context& context, const LayoutName& name, const Options& options);

}  // namespace lade::transport::oci
