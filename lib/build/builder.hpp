// Working containers as buildah keeps them: a container of the store with a file "buildah.json" in its
// directory (buildah's Builder as Go marshals it). Real buildah continues with what lade wrote, and the other
// way round.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "build/settings.hpp"
#include "layer/id_maps.hpp"
#include "spec/json.hpp"
#include "store/store.hpp"

namespace lade::build {

// A state holds the manifest and configuration of the image, up to 4 MiB each, in base64 and taken apart.
inline constexpr std::size_t max_state_size = 64 * 1024 * 1024;

inline constexpr std::string_view state_file = "buildah.json";
inline constexpr std::string_view state_type = "buildah 0.0.1";

// define.Isolation of buildah.
enum class Isolation { unset = 0, oci = 1, chroot = 2, rootless = 3 };

// "", "oci", "chroot", "rootless"; Kind::invalid_input `unrecognized isolation type "X"`.
Isolation parse_isolation(std::string_view word);
std::string_view to_string(Isolation isolation);

// A namespace that differs from the default: of the host, at a path, or (neither) a new one. Of the network's
// the path may also be a list of networks' names.
struct NamespaceOption {
  std::string name;  // "network", "ipc", "pid", "uts", "user", "mount", "cgroup"
  bool host = false;
  std::string path;
};
// New ones, but for the user namespace, and for the cgroup namespace where cgroups are of version 1:
// containers.conf(5), cgroupns.
std::vector<NamespaceOption> usual_namespaces();

// The state of one working container: a value. Members that lade does not know stay as they are.
class Builder {
 public:
  // Kind::invalid_input for what is no state, and `container "X" is not a buildah container (is a "Y"
  // container)`.
  static Builder parse(std::string_view text, const std::string& container);
  // With all members that buildah expects, and nothing of an image.
  static Builder make(const std::string& name, const std::string& id);

  const spec::Json& document() const { return document_; }
  spec::Json& document() { return document_; }
  std::string serialize() const;

  ImageSettings settings() { return ImageSettings(document_); }

  std::string name() const { return text("container-name"); }
  std::string id() const { return text("container-id"); }
  std::string image_name() const { return text("image"); }
  std::string image_id() const { return text("image-id"); }
  std::string mount_point() const { return text("mountpoint"); }
  std::string format() const { return text("Format"); }
  bool is_docker_format() const;
  std::string mount_label() const { return text("mount-label"); }
  std::string process_label() const { return text("process-label"); }
  // What of the image's own configuration and manifest was kept; "" for none.
  std::string config_bytes() const { return bytes("config"); }
  std::string manifest_bytes() const { return bytes("manifest"); }

  std::string text(std::string_view member) const;
  void set_text(std::string_view member, const std::string& value);
  std::string bytes(std::string_view member) const;  // of base64
  void set_bytes(std::string_view member, std::string_view value);
  std::vector<std::string> texts(std::string_view member) const;

  Isolation isolation() const;
  std::vector<NamespaceOption> namespaces() const;
  void set_namespaces(const std::vector<NamespaceOption>& options);

  // With which its files are shifted, and commands run; empty for those of the machine.
  layer::IdMaps id_maps() const;
  // The user namespace is the machine's, or one with these.
  void set_id_maps(const layer::IdMaps& ids);

  // Members of CommonBuildOpts; absent ones are "", 0, false.
  std::string common_text(std::string_view member) const;
  std::vector<std::string> common_texts(std::string_view member) const;
  std::int64_t common_integer(std::string_view member) const;
  bool common_flag(std::string_view member) const;

  // An entry of the history without a layer of its own, before or after the layer of the next commit.
  void add_history(const std::string& created, const std::string& created_by);

 private:
  explicit Builder(spec::Json document) : document_(std::move(document)) {}

  spec::Json document_;
};

// The working containers of a store.
class Builders {
 public:
  Builders(const Context& context, std::shared_ptr<store::Store> store)
      : context_(context), store_(std::move(store)) {}

  const Context& context() const { return context_; }
  const std::shared_ptr<store::Store>& store() const { return store_; }

  // By name, ID or the beginning of one. A container without a state is taken over from the engine that made
  // it, as buildah does. Kind::not_found "container not known".
  Builder open(const std::string& name) const;
  // nullopt for "container not known".
  std::optional<Builder> find(const std::string& name) const;
  // All that have a state; in the store's order.
  std::vector<Builder> all() const;

  void save(const Builder& builder) const;

  // Mounts are counted over all programs. The state gets the mount point, and is saved. `mounted` is called as
  // soon as the mount is counted.
  std::string mount(Builder& builder, const std::function<void()>& mounted = {}) const;
  void unmount(Builder& builder) const;
  bool is_mounted(Builder& builder) const;

  void remove(const Builder& builder) const;
  void rename(Builder& builder, const std::string& new_name) const;

 private:
  std::optional<Builder> load(const store::ContainerRecord& container) const;
  Builder take_over(const store::ContainerRecord& container, const std::string& name) const;

  Context context_;
  std::shared_ptr<store::Store> store_;
};

// A mounted working container, unmounted at the end.
class MountedBuilder {
 public:
  MountedBuilder(const Builders& builders, Builder& builder, const std::function<void()>& mounted = {});
  ~MountedBuilder();
  MountedBuilder(const MountedBuilder&) = delete;
  MountedBuilder& operator=(const MountedBuilder&) = delete;

  const std::string& path() const { return path_; }
  // Errors of the unmounting are thrown here; the destructor only logs them.
  void unmount();

 private:
  const Builders& builders_;
  Builder& builder_;
  std::string path_;
  bool mounted_ = true;
};

// The mounted file system of an image's layer, unmounted at the end; an error of that is only logged.
class MountedLayer {
 public:
  MountedLayer(const Builders& builders, std::string layer);
  ~MountedLayer();
  MountedLayer(const MountedLayer&) = delete;
  MountedLayer& operator=(const MountedLayer&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  const Builders& builders_;
  std::string layer_;
  std::filesystem::path path_;
};

}  // namespace lade::build
