#include "config/certs.hpp"

#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include "base/error.hpp"

namespace lade::config {

namespace {

using std::filesystem::path;

std::vector<path> certs_directories(const Environment& environment) {
  std::vector<path> result;
  if (const auto home = environment.config_home(); !home.empty())
    result.push_back(home / "containers/certs.d");
  for (const auto* name : {"/etc/containers/certs.d", "/usr/share/containers/certs.d", "/etc/docker/certs.d"})
    result.push_back(environment.system_path(name));
  return result;
}

// The directory to use; "" if there is none. One that may not be looked into is passed over.
path choose_directory(const Environment& environment, const std::string& host_port,
                      const std::string& cert_dir) {
  if (!cert_dir.empty()) return cert_dir;
  for (const auto& base : certs_directories(environment)) {
    std::error_code error;
    if (std::filesystem::exists(base / host_port, error)) return base / host_port;
  }
  return {};
}

std::set<std::string> names_in(const path& directory) {
  std::set<std::string> result;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    result.insert(entry->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::permission_denied)
    throw Error::from_errno(error.value(), "open " + directory.string());
  return result;
}

}  // namespace

std::string find_certs_directory(const Environment& environment, const std::string& host_port,
                                 const std::string& cert_dir) {
  return choose_directory(environment, host_port, cert_dir).string();
}

CertFiles find_certs(const Environment& environment, const std::string& host_port,
                     const std::string& cert_dir) {
  const path directory = choose_directory(environment, host_port, cert_dir);
  if (directory.empty()) return {};
  const auto names = names_in(directory);
  CertFiles result;
  for (const auto& name : names) {
    const path file(name);
    const std::string key = file.stem().string() + ".key", cert = file.stem().string() + ".cert";
    if (file.extension() == ".crt") result.ca_dir = directory.string();
    if (file.extension() == ".cert" && !names.contains(key))
      throw Error(Kind::invalid_input, "missing key " + key + " for client certificate " + name +
                                           ". Note that CA certificates should use the extension .crt");
    if (file.extension() == ".key" && !names.contains(cert))
      throw Error(Kind::invalid_input, "missing client certificate " + cert + " for key " + name);
    if (file.extension() == ".cert" && result.client_cert.empty()) {
      result.client_cert = (directory / name).string();
      result.client_key = (directory / key).string();
    }
  }
  return result;
}

}  // namespace lade::config
