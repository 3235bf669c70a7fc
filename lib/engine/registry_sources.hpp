// BUILD_REGISTRY_SOURCES: which registries builds may use, from OpenShift's image configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::engine {

class RegistrySources {
 public:
  // JSON with blockedRegistries, allowedRegistries and insecureRegistries, each a list of domains; "": all may
  // be used. Kind::invalid_input `parsing $BUILD_REGISTRY_SOURCES ("X") as JSON: ...`.
  static RegistrySources parse(const std::string& text);

  // Kind::denied `<subject> "<domain>" denied by policy: ...`.
  void require_allowed(std::string_view subject, const std::string& domain) const;
  bool is_insecure(const std::string& domain) const;

 private:
  std::vector<std::string> blocked_, allowed_, insecure_;
};

}  // namespace lade::engine
