#include "build/run_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace lade::build {

namespace {

void each_line(const std::string& text, const std::function<void(const std::string&)>& fn) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    fn(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

// "nameserver 1.1.1.1" -> "1.1.1.1"; "" for another keyword.
std::string value_of_keyword(const std::string& line, std::string_view keyword) {
  if (!line.starts_with(keyword) || line.size() <= keyword.size()) return "";
  if (line[keyword.size()] != ' ' && line[keyword.size()] != '\t') return "";
  const auto begin = line.find_first_not_of(" \t", keyword.size());
  return begin == std::string::npos ? "" : line.substr(begin);
}

bool is_loopback(const std::string& server) {
  return server.starts_with("127.") || server == "::1";
}

}  // namespace

std::string hosts_text(const HostsRequest& request) {
  std::string result;
  for (const auto& entry : request.added) {
    const auto colon = entry.find(':');
    result.append(fmt::format("{}\t{}\n", entry.substr(colon + 1), entry.substr(0, colon)));
  }
  bool has_localhost = false;
  each_line(request.base, [&](const std::string& line) {
    has_localhost |= line.starts_with("127.0.0.1");
    result.append(line).append("\n");
  });
  if (!has_localhost) result.append("127.0.0.1\tlocalhost\n::1\tlocalhost\n");
  if (!request.address.empty())
    result.append(fmt::format("{}\t{} {}\n", request.address, request.hostname, request.container_name));
  else if (!request.hostname.empty())
    result.append(fmt::format("127.0.0.1\t{} {}\n", request.hostname, request.container_name));
  return result;
}

std::string resolv_text(const ResolvRequest& request) {
  auto servers = request.servers, searches = request.searches, options = request.options;
  each_line(request.base, [&](const std::string& line) {
    const std::string server = value_of_keyword(line, "nameserver"),
                      search = value_of_keyword(line, "search"), option = value_of_keyword(line, "options");
    if (!server.empty() && request.servers.empty() && !(request.own_network && is_loopback(server)))
      servers.push_back(server);
    if (!search.empty() && request.searches.empty()) searches = {search};
    if (!option.empty() && request.options.empty()) options = {option};
  });
  std::string result;
  std::erase(searches, ".");
  if (!searches.empty()) result.append(fmt::format("search {}\n", fmt::join(searches, " ")));
  for (const auto& server : servers) result.append(fmt::format("nameserver {}\n", server));
  if (!options.empty()) result.append(fmt::format("options {}\n", fmt::join(options, " ")));
  return result;
}

std::string container_env_text(const Builder& builder, bool rootless) {
  return fmt::format(
      "engine=\"buildah-{}\"\nname=\"{}\"\nid=\"{}\"\nimage=\"{}\"\nimageid=\"{}\"\nrootless={}\n",
      LADE_VERSION, builder.name(), builder.id(), builder.image_name(), builder.image_id(), rootless ? 1 : 0);
}

}  // namespace lade::build
