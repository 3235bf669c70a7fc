// User namespaces with given maps, made by root for containers.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "os/subordinate_ids.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

// A process that does nothing keeps it until the end; a mount of path() on a file keeps it longer.
class MappedNamespace {
 public:
  // With a network namespace that belongs to it, too, if `with_network`.
  MappedNamespace(const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids,
                  bool with_network = false);
  ~MappedNamespace();
  MappedNamespace(const MappedNamespace&) = delete;
  MappedNamespace& operator=(const MappedNamespace&) = delete;

  // "user", "net"
  std::string path(const char* name) const;

 private:
  void end() noexcept;

  UniqueFd channel_;
  pid_t pid_ = 0;
};

// Shows `source` at the directory `target` with owners as the namespace maps them: what belongs to its 0
// belongs to whatever 0 is mapped to. Root of the machine may; Kind::unsupported if the file system cannot.
void bind_mapped(const std::filesystem::path& source, const std::filesystem::path& target,
                 const MappedNamespace& ids);

}  // namespace lade::os
