// Any bytes as footer, annotations, TOC and content of a zstd:chunked layer: an error or a result, in bounded
// time and memory; and a tar that was made into one comes back byte for byte.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "io/codec/codec.hpp"
#include "layer/chunked_compressor.hpp"
#include "layer/chunked_reader.hpp"
#include "tar_checksums.hpp"

namespace {

using namespace lade;

constexpr std::uint64_t limit = 64 << 20;

class Nothing final : public layer::LocalContents {
 public:
  std::optional<layer::LocalContent> find(const spec::Digest&, std::uint64_t) const override { return {}; }
};

template <class Fn>
void attempt(const Fn& fn) {
  try {
    fn();
  } catch (const Error&) {
  }
}

// Footer, then a line with positions.
void read_positions(std::string_view bytes) {
  attempt([&] {
    const auto position = layer::parse_toc_footer(io::as_bytes(bytes.substr(0, layer::toc_footer_size)));
    layer::check_toc_position(position, bytes.size());
    if (layer::parse_toc_footer(io::as_bytes(layer::format_toc_footer(position))) != position) std::abort();
  });
  attempt([&] {
    const spec::Annotations annotations{
        {std::string(layer::chunked_annotation::toc_position), std::string(bytes)},
        {std::string(layer::chunked_annotation::tar_split_position), "9:9:9"}};
    const auto position = layer::find_toc_position(annotations);
    if (position) layer::check_toc_position(*position, 1 << 20);
  });
}

struct Plan {
  layer::PullPlan plan;
  std::uint64_t content = 0;
};

Plan plan_of(std::string_view toc, std::uint64_t blob_size) {
  const Nothing nothing;
  layer::PullPlanner planner(nothing);
  layer::parse_toc(toc, blob_size, [&](layer::TocFile&& file) { planner.add(std::move(file)); });
  Plan result{planner.finish({.gap = 4, .ranges = 8})};
  std::uint64_t end = 0;
  for (const auto& range : result.plan.ranges) {
    if (range.offset < end || range.size == 0 || range.end() > blob_size) std::abort();
    end = range.end();
  }
  result.content = result.plan.content_size;
  return result;
}

// A line of JSON, and the blob that it speaks of.
void pull(std::string_view bytes) {
  const auto line = std::min(bytes.find('\n'), bytes.size());
  const auto blob = bytes.substr(std::min(line + 1, bytes.size()));
  auto plan = plan_of(bytes.substr(0, line), blob.size());
  if (plan.content > limit) return;
  std::string parts;
  for (const auto& range : plan.plan.ranges) parts += blob.substr(range.offset, range.size);
  std::string lines;
  for (const auto& [name, file] : plan.plan.files)
    lines += R"({"type":1,"name":")" + name + R"(","size":)" + std::to_string(file.size) + "}\n";
  const auto packed = io::compress(io::make_text_reader(lines), {io::Compression::zstd, 1, 1});
  layer::ChunkedReader reader({io::read_all(*packed, limit, "tar-split"), limit}, std::move(plan.plan),
                              io::make_text_reader(parts), nullptr);
  io::read_all(reader, limit, "tar");
}

struct Blob {
  std::string bytes;
  spec::Annotations annotations;
};

std::optional<Blob> chunked(const std::string& tar) {
  try {
    layer::ChunkedCompressor compressor(io::make_text_reader(tar), 1);
    std::string bytes = io::read_all(compressor, limit, "blob");
    return Blob{std::move(bytes), compressor.annotations()};
  } catch (const Error&) {  // no tar
    return std::nullopt;
  }
}

// What was written can be read: an error is as bad as another tar.
void there_and_back(const std::string& tar) {
  const auto made = chunked(tar);
  if (!made) return;
  const auto& [blob, annotations] = *made;
  const auto plain = io::decompress(io::make_text_reader(blob), io::Compression::zstd);
  if (io::read_all(*plain, limit, "tar") != tar) std::abort();
  if (annotations.empty()) return;
  const auto position = layer::find_toc_position(annotations).value();
  const auto text = [&bytes = made->bytes](const layer::TocPart& part) {
    return bytes.substr(part.offset, part.size);
  };
  auto plan = plan_of(layer::unpack_toc(text(position.toc), layer::find_toc_digest(annotations).value(),
                                        position.toc.plain_size),
                      position.toc.offset);
  std::string parts;
  for (const auto& range : plan.plan.ranges) parts += blob.substr(range.offset, range.size);
  layer::ChunkedReader reader({text(*position.tar_split), position.tar_split->plain_size},
                              std::move(plan.plan), io::make_text_reader(parts), nullptr);
  if (io::read_all(reader, limit, "tar") != tar) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_positions(bytes);
  attempt([&] { pull(bytes); });
  there_and_back(std::string(bytes));
  there_and_back(fuzz::with_checksums(bytes));
  return 0;
}
