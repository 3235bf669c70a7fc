// An image that a client has opened, and what it may ask about it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/context.hpp"
#include "image/image.hpp"
#include "proxy/pipe_job.hpp"
#include "transport/options.hpp"
#include "trust/policy.hpp"

namespace lade::proxy {

class OpenedImage {
 public:
  // Reads the manifest, of a list: the list's, over which the policy decides. Kind::image_not_found.
  OpenedImage(const Context& context, std::shared_ptr<const transport::ImageReference> reference,
              const transport::Options& options);

  // Throws unless the policy lets it be used.
  void check(const Context& context, const trust::PolicyContext& policy);

  // The digest of the manifest as it is, and the manifest in OCI's format; of a list: those of the instance
  // for this platform. Kind::unsupported for schema 1.
  std::pair<spec::Digest, std::string> oci_manifest(const Context& context,
                                                    const spec::PlatformChoice& platform);
  // In OCI's format.
  spec::Json config(const Context& context, const spec::PlatformChoice& platform);
  // [{digest, size, media_type}], as get_blob() gives them; a size of -1 is unknown.
  spec::Json layers(const Context& context, const spec::PlatformChoice& platform);

  struct BlobJob {
    std::int64_t size = -1;  // as the source says
    PipeJob::Work work;      // keeps the source open
  };
  // With `size`, length and digest are verified; without it the bytes are as they come.
  BlobJob blob(const Context& context, const spec::Digest& digest, std::optional<std::uint64_t> size);

 private:
  image::Image& chosen(const Context& context, const spec::PlatformChoice& platform);

  std::shared_ptr<const transport::ImageReference> reference_;
  std::shared_ptr<transport::ImageSource> source_;
  spec::RawManifest top_;
  std::unique_ptr<image::Image> image_;
};

}  // namespace lade::proxy
