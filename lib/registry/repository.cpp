#include "registry/repository.hpp"

#include <fmt/format.h>

#include "registry/text.hpp"

namespace lade::registry {

namespace {

// "*" for removal: distribution wants "delete", quay.io "push", and both take "*" for everything.
std::string scope_of(const Repository& repository) {
  const std::string_view actions = repository.access == Access::pull   ? "pull"
                                   : repository.access == Access::push ? "pull,push"
                                                                       : "*";
  return fmt::format("repository:{}:{}", repository.path, actions);
}

}  // namespace

Call Repository::call(std::string_view method, std::string_view kind, std::string_view tail) const {
  return {.method = std::string(method),
          .target = fmt::format("/v2/{}/{}/{}", path, kind, tail),
          .scopes = {scope_of(*this)}};
}

Call Repository::call(std::string_view method, const Url& url) const {
  return {.method = std::string(method), .url = url, .scopes = {scope_of(*this)}};
}

bool is_success(int status) {
  return status >= 200 && status < 300;
}

void check_reference(std::string_view reference) {
  if (!spec::is_valid_tag(reference) && !spec::Digest::try_parse(reference)) {
    throw Error(Kind::invalid_input, quote(reference) + " is neither a tag nor a digest");
  }
}

}  // namespace lade::registry
