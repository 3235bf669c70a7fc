// Where a sync writes, and under which names.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "spec/digest.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::sync {

struct NameRule {
  bool scoped = false;  // the whole name of the source, not only its last component
  std::string suffix;   // after everything
  // In place of both: the name at the destination for the source's full name. May be empty.
  std::function<std::string(const std::string& name)> rename;

  std::string apply(const std::string& source_name) const;
};

// One place under the destination for one image.
struct Target {
  std::string image;       // "transport:name"
  std::string name;        // below the destination: "team/app:1.2"
  std::string repository;  // what its tags are listed by: the reference without tag, or a path; see list_tags
  std::string tag;         // "" if it has none
};

class Destination {
 public:
  // `transport` is "docker", "dir" or "oci"; Kind::invalid_input `"x" is not a valid destination transport`.
  Destination(std::string transport, std::string name, transport::Options options);

  const std::string& transport() const { return transport_; }
  const std::string& name() const { return name_; }
  const transport::Options& options() const { return options_; }

  // Kind::invalid_input for a name that the transport cannot have, or that would lie outside the destination.
  Target target(const std::string& name) const;

  // Directories that lead to it are created if it is to be written.
  std::shared_ptr<const transport::ImageReference> reference(const Target& target, bool to_write) const;

  // What is there now under the target's name; nullopt if nothing is.
  std::optional<spec::Digest> find_digest(const Context& context, const Target& target) const;
  // Of dir:, whose images have a directory each: something is in the way.
  bool is_occupied(const Target& target) const;

  // The tags that the repository of a Target has here.
  std::vector<std::string> list_tags(const Context& context, const std::string& repository) const;
  // Makes a tag go, and its image unless one of the tags in `kept` has the same one. Kind::unsupported where
  // a registry can only remove both.
  void remove_tag(const Context& context, const std::string& repository, const std::string& tag,
                  const std::set<std::string>& kept) const;

 private:
  std::shared_ptr<const transport::ImageReference> tagged(const std::string& repository,
                                                          const std::string& tag) const;
  std::filesystem::path path_of(const Target& target) const;
  void remove_from_registry(const Context& context, const transport::ImageReference& image,
                            const std::string& repository, const std::set<std::string>& kept) const;

  std::string transport_, name_;
  transport::Options options_;
};

}  // namespace lade::sync
