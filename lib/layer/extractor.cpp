#include "layer/extractor.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "layer/whiteout.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"

namespace lade::layer {

using archive::TarEntry;
using archive::TarType;

namespace {

// On one line, whatever is in it.
std::string quoted(const std::string& name) {
  return spec::dump_json(spec::Json(name));
}

void write_at(const os::UniqueFd& file, io::Bytes data, std::uint64_t offset) {
  while (!data.empty()) {
    const auto count = ::pwrite(file.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error::from_errno(errno, "write");
    data = data.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

mode_t file_type(TarType type) {
  return type == TarType::fifo ? S_IFIFO : type == TarType::char_device ? S_IFCHR : S_IFBLK;
}

}  // namespace

const std::vector<std::uint32_t>& IdSet::sorted() {
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  return ids_;
}

Extractor::Extractor(const Context& context, const os::UniqueFd& directory, const ApplyOptions& options,
                     bool exactly, ReplacedContents* kept)
    : context_(context),
      options_(options),
      directory_(directory),
      attributes_(context, directory, options, exactly),
      deferred_(directory),
      kept_(kept),
      tree_(directory, options.whiteouts == Whiteouts::remove,
            [this](const Tree::Directory& parent, const std::string& name, int error) {
              return make_missing(parent, name, error);
            }),
      links_(directory, false, nullptr) {}

void Extractor::run(ChunkReader& input) {
  input_ = &input;
  archive::TarReader tar(input);
  std::uint64_t entries = 0;
  while (const TarEntry* entry = tar.next()) {
    context_.throw_if_stopped();
    if (++entries > options_.max_entries) {
      throw Error(Kind::invalid_input, fmt::format("a layer has more than {} entries", options_.max_entries));
    }
    in_context([&] { return "unpacking " + quoted(entry->header.name); }, [&] { extract(*entry); });
  }
  finish_directories();
}

void Extractor::announce(const TarEntry& entry, bool through_link) {
  if (kept_ == nullptr) return;
  auto file = archive::split_file(entry, seen_);
  // Go would follow the link from the root of the host.
  if (file && !(through_link && file->size > 0)) input_->announce(std::move(*file));
}

void Extractor::extract(const TarEntry& entry) {
  const Header& header = entry.header;
  if (header.type == TarType::global_pax) return announce(entry, false);
  Target target{clean_layer_name(header.name), {}, nullptr};
  const bool hides = is_whiteout(base_of(target.path));
  if (!hides) {
    uids.add(header.uid);
    gids.add(header.gid);
  }
  const bool has_whiteouts = options_.whiteouts != Whiteouts::files && options_.whiteouts != Whiteouts::none;
  if (has_whiteouts && (hides || is_hidden(target.path))) {
    announce(entry, false);
    if (hides) whiteout(target.path, header);
    return;
  }
  if (header.type == TarType::other) throw Error(Kind::unsupported, "an entry of an unknown type");
  if (target.path.empty()) {
    if (header.type != TarType::directory) throw Error(Kind::invalid_input, "the root is not a directory");
    announce(entry, false);
    if (options_.whiteouts != Whiteouts::remove) return;
    target.name = ".";
    target.parent = tree_.find("", false);
    return add_directory(target, header);
  }
  target.name = base_of(target.path);
  target.parent = tree_.find(parent_of(target.path), true);
  if (target.parent == nullptr) throw Error::from_errno(ENOTDIR, "open a directory");
  extract_at(target, entry);
  mark_own(target);
}

void Extractor::extract_at(Target& target, const TarEntry& entry) {
  const Header& header = entry.header;
  if (header.type == TarType::regular) return add_file(target, entry);
  switch (header.type) {
    case TarType::directory: add_directory(target, header); break;
    case TarType::symlink: add_symlink(target, header); break;
    case TarType::hard_link: add_hard_link(target, header); break;
    case TarType::char_device:
    case TarType::block_device:
      if (!options_.rootless) add_node(target, header);
      break;
    case TarType::fifo: add_node(target, header); break;
    default: break;
  }
  // After what was in the way has been taken aside.
  announce(entry, false);
}

void Extractor::add_file(Target& target, const TarEntry& entry) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  if (entry.sparse && entry.header.size > options_.max_size) {
    throw Error(Kind::invalid_input, fmt::format("a sparse file is larger than {} bytes", options_.max_size));
  }
  const mode_t mode = Attributes::creation_mode(entry.header.mode);
  std::optional<os::UniqueFd> clone;
  if (options_.clones != nullptr && !entry.sparse)
    clone = options_.clones->take(entry.header.name, entry.header.size);
  if (clone && ::fchmod(clone->get(), mode) != 0) throw Error::from_errno(errno, "chmod");
  os::UniqueFd file;
  create(target, [&] {
    if (clone) return link_unnamed(*clone, target.parent->fd.get(), target.name);
    file.reset(::openat(target.parent->fd.get(), target.name.c_str(), flags, mode));
    return file.is_open();
  });
  announce(entry, target.parent->through_link);
  if (clone)
    file = std::move(*clone);  // its content is passed over
  else
    write_content(file, entry);
  attributes_.finish(file, target.path, entry.header);
}

void Extractor::write_content(const os::UniqueFd& file, const TarEntry& entry) {
  if (!entry.sparse) return write_bytes(file, entry.stored_size);
  for (const auto& extent : *entry.sparse) {
    for (std::uint64_t done = 0; done < extent.size;) {
      const auto bytes = input_->peek();
      if (bytes.empty()) throw Error(Kind::integrity, "unexpected end of tar archive");
      const auto part =
          bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), extent.size - done)));
      write_at(file, part, extent.offset + done);
      input_->take(part.size());
      done += part.size();
    }
  }
  if (::ftruncate(file.get(), static_cast<off_t>(entry.header.size)) != 0)
    throw Error::from_errno(errno, "set the size of a sparse file");
}

void Extractor::write_bytes(const os::UniqueFd& file, std::uint64_t size) {
  while (size > 0) {
    context_.throw_if_stopped();
    const auto bytes = input_->peek();
    if (bytes.empty()) throw Error(Kind::integrity, "unexpected end of tar archive");
    const auto part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), size)));
    os::write_all(file, part);
    input_->take(part.size());
    size -= part.size();
  }
}

void Extractor::add_directory(Target& target, const Header& header) {
  const int parent = target.parent->fd.get();
  const mode_t mode = Attributes::directory_creation_mode(header.mode);
  bool created = ::mkdirat(parent, target.name.c_str(), mode) == 0;
  if (!created) {
    if (errno != EEXIST) throw Error::from_errno(errno, "mkdir");
    struct ::stat found {};
    if (::fstatat(parent, target.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
      throw Error::from_errno(errno, "stat");
    if (!S_ISDIR(found.st_mode)) {
      const bool was_whiteout = make_room(target);
      if (::mkdirat(parent, target.name.c_str(), mode) != 0) throw Error::from_errno(errno, "mkdir");
      created = true;
      // What it replaces in the layers below stays hidden.
      if (was_whiteout) attributes_.set_opaque(os::open_at(target.parent->fd, target.name, O_PATH).get());
    }
  }
  DeferredDirectory later{target.path, times_of(header), false, header.mode};
  later.set_mode = !attributes_.begin_directory(target.place(), header, created);
  deferred_.add(later);
}

void Extractor::add_symlink(Target& target, const Header& header) {
  create(target,
         [&] { return ::symlinkat(header.link.c_str(), target.parent->fd.get(), target.name.c_str()) == 0; });
  attributes_.finish_link(target.place(), header);
}

void Extractor::add_hard_link(Target& target, const Header& header) {
  const std::string path = clean_layer_name(header.link);
  const std::string name(base_of(path));
  const Tree::Directory* from = links_.find(parent_of(path), false);
  if (from == nullptr || name.empty())
    throw Error(Kind::invalid_input, "no file to link to: " + quoted(header.link));
  struct ::stat linked {};
  if (::fstatat(from->fd.get(), name.c_str(), &linked, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(linked.st_mode))
    throw Error(Kind::invalid_input, "no file to link to: " + quoted(header.link));
  const auto link = [&] {
    return ::linkat(from->fd.get(), name.c_str(), target.parent->fd.get(), target.name.c_str(), 0) == 0;
  };
  if (link()) return;
  struct ::stat there {};
  // To itself, or a second time: removing it would remove what is linked to.
  if (errno == EEXIST &&
      ::fstatat(target.parent->fd.get(), target.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      there.st_ino == linked.st_ino && there.st_dev == linked.st_dev) {
    return;
  }
  // The new name may be a directory that the old one is in.
  create(target, [&] {
    from = links_.find(parent_of(path), false);
    if (from == nullptr) throw Error(Kind::invalid_input, "no file to link to: " + quoted(header.link));
    return link();
  });
}

void Extractor::add_node(Target& target, const Header& header) {
  const mode_t mode = file_type(header.type) | Attributes::creation_mode(header.mode);
  const dev_t device = header.type == TarType::fifo ? 0 : makedev(header.device_major, header.device_minor);
  create(target, [&] { return ::mknodat(target.parent->fd.get(), target.name.c_str(), mode, device) == 0; });
  attributes_.finish_node(target.place(), header);
}

// Directories that were replaced since are no longer there, or not those.
void Extractor::finish_directories() {
  // Without privileges, nothing below a closed directory can be reached: those are closed last, inner ones
  // first.
  const bool privileged = ::geteuid() == 0;
  std::map<std::string, std::uint32_t, std::greater<>> closed;
  const auto set_mode = [this](const std::string& path, std::uint32_t mode) {
    const Tree::Directory* directory = tree_.find(path, false);
    if (directory != nullptr && ::fchmodat(directory->fd.get(), ".", mode, 0) != 0)
      throw Error::from_errno(errno, "chmod " + quoted(path));
  };
  deferred_.for_each([&](const DeferredDirectory& later) {
    context_.throw_if_stopped();
    const Tree::Directory* directory = tree_.find(later.path, false);
    if (directory == nullptr) return;
    if (::utimensat(directory->fd.get(), ".", later.times.data(), 0) != 0)
      throw Error::from_errno(errno, "set times of " + quoted(later.path));
    if (!later.set_mode) return;
    if (privileged) return set_mode(later.path, later.mode);
    closed[later.path] = later.mode;
  });
  for (const auto& [path, mode] : closed) set_mode(path, mode);
}

}  // namespace lade::layer
