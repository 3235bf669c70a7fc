#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/error.hpp"
#include "runtime/child.hpp"

namespace lade::runtime {
namespace {

[[noreturn]] void execute_hook(const HookCommand& hook, int input) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  reset_signals();
  constexpr int cannot_execute = 127;
  if (::dup2(input, 0) < 0) ::_exit(cannot_execute);
  ::execve(hook.path, hook.arguments.data(), hook.environment.data());
  ::_exit(cannot_execute);
}

int hook_input(const char* state) {
  const int fd = ::memfd_create("state", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  const std::size_t size = std::strlen(state);
  if (::write(fd, state, size) != static_cast<ssize_t>(size) || ::lseek(fd, 0, SEEK_SET) < 0) {
    ::close(fd);
    return -EIO;
  }
  return fd;
}

int wait_hook(pid_t pid, int pidfd, int timeout_ms) {
  pollfd watched{pidfd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  if (ready == 0) return fault_hook_timeout;
  if (WIFSIGNALED(status)) return fault_hook_signal + WTERMSIG(status);
  return WEXITSTATUS(status) == 0 ? 0 : fault_hook_status + WEXITSTATUS(status);
}

}  // namespace

HookCommand make_hook_command(const Hook& hook) {
  HookCommand command;
  command.path = hook.path.c_str();
  const auto add = [](std::vector<char*>& list, const std::vector<std::string>& words) {
    for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
    list.push_back(nullptr);
  };
  add(command.arguments, hook.args);
  if (hook.args.empty())
    command.arguments.insert(command.arguments.begin(), const_cast<char*>(hook.path.c_str()));
  add(command.environment, hook.env);
  constexpr std::uint32_t longest = 2'000'000;  // seconds, in milliseconds an int
  if (hook.timeout) command.timeout_ms = static_cast<int>(std::min(*hook.timeout, longest) * 1000);
  return command;
}

int run_hook(const HookCommand& hook, const char* state) {
  const int input = hook_input(state);
  if (input < 0) return -input;
  int pidfd = -1;
  const pid_t pid = raw_clone(0, &pidfd);
  if (pid == 0) execute_hook(hook, input);
  ::close(input);
  if (pid < 0) return -pid;
  const int result = wait_hook(pid, pidfd, hook.timeout_ms);
  ::close(pidfd);
  return result;
}

std::string describe_fault(int error) {
  if (error > fault_hook_timeout) error = fault_gone;
  switch (error) {
    case fault_link: return "there is a symbolic link in the way";
    case fault_device: return "the file that is there is not the device";
    case fault_outside: return "the directory is outside of the container";
    case fault_proc: return "nothing may be mounted inside of /proc there";
    case fault_mask: return "the path could not be masked";
    case fault_hook_timeout: return "it did not end in time";
    case fault_gone: return "the runtime has ended";
    default: break;
  }
  if (error >= fault_hook_signal)
    return "it was ended by signal " + std::to_string(error - fault_hook_signal);
  if (error >= fault_hook_status) return "it ended with status " + std::to_string(error - fault_hook_status);
  return "unknown fault";
}

}  // namespace lade::runtime
