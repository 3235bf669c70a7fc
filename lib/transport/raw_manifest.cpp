#include "transport/raw_manifest.hpp"

#include "base/error.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"

namespace lade::transport {

spec::RawManifest make_raw_manifest(std::string bytes, std::string media_type,
                                    const std::optional<spec::Digest>& expected) {
  if (media_type.empty()) media_type = spec::guess_manifest_type(bytes);
  const bool is_signed = media_type == spec::media_type::docker_manifest_v1_signed;
  auto digest = io::digest_of(is_signed ? spec::manifest_payload(bytes) : bytes,
                              expected ? expected->algorithm() : spec::Digest::Algorithm::sha256);
  if (expected && digest != *expected) {
    throw Error(Kind::integrity,
                "manifest digest did not match, expected " + expected->str() + ", got " + digest.str());
  }
  return {std::move(bytes), std::move(media_type), std::move(digest)};
}

}  // namespace lade::transport
