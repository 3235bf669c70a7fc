#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "build/base_image.hpp"
#include "build/builder.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"

namespace lade::build {

std::optional<Builder> Builders::load(const store::ContainerRecord& container) const {
  const auto path = store_->container_directory(container.id) / state_file;
  const auto text = os::find_file(path, max_state_size);
  if (!text) return std::nullopt;
  return Builder::parse(*text, container.names.empty() ? container.id : container.names.front());
}

std::optional<Builder> Builders::find(const std::string& name) const {
  const auto container = name.empty() ? std::nullopt : store_->find_container(context_, name);
  if (!container) return std::nullopt;
  if (auto builder = load(*container)) return builder;
  return take_over(*container, name);
}

Builder Builders::open(const std::string& name) const {
  if (auto builder = find(name)) return *std::move(builder);
  throw Error(Kind::not_found, "container not known");
}

std::vector<Builder> Builders::all() const {
  std::vector<Builder> result;
  for (const auto& container : store_->containers(context_))
    if (auto builder = load(container)) result.push_back(*std::move(builder));
  return result;
}

Builder Builders::take_over(const store::ContainerRecord& container, const std::string& name) const {
  if (container.image.empty())
    throw Error(Kind::invalid_input, "the container was made of no image, and not by buildah");
  const auto image = read_base_image(context_, *store_, container.image);
  Builder builder = Builder::make(name, container.id);
  builder.set_text("image", image.name);
  builder.set_text("image-id", image.id);
  builder.set_text("image-digest", image.digest);
  builder.set_text("TopLayer", image.top_layer);
  builder.set_namespaces(usual_namespaces());
  take_settings(context_, builder, image, {});
  builder.settings().docker()["parent"] = "sha256:" + image.id;
  save(builder);
  return builder;
}

void Builders::save(const Builder& builder) const {
  const auto directory = store_->container_directory(builder.id());
  in_context(
      [&] { return fmt::format("saving builder state for container \"{}\"", builder.id()); },
      [&] { os::write_file(directory / state_file, builder.serialize(), {.mode = 0600, .sync = false}); });
}

std::string Builders::mount(Builder& builder, const std::function<void()>& mounted) const {
  return in_context([&] { return fmt::format("mounting build container \"{}\"", builder.id()); },
                    [&] {
                      const auto path = store_->mount_container(context_, builder.id());
                      if (mounted) mounted();
                      if (builder.mount_point() != path) {
                        builder.set_text("mountpoint", path);
                        save(builder);
                      }
                      return path.string();
                    });
}

void Builders::unmount(Builder& builder) const {
  in_context([&] { return fmt::format("unmounting build container \"{}\"", builder.id()); },
             [&] {
               if (!store_->unmount_container(context_, builder.id())) return;
               builder.document().erase("mountpoint");
               save(builder);
             });
}

bool Builders::is_mounted(Builder& builder) const {
  const auto container = store_->find_container(context_, builder.id());
  if (!container) return false;
  const auto state = store_->mount_state(context_, container->layer);
  if (state.count > 0 && builder.mount_point().empty()) builder.set_text("mountpoint", state.path);
  return state.count > 0;
}

void Builders::remove(const Builder& builder) const {
  in_context([&] { return fmt::format("deleting build container \"{}\"", builder.id()); },
             [&] { store_->delete_container(context_, builder.id()); });
}

void Builders::rename(Builder& builder, const std::string& new_name) const {
  store_->set_container_names(context_, builder.id(), {new_name});
  builder.set_text("container-name", new_name);
  save(builder);
}

MountedBuilder::MountedBuilder(const Builders& builders, Builder& builder,
                               const std::function<void()>& mounted)
    : builders_(builders), builder_(builder), path_(builders.mount(builder, mounted)) {}

MountedBuilder::~MountedBuilder() {
  if (!mounted_) return;
  try {
    unmount();
  } catch (const std::exception& error) {
    builders_.context().log.warning(std::string("error unmounting container: ") + error.what());
  }
}

void MountedBuilder::unmount() {
  mounted_ = false;
  builders_.unmount(builder_);
}

MountedLayer::MountedLayer(const Builders& builders, std::string layer)
    : builders_(builders),
      layer_(std::move(layer)),
      path_(builders.store()->mount_layer(builders.context(), layer_)) {}

MountedLayer::~MountedLayer() {
  try {
    builders_.store()->unmount_layer(builders_.context(), layer_);
  } catch (const std::exception& error) {
    builders_.context().log.warning(error.what());
  }
}

}  // namespace lade::build
