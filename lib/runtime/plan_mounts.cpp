#include "runtime/plan_mounts.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "runtime/names.hpp"

namespace lade::runtime {
namespace {

using step::MountAt;

constexpr std::uint64_t atime_modes = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

struct ParsedOptions {
  MountAt mount{};
  unsigned long cleared = 0;  // MS_* that are to be off
  bool idmap = false, idmap_recursive = false;
};

void apply_option(const MountOption& option, ParsedOptions& parsed) {
  using Effect = MountOption::Effect;
  MountAt& mount = parsed.mount;
  switch (option.effect) {
    case Effect::flag:
      mount.flags |= option.flags;
      parsed.cleared &= ~option.flags;
      break;
    case Effect::clear:
      mount.flags &= ~option.flags;
      parsed.cleared |= option.flags;
      break;
    case Effect::propagation: mount.propagation.push_back(option.flags); break;
    case Effect::recursive:
      mount.recursive_attributes |= option.flags;
      mount.recursive_clear &= ~option.flags;
      break;
    case Effect::recursive_clear:
      mount.recursive_clear |= option.flags;
      mount.recursive_attributes &= ~option.flags;
      break;
    case Effect::copy_up: mount.copy_up = true; break;
    case Effect::idmap: parsed.idmap = true; break;
    case Effect::ridmap: parsed.idmap = parsed.idmap_recursive = true; break;
    case Effect::none: break;
  }
}

// Access times are one field of three values: setting one of them clears the others.
void clear_atime(std::uint64_t set, std::uint64_t& clear) {
  if ((set & MOUNT_ATTR__ATIME) != 0) clear |= MOUNT_ATTR__ATIME;
}

ParsedOptions parse_options(const Mount& mount) {
  ParsedOptions parsed;
  MountAt& at = parsed.mount;
  at.source = mount.source;
  at.type = mount.type;
  at.target = mount.destination;
  for (const std::string& word : mount.options) {
    if (const MountOption* option = find_mount_option(word)) {
      apply_option(*option, parsed);
    } else {
      if (!at.data.empty()) at.data += ',';
      at.data += word;
    }
  }
  if (mount.type == "bind") at.flags |= MS_BIND;
  if ((at.flags & MS_BIND) != 0) {
    at.attributes = mount_attributes(at.flags);
    at.clear = mount_attributes(parsed.cleared);
    if ((at.flags & MS_RELATIME) != 0) at.clear |= MOUNT_ATTR__ATIME;
    clear_atime(at.attributes, at.clear);
    at.flags &= MS_BIND | MS_REC | MS_REMOUNT;
  }
  // Only "relatime" is 0: asking for it means clearing the others.
  const auto is_recursive_relatime = [](const std::string& word) { return word == "rrelatime"; };
  if (std::any_of(mount.options.begin(), mount.options.end(), is_recursive_relatime))
    at.recursive_clear |= MOUNT_ATTR__ATIME;
  clear_atime(at.recursive_attributes, at.recursive_clear);
  if ((at.recursive_clear & MOUNT_ATTR__ATIME) != 0) at.recursive_clear |= MOUNT_ATTR__ATIME;
  return parsed;
}

[[noreturn]] void refuse_mount(const Mount& mount, Kind kind, std::string_view reason) {
  throw Error(kind, fmt::format("mount at {}: {}", mount.destination, reason));
}

std::string absolute_source(const std::string& source, const std::string& bundle) {
  return source.starts_with("/") ? source : bundle + "/" + source;
}

void plan_bind(const MountPlanning& in, const Mount& mount, ParsedOptions parsed, Plan& plan) {
  MountAt& at = parsed.mount;
  if ((at.flags & MS_REMOUNT) == 0) {
    if (at.source.empty()) refuse_mount(mount, Kind::invalid_input, "a bind mount needs a source");
    at.source = absolute_source(at.source, in.options.bundle);
  }
  if (!at.data.empty())
    refuse_mount(mount, Kind::invalid_input, fmt::format("a bind mount has no option {}", at.data));
  at.type.clear();
  if (parsed.idmap && !in.host.has_mount_api)
    refuse_mount(mount, Kind::unsupported, "idmap needs Linux 5.12");
  const bool remounts = (at.flags & MS_REMOUNT) != 0;
  if (!remounts && (parsed.idmap || in.opens_sources)) {
    SourceMount source;
    source.path = at.source;
    source.recursive = (at.flags & MS_REC) != 0;
    source.idmap = parsed.idmap;
    source.idmap_recursive = parsed.idmap_recursive;
    if (parsed.idmap) {
      source.uid_mappings = mount.uid_mappings;
      source.gid_mappings = mount.gid_mappings;
      if (source.uid_mappings.empty() && source.gid_mappings.empty()) {
        source.uid_mappings = in.spec.linux.uid_mappings;
        source.gid_mappings = in.spec.linux.gid_mappings;
      }
      if (source.uid_mappings.empty() || source.gid_mappings.empty())
        refuse_mount(mount, Kind::invalid_input,
                     "idmap needs uidMappings and gidMappings, of it or of the container");
    }
    at.source_fd = plan.sources.size();
    plan.sources.push_back(std::move(source));
  }
  plan.steps.emplace_back(std::move(at));
}

bool is_cgroup(const Mount& mount) {
  return mount.type == "cgroup" || mount.type == "cgroup2";
}

bool has_cgroup_namespace(const MountPlanning& in) {
  return in.spec.linux.find(NamespaceType::cgroup) != nullptr;
}

// One hierarchy at `target`: mounted anew, or the container's part of the host's bound.
MountAt cgroup_hierarchy(const MountPlanning& in, const CgroupHierarchy& hierarchy, const MountAt& base,
                         const std::string& target) {
  MountAt at = base;
  at.target = target;
  at.data.clear();
  const std::string bound = hierarchy.mount_point + hierarchy.container_path;
  if (has_cgroup_namespace(in)) {
    at.type = hierarchy.is_unified() ? "cgroup2" : "cgroup";
    at.source = at.type;
    for (const std::string& controller : hierarchy.controllers) {
      if (!at.data.empty()) at.data += ',';
      at.data += controller.starts_with("name=") ? "none," + controller : controller;
    }
    at.fallback = bound;
    return at;
  }
  at.type.clear();
  at.source = bound;
  at.attributes = mount_attributes(base.flags);
  at.flags = MS_BIND | MS_REC;
  return at;
}

void plan_cgroup_mount(const MountPlanning& in, const ParsedOptions& parsed, Plan& plan) {
  const MountAt& base = parsed.mount;
  const auto& hierarchies = in.host.cgroups;
  const bool only_unified =
      std::all_of(hierarchies.begin(), hierarchies.end(), [](const auto& h) { return h.is_unified(); });
  if (hierarchies.empty()) {
    plan.warnings.push_back("the host has no cgroups: nothing is mounted at " + base.target);
    return;
  }
  if (only_unified) {
    plan.steps.emplace_back(cgroup_hierarchy(in, hierarchies.front(), base, base.target));
    return;
  }
  MountAt directory;
  directory.source = directory.type = "tmpfs";
  directory.target = base.target;
  directory.flags = base.flags & ~static_cast<unsigned long>(MS_RDONLY);
  directory.data = "mode=755";
  plan.steps.emplace_back(directory);
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    const std::string name = hierarchy.mount_point.substr(hierarchy.mount_point.rfind('/') + 1);
    const std::string target = base.target + "/" + name;
    plan.steps.emplace_back(cgroup_hierarchy(in, hierarchy, base, target));
    for (const std::string& controller : hierarchy.controllers) {
      if (controller != name && !controller.starts_with("name="))
        plan.steps.emplace_back(step::MakeLink{base.target + "/" + controller, name});
    }
  }
  if ((base.flags & MS_RDONLY) == 0) return;
  MountAt readonly;
  readonly.target = base.target;
  readonly.flags = MS_REMOUNT | MS_BIND;
  readonly.attributes = mount_attributes(base.flags);
  plan.steps.emplace_back(readonly);
}

void plan_file_system(const MountPlanning& in, const Mount& mount, ParsedOptions parsed, Plan& plan) {
  MountAt& at = parsed.mount;
  if (parsed.idmap) refuse_mount(mount, Kind::unsupported, "only bind mounts can have idmap");
  const bool remounts = (at.flags & MS_REMOUNT) != 0;
  if (at.type.empty() && !remounts) refuse_mount(mount, Kind::invalid_input, "it has no type");
  if (at.copy_up && at.type != "tmpfs") refuse_mount(mount, Kind::invalid_input, "tmpcopyup is for tmpfs");
  at.keep_mode = at.type == "tmpfs" && !remounts && at.data.find("mode=") == std::string::npos;
  // The kernel's own files are trusted by what comes after: no image may send them elsewhere.
  at.exactly_here = at.type == "proc" || at.type == "sysfs";
  if (at.type == "sysfs" && in.in_user_namespace) at.fallback = "/sys";
  const std::string& label = in.spec.linux.mount_label;
  const bool takes_label =
      at.type == "tmpfs" || at.type == "devpts" || at.type == "shm" || at.type == "overlay";
  if (!label.empty() && in.host.has_selinux && takes_label) {
    at.data += fmt::format("{}context=\"{}\"", at.data.empty() ? "" : ",", label);
  }
  plan.steps.emplace_back(std::move(at));
}

bool is_dev_bound(const Spec& spec) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [](const Mount& mount) {
    const auto& words = mount.options;
    const bool bound = mount.type == "bind" || std::find(words.begin(), words.end(), "bind") != words.end() ||
                       std::find(words.begin(), words.end(), "rbind") != words.end();
    return bound && (mount.destination == "/dev" || mount.destination == "/dev/");
  });
}

struct DefaultDevice {
  const char* path;
  std::uint32_t major, minor;
};
constexpr DefaultDevice default_devices[] = {{"/dev/null", 1, 3},    {"/dev/zero", 1, 5},
                                             {"/dev/full", 1, 7},    {"/dev/random", 1, 8},
                                             {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

step::MakeDevice device_step(const Device& device, bool bind) {
  constexpr std::uint32_t permissions = 07777;
  const auto refuse = [&](const char* reason) {
    throw Error(Kind::invalid_input, fmt::format("linux.devices: {}: {}", device.path, reason));
  };
  step::MakeDevice made;
  if (!device.path.starts_with("/")) refuse("the path is not absolute");
  made.path = device.path;
  switch (device.type) {
    case 'c':
    case 'u': made.mode = S_IFCHR; break;
    case 'b': made.mode = S_IFBLK; break;
    case 'p': made.mode = S_IFIFO; break;
    default: refuse("the type is not c, b, u or p");
  }
  constexpr std::int64_t most_major = 0xfff, most_minor = 0xfffff;
  if (device.major < 0 || device.major > most_major || device.minor < 0 || device.minor > most_minor)
    refuse("there is no device of such a number");
  made.mode |= device.file_mode.value_or(0666) & permissions;
  made.major = static_cast<std::uint32_t>(device.major);
  made.minor = static_cast<std::uint32_t>(device.minor);
  made.uid = device.uid;
  made.gid = device.gid;
  made.bind = bind && device.type != 'p';
  return made;
}

}  // namespace

unsigned long parse_propagation(const std::string& word) {
  if (word.empty()) return 0;
  const MountOption* option = find_mount_option(word);
  if (option == nullptr || option->effect != MountOption::Effect::propagation)
    throw Error(Kind::invalid_input,
                "linux.rootfsPropagation: unknown word " + spec::dump_json(spec::Json(word)));
  return option->flags;
}

void plan_mounts(const MountPlanning& in, Plan& plan) {
  for (const Mount& mount : in.spec.mounts) {
    if (mount.destination.empty()) throw Error(Kind::invalid_input, "mounts: a destination is empty");
    ParsedOptions parsed = parse_options(mount);
    if (!parsed.mount.target.starts_with("/")) parsed.mount.target.insert(0, "/");
    const bool at_root = parsed.mount.target.find_first_not_of("/.") == std::string::npos;
    if (at_root && (parsed.mount.flags & MS_REMOUNT) == 0)
      refuse_mount(mount, Kind::unsupported, "nothing can be mounted over the root itself");
    if ((parsed.mount.flags & MS_BIND) != 0) {
      plan_bind(in, mount, std::move(parsed), plan);
    } else if (is_cgroup(mount)) {
      plan_cgroup_mount(in, parsed, plan);
    } else {
      plan_file_system(in, mount, std::move(parsed), plan);
    }
  }
}

void plan_devices(const MountPlanning& in, Plan& plan) {
  const bool bind = in.in_user_namespace || !in.host.can(CAP_MKNOD);
  const bool host_dev = is_dev_bound(in.spec);
  const auto& devices = in.spec.linux.devices;
  if (!host_dev) {
    for (const DefaultDevice& entry : default_devices) {
      const auto same = [&](const Device& device) { return device.path == entry.path; };
      if (std::any_of(devices.begin(), devices.end(), same)) continue;
      Device device;
      device.path = entry.path;
      device.major = entry.major;
      device.minor = entry.minor;
      plan.steps.emplace_back(device_step(device, bind));
    }
  }
  for (const Device& device : devices) plan.steps.emplace_back(device_step(device, bind));
  if (host_dev) return;
  static constexpr std::array<std::pair<const char*, const char*>, 5> links = {
      {{"/dev/fd", "/proc/self/fd"},
       {"/dev/stdin", "/proc/self/fd/0"},
       {"/dev/stdout", "/proc/self/fd/1"},
       {"/dev/stderr", "/proc/self/fd/2"},
       {"/dev/ptmx", "pts/ptmx"}}};
  for (const auto& [path, target] : links) plan.steps.emplace_back(step::MakeLink{path, target});
}

}  // namespace lade::runtime
