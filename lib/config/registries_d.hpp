// registries.d as a value: where signatures of images in registries are kept (containers-registries.d(5)).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.hpp"

namespace lade::config {

// A value, and what said so: for `lade config show`.
struct RegistriesDSetting {
  std::string value;  // a URL, or "true", "false"
  std::string file;   // "" for the built-in default
  int line = 0;
  std::string key;  // `docker."quay.io/ns".lookaside`; "" for the built-in default
};

// Immutable; copy freely.
class RegistriesD {
 public:
  // No file: only the built-in default.
  RegistriesD() = default;

  // *.yaml of `directory` (--registries.d), or if that is "" of the first of
  // ~/.config/containers/registries.d and /etc/containers/registries.d that is there. Unknown keys, wrong
  // types and keys given twice, a namespace in two files too, are Kind::invalid_input with file, line and
  // key. A directory that is not there holds no files.
  static RegistriesD load(const Environment& environment, const std::string& directory);

  // Adds what one document says. `file` names it in errors.
  void add(const std::string& text, const std::string& file);

  // `scopes` are the image's name and then its namespaces, most specific first, as policy.json has them. Each
  // setting is that of the most specific namespace that has it. URLs are as written.
  RegistriesDSetting lookaside(const std::vector<std::string>& scopes) const;
  RegistriesDSetting lookaside_for_writing(const std::vector<std::string>& scopes) const;
  RegistriesDSetting use_sigstore_attachments(const std::vector<std::string>& scopes) const;

 private:
  struct Namespace {
    std::map<std::string, RegistriesDSetting, std::less<>> settings;
    std::string file;
  };
  const RegistriesDSetting* find(const std::vector<std::string>& scopes,
                                 const std::vector<std::string_view>& keys) const;
  RegistriesDSetting find_lookaside(const std::vector<std::string>& scopes,
                                    const std::vector<std::string_view>& keys) const;

  std::map<std::string, Namespace, std::less<>> namespaces_;
  std::optional<Namespace> default_;
  std::string default_lookaside_ = "file:///var/lib/containers/sigstore";
};

}  // namespace lade::config
