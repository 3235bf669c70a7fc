// What follows "containers-storage:", and what it means in a store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/storage_conf.hpp"
#include "spec/reference.hpp"
#include "store/store.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::containers_storage {

// "[driver@root+runroot:option,option]name[:tag][@digest][@ID]", "[...]@ID" or "[...]ID"; the brackets may be
// missing.
struct Name {
  std::optional<config::StoreOverrides> place;
  std::optional<spec::Reference> reference;  // with tag or digest
  std::string id;                            // 64 hex digits, or the beginning of an ID that follows a '@'
  // The text without '@' or ':' that may be the beginning of an ID just as well as a name.
  std::string id_or_name;

  std::string str() const;

  // Kind::invalid_input for what containers/image refuses.
  static Name parse(std::string_view text);
};

// The options of the store that is meant; the environment's, where neither the name nor `options` say which.
config::StoreOptions store_options(const Name& name, const Options& options);

// The image that is meant. Kind::image_not_found `reference "..." does not resolve to an image ID`.
store::ImageRecord resolve(const Context& context, const store::Store& store, const Name& name);
std::optional<store::ImageRecord> find(const Context& context, const store::Store& store, const Name& name);

std::unique_ptr<ImageSource> open_source(const Context& context, const Name& name, const Options& options);
std::unique_ptr<ImageDestination> open_destination(const Context& context, const Name& name,
                                                   const Options& options);

}  // namespace lade::transport::containers_storage
