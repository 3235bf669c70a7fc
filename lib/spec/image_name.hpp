// "transport:reference" as typed. The transport is looked up later (transport/transports.hpp).
#pragma once

#include <string>
#include <string_view>

namespace lade::spec {

struct ImageName {
  std::string transport;
  std::string rest;

  // Cut at the first ':'. Kind::invalid_input
  // `Invalid image name "x", expected colon-separated transport:reference`.
  static ImageName parse(std::string_view text);
  std::string str() const { return transport + ":" + rest; }
};

}  // namespace lade::spec
