// The configuration and the manifest of an image that is being committed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hpp"
#include "spec/digest.hpp"
#include "spec/manifest.hpp"

namespace lade::build {

struct ImageOptions {
  bool docker_format = false;
  bool squash = false;  // one layer, without the base's history
  bool omit_history = false;
  // Seconds since 1970: the time of the image and of its history. `timestamp` is of the files too.
  std::optional<std::int64_t> timestamp, source_date_epoch;
  bool created_annotation = true;
  std::vector<std::string> annotations;        // "name=value"
  std::vector<std::string> unset_annotations;  // names
  std::vector<std::string> unset_env;          // names
  spec::Json config = nullptr;  // Docker's configuration: what it has goes before the container's

  // When the image was made as far as it says; nullopt: now.
  std::optional<std::int64_t> fixed_time() const { return timestamp ? timestamp : source_date_epoch; }
};

class ImageDraft {
 public:
  // A copy: the container's own settings stay. `now` is RFC 3339.
  ImageDraft(Builder builder, const ImageOptions& options, const std::string& now);

  struct Layer {
    spec::Digest diff_id, digest;
    std::uint64_t size = 0;
    bool gzip = false;
  };
  // Root first.
  void add_layer(const Layer& layer);

  // An entry of the history that has a layer, besides the container's own; `created` "" for the image's time.
  struct Event {
    std::string created, created_by, comment;
  };
  // `before`, `after`: of layers that come before and after the container's own. The base's history is
  // followed by all of these. Kind::invalid_input if the base has a history that does not fit its layers.
  void add_history(const std::vector<Event>& before, const std::vector<Event>& after);

  struct Documents {
    std::string config;
    spec::Digest config_digest;
    spec::RawManifest manifest;
    std::string created;
  };
  Documents finish() const;

 private:
  void apply_config(const spec::Json& config);
  void append_history(spec::Json entry, bool empty);
  std::string base_comment() const;
  spec::Json manifest_annotations() const;

  Builder builder_;
  ImageOptions options_;
  std::string created_;
  spec::Json image_;  // in the chosen form, not yet in order
  std::vector<Layer> layers_;
};

}  // namespace lade::build
