// Tables of contents of layers, where containers/storage keeps and looks for them.
#include "os/file.hpp"
#include "spec/json.hpp"
#include "store/ids.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

constexpr const char* toc_key = "zstd-chunked-manifest";
constexpr const char* toc_format_key = "zstd-chunked-layer-data";
constexpr std::uint64_t max_layer_toc = 50 * 1024 * 1024;
constexpr std::uint64_t max_layer_data = 64 * 1024;

}  // namespace

// Format 0: files have their own names, as opposed to those of composefs.
std::vector<BigDataItem> toc_items(const ImageLayer::Toc& toc) {
  return {{toc_key, toc.json, std::nullopt}, {toc_format_key, R"({"format":0})", std::nullopt}};
}

std::optional<std::string> Store::layer_toc(const Context& context, const std::string& layer) const {
  const auto found = impl_->find_layer(context, layer);
  // Files of a copy for another user namespace may be in the layers below it.
  if (!found || !found->record.ids.uids.empty() || !found->record.ids.gids.empty()) return std::nullopt;
  const Path directory = found->store->layout().layers() / found->record.id;
  auto json = os::find_file(directory / big_data_file_name(toc_key), max_layer_toc);
  if (!json) return std::nullopt;
  if (const auto data = os::find_file(directory / big_data_file_name(toc_format_key), max_layer_data)) {
    const auto object = spec::try_parse_json(*data);
    if (!object || !object->is_object()) return std::nullopt;
    if (spec::size_member(*object, "format", toc_format_key).value_or(0) != 0) return std::nullopt;
  }
  return json;
}

Path Store::layer_files(const std::string& layer) const {
  return impl_->driver->own_directory(layer);
}

}  // namespace lade::store
