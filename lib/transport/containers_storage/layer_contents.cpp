#include "transport/containers_storage/layer_contents.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "os/file.hpp"

namespace lade::transport::containers_storage {

namespace {

std::array<std::uint8_t, 32> digest_bytes(const spec::Digest& digest) {
  const auto nibble = [](char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::array<std::uint8_t, 32> bytes{};
  const std::string& hex = digest.hex();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
  return bytes;
}

}  // namespace

LayerContents::LayerContents(const Context& context, const store::Store& store, std::size_t max_entries)
    : max_entries_(max_entries) {
  for (const auto& layer : store.layers(context)) {
    if (!layer.toc_digest || !layer.diff_digest) continue;
    context.throw_if_stopped();
    try {
      if (const auto toc = store.layer_toc(context, layer.id)) add_layer(store, layer.id, *toc);
    } catch (const Error& error) {
      context.log.debug(
          fmt::format("layer {}: its files are not looked through: {}", layer.id, error.what()));
    }
  }
  if (entries_.size() >= max_entries_)
    context.log.debug(
        fmt::format("only the first {} files of the store's layers are looked through", max_entries_));
  std::ranges::stable_sort(entries_, {}, &Entry::digest);
  const auto again = std::unique(entries_.begin(), entries_.end(),
                                 [](const Entry& a, const Entry& b) { return a.digest == b.digest; });
  entries_.erase(again, entries_.end());
  entries_.shrink_to_fit();
}

void LayerContents::add_layer(const store::Store& store, const std::string& layer, const std::string& toc) {
  trees_.push_back(std::make_unique<const os::Root>(store.layer_files(layer)));
  const auto tree = static_cast<std::uint32_t>(trees_.size() - 1);
  layer::parse_toc(toc, std::numeric_limits<std::int64_t>::max(), [&](layer::TocFile&& file) {
    if (entries_.size() >= max_entries_ || file.name.find('\0') != std::string::npos) return;
    const std::uint64_t name = names_.size();
    const auto name_size = static_cast<std::uint32_t>(file.name.size());
    names_ += file.name;
    add(file.digest, tree, name, name_size, 0, file.size);
    if (file.chunks.size() == 1) return;
    std::uint64_t offset = 0;
    for (const auto& chunk : file.chunks) {
      if (!chunk.is_hole) add(chunk.digest, tree, name, name_size, offset, chunk.size);
      offset += chunk.size;
    }
  });
}

void LayerContents::add(const spec::Digest& digest, std::uint32_t tree, std::uint64_t name,
                        std::uint32_t name_size, std::uint64_t offset, std::uint64_t size) {
  entries_.push_back({digest_bytes(digest), tree, name_size, name, offset, size});
}

os::UniqueFd LayerContents::open_file(std::size_t tree, const std::string& path) const {
  // A fifo must not block.
  return trees_.at(tree)->open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

std::optional<layer::LocalContent> LayerContents::find(const spec::Digest& digest, std::uint64_t size) const {
  if (digest.algorithm() != spec::Digest::Algorithm::sha256) return std::nullopt;
  const auto found = std::ranges::lower_bound(entries_, digest_bytes(digest), {}, &Entry::digest);
  if (found == entries_.end() || found->digest != digest_bytes(digest) || found->size != size)
    return std::nullopt;
  layer::LocalContent content{found->tree, names_.substr(found->name, found->name_size), found->offset};
  try {
    const auto status = os::stat_of(open_file(content.tree, content.path));
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) < found->offset + size)
      return std::nullopt;
  } catch (const Error&) {  // another layer, or the registry, has it
    return std::nullopt;
  }
  return content;
}

std::unique_ptr<io::Reader> LayerContents::open(const layer::LocalContent& content) const {
  os::UniqueFd fd = open_file(content.tree, content.path);
  const auto status = os::stat_of(fd);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || size < content.offset)
    throw Error(Kind::integrity, "the file " + content.path + " of a layer has changed");
  return std::make_unique<os::RangeReader>(std::make_shared<const os::UniqueFd>(std::move(fd)),
                                           content.offset, size - content.offset);
}

}  // namespace lade::transport::containers_storage
