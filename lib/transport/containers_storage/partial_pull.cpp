#include "transport/containers_storage/partial_pull.hpp"

#include <fmt/format.h>

#include "io/digester.hpp"
#include "io/readers.hpp"
#include "layer/chunked_reader.hpp"
#include "layer/chunked_toc.hpp"

namespace lade::transport::containers_storage {

namespace {

// Between TOC and tar-split; a second request costs more.
constexpr std::uint64_t near_enough = 64 * 1024;

Error no_parts() {
  return Error(Kind::unsupported, "the source does not give parts of blobs");
}

std::unique_ptr<io::Reader> open_parts(const Context& context, const spec::Descriptor& layer,
                                       BlobPartSource& source, const std::vector<io::ByteRange>& parts) {
  if (parts.empty()) return io::make_text_reader("");
  auto reader = source.blob_parts(context, layer, parts);
  if (!reader) throw no_parts();
  return reader;
}

std::string read_exactly(io::Reader& reader, std::uint64_t size) {
  std::string text(static_cast<std::size_t>(size), '\0');
  if (io::read_full(reader, std::as_writable_bytes(std::span(text))) < text.size())
    throw Error(Kind::integrity, "a part of the blob is shorter than asked for");
  return text;
}

layer::TocPosition position_of(const Context& context, const spec::Descriptor& layer,
                               BlobPartSource& source) {
  if (auto position = layer::find_toc_position(layer.annotations)) return *position;
  if (layer.size < layer::toc_footer_size) throw Error(Kind::invalid_input, "there is no room for a TOC");
  const auto reader =
      open_parts(context, layer, source, {{layer.size - layer::toc_footer_size, layer::toc_footer_size}});
  return layer::parse_toc_footer(io::as_bytes(read_exactly(*reader, layer::toc_footer_size)));
}

void verify(const spec::Digest& expected, const std::string& bytes) {
  if (const auto found = io::digest_of(bytes); found != expected)
    throw Error(Kind::integrity,
                fmt::format("Digest did not match, expected {}, got {}", expected.str(), found.str()));
}

}  // namespace

// What stands behind the files in a blob.
struct PartialPull::Tables {
  std::string toc;  // JSON, checked
  layer::PackedTarSplit tar_split;
  std::uint64_t files_end = 0;

  static Tables fetch(const Context& context, const spec::Descriptor& layer, const spec::Digest& digest,
                      BlobPartSource& source) {
    const auto position = position_of(context, layer, source);
    layer::check_toc_position(position, layer.size);
    const auto& toc = position.toc;
    if (!position.tar_split) throw Error(Kind::unsupported, "it has no tar-split");
    const auto& split = *position.tar_split;
    const std::uint64_t between = split.offset - toc.end();
    std::vector<io::ByteRange> parts{{toc.offset, toc.size}, {split.offset, split.size}};
    const bool is_near = between <= near_enough;
    if (is_near) parts = {{toc.offset, split.end() - toc.offset}};
    const auto reader = open_parts(context, layer, source, parts);
    Tables tables;
    tables.toc = layer::unpack_toc(read_exactly(*reader, toc.size), digest, toc.plain_size);
    if (is_near) read_exactly(*reader, between);
    tables.tar_split = {read_exactly(*reader, split.size), split.plain_size};
    tables.files_end = toc.offset - layer::skippable_head_size;
    return tables;
  }
};

std::optional<store::ImageLayer> PartialPull::pull(const Context& context, const spec::Descriptor& layer,
                                                   BlobPartSource& source) {
  if (!layer.annotations.contains(std::string(layer::chunked_annotation::toc_digest))) return std::nullopt;
  try {
    if (!store_->options().pull.enable_partial_images)
      throw Error(Kind::unsupported, "enable_partial_images is not set in storage.conf");
    if (store_->layout().driver != "overlay")
      throw Error(Kind::unsupported, "the driver \"" + store_->layout().driver + "\" has no partial pulls");
    if (layer.size == 0) throw Error(Kind::unsupported, "the size of the blob is not known");
    const auto toc = layer::find_toc_digest(layer.annotations);
    if (auto found = find_layer(context, toc.value())) return found;
    return fetch(context, layer, *toc, source);
  } catch (const Error& error) {
    context.log.debug(fmt::format("blob {} is pulled whole: {}", layer.digest.str(), error.what()));
    return std::nullopt;
  }
}

std::optional<store::ImageLayer> PartialPull::find_layer(const Context& context,
                                                         const spec::Digest& toc) const {
  for (const auto& layer : store_->layers_with_toc(context, toc))
    if (layer.diff_digest && store_->has_tar_split(layer.id))
      return store::ImageLayer{*layer.diff_digest, nullptr, std::nullopt};
  return std::nullopt;
}

std::shared_ptr<const LayerContents> PartialPull::contents(const Context& context) {
  auto contents = contents_.lock();
  if (!*contents) *contents = std::make_shared<const LayerContents>(context, *store_);
  return *contents;
}

store::ImageLayer PartialPull::fetch(const Context& context, const spec::Descriptor& layer,
                                     const spec::Digest& toc, BlobPartSource& source) {
  Tables tables = Tables::fetch(context, layer, toc, source);
  const auto local = contents(context);
  layer::PullPlanner planner(*local);
  const auto tar_split = layer::parse_toc(tables.toc, tables.files_end,
                                          [&](layer::TocFile&& file) { planner.add(std::move(file)); });
  if (!tar_split) throw Error(Kind::unsupported, "its TOC does not name a tar-split");
  verify(*tar_split, tables.tar_split.bytes);
  layer::PullPlan plan = planner.finish();
  context.log.debug(
      fmt::format("blob {}: {} of {} bytes are fetched, in {} ranges; {} of {} bytes of content are here",
                  layer.digest.str(), plan.fetched_size(), layer.size, plan.ranges.size(), plan.local_size,
                  plan.content_size));
  auto parts = open_parts(context, layer, source, plan.ranges);
  layer::ChunkedReader tar(std::move(tables.tar_split), std::move(plan), std::move(parts),
                           [&](const layer::LocalContent& content) { return local->open(content); });
  auto pending = store_->unpack(context, tar);
  store::ImageLayer result{pending->diff_id, pending, std::nullopt};
  result.toc = {toc, std::move(tables.toc)};
  return result;
}

}  // namespace lade::transport::containers_storage
