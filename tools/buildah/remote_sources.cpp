#include "buildah/remote_sources.hpp"

#include <fmt/format.h>

#include <chrono>

#include "common/retry.hpp"
#include "engines/transfer.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "os/child_process.hpp"
#include "os/file.hpp"
#include "os/root.hpp"
#include "registry/http.hpp"

namespace lade::buildah {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours git_timeout{1};

// "REPOSITORY#REF:DIRECTORY"; the last two may be "".
struct GitSource {
  std::string repository, ref, directory;
};

std::optional<GitSource> parse_git_source(const std::string& source) {
  if (!engines::is_web_address(source)) return std::nullopt;
  const auto hash = source.find('#');
  GitSource result{source.substr(0, hash), "", ""};
  if (!result.repository.ends_with(".git")) return std::nullopt;
  if (hash == std::string::npos) return result;
  result.ref = source.substr(hash + 1);
  if (const auto colon = result.ref.find(':'); colon != std::string::npos) {
    result.directory = result.ref.substr(colon + 1);
    result.ref.resize(colon);
  }
  return result;
}

// The last component of the path, without the query.
std::string name_of_file(const std::string& url) {
  std::string path = registry::Url::parse(url).target;
  path.resize(std::min(path.find('?'), path.size()));
  const std::string name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..")
    throw Error(Kind::invalid_input, fmt::format("reading \"{}\": it has no name of a file", url));
  return name;
}

void check_digest(const std::string& url, const std::string& path, const spec::Digest& wanted) {
  io::Digester digester(wanted.algorithm());
  os::FileReader reader{fs::path(path)};
  std::vector<std::byte> buffer(1 << 16);
  while (const std::size_t length = reader.read(buffer)) digester.update(io::Bytes(buffer).first(length));
  const auto digest = digester.finish();
  if (digest != wanted)
    throw Error(Kind::integrity, fmt::format("unexpected response digest for \"{}\": {}, want {}", url,
                                             digest.str(), wanted.str()));
}

}  // namespace

bool is_remote_source(const std::string& source) {
  return engines::is_web_address(source);
}

build::AddSource RemoteSources::fetch(const std::string& source) {
  return in_context([&] { return fmt::format("reading \"{}\"", source); },
                    [&] { return parse_git_source(source) ? clone(source) : fetch_file(source); });
}

build::AddSource RemoteSources::fetch_file(const std::string& url) {
  const auto& flags = session_.invocation().flags;
  std::optional<spec::Digest> wanted;
  if (flags.has("checksum") && !flags.text("checksum").empty())
    wanted = in_context("invalid checksum flag", [&] { return spec::Digest::parse(flags.text("checksum")); });
  const std::string name = name_of_file(url);
  std::unique_ptr<engines::Download> download;
  common::retry(session_.context(), engines::transfer_retries(flags), [&] {
    download = std::make_unique<engines::Download>(session_.session(), session_.context(), flags, url);
  });
  if (wanted) check_digest(url, download->path(), *wanted);
  build::AddSource result{.name = name, .downloaded = download->path(), .modified = download->last_modified().value_or(0)};
  downloads_.push_back(std::move(download));
  return result;
}

void RemoteSources::run_git(const std::vector<std::string>& arguments) {
  os::ChildOptions options;
  options.arguments = {"git", "-C", clones_.back()->path().string()};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.environment.emplace();
  for (const auto& [name, value] : session_.session().environment().variables)
    options.environment->push_back(name + "=" + value);
  // Nobody is there to answer.
  options.environment->push_back("GIT_TERMINAL_PROMPT=0");
  options.timeout = git_timeout;
  const auto result = os::run_child(session_.context(), options);
  if (result.status == 0) return;
  throw Error(Kind::unavailable, fmt::format("failed while performing `git {}`: exit status {}: {}",
                                             arguments.front(), result.status, result.err));
}

build::AddSource RemoteSources::clone(const std::string& source) {
  const auto git = *parse_git_source(source);
  const auto& flags = session_.invocation().flags;
  if (flags.has("checksum") && !flags.text("checksum").empty())
    throw Error(Kind::unsupported, "checksum flag is not supported for git repositories");
  const std::string temporary = session_.environment("TMPDIR");
  clones_.push_back(std::make_unique<os::TempDir>(temporary.empty() ? "/var/tmp" : temporary, "lade-git-"));
  run_git({"init", "--quiet"});
  run_git({"remote", "add", "origin", git.repository});
  common::retry(session_.context(), engines::transfer_retries(flags), [&] {
    run_git({"fetch", "--quiet", "-u", "--depth=1", "origin", "--", git.ref.empty() ? "HEAD" : git.ref});
  });
  run_git({"checkout", "--quiet", "FETCH_HEAD"});
  // Links of the repository do not lead out of it.
  const os::Root root(clones_.back()->path());
  const auto directory = root.open(git.directory.empty() ? "." : git.directory, O_PATH | O_DIRECTORY);
  return {.name = ".", .tree = fs::read_symlink("/proc/self/fd/" + std::to_string(directory.get()))};
}

}  // namespace lade::buildah
