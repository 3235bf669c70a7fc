// Whether the bytes of a layer, as they pass, are the expected ones, compressed or not.
#pragma once

#include <optional>
#include <thread>

#include "base/error.hpp"
#include "io/digester.hpp"
#include "io/pipe.hpp"
#include "spec/image_config.hpp"

namespace lade::copy {

class PlainLayerCheck {
 public:
  // `digest`: of the bytes as they pass, or of the uncompressed ones. Both nullopt: nothing would be checked,
  // which is Kind::integrity.
  PlainLayerCheck(std::optional<spec::Digest> digest, std::optional<spec::DiffId> diff_id);
  ~PlainLayerCheck();
  PlainLayerCheck(const PlainLayerCheck&) = delete;
  PlainLayerCheck& operator=(const PlainLayerCheck&) = delete;

  void update(io::Bytes data);
  // Call once, after the last byte. Kind::integrity unless they are: the DiffID decides where it is known,
  // for layers that were compressed again after their digest was taken.
  void finish();

 private:
  void decompress();

  std::optional<spec::Digest> digest_;
  std::optional<spec::DiffId> diff_id_;
  io::Digester digester_;
  io::Pipe pipe_;
  // Of the uncompressed bytes, by the thread; read after it has ended.
  std::optional<spec::Digest> uncompressed_;
  std::optional<Error> failure_;
  std::jthread thread_;
};

}  // namespace lade::copy
