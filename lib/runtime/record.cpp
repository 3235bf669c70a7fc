#include "runtime/record.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/remove_tree.hpp"

namespace lade::runtime {
namespace {

namespace fs = std::filesystem;
using spec::Json;

constexpr std::uint64_t record_limit = 16 * 1024 * 1024;

Json to_json(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"startTime", process.start_time}};
}

ProcessIdentity identity_member(const Json& object, const char* name) {
  ProcessIdentity identity;
  if (const Json* member = spec::find_member(object, name); member != nullptr && member->is_object()) {
    identity.pid = static_cast<pid_t>(spec::size_member(*member, "pid", name).value_or(0));
    identity.start_time = spec::size_member(*member, "startTime", name).value_or(0);
  }
  return identity;
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '-' || c == '.';
}

}  // namespace

void check_id(const std::string& id) {
  constexpr std::size_t longest = 200;  // with a suffix still a file name
  if (id.empty()) throw Error(Kind::invalid_input, "container id cannot be empty");
  const bool valid =
      id.size() <= longest && id != "." && id != ".." && std::all_of(id.begin(), id.end(), is_id_character);
  if (!valid)
    throw Error(Kind::invalid_input, "invalid container id " + spec::dump_json(Json(id.substr(0, longest))));
}

std::optional<ProcessIdentity> identify_process(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const auto text = os::find_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text) return std::nullopt;
  // The name may hold anything, but nothing after it holds a parenthesis.
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text->size()) return std::nullopt;
  const char state = (*text)[name_end + 2];
  if (state == 'Z' || state == 'X') return std::nullopt;
  constexpr int fields_before = 19;  // from the state to the start time
  std::size_t at = name_end + 1;
  for (int i = 0; i < fields_before && at != std::string::npos; ++i) at = text->find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  ProcessIdentity identity{pid, 0};
  std::from_chars(text->data() + at + 1, text->data() + text->size(), identity.start_time);
  return identity;
}

bool is_alive(const ProcessIdentity& process) {
  const auto found = identify_process(process.pid);
  return found && found->start_time == process.start_time;
}

Json to_json(const Record& record) {
  Json cgroups = Json::array();
  for (const CgroupDirectory& cgroup : record.cgroups) {
    cgroups.push_back(
        {{"controllers", cgroup.controllers}, {"mountPoint", cgroup.mount_point}, {"path", cgroup.path}});
  }
  Json annotations = Json::object();
  for (const auto& [name, value] : record.annotations) annotations[name] = value;
  return {{"ociVersion", record.oci_version},
          {"id", record.id},
          {"process", to_json(record.process)},
          {"creator", to_json(record.creator)},
          {"isCreated", record.created},
          {"transient", record.transient},
          {"mountsStay", record.mounts_stay},
          {"bundle", record.bundle},
          {"rootfs", record.rootfs},
          {"created", record.created_at},
          {"owner", record.owner},
          {"annotations", std::move(annotations)},
          {"cgroups", std::move(cgroups)}};
}

Record parse_record(std::string_view text) {
  constexpr const char* what = "state.json";
  try {
    const Json json = spec::parse_json(text, what, record_limit);
    if (!json.is_object()) throw Error(Kind::invalid_input, "it is not an object");
    Record record;
    record.oci_version = spec::string_member(json, "ociVersion", what);
    record.id = spec::string_member(json, "id", what);
    record.process = identity_member(json, "process");
    record.creator = identity_member(json, "creator");
    record.created = spec::bool_member(json, "isCreated", what);
    record.transient = spec::bool_member(json, "transient", what);
    record.mounts_stay = spec::bool_member(json, "mountsStay", what);
    record.bundle = spec::string_member(json, "bundle", what);
    record.rootfs = spec::string_member(json, "rootfs", what);
    record.created_at = spec::string_member(json, "created", what);
    record.owner = static_cast<uid_t>(spec::size_member(json, "owner", what).value_or(0));
    record.annotations =
        spec::string_map_member(json, "annotations", what).value_or(std::map<std::string, std::string>());
    for (const Json& entry : spec::array_member(json, "cgroups", what)) {
      if (!entry.is_object()) throw Error(Kind::invalid_input, "cgroups is not a list of objects");
      record.cgroups.push_back(
          {spec::strings_member(entry, "controllers", what).value_or(std::vector<std::string>()),
           spec::string_member(entry, "mountPoint", what), spec::string_member(entry, "path", what)});
    }
    return record;
  } catch (const Error& error) {
    throw Error(Kind::integrity, fmt::format("{}: {}", what, error.what()));
  }
}

os::LockFile StateDirectory::lock(const Context& context) const {
  os::mkdir_all(root_, 0700);
  struct stat info {};
  if (::stat(root_.c_str(), &info) < 0) throw Error::from_errno(errno, "stat " + root_.string());
  // Others could make this program run what they want.
  if (info.st_uid != ::geteuid() || (info.st_mode & 022) != 0)
    throw Error(Kind::denied, fmt::format("the state directory {} can be written to by other users; "
                                          "choose another by --root",
                                          root_.string()));
  return os::LockFile(context, root_);
}

bool StateDirectory::add(const Record& record) const {
  const fs::path path = path_of(record.id);
  if (::mkdir(path.c_str(), 0700) == 0) {
    write(record);
    return true;
  }
  if (errno != EEXIST) throw Error::from_errno(errno, "mkdir " + path.string());
  return false;
}

void StateDirectory::write(const Record& record) const {
  os::AtomicFile::CommitOptions options;
  options.mode = 0600;
  os::write_file(path_of(record.id) / "state.json", spec::dump_json(to_json(record)), options);
}

void StateDirectory::write_spec(const std::string& id, const Spec& spec) const {
  os::AtomicFile::CommitOptions options;
  options.mode = 0600;
  os::write_file(path_of(id) / "config.json", spec::dump_json(runtime::to_json(spec)), options);
}

std::optional<Record> StateDirectory::find(const std::string& id) const {
  const auto text = os::find_file(path_of(id) / "state.json", record_limit);
  if (text) return parse_record(*text);
  std::error_code error;
  if (!fs::is_directory(path_of(id), error)) return std::nullopt;
  Record record;
  record.id = id;
  return record;
}

Spec StateDirectory::read_spec(const std::string& id) const {
  return parse_spec(os::read_file(path_of(id) / "config.json", max_spec_size));
}

std::vector<std::string> StateDirectory::ids() const {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(root_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (std::all_of(name.begin(), name.end(), is_id_character) && entry->is_directory(error))
      found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void StateDirectory::remove(const std::string& id) const {
  // The common case, without looking at the directory first.
  for (const char* name : {"start.fifo", "config.json", "state.json"}) ::unlink((path_of(id) / name).c_str());
  if (::rmdir(path_of(id).c_str()) < 0 && errno != ENOENT) os::remove_tree(path_of(id));
}

Status status_of(const Record& record, const StateDirectory& states) {
  if (record.process.pid == 0 && is_alive(record.creator)) return Status::creating;
  if (!is_alive(record.process)) return Status::stopped;
  if (!record.created) return Status::creating;
  std::error_code error;
  if (fs::exists(states.fifo_of(record.id), error)) return Status::created;
  return Cgroup(record.cgroups).is_frozen() ? Status::paused : Status::running;
}

}  // namespace lade::runtime
