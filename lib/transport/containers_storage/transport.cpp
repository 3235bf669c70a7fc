#include <algorithm>
#include <set>

#include "transport/containers_storage/containers_storage.hpp"
#include "transport/containers_storage/name.hpp"

namespace lade::transport {

namespace {

using containers_storage::Name;

class StorageReference final : public ImageReference {
 public:
  explicit StorageReference(Name name) : name_(std::move(name)) {}

  const Name& name() const { return name_; }
  std::string_view transport() const override { return "containers-storage"; }
  std::string rest() const override { return name_.str(); }
  std::optional<spec::Reference> docker_reference() const override { return name_.reference; }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    return containers_storage::open_source(context, name_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context& context,
                                                     const Options& options) const override {
    return containers_storage::open_destination(context, name_, options);
  }
  void remove(const Context& context, const Options& options) const override {
    const auto store = store::Store::open(context, containers_storage::store_options(name_, options));
    store->delete_image(context, containers_storage::resolve(context, *store, name_).id);
  }

  std::string policy_identity() const override {
    return place(true) + (name_.reference ? name_.reference->str() : "") +
           (name_.id.empty() ? "" : "@" + name_.id);
  }

  std::vector<std::string> policy_scopes() const override {
    std::vector<std::string> result;
    const std::string with_driver = place(true);
    if (name_.reference) {
      const auto& reference = *name_.reference;
      if (!name_.id.empty()) result.push_back(with_driver + reference.str());
      if (reference.tag() && reference.digest())
        result.push_back(with_driver + reference.name() + ":" + *reference.tag());
      for (std::string scope = reference.name();; scope.resize(scope.rfind('/'))) {
        result.push_back(with_driver + scope);
        if (scope.find('/') == std::string::npos) break;
      }
    }
    result.push_back(with_driver);
    result.push_back(place(false));
    return result;
  }

 private:
  // "[driver@root]" or "[root]", as policies name stores.
  std::string place(bool with_driver) const {
    const auto options = containers_storage::store_options(name_, Options());
    return "[" + (with_driver ? store::driver_name(options) + "@" : "") + options.graph_root.string() + "]";
  }

  Name name_;
};

class StorageTransport final : public Transport {
 public:
  std::string_view name() const override { return "containers-storage"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<StorageReference>(Name::parse(rest));
  }
};

}  // namespace

const Transport& containers_storage_transport() {
  static const StorageTransport transport;
  return transport;
}

std::vector<std::string> containers_storage_tags(const Context& context, const ImageReference& reference,
                                                 const Options& options) {
  const Name name = Name::parse(reference.rest());
  if (!name.reference) throw Error(Kind::invalid_input, "\"" + reference.str() + "\" names no repository");
  const auto store = store::Store::open(context, containers_storage::store_options(name, options),
                                        store::Store::Access::read_only);
  std::set<std::string> tags;
  for (const auto& image : store->images(context)) {
    for (const auto& text : image.names) {
      const auto parsed = spec::Reference::parse(text);
      if (parsed.name() == name.reference->name() && parsed.tag()) tags.insert(*parsed.tag());
    }
  }
  return {tags.begin(), tags.end()};
}

}  // namespace lade::transport
