// Lists of strings that several files give.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "config/toml_table.hpp"

namespace lade::config {

// Later files replace what earlier ones said, or append to it once one of them said so.
class MergedList {
 public:
  MergedList() = default;
  explicit MergedList(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  void merge(std::optional<TomlTable::TextList> list) {
    if (!list) return;
    if (list->append) append_ = *list->append;
    if (!append_) texts_.clear();
    std::ranges::move(list->texts, std::back_inserter(texts_));
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  bool append_ = false;
};

}  // namespace lade::config
