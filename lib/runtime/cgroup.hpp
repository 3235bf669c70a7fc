// The control groups of a container.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/context.hpp"
#include "os/unique_fd.hpp"
#include "runtime/host.hpp"
#include "runtime/spec.hpp"

namespace lade::runtime {

struct CgroupDirectory {
  std::vector<std::string> controllers{};  // of v1; empty for v2
  std::string mount_point{}, path{};       // path begins with '/'

  std::string directory() const { return mount_point + path; }
  bool is_unified() const { return controllers.empty(); }
};

// Sets container_path of each hierarchy for linux.cgroupsPath: below the mount point if absolute, below this
// process' own cgroup if not; "" becomes a name with the container's id. Kind::invalid_input for "..".
void choose_cgroups(Host& host, const std::string& cgroups_path, const std::string& id, bool rootless);

class Cgroup {
 public:
  Cgroup() = default;
  explicit Cgroup(std::vector<CgroupDirectory> directories) : directories_(std::move(directories)) {}

  // As they are to be made.
  static Cgroup planned(const Host& host);
  // Makes the directories; those that may not be made are left out.
  static Cgroup create(const Host& host);

  const std::vector<CgroupDirectory>& directories() const { return directories_; }
  bool empty() const { return directories_.empty(); }

  struct AddOptions {
    std::string below{};            // a cgroup below this one, made where it is not there
    bool began_in_unified = false;  // the process needs not be moved there any more
  };
  void add(pid_t pid, const AddOptions& options) const;
  // For clone3(2); not open if there is no v2 directory.
  os::UniqueFd open_unified(const std::string& below = "") const;
  // `lenient`: what cannot be set is logged as a warning.
  void apply(const Context& context, const Resources& resources, bool lenient) const;
  std::vector<pid_t> processes() const;
  bool can_freeze() const;
  void freeze(bool frozen) const;
  bool is_frozen() const;
  // SIGKILL to every process, also to those that are being made; returns when all have ended.
  void kill_all() const;
  // No error if it is gone.
  void remove() const;

 private:
  const CgroupDirectory* find(const std::string& controller) const;
  void apply_devices(const Context& context, const std::vector<DeviceRule>& rules, bool lenient) const;

  std::vector<CgroupDirectory> directories_;
};

}  // namespace lade::runtime
