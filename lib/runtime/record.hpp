// What is kept of a container between two commands: <root>/<id>/ with state.json, config.json and, until it
// is started, start.fifo.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/lock_file.hpp"
#include "runtime/cgroup.hpp"
#include "runtime/runtime.hpp"
#include "runtime/spec.hpp"

namespace lade::runtime {

// A process, also after its number was given to another.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // in ticks since boot
};
// nullopt if there is no such process, or only what it left (a zombie).
std::optional<ProcessIdentity> identify_process(pid_t pid);
bool is_alive(const ProcessIdentity& process);

struct Record {
  std::string oci_version{}, id{};
  ProcessIdentity process{}, creator{};
  bool created = false;    // the process waits for start, or has been started
  bool transient = false;  // it is of no use after its creator has ended
  bool mounts_stay = false;
  std::string bundle{}, rootfs{}, created_at{};
  uid_t owner = 0;
  std::map<std::string, std::string> annotations{};
  std::vector<CgroupDirectory> cgroups{};
};

spec::Json to_json(const Record& record);
// Kind::integrity for what is not such a document.
Record parse_record(std::string_view text);

class StateDirectory {
 public:
  explicit StateDirectory(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path path_of(const std::string& id) const { return root_ / id; }
  std::filesystem::path filter_cache() const { return root_ / ":seccomp"; }  // no id has a colon
  std::filesystem::path fifo_of(const std::string& id) const { return root_ / id / "start.fifo"; }

  // Held over add() and remove(): so a directory without a record is one that an ended process left. Makes
  // the root where it is not there; Kind::denied if others than this user can write to it.
  os::LockFile lock(const Context& context) const;
  // Makes the directory of a new container with its first record; false if there is one.
  bool add(const Record& record) const;
  void write(const Record& record) const;
  void write_spec(const std::string& id, const Spec& spec) const;
  // nullopt if there is none. A directory without a readable record gives an empty record with its id.
  std::optional<Record> find(const std::string& id) const;
  Spec read_spec(const std::string& id) const;
  std::vector<std::string> ids() const;  // sorted
  void remove(const std::string& id) const;

 private:
  std::filesystem::path root_;
};

// Kind::invalid_input unless it is of letters, digits and "_+-.", and not "." or "..".
void check_id(const std::string& id);

Status status_of(const Record& record, const StateDirectory& states);

}  // namespace lade::runtime
