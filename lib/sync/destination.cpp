#include "sync/destination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "os/file.hpp"
#include "os/remove_tree.hpp"
#include "transport/docker/docker.hpp"
#include "transport/oci/layout_index.hpp"
#include "transport/transports.hpp"

namespace lade::sync {
namespace {

namespace fs = std::filesystem;

// Go's path.Base.
std::string last_component(std::string name) {
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name.substr(name.rfind('/') + 1);
}

[[noreturn]] void refuse_name(const std::string& name) {
  throw Error(Kind::invalid_input, fmt::format("\"{}\" is no name for an image at the destination", name));
}

// A relative path that stays below where it starts.
void check_path(const std::string& name) {
  const fs::path path(name);
  const bool climbs = std::any_of(path.begin(), path.end(), [](const fs::path& part) {
    return part == ".." || part == "." || part.empty();
  });
  if (name.empty() || name.find('\0') != std::string::npos || path.is_absolute() || climbs) refuse_name(name);
}

// Where the tag begins in "path/name:tag"; npos if there is none.
std::size_t tag_position(const std::string& name) {
  if (name.find('@') != std::string::npos) return std::string::npos;
  const std::size_t colon = name.rfind(':');
  return colon == std::string::npos || name.find('/', colon) != std::string::npos ? std::string::npos : colon;
}

transport::oci::LayoutIndex read_index(const std::string& layout) {
  return transport::oci::LayoutIndex(
      os::read_file(fs::path(layout) / transport::oci::index_file, transport::oci::max_index_size));
}

// Of directories "<name>:<tag>" beside each other.
std::vector<std::string> directory_tags(const fs::path& repository) {
  std::vector<std::string> tags;
  const std::string prefix = repository.filename().string() + ":";
  for (const auto& entry : fs::directory_iterator(repository.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && fs::exists(entry.path() / "manifest.json"))
      tags.push_back(name.substr(prefix.size()));
  }
  return tags;
}

std::vector<std::string> layout_tags(const std::string& layout, const std::string& repository) {
  std::vector<std::string> tags;
  const transport::oci::LayoutIndex index = read_index(layout);
  for (const spec::Descriptor& entry : index.manifests()) {
    const std::string name = transport::oci::LayoutIndex::name_of(entry);
    if (name.starts_with(repository + ":")) tags.push_back(name.substr(repository.size() + 1));
  }
  return tags;
}

}  // namespace

std::string NameRule::apply(const std::string& source_name) const {
  if (rename) return rename(source_name);
  return (scoped ? source_name : last_component(source_name)) + suffix;
}

Destination::Destination(std::string transport, std::string name, transport::Options options)
    : transport_(std::move(transport)), name_(std::move(name)), options_(std::move(options)) {
  if (transport_ != "docker" && transport_ != "dir" && transport_ != "oci")
    throw Error(Kind::invalid_input, fmt::format("\"{}\" is not a valid destination transport", transport_));
}

Target Destination::target(const std::string& name) const {
  std::string relative = name;
  while (relative.starts_with('/')) relative.erase(0, 1);
  if (relative.empty()) refuse_name(name);
  const std::size_t tag = tag_position(relative);
  Target target{"", relative, relative.substr(0, tag),
                tag == std::string::npos ? "" : relative.substr(tag + 1)};
  if (transport_ == "docker") {
    std::string base = name_;
    while (base.ends_with('/')) base.pop_back();
    const auto reference = spec::Reference::parse(base + "/" + relative).with_default_tag();
    target.repository = reference.name();
    target.tag = reference.tag().value_or("");
    target.image = transport::DockerReference(reference).str();
  } else if (transport_ == "dir") {
    check_path(relative);
    target.image = "dir:" + path_of(target).string();
  } else {
    target.image = transport::parse_image_name(fmt::format("oci:{}:{}", name_, relative))->str();
  }
  return target;
}

fs::path Destination::path_of(const Target& target) const {
  return fs::absolute(name_).lexically_normal() / target.name;
}

std::shared_ptr<const transport::ImageReference> Destination::reference(const Target& target,
                                                                        bool to_write) const {
  if (transport_ == "dir" && to_write) os::mkdir_all(path_of(target).parent_path());
  return transport::parse_image_name(target.image);
}

std::optional<spec::Digest> Destination::find_digest(const Context& context, const Target& target) const {
  if (transport_ == "docker")
    return reference(target, false)->open_destination(context, options_)->find_manifest_digest(context);
  if (transport_ == "dir" && !is_occupied(target)) return std::nullopt;
  try {
    return reference(target, false)->open_source(context, options_)->manifest(context, std::nullopt).digest;
  } catch (const Error& error) {
    if (error.kind() == Kind::not_found || error.kind() == Kind::image_not_found) return std::nullopt;
    throw;
  }
}

bool Destination::is_occupied(const Target& target) const {
  return transport_ == "dir" && fs::exists(fs::symlink_status(path_of(target)));
}

std::shared_ptr<const transport::ImageReference> Destination::tagged(const std::string& repository,
                                                                     const std::string& tag) const {
  if (transport_ == "docker")
    return std::make_shared<transport::DockerReference>(spec::Reference::parse(repository).with_tag(tag));
  return reference(target(repository + ":" + tag), false);
}

std::vector<std::string> Destination::list_tags(const Context& context, const std::string& repository) const {
  if (transport_ == "docker")
    return transport::list_docker_tags(context, spec::Reference::parse(repository), options_);
  if (transport_ == "dir") return directory_tags(fs::path(name_) / repository);
  return layout_tags(name_, repository);
}

void Destination::remove_tag(const Context& context, const std::string& repository, const std::string& tag,
                             const std::set<std::string>& kept) const {
  const auto image = tagged(repository, tag);
  if (transport_ == "docker")
    remove_from_registry(context, *image, repository, kept);
  else if (transport_ == "oci")
    image->remove(context, options_);
  else
    os::remove_tree(fs::path(name_) / (repository + ":" + tag));
}

void Destination::remove_from_registry(const Context& context, const transport::ImageReference& image,
                                       const std::string& repository,
                                       const std::set<std::string>& kept) const {
  try {
    return transport::delete_docker_tag(context, image.docker_reference().value(), options_);
  } catch (const Error& error) {
    if (error.kind() != Kind::unsupported) throw;
  }
  // Removing the image removes every tag it has.
  const auto digest = image.open_destination(context, options_)->find_manifest_digest(context);
  if (!digest) return;
  for (const std::string& tag : kept) {
    if (tagged(repository, tag)->open_destination(context, options_)->find_manifest_digest(context) ==
        digest) {
      throw Error(Kind::unsupported,
                  fmt::format("{} stays: tag {} names the same image, and the registry cannot "
                              "remove one tag of several",
                              image.str(), tag));
    }
  }
  image.remove(context, options_);
}

}  // namespace lade::sync
