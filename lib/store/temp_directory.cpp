#include "store/temp_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "os/file.hpp"
#include "os/remove_tree.hpp"
#include "store/ids.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view lock_prefix = "lock-", directory_prefix = "temp-dir-";

std::string random_decimal() {
  std::uint64_t number = 0;
  const std::string bytes = random_bytes(sizeof(number));
  std::memcpy(&number, bytes.data(), sizeof(number));
  return std::to_string(number >> 1);
}

void remove_stale(const fs::path& parent, const std::string& number) {
  const auto lock_path = parent / (std::string(lock_prefix) + number);
  const auto lock = os::RecordLock::try_lock(lock_path, os::RecordLock::Mode::exclusive);
  if (!lock && fs::exists(lock_path)) return;
  os::remove_tree(parent / (std::string(directory_prefix) + number));
  if (lock) os::remove_file(lock_path);
}

}  // namespace

TempDirectory::TempDirectory(const Context& context, const fs::path& parent) {
  os::mkdir_all(parent, 0700);
  const std::string number = random_decimal();
  lock_path_ = parent / (std::string(lock_prefix) + number);
  // Should somebody take it for stale before it is locked, it is made again.
  lock_.emplace(context, lock_path_, os::RecordLock::Mode::exclusive, 0600);
  path_ = parent / (std::string(directory_prefix) + number);
  if (::mkdir(path_.c_str(), 0700) == 0) return;
  const int code = errno;
  ::unlink(lock_path_.c_str());
  throw Error::from_errno(code, "mkdir " + path_.string());
}

TempDirectory::TempDirectory(TempDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      lock_path_(std::move(other.lock_path_)),
      lock_(std::exchange(other.lock_, std::nullopt)),
      count_(other.count_) {}

fs::path TempDirectory::next_name() {
  return path_ / (std::to_string(count_++) + "-addition");
}

void TempDirectory::remove() noexcept {
  if (path_.empty()) return;
  try {
    os::remove_tree(path_);
    ::unlink(lock_path_.c_str());
  } catch (const std::exception&) {
    // The lock file stays: without it, the next would not know whether we are at work.
  }
  path_.clear();
  lock_.reset();
}

std::vector<fs::path> stale_temp_directories(const fs::path& parent) {
  std::vector<fs::path> result;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(directory_prefix)) continue;
    const auto lock_path = parent / (std::string(lock_prefix) + name.substr(directory_prefix.size()));
    const bool is_owned =
        fs::exists(lock_path) && !os::RecordLock::try_lock(lock_path, os::RecordLock::Mode::exclusive);
    if (!is_owned) result.push_back(entry.path());
  }
  return result;
}

void remove_stale_temp_directories(const fs::path& parent) noexcept {
  try {
    std::vector<std::string> numbers;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error)) {
      const std::string name = entry.path().filename().string();
      for (const auto prefix : {lock_prefix, directory_prefix})
        if (name.starts_with(prefix)) numbers.push_back(name.substr(prefix.size()));
    }
    for (const auto& number : numbers) {
      try {
        remove_stale(parent, number);
      } catch (const Error&) {
        continue;
      }
    }
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace lade::store
