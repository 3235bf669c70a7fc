#include <fmt/format.h>
#include <unistd.h>

#include "buildah/commands.hpp"
#include "buildah/working.hpp"

namespace lade::buildah {
namespace {

using common::Invocation;
using common::Option;
using spec::Json;

std::vector<Option> mount_options() {
  return {{.name = "json", .help = "output in JSON format"},
          {.name = "notruncate", .help = "nothing is ever truncated", .hidden = true}};
}

std::vector<Option> umount_options() {
  return {{.name = "all", .short_name = 'a', .help = "umount all of the currently mounted containers"}};
}

class MountList {
 public:
  MountList(Invocation& invocation, bool with_names) : invocation_(invocation), with_names_(with_names) {}

  void add(const std::string& container, const std::string& path) {
    if (invocation_.flags.flag("json")) {
      Json entry = Json::object();
      if (with_names_) entry["container"] = container;
      entry["mountPoint"] = path;
      json_.push_back(std::move(entry));
    } else {
      invocation_.out.line(with_names_ ? container + " " + path : path);
    }
  }

  void finish() {
    if (invocation_.flags.flag("json"))
      invocation_.out.line(spec::dump_json(json_.empty() ? Json(nullptr) : json_, 4));
  }

 private:
  Invocation& invocation_;
  bool with_names_;
  Json json_ = Json::array();
};

int run_mount(Invocation& invocation) {
  const auto& names = invocation.arguments;
  engines::require_flags_first(invocation);
  WorkSession session(invocation);
  // What is mounted in a namespace of this process alone is of no use to anybody.
  if (!names.empty() && ::geteuid() != 0 && session.store()->layout().driver != "vfs")
    throw Error(Kind::denied,
                fmt::format("cannot mount using driver {} in rootless mode. You need to run it in a "
                            "`buildah unshare` session",
                            session.store()->layout().driver));
  MountList list(invocation, names.size() != 1);
  if (names.empty()) {
    for (auto& builder : session.builders().all())
      if (session.builders().is_mounted(builder)) list.add(builder.name(), builder.mount_point());
    list.finish();
    return 0;
  }
  for_each_name(names, [&](const std::string& name) {
    build::Builder builder = session.open(name);
    list.add(name,
             in_context([&] { return fmt::format("mounting \"{}\" container \"{}\"", name, builder.name()); },
                        [&] { return session.builders().mount(builder); }));
    invocation.out.flush();
  });
  list.finish();
  return 0;
}

int run_umount(Invocation& invocation) {
  const auto& names = invocation.arguments;
  const bool all = invocation.flags.flag("all");
  if (names.empty() && !all) throw Error(Kind::invalid_input, "at least one container ID must be specified");
  if (!names.empty() && all)
    throw Error(Kind::invalid_input, "when using the --all switch, you may not pass any container IDs");
  engines::require_flags_first(invocation);
  WorkSession session(invocation);
  const auto unmount = [&](build::Builder& builder) {
    if (builder.mount_point().empty()) return;
    in_context([&] { return fmt::format("error unmounting container \"{}\"", builder.name()); },
               [&] { session.builders().unmount(builder); });
    invocation.out.line(builder.id());
    invocation.out.flush();
  };
  if (all) {
    for (auto& builder : session.builders().all()) unmount(builder);
    return 0;
  }
  for_each_name(names, [&](const std::string& name) {
    auto builder = in_context([&] { return "error unmounting container " + name; },
                              [&] { return session.builders().open(name); });
    unmount(builder);
  });
  return 0;
}

}  // namespace

const common::Command mount_command{
    .name = "mount",
    .summary = "Mount a working container's root filesystem",
    .description =
        "Mounts a working container's root filesystem for manipulation. Without arguments: lists what is "
        "mounted.",
    .synopsis = "[flags] [CONTAINER...]",
    .example = "mount\nmount containerID\nmount containerID1 containerID2",
    .options = mount_options,
    .run = run_mount,
    .runs_program = true,
    .needs_namespace = common::needs_no_namespace};

const common::Command umount_command{
    .name = "umount",
    .summary = "Unmount the root file system of the specified working containers",
    .description = "Unmounts the root file system of the specified working containers.",
    .synopsis = "[flags] [CONTAINER...]",
    .example = "umount containerID\numount containerID1 containerID2 containerID3\numount --all",
    .options = umount_options,
    .run = run_umount,
    .aliases = {"unmount"},
    .runs_program = true};

}  // namespace lade::buildah
