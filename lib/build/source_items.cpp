#include "build/source_items.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "archive/tar_reader.hpp"
#include "base/error.hpp"
#include "io/codec/codec.hpp"
#include "layer/names.hpp"
#include "layer/tar_items.hpp"
#include "os/file.hpp"

namespace lade::build {

namespace {

constexpr std::size_t max_source_depth = 1000;
constexpr std::uint32_t download_mode = 0600;

// Go's archive/tar rounds times to seconds.
std::int64_t rounded_seconds(const std::timespec& time) {
  return time.tv_sec + (time.tv_nsec >= 500'000'000 ? 1 : 0);
}

void change_entry(archive::TarHeader& header, const EntryChanges& changes) {
  header.mode &= 07777;
  if (changes.owner) {
    header.uid = changes.owner->uid;
    header.gid = changes.owner->gid;
  }
  if (changes.mode && header.type != archive::TarType::symlink) header.mode = *changes.mode;
  if (changes.mtime) header.mtime = {*changes.mtime, 0};
}

ContentEntry entry_of(layer::TarItem item, const EntryChanges& changes, const std::timespec& mtime) {
  ContentEntry entry;
  entry.header = std::move(item.header);
  entry.header.mtime = {rounded_seconds(mtime), 0};
  change_entry(entry.header, changes);
  if (entry.header.size > 0) entry.content = std::make_unique<os::FileReader>(std::move(item.content));
  return entry;
}

struct ::stat status_at(const os::UniqueFd& directory, const std::string& name) {
  struct ::stat stat {};
  if (::fstatat(directory.get(), name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0)
    throw Error::from_errno(errno, "stat " + name);
  return stat;
}

std::string with_prefix(const std::string& prefix, const std::string& path) {
  if (prefix.empty()) return path;
  return path.empty() ? prefix : prefix + "/" + path;
}

// What is in a directory, depth first, names sorted.
class DirectoryEntries {
 public:
  DirectoryEntries(const Context& context, const os::Root& root, const SourceItem& item, std::string prefix,
                   const EntryChanges& changes, const ExcludePatterns& excludes)
      : context_(context),
        base_(item.path),
        prefix_(std::move(prefix)),
        changes_(changes),
        excludes_(excludes) {
    push(root.open(item.path.empty() ? "." : item.path, O_RDONLY | O_DIRECTORY), "");
  }

  std::optional<ContentEntry> next() {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.names.size()) {
        levels_.pop_back();
        continue;
      }
      context_.throw_if_stopped();
      const std::string name = level.names[level.next++];
      const std::string path = with_prefix(level.path, name);
      auto entry = in_context([&] { return "reading " + path; }, [&] { return visit(name, path); });
      if (entry) return entry;
    }
    return std::nullopt;
  }

 private:
  struct Level {
    os::UniqueFd directory;
    std::string path;
    std::vector<std::string> names;
    std::size_t next = 0;
  };

  void push(os::UniqueFd directory, const std::string& path) {
    if (levels_.size() == max_source_depth)
      throw Error(Kind::invalid_input, "directories are nested too deeply");
    auto names = layer::names_in(directory);
    std::ranges::sort(names);
    levels_.push_back({std::move(directory), path, std::move(names)});
  }

  std::optional<ContentEntry> visit(const std::string& name, const std::string& path) {
    const auto stat = status_at(levels_.back().directory, name);
    const std::string in_context_directory = with_prefix(base_, path);
    const bool excluded = !excludes_.empty() && excludes_.excludes(in_context_directory);
    if (excluded && !(S_ISDIR(stat.st_mode) && excludes_.may_include_below(in_context_directory)))
      return std::nullopt;
    const std::string target = with_prefix(prefix_, path);
    auto item = items_.make({levels_.back().directory, name, target, stat});
    if (!item) return std::nullopt;
    if (S_ISDIR(stat.st_mode))
      push(os::open_at(levels_.back().directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
    if (excluded) return std::nullopt;
    return entry_of(std::move(*item), changes_, stat.st_mtim);
  }

  const Context& context_;
  std::string base_, prefix_;
  EntryChanges changes_;
  const ExcludePatterns& excludes_;
  layer::DiffOptions options_;
  layer::TarItems items_{options_};
  std::vector<Level> levels_;
};

// Where an open file is, below `root` and without links.
std::string path_below(const os::Root& root, const os::UniqueFd& file) {
  const auto path_of = [](int fd) {
    std::array<char, PATH_MAX> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const auto size = ::readlink(link.c_str(), target.data(), target.size());
    if (size < 0) throw Error::from_errno(errno, "read " + link);
    return std::string(target.data(), static_cast<std::size_t>(size));
  };
  const std::string top = path_of(root.fd().get());
  std::string path = path_of(file.get());
  path.erase(0, top == "/" ? 0 : top.size());
  return path.starts_with('/') ? path.substr(1) : path;
}

// One file, which links may have led to.
ContentEntry single_entry(const os::Root& root, const SourceItem& item, const std::string& name,
                          const EntryChanges& changes) {
  const std::string real = path_below(root, root.open(item.path, O_PATH));
  const auto slash = real.rfind('/');
  const auto parent =
      root.open(slash == std::string::npos ? "." : real.substr(0, slash), O_PATH | O_DIRECTORY);
  const std::string base = slash == std::string::npos ? real : real.substr(slash + 1);
  const layer::DiffOptions options;
  layer::TarItems items(options);
  const auto stat = status_at(parent, base);
  auto made = items.make({parent, base, name, stat});
  if (!made) throw Error(Kind::unsupported, item.path + " is a socket");
  return entry_of(std::move(*made), changes, stat.st_mtim);
}

std::unique_ptr<io::Reader> open_plain(const os::Root& root, const std::string& path) {
  auto [reader, compression] =
      io::detect(std::make_unique<os::FileReader>(root.open(path, O_RDONLY | O_NONBLOCK)));
  return compression == io::Compression::none ? std::move(reader)
                                              : io::decompress(std::move(reader), compression);
}

// The members of a tar, as they are there.
class ArchiveEntries {
 public:
  ArchiveEntries(const os::Root& root, const std::string& path, std::string prefix,
                 const EntryChanges& changes)
      : prefix_(std::move(prefix)),
        mtime_(changes.mtime),
        plain_(open_plain(root, path)),
        tar_(std::make_unique<archive::TarReader>(*plain_)) {}
  explicit ArchiveEntries(io::Reader& plain) : tar_(std::make_unique<archive::TarReader>(plain)) {}

  std::optional<ContentEntry> next() {
    const archive::TarEntry* entry = tar_->next();
    while (entry != nullptr && entry->header.type == archive::TarType::global_pax) entry = tar_->next();
    if (entry == nullptr) return std::nullopt;
    ContentEntry result;
    result.header = entry->header;
    result.header.name = with_prefix(prefix_, entry->header.name);
    if (mtime_) result.header.mtime = {*mtime_, 0};
    std::erase_if(result.header.pax,
                  [](const auto& record) { return record.first.starts_with("GNU.sparse."); });
    if (entry->header.type == archive::TarType::regular && entry->header.size > 0)
      result.content = std::make_unique<Member>(tar_);
    return result;
  }

 private:
  // Reads on where the tar is.
  class Member final : public io::Reader {
   public:
    explicit Member(std::shared_ptr<archive::TarReader> tar) : tar_(std::move(tar)) {}
    std::size_t read(io::Buffer buffer) override { return tar_->read(buffer); }

   private:
    std::shared_ptr<archive::TarReader> tar_;
  };

  std::string prefix_;
  std::optional<std::int64_t> mtime_;
  std::unique_ptr<io::Reader> plain_;
  std::shared_ptr<archive::TarReader> tar_;
};

}  // namespace

bool is_archive(const os::Root& root, const std::string& path) {
  try {
    const auto plain = open_plain(root, path);
    archive::TarReader tar(*plain);
    return tar.next() != nullptr;
  } catch (const Error& error) {
    if (error.kind() == Kind::invalid_input || error.kind() == Kind::integrity ||
        error.kind() == Kind::unsupported)
      return false;
    throw;
  }
}

ContentStream::Next entries_of_item(const Context& context, const os::Root& root, const SourceItem& item,
                                    const std::string& name, const std::string& prefix,
                                    const EntryChanges& changes, const ExcludePatterns& excludes) {
  if (S_ISDIR(item.stat.st_mode)) {
    auto entries = std::make_shared<DirectoryEntries>(context, root, item, prefix, changes, excludes);
    return [entries] { return entries->next(); };
  }
  if (item.is_archive) {
    auto entries = std::make_shared<ArchiveEntries>(root, item.path, prefix, changes);
    return [entries] { return entries->next(); };
  }
  auto entry = std::make_shared<std::optional<ContentEntry>>(
      single_entry(root, item, with_prefix(prefix, name), changes));
  return [entry] { return std::exchange(*entry, std::nullopt); };
}

ContentStream::Next entries_of_parents(const os::Root& root, const std::string& path, std::size_t skipped,
                                       const EntryChanges& changes) {
  auto entries = std::make_shared<std::vector<ContentEntry>>();
  for (std::size_t end = path.find('/', skipped); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string directory = path.substr(0, end);
    const auto fd = root.open(directory, O_PATH | O_DIRECTORY);
    const auto stat = os::stat_of(os::open_at(fd, ".", O_RDONLY | O_DIRECTORY));
    ContentEntry entry;
    entry.header.name = directory.substr(skipped) + "/";
    entry.header.type = archive::TarType::directory;
    entry.header.mode = stat.st_mode & 07777;
    entry.header.uid = stat.st_uid;
    entry.header.gid = stat.st_gid;
    entry.header.mtime = {rounded_seconds(stat.st_mtim), 0};
    change_entry(entry.header, changes);
    entries->push_back(std::move(entry));
  }
  auto position = std::make_shared<std::size_t>(0);
  return [entries, position]() -> std::optional<ContentEntry> {
    if (*position == entries->size()) return std::nullopt;
    return std::move((*entries)[(*position)++]);
  };
}

std::unique_ptr<io::Reader> joined_tars(const std::vector<io::Reader*>& tars) {
  auto parts = std::make_shared<std::vector<ArchiveEntries>>();
  for (io::Reader* tar : tars) parts->emplace_back(*tar);
  auto at = std::make_shared<std::size_t>(0);
  return std::make_unique<ContentStream>(
      [parts, at]() -> std::optional<ContentEntry> {
        for (; *at < parts->size(); ++*at)
          if (auto entry = (*parts)[*at].next()) return entry;
        return std::nullopt;
      },
      nullptr);
}

ContentEntry entry_of_download(const std::filesystem::path& file, const std::string& name,
                               std::int64_t modified, const EntryChanges& changes) {
  auto reader = std::make_unique<os::FileReader>(file);
  const auto stat = os::stat_of(reader->fd());
  ContentEntry entry;
  entry.header.name = name;
  entry.header.mode = download_mode;
  entry.header.size = static_cast<std::uint64_t>(stat.st_size);
  entry.header.mtime = {modified, 0};
  change_entry(entry.header, changes);
  if (entry.header.size > 0) entry.content = std::move(reader);
  return entry;
}

}  // namespace lade::build
