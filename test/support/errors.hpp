// What a call throws.
#pragma once

#include <stdexcept>
#include <string>

#include "base/error.hpp"

namespace lade::test {

// std::logic_error if nothing, or something that is not an Error, is thrown.
template <class Fn>
Error error_of(Fn&& fn) {
  try {
    fn();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

template <class Fn>
Kind kind_of(Fn&& fn) {
  return error_of(fn).kind();
}

template <class Fn>
std::string message_of(Fn&& fn) {
  return error_of(fn).what();
}

}  // namespace lade::test
