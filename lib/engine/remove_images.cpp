#include "engine/remove_images.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/local_images.hpp"

namespace lade::engine {
namespace {

using store::ImageRecord;

class InUse : public Error {
 public:
  explicit InUse(std::string message) : Error(Kind::invalid_input, std::move(message)) {}
};

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("[{}]", fmt::join(words, " "));
}

class Removal {
 public:
  Removal(const Context& context, std::shared_ptr<store::Store> store,
          const config::RegistriesConf& registries, const RemoveOptions& options)
      : context_(context), store_(std::move(store)), registries_(registries), options_(options) {}

  void remove_named(const std::string& typed) {
    attempt([&] {
      const LocalImages images(context_, store_, registries_);
      const auto found = images.find(typed);
      if (!found) {
        if (options_.ignore || options_.force) return;
        ++unknown_;
        throw Error(Kind::image_not_found, fmt::format("{}: image not known", typed));
      }
      remove_found(images, *found, typed);
    });
  }

  void remove_whole(const std::string& id) {
    attempt([&] {
      const LocalImages images(context_, store_, registries_);
      if (const ImageRecord* image = images.by_id(id)) remove_image(images, *image);
    });
  }

  RemoveReport take() {
    report_.all_unknown = unknown_ == report_.errors.size();
    return std::move(report_);
  }

 private:
  template <class Function>
  void attempt(Function&& function) {
    try {
      function();
    } catch (const InUse& error) {
      report_.in_use = true;
      report_.errors.push_back(error);
    } catch (const Error& error) {
      report_.errors.push_back(error);
    }
  }

  void remove_found(const LocalImages& images, const LocalImages::Found& found, const std::string& typed) {
    const ImageRecord& image = *found.image;
    if (image.names.size() > 1) {
      if (!found.name.empty()) {
        store_->remove_names(context_, image.id, {found.name});
        report_.untagged.push_back(found.name);
        return;
      }
      if (!options_.force) {
        const char* by = typed.find(':') == std::string::npos ? "ID" : "digest";
        throw Error(
            Kind::invalid_input,
            fmt::format(
                "unable to delete image \"{}\" by {} with more than one tag ({}): please force removal",
                image.id, by, joined(image.names)));
      }
    }
    remove_image(images, image);
  }

  void remove_image(const LocalImages& images, const ImageRecord& image) {
    remove_containers(images, image);
    const bool is_base = !images.children(image).empty();
    const ImageRecord* below = options_.keep_parents ? nullptr : images.parent(image);
    const std::string parent = below == nullptr ? "" : below->id;
    store_->delete_image(context_, image.id);
    report_.untagged.insert(report_.untagged.end(), image.names.begin(), image.names.end());
    if (!is_base) report_.deleted.push_back(image.id);
    if (parent.empty()) return;
    const LocalImages after(context_, store_, registries_);
    const ImageRecord* left = after.by_id(parent);
    if (left != nullptr && after.is_dangling(*left)) remove_image(after, *left);
  }

  void remove_containers(const LocalImages& images, const ImageRecord& image) {
    for (const std::string& id : images.containers_of(image)) {
      if (!options_.force) {
        throw InUse(
            fmt::format("image used by {}: image is in use by a container: consider listing external "
                        "containers and force-removing image",
                        id));
      }
      const auto container = store_->find_container(context_, id);
      if (!container) continue;
      if (!is_working_container(*store_, id)) {
        throw InUse(
            fmt::format("image used by {0}: the container is not one of buildah's, and lade cannot tell another "
                        "engine that it is gone: remove it there first, for example by podman rm {0}",
                        id));
      }
      store_->delete_container(context_, id);
    }
  }

  const Context& context_;
  std::shared_ptr<store::Store> store_;
  const config::RegistriesConf& registries_;
  RemoveOptions options_;
  RemoveReport report_;
  std::size_t unknown_ = 0;
};

}  // namespace

RemoveReport remove_images(const Context& context, const std::shared_ptr<store::Store>& store,
                           const config::RegistriesConf& registries, const std::vector<std::string>& names,
                           const RemoveOptions& options) {
  Removal removal(context, store, registries, options);
  for (const std::string& name : names) removal.remove_named(name);
  return removal.take();
}

RemoveReport remove_whole_images(const Context& context, const std::shared_ptr<store::Store>& store,
                                 const config::RegistriesConf& registries, std::vector<std::string> ids,
                                 const RemoveOptions& options) {
  Removal removal(context, store, registries, options);
  for (const std::string& id : ids) removal.remove_whole(id);
  return removal.take();
}

}  // namespace lade::engine
