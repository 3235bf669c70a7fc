#include "build/run_files.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <sstream>

#include "base/scope_exit.hpp"

namespace lade::build {

namespace {

constexpr std::size_t max_hostname = 63;

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

// "1.2.3.4\tname name", without names that are known; "" if none is left. They are known from now on.
std::string hosts_line(const std::string& address, const std::vector<std::string>& names,
                       std::set<std::string>& known) {
  std::string result;
  for (const auto& name : names)
    if (!name.empty() && !known.contains(name)) result.append(result.empty() ? "" : " ").append(name);
  known.insert(names.begin(), names.end());
  return result.empty() ? "" : fmt::format("{}\t{}\n", address, result);
}

bool is_loopback(const std::string& server) {
  return server.starts_with("127.") || server == "::1";
}

}  // namespace

std::string hosts_text(const HostsRequest& request) {
  std::string result;
  std::set<std::string> known;
  for (const auto& entry : request.added) {
    const auto colon = entry.find(':');
    const std::string name = entry.substr(0, colon);
    std::string address = entry.substr(colon + 1);
    if (address == "host-gateway") address = request.host_address;
    result.append(fmt::format("{}\t{}\n", address, name));
    known.insert(name);
  }
  each_line(request.base, [&](const std::string& line) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    words >> word;
    while (words >> word) known.insert(word);
    result.append(line).append("\n");
  });
  if (!known.contains("localhost")) result.append("127.0.0.1\tlocalhost\n::1\tlocalhost\n");
  known.insert("localhost");
  if (!request.host_address.empty())
    result.append(
        hosts_line(request.host_address, {"host.containers.internal", "host.docker.internal"}, known));
  if (!request.address.empty())
    result.append(hosts_line(request.address, {request.hostname, request.container_name}, known));
  return result;
}

std::string local_address(const std::string& other_than) {
  ::ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "";
  const ScopeExit release([&] { ::freeifaddrs(all); });
  std::string result;
  for (const ::ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const bool is_v4 = one->ifa_addr->sa_family == AF_INET;
    if (!is_v4 && one->ifa_addr->sa_family != AF_INET6) continue;
    const auto* v4 = reinterpret_cast<const ::sockaddr_in*>(one->ifa_addr);
    const auto* v6 = reinterpret_cast<const ::sockaddr_in6*>(one->ifa_addr);
    if (!is_v4 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
    char text[INET6_ADDRSTRLEN] = {};
    const void* address = is_v4 ? static_cast<const void*>(&v4->sin_addr) : &v6->sin6_addr;
    ::inet_ntop(one->ifa_addr->sa_family, address, text, sizeof text);
    if (text == other_than) continue;
    if (is_v4) return text;
    if (result.empty()) result = text;
  }
  return result;
}

std::string hostname_of_container(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const bool is_letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_letter || (c == '-' && !result.empty())) result += c;
  }
  result.resize(std::min(result.size(), max_hostname));
  while (result.ends_with('-')) result.pop_back();
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
