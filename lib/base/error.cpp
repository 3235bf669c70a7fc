#include "base/error.hpp"

#include <cerrno>
#include <system_error>

namespace lade {

namespace {

Kind kind_of_errno(int code) {
  switch (code) {
    case ENOENT: return Kind::not_found;
    case EEXIST: return Kind::already_exists;
    case EACCES:
    case EPERM: return Kind::denied;
    default: return Kind::system;
  }
}

}  // namespace

Error::Error(Kind kind, std::string message) : kind_(kind), message_(std::move(message)), what_(message_) {}

// As Go writes it, which scripts match: "no such file or directory".
Error Error::from_errno(int code, std::string_view what) {
  std::string reason = std::generic_category().message(code);
  if (!reason.empty() && reason.front() >= 'A' && reason.front() <= 'Z') reason.front() += 'a' - 'A';
  return {kind_of_errno(code), std::string(what) + ": " + reason};
}

void Error::add_context(std::string context) {
  what_ = context + ": " + what_;
  context_.push_back(std::move(context));
}

}  // namespace lade
