// Errors of the library: what a caller may do about it, one message, and a chain of contexts.
#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade {

// Says what a caller may do, not where it failed.
enum class Kind {
  not_found,        // a file, blob, tag or repository is not there
  image_not_found,  // the image itself is not there: the program exits with 2
  already_exists,
  invalid_input,  // the caller's words or a malformed document: repeating cannot help
  unsupported,
  denied,       // credentials or policy
  integrity,    // bytes that do not match their digest or length
  unavailable,  // may work when tried again
  system,       // errno and all the rest
};

// A message and the contexts it passed through. what() is the whole chain, outermost context first,
// joined by ": ", as one line for a person.
class Error : public std::exception {
 public:
  Error(Kind kind, std::string message);

  // "what: strerror(code)", in lower case. ENOENT, EEXIST and EACCES map to their kinds, all others to
  // Kind::system.
  static Error from_errno(int code, std::string_view what);

  Kind kind() const noexcept { return kind_; }
  const std::string& message() const noexcept { return message_; }
  // Innermost first.
  const std::vector<std::string>& context() const noexcept { return context_; }
  void add_context(std::string context);
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  Kind kind_;
  std::string message_;
  std::vector<std::string> context_;
  std::string what_;
};

// The user or a sibling's failure asked to stop. Not an Error, so that no handler of errors swallows it.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

// Runs fn; an Error that leaves it gains `context()` as its outermost context (evaluated only then).
// Thrown subclasses of Error keep their type.
template <std::invocable Context, std::invocable Fn>
decltype(auto) in_context(Context&& context, Fn&& fn) {
  try {
    return std::forward<Fn>(fn)();
  } catch (Error& error) {
    error.add_context(context());
    throw;
  }
}

template <std::invocable Fn>
decltype(auto) in_context(std::string_view context, Fn&& fn) {
  return in_context([&] { return std::string(context); }, std::forward<Fn>(fn));
}

}  // namespace lade
