// Finding what is wrong in a store, and mending what can be mended.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "config/storage_conf.hpp"
#include "store/layout.hpp"

namespace lade::store {

struct Finding {
  enum class Object { store, layer, image, container };
  enum class Mend {
    never,    // only a person can
    plain,    // nothing sound is lost
    by_force  // an image that is damaged, or files that nobody knows, are given up
  };
  // What mending does.
  enum class Remedy {
    none,
    recover,        // what every program does that opens the store for writing
    remove_path,    // a directory or file that nothing knows
    write_links,    // link, symbolic link, lower files and empty directory of an overlay layer
    write_records,  // the records as they are understood: without what contradicts them
    forget_mount,   // the count of a mount that is not there
    remove_layer,   // that nothing needs
    remove_image,
  };

  Object object = Object::store;
  std::string id = {};                  // "" for the store
  std::vector<std::string> names = {};  // of an image or container
  Path path = {};                       // where, "" if that is nowhere in particular
  std::string problem = {};             // one line
  Mend mend = Mend::never;
  Remedy remedy = Remedy::none;
  bool mended = false;

  // The same thing found again.
  bool is_same(const Finding& other) const {
    return object == other.object && id == other.id && path == other.path && problem == other.problem;
  }
};

std::string_view name_of(Finding::Object object);  // "layer"
// What mending does or did: "the files are removed"; "" for Remedy::none.
std::string_view words_of(Finding::Remedy remedy);

struct CheckOptions {
  bool quick = false;    // the contents of layers and big data are not read
  unsigned threads = 4;  // that read layers
  // How old layers that no image or container needs may be: they could be those of an image to come.
  std::chrono::seconds unneeded_age = std::chrono::hours(24);
};

// Changes nothing. In the order store, layers, images, containers. Other programs may use the store
// meanwhile. Images and layers of additional stores are not looked at. Kind::not_found if there is no store.
std::vector<Finding> check_store(const Context& context, const config::StoreOptions& options,
                                 const CheckOptions& check);

// Mends what `findings` say, with `force` also by force, and looks again, though not at contents: `mended` is
// set in those that are gone, and what has newly come to light is appended. No image that a container uses is
// removed, and no container.
void repair_store(const Context& context, const config::StoreOptions& options, bool force,
                  std::vector<Finding>& findings);

}  // namespace lade::store
