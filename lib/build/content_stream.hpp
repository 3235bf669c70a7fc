// What `copy` and `add` bring into a container, as one tar, with the digest that buildah gives each part.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/tar_header.hpp"
#include "io/digester.hpp"
#include "io/stream.hpp"

namespace lade::build {

struct ContentEntry {
  archive::TarHeader header;
  std::unique_ptr<io::Reader> content;  // of regular files; header.size bytes. Null for an empty one.
};

// The digests of the parts: of their tar without times, so that the same files are the same again.
class ContentDigests {
 public:
  // What is added from now on belongs to another part: "file" or "dir".
  void begin(const std::string& kind);
  void add(const archive::TarHeader& header);
  void content(io::Bytes data);

  struct Summary {
    std::string kind;  // "file", "dir", "multi"; "" for nothing
    std::string hex;
    std::string str() const { return kind.empty() ? hex : kind + ":" + hex; }
  };
  Summary finish();

 private:
  void end_part();

  struct Part {
    std::string kind, hex;
  };
  std::vector<Part> parts_;
  std::optional<io::Digester> open_;
  std::string kind_;
  std::uint64_t padding_ = 0;
};

class ContentStream final : public io::Reader {
 public:
  // nullopt at the end.
  using Next = std::function<std::optional<ContentEntry>()>;
  // `digests` (not owned) may be null.
  ContentStream(Next next, ContentDigests* digests) : next_(std::move(next)), digests_(digests) {}
  std::size_t read(io::Buffer buffer) override;

 private:
  bool advance();

  Next next_;
  ContentDigests* digests_;
  ContentEntry entry_;
  std::string pending_;
  std::size_t position_ = 0;
  std::uint64_t left_ = 0;
  bool ended_ = false;
};

}  // namespace lade::build
