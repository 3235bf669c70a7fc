#include "engine/host_facts.hpp"

#include <fmt/format.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "os/file.hpp"
#include "spec/platform.hpp"

namespace lade::engine {
namespace {

constexpr std::uint64_t max_fact_file = 1 << 20;
constexpr std::uint64_t kibibyte = 1024;

std::string text_of_file(const std::filesystem::path& path) {
  try {
    return os::find_file(path, max_fact_file).value_or("");
  } catch (const Error&) {
    return "";
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The value of "name=value" or "name: value"; quotes are taken off.
std::string value_of(const std::vector<std::string>& lines, std::string_view name) {
  for (const std::string& line : lines) {
    if (!line.starts_with(name)) continue;
    const std::size_t begin = line.find_first_not_of(" \t\"'", name.size());
    if (begin == std::string::npos) return "";
    return line.substr(begin, line.find_last_not_of(" \t\"'") - begin + 1);
  }
  return "";
}

std::uint64_t number_of(const std::vector<std::string>& lines, std::string_view name) {
  std::uint64_t number = 0;
  std::istringstream(value_of(lines, name)) >> number;
  return number;
}

// user nice system idle iowait irq softirq ... of the line "cpu  ..."
HostFacts::Cpu cpu_times(const std::string& stat) {
  std::istringstream stream(stat);
  std::string word;
  double user = 0, nice = 0, system = 0, idle = 0;
  stream >> word >> user >> nice >> system >> idle;
  const double sum = user + system + idle;
  if (sum <= 0) return {};
  const auto percent = [&](double part) { return static_cast<double>(static_cast<long>(part / sum * 10000)) / 100; };
  return {percent(user), percent(system), percent(idle)};
}

std::vector<std::string> controllers_v1(const std::string& cgroups) {
  std::vector<std::string> result;
  for (const std::string& line : lines_of(cgroups)) {
    std::istringstream columns(line);
    std::string name, hierarchy, groups, enabled;
    columns >> name >> hierarchy >> groups >> enabled;
    if (!name.starts_with('#') && enabled == "1") result.push_back(name);
  }
  return result;
}

void read_cgroups(const std::filesystem::path& root, HostFacts& facts) {
  const std::filesystem::path unified = root / "sys/fs/cgroup/cgroup.controllers";
  std::error_code error;
  if (std::filesystem::exists(unified, error)) {
    facts.cgroup_version = "v2";
    std::istringstream words(text_of_file(unified));
    for (std::string word; words >> word;) facts.cgroup_controllers.push_back(word);
  } else {
    facts.cgroup_version = "v1";
    facts.cgroup_controllers = controllers_v1(text_of_file(root / "proc/cgroups"));
  }
}

}  // namespace

HostFacts HostFacts::read(const std::filesystem::path& given_root) {
  const std::filesystem::path root = given_root.empty() ? "/" : given_root;
  HostFacts facts;
  const auto platform = spec::host_platform();
  facts.architecture = platform.architecture;
  facts.variant = platform.variant;
  facts.os = platform.os;
  ::utsname names{};
  if (::uname(&names) == 0) {
    facts.hostname = names.nodename;
    facts.kernel = names.release;
  }
  facts.cpus = std::max(1U, std::thread::hardware_concurrency());
  facts.cpu = cpu_times(text_of_file(root / "proc/stat"));
  const auto release = lines_of(text_of_file(root / "etc/os-release"));
  facts.distribution = {value_of(release, "ID="), value_of(release, "VERSION_ID="),
                        value_of(release, "VERSION_CODENAME="), value_of(release, "VARIANT_ID=")};
  const auto memory = lines_of(text_of_file(root / "proc/meminfo"));
  facts.memory_total = number_of(memory, "MemTotal:") * kibibyte;
  facts.memory_free = number_of(memory, "MemFree:") * kibibyte;
  facts.swap_total = number_of(memory, "SwapTotal:") * kibibyte;
  facts.swap_free = number_of(memory, "SwapFree:") * kibibyte;
  std::istringstream(text_of_file(root / "proc/uptime")) >> facts.uptime;
  read_cgroups(root, facts);
  facts.apparmor = text_of_file(root / "sys/module/apparmor/parameters/enabled").starts_with('Y');
  facts.selinux = !text_of_file(root / "sys/fs/selinux/enforce").empty();
  facts.seccomp = !value_of(lines_of(text_of_file(root / "proc/self/status")), "Seccomp:").empty();
  return facts;
}

std::string uptime_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  const std::uint64_t hours = whole / 3600, minutes = whole / 60 % 60;
  const double rest = seconds - static_cast<double>(hours * 3600 + minutes * 60);
  std::string text = fmt::format("{}h {}m {:.2f}s", hours, minutes, rest);
  if (hours > 0) text += fmt::format(" (Approximately {:.2f} days)", static_cast<double>(hours) / 24);
  return text;
}

std::string file_system_name(const std::filesystem::path& path) {
  struct Known {
    unsigned long magic;
    const char* name;
  };
  static constexpr Known known[] = {
      {0x61756673, "aufs"},   {0x9123683e, "btrfs"},   {0x28cd3d45, "cramfs"},   {0xf15f, "ecryptfs"},
      {0xef53, "extfs"},      {0xf2f52010, "f2fs"},    {0x47504653, "gpfs"},     {0x6969, "nfs"},
      {0x794c7630, "overlayfs"}, {0x858458f6, "ramfs"}, {0x73717368, "squashfs"}, {0x01021994, "tmpfs"},
      {0x58465342, "xfs"},    {0x2fc12fc1, "zfs"},     {0x65735546, "fuse"},     {0x0bd00bd0, "lustre"}};
  struct ::statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return "<unknown>";
  for (const Known& entry : known)
    if (static_cast<unsigned long>(status.f_type) == entry.magic) return entry.name;
  return "<unknown>";
}

}  // namespace lade::engine
