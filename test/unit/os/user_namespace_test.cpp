#include "os/user_namespace.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stop_token>
#include <thread>

#include "os/file.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using test::kind_of;

namespace {

constexpr uid_t user = 12345;

class LastWarning final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void log(Level, std::string_view message) noexcept override {
    text = message;
    ++count;
  }
  std::string text;
  int count = 0;
};

// In a process of its own, as an ordinary user if we are root; what `action` answers, or why it did not.
template <class Action>
std::string as_user(const Action& action) {
  const test::Directory directory;
  const auto file = directory / "answer";
  directory.write("answer", "");
  ::chmod(directory.path().c_str(), 0777);
  ::chmod(file.c_str(), 0666);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string answer = "no user";
    try {
      // A change of user hides our files in /proc, which an execve(2) would undo.
      if (::geteuid() != 0 || (::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0 &&
                               ::prctl(PR_SET_DUMPABLE, 1) == 0))
        answer = action(directory);
    } catch (const Error& error) {
      answer = error.what();
    }
    // Not replaced by a rename: the directory may be out of our reach by now.
    const int fd = ::open(file.c_str(), O_WRONLY);
    const bool whole = ::write(fd, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
    ::_exit(whole ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? directory.read("answer") : "status " + std::to_string(status);
}

os::NamespaceOptions without_ranges(const test::Directory& directory) {
  os::NamespaceOptions options;
  options.subuid = options.subgid = directory / "subid";
  options.nsswitch = directory / "nsswitch.conf";
  return options;
}

bool can_enter() {
  static const bool can = as_user([](const auto& directory) {
                            LastWarning log;
                            const Context context{{}, log, silent_progress(), real_clock()};
                            os::enter_user_namespace(context, without_ranges(directory));
                            return std::string("entered");
                          }) == "entered";
  return can;
}

std::string first_line(const char* path) {
  const std::string text = os::read_file(path, 4096);
  std::string words;
  for (const char c : text.substr(0, text.find('\n')))
    if (c != ' ')
      words += c;
    else if (!words.empty() && !words.ends_with(' '))
      words += ' ';
  return words;
}

}  // namespace

TEST_CASE("user namespace: without ranges the user alone is mapped, and one warning says so" *
          doctest::skip(!can_enter())) {
  const uid_t own = ::geteuid() == 0 ? user : ::geteuid();
  const auto answer = as_user([](const auto& directory) {
    LastWarning log;
    const Context context{{}, log, silent_progress(), real_clock()};
    os::enter_user_namespace(context, without_ranges(directory));
    return std::to_string(::geteuid()) + " " + std::to_string(::getegid()) + "; " +
           first_line("/proc/self/uid_map") + "; " + std::to_string(log.count) + " " + log.text;
  });
  const std::string expected = "0 0; 0 " + std::to_string(own) + " 1; 1 Using rootless single mapping";
  CHECK(answer.substr(0, expected.size()) == expected);
  CHECK(answer.find("subid") != std::string::npos);
}

TEST_CASE("user namespace: root of it has rights there, and nowhere else" * doctest::skip(!can_enter())) {
  CHECK(as_user([](const auto& directory) {
          os::enter_user_namespace(background(), without_ranges(directory));
          return std::string(os::has_cap_sys_admin() ? "may" : "may not") +
                 (os::in_initial_user_namespace() ? ", everywhere" : ", there");
        }) == "may, there");
}

TEST_CASE("user namespace: one in which every ID is itself is not taken for the machine's" *
          doctest::skip(::geteuid() != 0 || !can_enter())) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool entered = os::enter_identical_namespace(background());
    ::_exit(entered && ::geteuid() == 0 && !os::in_initial_user_namespace() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("user namespace: missing helper programs are the reason for a single mapping" *
          doctest::skip(!can_enter())) {
  const auto answer = as_user([](const auto& directory) {
    LastWarning log;
    const Context context{{}, log, silent_progress(), real_clock()};
    auto options = without_ranges(directory);
    directory.write("subid", std::to_string(::geteuid()) + ":200000:65536\n");
    // Parts that are not absolute are not looked at.
    options.program_path = ".:usr/bin:" + directory.str();
    os::enter_user_namespace(context, options);
    return log.text;
  });
  CHECK(answer.ends_with("newuidmap is not installed"));
}

TEST_CASE("user namespace: a helper that refuses is no more than a reason" * doctest::skip(!can_enter())) {
  const auto answer = as_user([](const auto& directory) {
    LastWarning log;
    const Context context{{}, log, silent_progress(), real_clock()};
    auto options = without_ranges(directory);
    directory.write("subid", std::to_string(::geteuid()) + ":200000:65536\n");
    for (const char* name : {"newuidmap", "newgidmap"}) {
      directory.write(name, "#!/bin/sh\necho \"not $2 of $3\" >&2\nexit 1\n");
      ::chmod((directory / name).c_str(), 0755);
    }
    options.program_path = directory.str();
    os::enter_user_namespace(context, options);
    return std::to_string(log.count) + " " + log.text;
  });
  CHECK(answer.starts_with("1 "));
  CHECK(answer.find("not 0 of ") != std::string::npos);
}

TEST_CASE("user namespace: a malformed line of the user changes nothing" * doctest::skip(!can_enter())) {
  const auto answer = as_user([](const auto& directory) {
    directory.write("subid", std::to_string(::geteuid()) + ":200000\n");
    const auto kind = kind_of([&] { os::enter_user_namespace(background(), without_ranges(directory)); });
    return std::string(kind == Kind::invalid_input && ::geteuid() != 0 ? "refused" : "taken");
  });
  CHECK(answer == "refused");
}

TEST_CASE("user namespace: with a second thread it is not entered") {
  std::jthread second([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  CHECK_FALSE(os::is_single_threaded());
  CHECK(kind_of([] { os::enter_user_namespace(background()); }) == Kind::system);
  CHECK(kind_of([] { os::join_user_namespace(1); }) == Kind::system);
}

TEST_CASE("user namespace: processes in our own namespace, and none, are not joined") {
  CHECK(as_user([](const auto&) {
          const bool joined = os::join_user_namespace(::getpid()) || os::join_user_namespace(::getppid()) ||
                              os::join_user_namespace(0x7fffffff);
          return std::string(joined ? "joined" : "left");
        }) == "left");
}

TEST_CASE("user namespace: the one of another process of the user is joined, with its mounts" *
          doctest::skip(!can_enter())) {
  CHECK(as_user([](const auto& directory) {
          int ready[2], over[2];
          if (::pipe(ready) != 0 || ::pipe(over) != 0) return std::string("no pipe");
          const pid_t keeper = ::fork();
          char byte = 'x';
          if (keeper == 0) {
            ::close(over[1]);
            os::enter_user_namespace(background(), without_ranges(directory));
            [[maybe_unused]] auto written = ::write(ready[1], &byte, 1);
            [[maybe_unused]] auto end = ::read(over[0], &byte, 1);
            ::_exit(0);
          }
          [[maybe_unused]] auto got = ::read(ready[0], &byte, 1);
          const bool joined = os::join_user_namespace(keeper);
          std::string other = "/proc/" + std::to_string(keeper) + "/ns/mnt";
          const bool same =
              std::filesystem::read_symlink("/proc/self/ns/mnt") == std::filesystem::read_symlink(other);
          ::close(over[1]);
          ::waitpid(keeper, nullptr, 0);
          return std::string(joined && same && ::geteuid() == 0 ? "joined" : "left");
        }) == "joined");
}
