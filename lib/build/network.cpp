#include "build/network.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <thread>

#include "base/error.hpp"
#include "io/digester.hpp"
#include "os/child_process.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"
#include "spec/json.hpp"

namespace lade::build {

using spec::Json;
namespace fs = std::filesystem;

namespace {

// Where it is known which addresses lade has given away. Those of a crashed program are taken again once
// their process is gone.
constexpr const char* addresses_directory = "/run/lade/networks";

struct Subnet {
  std::uint32_t base = 0, mask = 0;
};

Subnet parse_subnet(const std::string& text) {
  const auto slash = text.find('/');
  in_addr address{};
  unsigned bits = 33;
  if (slash != std::string::npos) std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  if (bits < 8 || bits > 30 || ::inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1)
    throw Error(Kind::invalid_input, fmt::format("network.default_subnet: \"{}\" is no subnet", text));
  const std::uint32_t mask = ~((1U << (32 - bits)) - 1);
  return {ntohl(address.s_addr) & mask, mask};
}

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

bool is_running(const fs::path& file) {
  const auto text = os::find_file(file, 64);
  pid_t pid = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), pid).ec != std::errc() || pid <= 0)
    return false;
  return ::kill(pid, 0) == 0 || errno == EPERM;
}

std::string find_helper(const config::ContainersConf& conf, const std::string& name) {
  for (const auto& directory : conf.helper_binaries_dir) {
    const fs::path path = fs::path(directory) / name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  throw Error(
      Kind::unsupported,
      fmt::format("{} is not installed, which gives containers a network of their own: install it, or use "
                  "--network host or --network none",
                  name));
}

}  // namespace

ContainerNetwork::ContainerNetwork(const Context& context, const config::ContainersConf& conf,
                                   const NetworkRequest& request)
    : context_(context), conf_(conf), path_(request.directory / "netns") {
  if (request.networks.size() > 1 ||
      (!request.networks.empty() && request.networks.front() != conf.default_network))
    throw Error(Kind::not_found, fmt::format("unable to find network with name or ID {}: network not found",
                                             request.networks.back()));
  if (!request.rootless) netavark_ = find_helper(conf, "netavark");
  create_namespace(request.given);
  try {
    if (request.rootless)
      connect_by_pasta(request);
    else
      connect_by_netavark(request);
  } catch (...) {
    ::umount2(path_.c_str(), MNT_DETACH);
    ::unlink(path_.c_str());
    if (!address_file_.empty()) ::unlink(address_file_.c_str());
    throw;
  }
}

ContainerNetwork::~ContainerNetwork() {
  if (!settings_.empty()) {
    try {
      const auto result =
          os::run_child(background(), {.arguments = netavark_command("teardown"), .input = settings_});
      if (result.status != 0) context_.log.warning("netavark teardown: " + result.out + result.err);
    } catch (const std::exception& error) {
      context_.log.warning(std::string("netavark teardown: ") + error.what());
    }
  }
  ::umount2(path_.c_str(), MNT_DETACH);
  ::unlink(path_.c_str());
  if (!address_file_.empty()) ::unlink(address_file_.c_str());
}

// Held by a mount on a file: a thread of its own goes into it and ends.
void ContainerNetwork::create_namespace(const std::string& given) {
  (void)os::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600);
  int error = 0;
  if (!given.empty()) {
    if (::mount(given.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) != 0)
      throw Error::from_errno(errno, "keep a network namespace");
    return;
  }
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0 ||
        ::mount("/proc/thread-self/ns/net", path_.c_str(), nullptr, MS_BIND, nullptr) != 0)
      error = errno;
  }).join();
  if (error != 0) throw Error::from_errno(error, "create a network namespace");
}

// From the top: other programs, whose lists lade does not know, begin at the bottom.
void ContainerNetwork::take_address() {
  const Subnet subnet = parse_subnet(conf_.default_subnet);
  const fs::path directory = fs::path(addresses_directory) / conf_.default_network;
  os::mkdir_all(directory, 0755);
  const std::uint32_t last = subnet.base | ~subnet.mask;
  for (std::uint32_t address = last - 1; address > subnet.base + 1; --address) {
    const fs::path file = directory / address_text(address);
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST && !is_running(file)) {
      ::unlink(file.c_str());
      ++address;
      continue;
    }
    if (fd < 0) {
      if (errno == EEXIST) continue;
      throw Error::from_errno(errno, "create " + file.string());
    }
    const os::UniqueFd owned(fd);
    os::write_all(owned, io::as_bytes(std::to_string(::getpid())));
    address_file_ = file;
    address_ = address_text(address);
    return;
  }
  throw Error(Kind::unavailable, fmt::format("no address of {} is free", conf_.default_subnet));
}

void ContainerNetwork::connect_by_netavark(const NetworkRequest& request) {
  take_address();
  const Subnet subnet = parse_subnet(conf_.default_subnet);
  const std::string name = conf_.default_network;
  const Json info = {
      {"name", name},
      {"id", io::digest_of(name).hex()},
      {"driver", "bridge"},
      {"network_interface", "podman0"},
      {"created", "2022-01-01T00:00:00Z"},
      {"subnets",
       Json::array({Json{{"subnet", conf_.default_subnet}, {"gateway", address_text(subnet.base + 1)}}})},
      {"ipv6_enabled", false},
      {"internal", false},
      {"dns_enabled", false},
      {"ipam_options", {{"driver", "host-local"}}}};
  const Json settings = {
      {"container_id", request.container_id},
      {"container_name", request.container_name},
      {"networks", {{name, {{"interface_name", "eth0"}, {"static_ips", Json::array({address_})}}}}},
      {"network_info", {{name, info}}}};
  const std::string text = spec::dump_json(settings);
  const auto result = os::run_child(context_, {.arguments = netavark_command("setup"), .input = text});
  if (result.status != 0) {
    std::string reason = result.out + result.err;
    if (const auto json = spec::try_parse_json(result.out);
        json && json->is_object() && json->contains("error"))
      reason = (*json)["error"].dump();
    throw Error(Kind::system, "setup network: netavark: " + reason);
  }
  settings_ = text;
}

std::vector<std::string> ContainerNetwork::netavark_command(const char* verb) const {
  return {netavark_, "--config", addresses_directory, "--rootless=false", verb, path_};
}

// It runs until the namespace is gone.
void ContainerNetwork::connect_by_pasta(const NetworkRequest& request) {
  const auto program = os::find_program("pasta", request.search_path);
  if (!program)
    throw Error(
        Kind::unsupported,
        "pasta is not installed, which gives containers of users a network of their own: install it (package "
        "passt), or use --network host or --network none");
  std::vector<std::string> arguments{*program, "--config-net", "-t", "none", "-u",          "none",
                                     "-T",     "none",         "-U", "none", "--no-map-gw", "--quiet"};
  arguments.insert(arguments.end(), conf_.pasta_options.begin(), conf_.pasta_options.end());
  arguments.insert(arguments.end(), {"--netns", path_});
  const auto result = os::run_child(context_, {.arguments = arguments});
  if (result.status != 0) throw Error(Kind::system, "setup network: pasta: " + result.out + result.err);
}

}  // namespace lade::build
