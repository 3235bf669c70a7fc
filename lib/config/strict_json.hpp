// Objects of JSON of which every member must be known: what is not asked for is an error.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "spec/json.hpp"

namespace lade::config {

// Errors are Kind::invalid_input "<where>: <reason>", where is the path of the object ("transports.docker").
class StrictObject {
 public:
  static StrictObject parse(std::string_view text);

  bool has(std::string_view key) const;  // null counts
  std::vector<std::string> keys() const;

  // Absent: "", {}. Another type, null too, is an error.
  std::string text(std::string_view key);
  std::string required_text(std::string_view key);  // absent or "" is an error
  // Present: MUST have elements.
  std::vector<std::string> texts(std::string_view key);
  StrictObject object(std::string_view key);
  std::vector<StrictObject> objects(std::string_view key);
  // `text`, the value of `key`, decoded from base64. "" only for an absent key.
  std::string data(std::string_view key, const std::string& text) const;

  [[noreturn]] void fail(std::string reason) const;
  // Members that were not asked for are an error.
  void finish() const;

  // Runs fn; its errors gain the place of this object.
  template <class Fn>
  decltype(auto) inside(Fn&& fn) const {
    return in_context([&] { return where_; }, std::forward<Fn>(fn));
  }

 private:
  StrictObject(std::shared_ptr<const spec::Json> document, const spec::Json& object, std::string where);
  const spec::Json* take(std::string_view key);
  std::string child(std::string_view key) const;
  std::string text_of(const spec::Json& value, std::string_view key) const;

  std::shared_ptr<const spec::Json> document_;  // holds object_
  const spec::Json* object_;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace lade::config
