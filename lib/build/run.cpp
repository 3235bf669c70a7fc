#include "build/run.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <thread>

#include "base/error.hpp"
#include "base/scope_exit.hpp"
#include "build/destination.hpp"
#include "build/glob.hpp"
#include "build/mount_targets.hpp"
#include "build/network.hpp"
#include "build/overlay_on_top.hpp"
#include "build/run_files.hpp"
#include "build/run_spec.hpp"
#include "build/scratch_directory.hpp"
#include "build/users.hpp"
#include "layer/tree.hpp"
#include "os/atomic_file.hpp"
#include "os/child_process.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "os/mapped_namespace.hpp"
#include "os/temp_dir.hpp"
#include "runtime/runtime.hpp"

extern char** environ;

namespace lade::build {

using spec::Json;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t max_host_file = 1 << 20;
constexpr const char* usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t hostname_digits = 12;
constexpr int max_stray_waits = 20;
constexpr std::chrono::milliseconds stray_wait{10};
constexpr const char* bundle_prefix = "lade-run-";
constexpr const char* mounted_file = "container";  // in the bundle, while the container is mounted for it
// As other runtimes end.
constexpr int command_not_found = 1, command_not_executable = 1;

std::string name_of_variable(const std::string& entry) {
  return entry.substr(0, entry.find('='));
}

// Later ones take the place of earlier ones of the same name.
void set_variable(std::vector<std::string>& env, const std::string& entry) {
  const auto same = std::ranges::find_if(
      env, [&](const std::string& e) { return name_of_variable(e) == name_of_variable(entry); });
  if (same == env.end())
    env.push_back(entry);
  else
    *same = entry;
}

void change_owner(const fs::path& path, std::uint32_t uid, std::uint32_t gid) {
  if (::lchown(path.c_str(), uid, gid) != 0) throw Error::from_errno(errno, "chown " + path.string());
  if (!fs::is_directory(fs::symlink_status(path))) return;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (::lchown(entry.path().c_str(), uid, gid) != 0)
      throw Error::from_errno(errno, "chown " + entry.path().string());
}

class Run {
 public:
  Run(const Builders& builders, Builder& builder, const RunOptions& options,
      const config::ContainersConf& conf, const config::Environment& environment)
      : builders_(builders),
        context_(builders.context()),
        builder_(builder),
        options_(options),
        conf_(conf),
        environment_(environment),
        rootless_(builders.store()->options().rootless),
        ids_(builder.id_maps()) {}

  int run() {
    const ScratchDirectory bundle(context_, bundle_parent(), bundle_prefix,
                                  [&](const fs::path& abandoned) { end_abandoned(abandoned); });
    bundle_ = bundle.path();
    MountedBuilder mounted(builders_, builder_,
                           [&] { os::write_file(bundle_ / mounted_file, builder_.id()); });
    const fs::path top = options_.root.empty() ? fs::path(mounted.path()) : options_.root;
    const os::Root root{top};
    int status = 0;
    {
      MountTargets targets(context_, root);
      SpecInput input;
      input.root = top;
      input.rootless = rootless_;
      input.namespaces = merged_namespaces();
      find_user_of(root, input);
      set_names(input);
      enter_user_namespace(input);
      connect(input);
      add_volumes(root, input);
      add_files(root, input);
      set_environment(input);
      for (const auto& mount : input.mounts)
        targets.make(mount.destination, mount.type != "bind" || fs::is_directory(mount.source));
      for (const char* directory : {"proc", "dev", "sys"}) targets.make(directory, true);
      make_working_directory(root, input);
      make_volumes(root, input);
      status = start(runtime_spec(builder_, options_, input, conf_));
      overlays_.clear();
    }
    network_.reset();
    fs::remove(bundle_ / mounted_file);
    mounted.unmount();
    return status;
  }

 private:
  // Of a run that was killed: its processes, its cgroup, and the mount of its container.
  void end_abandoned(const fs::path& bundle) const {
    runtime::Runtime(context_, runtime_options()).remove(container_id(bundle), true);
    const auto id = os::find_file(bundle / mounted_file, max_host_file);
    if (!id) return;
    fs::remove(bundle / mounted_file);  // never twice: the mount may be another's then
    try {
      builders_.store()->unmount_container(context_, *id);
    } catch (const Error& error) {
      context_.log.debug(error.what());  // it is gone, or not mounted any more
    }
  }

  static std::string container_id(const fs::path& bundle) { return "buildah-" + bundle.filename().string(); }

  runtime::RuntimeOptions runtime_options() const {
    runtime::RuntimeOptions result;
    result.root = builders_.store()->layout().run_root / "lade-runtime";
    result.rootless = rootless_;
    if (options_.cgroup_manager == "disabled") result.cgroup_manager = runtime::CgroupManager::disabled;
    return result;
  }

  // Lost with the machine, as what is in it.
  fs::path bundle_parent() const { return builders_.store()->layout().run_root; }

  std::vector<NamespaceOption> merged_namespaces() const {
    auto result = builder_.namespaces();
    for (const auto& option : options_.namespaces) {
      const auto same = std::ranges::find(result, option.name, &NamespaceOption::name);
      if (same == result.end())
        result.push_back(option);
      else
        *same = option;
    }
    return result;
  }

  Isolation isolation() const {
    return options_.isolation == Isolation::unset ? builder_.isolation() : options_.isolation;
  }

  void find_user_of(const os::Root& root, SpecInput& input) {
    const std::string wanted = options_.user.empty() ? builder_.settings().text("User") : options_.user;
    input.user = in_context("determining run uid", [&] { return find_user(root, wanted); });
    input.groups = input.user.other_groups;
    // Files that only members of the group may not read stay closed (CVE-2022-2990).
    input.groups.push_back(input.user.gid);
    for (const auto& group : builder_.texts("GroupAdd"))
      if (group != "keep-groups") input.groups.push_back(find_group(root, group));
    std::ranges::sort(input.groups);
    input.groups.erase(std::unique(input.groups.begin(), input.groups.end()), input.groups.end());
  }

  void set_names(SpecInput& input) {
    auto settings = builder_.settings();
    input.working_directory = options_.working_directory;
    if (input.working_directory.empty()) input.working_directory = settings.text("WorkingDir");
    if (!input.working_directory.starts_with('/')) input.working_directory.insert(0, "/");
    input.hostname = options_.hostname.empty() ? settings.text("Hostname") : options_.hostname;
    if (input.hostname.empty() && conf_.container_name_as_hostname)
      input.hostname = hostname_of_container(builder_.name());
    if (input.hostname.empty()) input.hostname = builder_.id().substr(0, hostname_digits);
    const auto uts = std::ranges::find(input.namespaces, "uts", &NamespaceOption::name);
    if (uts == input.namespaces.end() || !uts->host) return;
    char own[256] = {};
    if (::gethostname(own, sizeof own - 1) == 0) input.hostname = own;
  }

  bool has_own_network(const SpecInput& input) const {
    if (options_.no_network || isolation() == Isolation::chroot) return false;
    const auto network = std::ranges::find(input.namespaces, "network", &NamespaceOption::name);
    return network != input.namespaces.end() && !network->host;
  }

  bool is_shifted() const { return ids_ != layer::IdMaps{}; }

  // One that commands are run in: as --userns says, or with the maps that the container has.
  void enter_user_namespace(SpecInput& input) {
    if (isolation() == Isolation::chroot && !is_shifted()) return;
    const auto user = std::ranges::find(input.namespaces, "user", &NamespaceOption::name);
    if (user == input.namespaces.end() || user->host) {
      if (is_shifted())
        throw Error(Kind::invalid_input,
                    "can not use the host's user namespace with ID mappings of the container");
      return;
    }
    if (isolation() == Isolation::chroot)
      throw Error(Kind::unsupported, "ID mappings are not available with --isolation chroot");
    if (!user->path.empty()) {
      input.user_namespace = user->path;
      return;
    }
    const auto mappings = [](const std::vector<layer::IdMap>& maps) {
      std::vector<os::IdMapping> result;
      for (const auto& map : maps) result.push_back({map.container_id, map.host_id, map.size});
      if (result.empty()) result.push_back({0, 0, UINT32_MAX});
      return result;
    };
    user_namespace_.emplace(mappings(ids_.uids), mappings(ids_.gids), has_own_network(input));
    input.user_namespace = user_namespace_->path("user");
  }

  Owner on_disk(const Owner& owner) const { return owner_on_disk(ids_, owner); }

  void connect(SpecInput& input) {
    if (!has_own_network(input)) return;
    const auto network = std::ranges::find(input.namespaces, "network", &NamespaceOption::name);
    if (network->path.starts_with('/')) {
      input.network_namespace = network->path;
      return;
    }
    NetworkRequest request{builder_.id(), builder_.name(), {}, rootless_, bundle_, environment_.get("PATH")};
    for (std::size_t begin = 0; begin < network->path.size();) {
      const std::size_t end = std::min(network->path.find(',', begin), network->path.size());
      request.networks.push_back(network->path.substr(begin, end - begin));
      begin = end + 1;
    }
    if (user_namespace_) request.given = user_namespace_->path("net");
    network_ = std::make_unique<ContainerNetwork>(context_, conf_, request);
    input.network_namespace = network_->path();
  }

  // The source as this machine has it.
  fs::path source_of(const VolumeMount& mount) {
    if (mount.type == VolumeMount::Type::cache) return cache_of(mount);
    if (mount.from.empty()) return mount.source;
    const auto other = builders_.find(mount.from);
    if (other) {
      others_.push_back(std::make_unique<Builder>(*other));
      other_mounts_.push_back(std::make_unique<MountedBuilder>(builders_, *others_.back()));
      return below(other_mounts_.back()->path(), mount.source);
    }
    const auto image = builders_.store()->find_image(context_, mount.from);
    if (!image || image->layer.empty())
      throw Error(Kind::image_not_found, fmt::format("{}: image not known", mount.from));
    image_mounts_.push_back(std::make_unique<MountedLayer>(builders_, image->layer));
    return below(image_mounts_.back()->path(), mount.source);
  }

  // Links in it do not lead out.
  static fs::path below(const fs::path& top, const std::string& path) {
    const os::Root root(top);
    const auto fd = root.open(path.empty() ? "." : path, O_PATH);
    return fs::read_symlink("/proc/self/fd/" + std::to_string(fd.get()));
  }

  fs::path cache_of(const VolumeMount& mount) {
    const std::string temporary = environment_.get("TMPDIR");
    const fs::path top = cache_directory(mount, temporary.empty() ? "/var/tmp" : temporary, environment_.uid);
    os::mkdir_all(top.parent_path(), 0700);
    if (::mkdir(top.c_str(), mount.mode) == 0) {
      if (::chmod(top.c_str(), mount.mode) != 0 || ::chown(top.c_str(), mount.uid, mount.gid) != 0)
        throw Error::from_errno(errno, "create a cache directory");
    } else if (errno != EEXIST) {
      throw Error::from_errno(errno, "mkdir " + top.string());
    }
    if (mount.locked) {
      const fs::path locks = top.parent_path() / "buildah-cache-lockfiles";
      os::mkdir_all(locks, 0700);
      locks_.push_back(std::make_unique<os::LockFile>(context_, locks / top.filename()));
    }
    if (mount.source.empty()) return top;
    os::mkdir_all(top / fs::path(mount.source).relative_path());
    return below(top, mount.source);
  }

  void add_volume(const VolumeMount& mount, const SpecInput& input_so_far, std::vector<SpecMount>& mounts) {
    SpecMount result{mount.destination, "bind", "", mount.options};
    if (mount.type == VolumeMount::Type::tmpfs) {
      mounts.push_back({mount.destination, "tmpfs", "tmpfs", mount.options});
      return;
    }
    fs::path source = source_of(mount);
    if (!fs::exists(fs::symlink_status(source)))
      throw Error(Kind::not_found, fmt::format("stat {}: no such file or directory", source.string()));
    if (mount.overlay) {
      const fs::path directory = overlay_parent() / fmt::format("{}", overlays_.size());
      // Of a file: that of its directory.
      const bool is_file = !fs::is_directory(source);
      const fs::path name = source.filename();
      overlays_.push_back(std::make_unique<OverlayOnTop>(
          is_file ? source.parent_path() : source,
          mount.upper.empty() ? directory / "upper" : fs::path(mount.upper),
          mount.work.empty() ? directory / "work" : fs::path(mount.work), directory / "merged", rootless_));
      source = is_file ? overlays_.back()->path() / name : overlays_.back()->path();
    }
    if (mount.chown) {
      const Owner owner = on_disk({input_so_far.user.uid, input_so_far.user.gid});
      change_owner(source, owner.uid, owner.gid);
    }
    result.source = source;
    mounts.push_back(std::move(result));
  }

  // An upper directory cannot be on every file system: beside the container's own it can.
  fs::path overlay_parent() {
    if (!overlay_directory_) {
      const fs::path top = builders_.store()->container_directory(builder_.id()) / "overlay";
      os::mkdir_all(top, 0700);
      overlay_directory_.emplace(top, "");
    }
    return overlay_directory_->path();
  }

  void add_volumes(const os::Root&, SpecInput& input) {
    std::vector<SpecMount> mounts;
    for (const auto& text : builder_.common_texts("Volumes")) add_volume(parse_volume(text), input, mounts);
    for (const auto& mount : options_.mounts) add_volume(mount, input, mounts);
    // The last one for a place wins.
    for (auto& mount : mounts) {
      std::erase_if(input.mounts,
                    [&](const SpecMount& other) { return other.destination == mount.destination; });
      input.mounts.push_back(std::move(mount));
    }
  }

  static std::string host_file(const char* path) { return os::find_file(path, max_host_file).value_or(""); }

  // `text` in place of what the image has there, unless something else is mounted on it.
  void add_file(SpecInput& input, const std::string& destination, const std::string& text) {
    const bool taken = std::ranges::any_of(input.mounts, [&](const SpecMount& mount) {
      return destination == mount.destination || destination.starts_with(mount.destination + "/");
    });
    if (taken) return;
    const fs::path file = bundle_ / fs::path(destination).filename();
    os::write_file(file, text, {.mode = 0644, .sync = false});
    if (is_shifted()) {
      const Owner owner = on_disk({});
      change_owner(file, owner.uid, owner.gid);
    }
    // Whoever the command runs as may write to it, as far as the owner of the file may.
    input.mounts.push_back({destination, "bind", file, {"rbind", "rprivate"}});
  }

  HostsRequest hosts_request(const os::Root& root, const SpecInput& input) const {
    HostsRequest request;
    const std::string base = conf_.base_hosts_file;
    if (base == "image") {
      const auto stat = find_in_root(root, "etc/hosts", true);
      if (stat && S_ISREG(stat->st_mode)) {
        os::FileReader reader(root.open("etc/hosts", O_RDONLY | O_NONBLOCK));
        request.base = io::read_all(reader, max_host_file, "/etc/hosts of the image");
      }
    } else if (base != "none") {
      request.base = host_file(base.empty() ? "/etc/hosts" : base.c_str());
    }
    request.added = builder_.common_texts("AddHost");
    request.hostname = input.hostname;
    if (network_) {
      request.address = network_->address();
      request.container_name = builder_.name();
    } else if (!has_own_network(input)) {
      request.address = local_address("");
    }
    const std::string& internal = conf_.host_containers_internal_ip;
    if (internal != "none")
      request.host_address = internal.empty() ? local_address(request.address) : internal;
    return request;
  }

  void add_files(const os::Root& root, SpecInput& input) {
    const std::string hostname = options_.no_hostname ? "" : input.hostname;
    // Without a network the image's own are as good.
    if (!options_.no_network && !options_.no_hosts && !builder_.common_flag("NoHosts") && !conf_.no_hosts)
      add_file(input, "/etc/hosts", hosts_text(hosts_request(root, input)));
    if (!options_.no_hostname && !builder_.common_flag("NoHostname"))
      add_file(input, "/etc/hostname", hostname + "\n");
    auto servers = builder_.common_texts("DNSServers");
    if (!options_.no_network && std::ranges::find(servers, "none") == servers.end()) {
      ResolvRequest request;
      request.base = host_file("/etc/resolv.conf");
      request.servers = servers.empty() ? conf_.dns_servers : servers;
      request.searches = builder_.common_texts("DNSSearch");
      if (request.searches.empty()) request.searches = conf_.dns_searches;
      request.options = builder_.common_texts("DNSOptions");
      if (request.options.empty()) request.options = conf_.dns_options;
      request.own_network = has_own_network(input);
      add_file(input, "/etc/resolv.conf", resolv_text(request));
    }
    add_file(input, "/run/.containerenv", container_env_text(builder_, rootless_));
  }

  void set_environment(SpecInput& input) {
    auto& env = input.env;
    set_variable(env, std::string("PATH=") + usual_path);
    if (builder_.common_flag("HTTPProxy"))
      for (const char* name : {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY",
                               "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"})
        if (const auto value = environment_.find(name)) set_variable(env, fmt::format("{}={}", name, *value));
    for (const auto& entry : conf_.env) set_variable(env, entry);
    for (const auto& entry : builder_.settings().list("Env")) set_variable(env, entry);
    const auto has = [&](std::string_view name) {
      return std::ranges::any_of(env, [&](const std::string& e) { return name_of_variable(e) == name; });
    };
    if (!options_.no_hostname && !has("HOSTNAME")) env.push_back("HOSTNAME=" + input.hostname);
    if (options_.terminal && !has("TERM")) env.push_back("TERM=xterm");
    if (!has("HOME")) env.push_back("HOME=" + (input.user.home.empty() ? "/" : input.user.home));
    for (const auto& entry : options_.env) set_variable(env, entry);
  }

  // It stays, and belongs to whom the command runs as.
  void make_working_directory(const os::Root& root, const SpecInput& input) const {
    const std::string path = layer::clean_layer_name(input.working_directory);
    const bool is_mounted = std::ranges::any_of(input.mounts, [&](const SpecMount& mount) {
      return input.working_directory == mount.destination ||
             input.working_directory.starts_with(mount.destination + "/");
    });
    if (path.empty() || is_mounted) return;
    (void)ensure_directory(root, path, on_disk({input.user.uid, input.user.gid}));
  }

  void make_volumes(const os::Root& root, const SpecInput&) {
    for (const auto& volume : builder_.settings().set("Volumes"))
      if (const auto path = layer::clean_layer_name(volume); !path.empty() && !find_in_root(root, path, true))
        (void)ensure_directory(root, path, on_disk({}));
  }

  int start(const Json& document) {
    const std::string id = container_id(bundle_);
    const std::string text = spec::dump_json(document);
    if (!options_.runtime.empty()) return run_program(id, text);
    runtime::RunOptions run;
    run.bundle = bundle_;
    run.no_pivot = options_.no_pivot;
    run.die_with_parent = true;
    runtime::Runtime runtime(context_, runtime_options());
    try {
      return runtime.run(id, runtime::parse_spec(text), run).shell_status();
    } catch (const Error& error) {
      // A command that cannot be run is a failure of the command.
      if (error.kind() != Kind::not_found && error.kind() != Kind::denied) throw;
      context_.log.log(Level::error, error.what());
      return error.kind() == Kind::not_found ? command_not_found : command_not_executable;
    }
  }

  // Another runtime, by the command line that they all have.
  int run_program(const std::string& id, const std::string& document) {
    os::write_file(bundle_ / "config.json", document, {.mode = 0600, .sync = false});
    const auto program = os::find_program(options_.runtime, environment_.get("PATH"));
    if (!program)
      throw Error(Kind::not_found, fmt::format("the runtime \"{}\" is not installed", options_.runtime));
    std::vector<std::string> arguments{*program};
    arguments.insert(arguments.end(), options_.runtime_flags.begin(), options_.runtime_flags.end());
    arguments.insert(arguments.end(), {"run", "--bundle", bundle_});
    if (options_.no_pivot) arguments.emplace_back("--no-pivot");
    arguments.push_back(id);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    // What a runtime that crashes leaves behind becomes ours.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    const ScopeExit no_reaper([] {
      reap_strays();
      ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    });
    pid_t pid = 0;
    if (const int error = ::posix_spawn(&pid, program->c_str(), nullptr, nullptr, argv.data(), environ);
        error != 0)
      throw Error::from_errno(error, "run " + *program);
    // It passes signals on to the container.
    const std::stop_callback pass_on(context_.stop, [pid] { ::kill(pid, SIGTERM); });
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0)
      if (errno != EINTR) throw Error::from_errno(errno, "wait for " + *program);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  // Those that are still running get a moment.
  static void reap_strays() {
    for (int waits = 0; waits < max_stray_waits;) {
      const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
      if (pid < 0) return;
      if (pid > 0) continue;
      std::this_thread::sleep_for(stray_wait);
      ++waits;
    }
  }

  const Builders& builders_;
  const Context& context_;
  Builder& builder_;
  const RunOptions& options_;
  const config::ContainersConf& conf_;
  const config::Environment& environment_;
  bool rootless_;
  layer::IdMaps ids_;  // with which the container is shifted
  std::optional<os::MappedNamespace> user_namespace_;
  fs::path bundle_;
  std::optional<os::TempDir> overlay_directory_;
  std::vector<std::unique_ptr<os::LockFile>> locks_;
  std::vector<std::unique_ptr<Builder>> others_;
  std::vector<std::unique_ptr<MountedBuilder>> other_mounts_;
  std::vector<std::unique_ptr<MountedLayer>> image_mounts_;
  std::vector<std::unique_ptr<OverlayOnTop>> overlays_;
  std::unique_ptr<ContainerNetwork> network_;
};

}  // namespace

int run_in_container(const Builders& builders, Builder& builder, const RunOptions& options,
                     const config::ContainersConf& conf, const config::Environment& environment) {
  return Run(builders, builder, options, conf, environment).run();
}

}  // namespace lade::build
