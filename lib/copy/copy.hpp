// Copies one image, a list, or parts of a list, with every byte verified.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "crypt/keys.hpp"
#include "io/codec/codec.hpp"
#include "spec/platform.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"
#include "trust/policy.hpp"
#include "trust/signer.hpp"

namespace lade::config {
class BlobInfoCache;  // config/blob_info_cache.hpp
}

namespace lade::copy {

struct CopyOptions {
  transport::Options source;
  transport::Options destination;

  enum class Instances { system, all, index_only, platforms };
  Instances instances = Instances::system;
  std::vector<spec::Platform> platforms;  // for Instances::platforms; an empty variant matches all
  bool strip_removed_platforms = false;
  spec::PlatformChoice platform;

  std::string manifest_type;  // --format as media type; "": keep
  bool preserve_digests = false;
  std::optional<io::Compression> compression;  // --dest-compress-format
  bool zstd_chunked = false;  // with a table of contents for partial pulls; compression is zstd
  std::optional<int> compression_level;
  bool force_compression_format = false;
  bool precompute_digests = false;

  bool remove_signatures = false;
  bool remove_list_signatures = false;  // those of instances stay
  // Signatures that are made of what is written, lists and their instances each.
  std::vector<std::shared_ptr<const trust::Signer>> signers;
  std::optional<spec::Reference> sign_identity;  // nullopt: the destination's name
  // Layers that are plain are encrypted for them: those of these indexes (negative: from the end), all if
  // there are none. nullptr: nothing is encrypted.
  std::shared_ptr<const crypt::Recipients> encryption;
  std::vector<std::int64_t> encrypted_layers;
  // Layers that are encrypted are decrypted; nullptr: they stay as they are.
  std::shared_ptr<const crypt::DecryptionKeys> decryption;
  bool skip_existing = false;
  bool with_referrers = false;
  unsigned parallel_copies = 6;
  // Where blobs were seen, and which compressed digest belongs to which uncompressed one; nullptr: unknown.
  config::BlobInfoCache* cache = nullptr;
};

struct CopyResult {
  spec::RawManifest manifest;  // the top manifest as written
  spec::Digest source;         // of the top manifest of the source
  bool skipped = false;        // --skip-existing found it there
};

// A compression by the name that a user gives: "gzip", "zstd", "zstd:chunked". False for an unknown one.
bool set_compression(CopyOptions& options, std::string_view name);

// The policy decides over each image before anything of it but its manifest's bytes is read; of a list that
// is not copied whole, the instances are chosen before. A list is decided over where none of its instances is
// copied. Referrers come along as they are.
CopyResult copy_image(const Context& context, const trust::PolicyContext& policy,
                      const transport::ImageReference& source, const transport::ImageReference& destination,
                      const CopyOptions& options);

}  // namespace lade::copy
