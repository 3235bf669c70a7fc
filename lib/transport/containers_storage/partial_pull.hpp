// Pulls of zstd:chunked layers that fetch only what no layer of the store has.
#pragma once

#include <memory>
#include <optional>

#include "base/context.hpp"
#include "base/sync.hpp"
#include "store/store.hpp"
#include "transport/containers_storage/layer_contents.hpp"
#include "transport/transport.hpp"

namespace lade::transport::containers_storage {

// The tar of the layer is put together again, byte for byte, of its tar-split and of contents, each of which
// matches its digest, and goes the way of every other tar: the layer has the same diff ID, the same ID and
// the same files as after a whole pull, and put_image refuses it if the config names another diff ID. What is
// not known is the digest of the blob, so it is not recorded.
class PartialPull {
 public:
  explicit PartialPull(std::shared_ptr<store::Store> store) : store_(std::move(store)) {}

  // nullopt, and why in the debug log: the blob has to be fetched whole. Thread-safe.
  std::optional<store::ImageLayer> pull(const Context& context, const spec::Descriptor& layer,
                                        BlobPartSource& source);

 private:
  struct Tables;

  std::optional<store::ImageLayer> find_layer(const Context& context, const spec::Digest& toc) const;
  store::ImageLayer fetch(const Context& context, const spec::Descriptor& layer, const spec::Digest& toc,
                          BlobPartSource& source);
  std::shared_ptr<const LayerContents> contents(const Context& context);

  std::shared_ptr<store::Store> store_;
  Sync<std::shared_ptr<const LayerContents>> contents_;  // made when it is first needed
};

}  // namespace lade::transport::containers_storage
