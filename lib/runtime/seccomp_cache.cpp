#include "runtime/seccomp_cache.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "base/error.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"

namespace lade::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_cached_filters = 64;
constexpr std::uint64_t longest_cached_filter = 4 * 1024 * 1024;

// All that the program depends on.
std::string identity_of(const Seccomp& seccomp) {
  std::string text;
  const auto add = [&](std::string_view part) { text.append(part).push_back('\0'); };
  const auto add_number = [&](const std::optional<std::uint32_t>& number) {
    add(number ? std::to_string(*number) : "-");
  };
  const auto add_all = [&](const std::vector<std::string>& parts) {
    add(std::to_string(parts.size()));
    for (const std::string& part : parts) add(part);
  };
  utsname machine{};
  ::uname(&machine);
  const scmp_version* version = seccomp_version();
  add(fmt::format("{}.{}.{} {}", version->major, version->minor, version->micro, machine.machine));
  add(seccomp.default_action);
  add_number(seccomp.default_errno_ret);
  add_all(seccomp.architectures);
  for (const SeccompRule& rule : seccomp.syscalls) {
    add_all(rule.names);
    add(rule.action);
    add_number(rule.errno_ret);
    for (const SeccompArgument& argument : rule.args)
      add(fmt::format("{} {} {} {}", argument.index, argument.op, argument.value, argument.value_two));
  }
  return text;
}

// The file is the program, then what it was made for.
bool read_program(const fs::path& path, const std::string& identity, std::vector<std::byte>& program) {
  const auto text = os::find_file(path, longest_cached_filter);
  if (!text || text->size() <= identity.size() || !text->ends_with(identity)) return false;
  const std::size_t size = text->size() - identity.size();
  if (size % sizeof(sock_filter) != 0) return false;
  program.resize(size);
  std::memcpy(program.data(), text->data(), size);
  return true;
}

void keep_program(const fs::path& directory, const fs::path& path, const std::string& identity,
                  const std::vector<std::byte>& program) {
  ::mkdir(directory.c_str(), 0700);
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(directory)) count += entry.is_regular_file() ? 1 : 0;
  if (count >= most_cached_filters) {
    for (const auto& entry : fs::directory_iterator(directory)) fs::remove(entry.path());
  }
  std::string text(reinterpret_cast<const char*>(program.data()), program.size());
  text += identity;
  os::AtomicFile::CommitOptions options;
  options.mode = 0600;
  os::write_file(path, text, options);
}

bool is_ours(const fs::path& directory) {
  struct stat info {};
  if (::lstat(directory.c_str(), &info) < 0) return errno == ENOENT;
  return S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() && (info.st_mode & 022) == 0;
}

}  // namespace

SeccompFilter cached_seccomp(const fs::path& directory, const Seccomp& seccomp) {
  if (!is_ours(directory)) return compile_seccomp(seccomp);
  const std::string identity = identity_of(seccomp);
  const fs::path path = directory / fmt::format("{:016x}", std::hash<std::string>{}(identity));
  SeccompFilter filter = seccomp_use(seccomp);
  if (read_program(path, identity, filter.program)) return filter;
  filter = compile_seccomp(seccomp);
  try {
    keep_program(directory, path, identity, filter.program);
  } catch (const std::exception&) {
    // The filter is as good without.
  }
  return filter;
}

}  // namespace lade::runtime
