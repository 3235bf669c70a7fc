#include "registry/proxy.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config/base64.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

// An address in 16 bytes; IPv4 as ::ffff:a.b.c.d, as Go's net.IP compares them.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;

  bool is_loopback() const {
    static constexpr std::array<unsigned char, 16> v6_loopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                               0, 0, 0, 0, 0, 0, 0, 1};
    return v4 ? bytes[12] == 127 : bytes == v6_loopback;
  }
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  if (::inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) == 1) {
    address.bytes[10] = address.bytes[11] = 0xff;
    address.v4 = true;
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool in_network(const Address& address, const std::string& rule) {
  const std::size_t slash = rule.find('/');
  if (slash == std::string::npos) return false;
  const auto network = parse_address(rule.substr(0, slash));
  const auto given = parse_number(rule.substr(slash + 1));
  if (!network || !given || network->v4 != address.v4 || *given > (address.v4 ? 32U : 128U)) return false;
  const std::size_t bits = *given + (address.v4 ? 96 : 0);
  const std::size_t whole = bits / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  network->bytes.begin())) {
    return false;
  }
  const auto mask = static_cast<unsigned char>(0xff00 >> (bits % 8));
  return bits % 8 == 0 || (address.bytes[whole] & mask) == (network->bytes[whole] & mask);
}

// "host", "host:port", "[v6]:port": the host, and the port or "".
std::pair<std::string, std::string> split_port(const std::string& rule) {
  if (rule.starts_with('[')) {
    const std::size_t end = rule.find(']');
    if (end == std::string::npos) return {rule, ""};
    const bool port = end + 1 < rule.size() && rule[end + 1] == ':';
    return {rule.substr(1, end - 1), port ? rule.substr(end + 2) : ""};
  }
  const std::size_t colon = rule.find(':');
  if (colon == std::string::npos || rule.find(':', colon + 1) != std::string::npos) return {rule, ""};
  return {rule.substr(0, colon), rule.substr(colon + 1)};
}

bool name_matches(const std::string& host, std::string name) {
  if (name.starts_with("*.")) name.erase(0, 1);
  if (name.starts_with('.')) return host.ends_with(name);
  return host == name || host.ends_with("." + name);
}

bool rule_matches(const std::string& rule, const std::string& host, const std::string& port) {
  if (rule == "*") return true;
  const auto address = parse_address(host);
  if (address && in_network(*address, rule)) return true;
  const auto [name, only_port] = split_port(rule);
  if (name.empty() || (!only_port.empty() && only_port != port)) return false;
  if (const auto exempt = parse_address(name)) return address && address->bytes == exempt->bytes;
  return name_matches(host, name);
}

std::string percent_decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char value = 0;
    const char* digits = text.data() + i + 1;
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2;
    result += escape ? static_cast<char>(value) : text[i];
    if (escape) i += 2;
  }
  return result;
}

Proxy parse_proxy(const std::string& text) {
  const std::size_t colon = text.find("://");
  const std::string scheme = colon == std::string::npos ? "http" : lower_case(text.substr(0, colon));
  std::string rest = colon == std::string::npos ? text : text.substr(colon + 3);
  if (scheme != "http" && scheme != "https") {
    throw Error(Kind::unsupported, "proxy scheme \"" + scheme + "\" is not supported, use an http:// proxy");
  }
  rest.erase(std::min(rest.find_first_of("/?#"), rest.size()));
  Proxy proxy;
  const std::size_t at = rest.rfind('@');
  if (at != std::string::npos) {
    const std::string user = rest.substr(0, at);
    const std::size_t split = std::min(user.find(':'), user.size());
    const std::string password = split < user.size() ? user.substr(split + 1) : "";
    proxy.authorization = "Basic " + config::base64_encode(percent_decode(user.substr(0, split)) + ":" +
                                                           percent_decode(password));
    rest.erase(0, at + 1);
  }
  const Url url = in_context("invalid proxy address", [&] { return Url::parse(scheme + "://" + rest); });
  proxy.host = url.host;
  proxy.port = url.port;
  proxy.tls = scheme == "https";
  return proxy;
}

}  // namespace

bool bypasses_proxy(const std::string& host, int port, std::string_view no_proxy) {
  if (host == "localhost") return true;
  const auto address = parse_address(host);
  if (address && address->is_loopback()) return true;
  const std::string port_text = std::to_string(port);
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    const std::string rule = lower_case(trim(no_proxy.substr(0, comma)));
    if (!rule.empty() && rule_matches(rule, lower_case(host), port_text)) return true;
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
  }
  return false;
}

std::optional<Proxy> proxy_for(const Url& url, const PoolOptions& options) {
  const std::string& proxy = url.scheme == "https" ? options.https_proxy : options.http_proxy;
  if (proxy.empty() || bypasses_proxy(url.host, url.port, options.no_proxy)) return std::nullopt;
  return parse_proxy(proxy);
}

}  // namespace lade::registry
