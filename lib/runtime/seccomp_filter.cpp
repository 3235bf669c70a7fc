#include "runtime/seccomp_filter.hpp"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.hpp"
#include "os/file.hpp"
#include "runtime/names.hpp"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace lade::runtime {
namespace {

constexpr NamedNumber plain_actions[] = {
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
    {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
};

constexpr NamedNumber operators[] = {
    {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    {"SCMP_CMP_NE", SCMP_CMP_NE},
};

constexpr NamedNumber filter_flags[] = {
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},  // there is only one thread
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

constexpr std::string_view architectures[] = {
    "SCMP_ARCH_AARCH64",   "SCMP_ARCH_ARM",      "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",   "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PARISC",    "SCMP_ARCH_PARISC64", "SCMP_ARCH_PPC",      "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",   "SCMP_ARCH_RISCV64",  "SCMP_ARCH_S390",     "SCMP_ARCH_S390X",
    "SCMP_ARCH_X32",       "SCMP_ARCH_X86",      "SCMP_ARCH_X86_64"};

[[noreturn]] void refuse_seccomp(std::string_view what, const std::string& word) {
  throw Error(Kind::invalid_input, fmt::format("linux.seccomp: unknown {} {}", what, word));
}

std::uint32_t seccomp_action(const std::string& name, std::optional<std::uint32_t> errno_ret) {
  constexpr std::uint32_t highest = 0xffff;
  const std::uint32_t value = errno_ret.value_or(EPERM);
  if (value > highest) throw Error(Kind::invalid_input, "linux.seccomp: errnoRet is out of range");
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(value);
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(value);
  const auto action = find_number(plain_actions, name);
  if (!action) refuse_seccomp("action", name);
  if (errno_ret) throw Error(Kind::invalid_input, "linux.seccomp: " + name + " has no errnoRet");
  return static_cast<std::uint32_t>(*action);
}

scmp_arg_cmp seccomp_comparison(const SeccompArgument& argument) {
  constexpr std::uint32_t last_argument = 5;
  const auto op = find_number(operators, argument.op);
  if (!op) refuse_seccomp("operator", argument.op);
  if (argument.index > last_argument) throw Error(Kind::invalid_input, "linux.seccomp: an argument above 5");
  return {argument.index, static_cast<scmp_compare>(*op), argument.value, argument.value_two};
}

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using FilterContext = std::unique_ptr<void, ReleaseFilter>;

void check_seccomp(int result, std::string_view what) {
  if (result < 0) throw Error::from_errno(-result, fmt::format("linux.seccomp: {}", what));
}

void add_architectures(scmp_filter_ctx filter, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::find(std::begin(architectures), std::end(architectures), name) == std::end(architectures))
      refuse_seccomp("architecture", name);
    std::string word = name.substr(std::string_view("SCMP_ARCH_").size());
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::uint32_t token = seccomp_arch_resolve_name(word.c_str());
    if (token == 0) continue;  // newer than this library: no such program can be run either
    const int result = seccomp_arch_add(filter, token);
    if (result != -EEXIST) check_seccomp(result, "adding " + name);
  }
}

// libseccomp compares each argument once a rule: two comparisons of one argument become two rules, as runc
// makes them.
void add_rule(scmp_filter_ctx filter, int number, std::uint32_t action, const SeccompRule& rule) {
  std::vector<scmp_arg_cmp> all;
  std::array<int, 6> uses{};
  bool repeated = false;
  for (const SeccompArgument& argument : rule.args) {
    all.push_back(seccomp_comparison(argument));
    repeated = repeated || ++uses[argument.index] > 1;
  }
  const auto add = [&](std::span<const scmp_arg_cmp> comparisons) {
    check_seccomp(seccomp_rule_add_array(filter, action, number, static_cast<unsigned>(comparisons.size()),
                                         comparisons.empty() ? nullptr : comparisons.data()),
                  "adding a rule");
  };
  if (!repeated) return add(all);
  for (const scmp_arg_cmp& one : all) add(std::span(&one, 1));
}

std::vector<std::byte> export_filter(scmp_filter_ctx filter) {
  const os::UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file.is_open()) throw Error::from_errno(errno, "memfd_create");
  check_seccomp(seccomp_export_bpf(filter, file.get()), "exporting the filter");
  std::vector<std::byte> program(static_cast<std::size_t>(os::stat_of(file).st_size));
  const auto got = ::pread(file.get(), program.data(), program.size(), 0);
  if (got != static_cast<ssize_t>(program.size()))
    throw Error(Kind::system, "linux.seccomp: reading the filter");
  return program;
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const NamedNumber& entry : table) names.emplace_back(entry.name);
  return names;
}

}  // namespace

SeccompFilter seccomp_use(const Seccomp& seccomp) {
  SeccompFilter filter;
  for (const std::string& flag : seccomp.flags) {
    const auto value = find_number(filter_flags, flag);
    if (!value) refuse_seccomp("flag", flag);
    filter.flags |= *value;
  }
  filter.notifies = std::any_of(seccomp.syscalls.begin(), seccomp.syscalls.end(),
                                [](const SeccompRule& rule) { return rule.action == "SCMP_ACT_NOTIFY"; });
  if (filter.notifies) filter.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return filter;
}

SeccompFilter compile_seccomp(const Seccomp& seccomp) {
  SeccompFilter compiled = seccomp_use(seccomp);
  const std::uint32_t default_action = seccomp_action(seccomp.default_action, seccomp.default_errno_ret);
  if (default_action == SCMP_ACT_NOTIFY)
    throw Error(Kind::invalid_input, "linux.seccomp: SCMP_ACT_NOTIFY cannot be the default action");
  const FilterContext filter(seccomp_init(default_action));
  if (!filter) throw Error(Kind::system, "linux.seccomp: seccomp_init failed");
  add_architectures(filter.get(), seccomp.architectures);
  constexpr std::uint32_t binary_tree = 2;
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, binary_tree);
  for (const SeccompRule& rule : seccomp.syscalls) {
    const std::uint32_t action = seccomp_action(rule.action, rule.errno_ret);
    if (action == default_action) continue;
    for (const std::string& name : rule.names) {
      const int number = seccomp_syscall_resolve_name(name.c_str());
      if (number != __NR_SCMP_ERROR) add_rule(filter.get(), number, action, rule);
    }
  }
  compiled.program = export_filter(filter.get());
  return compiled;
}

std::vector<std::string> seccomp_actions() {
  auto names = names_of(plain_actions);
  names.emplace_back("SCMP_ACT_ERRNO");
  names.emplace_back("SCMP_ACT_TRACE");
  std::sort(names.begin(), names.end());
  return names;
}
std::vector<std::string> seccomp_operators() {
  return names_of(operators);
}
std::vector<std::string> seccomp_architectures() {
  return {std::begin(architectures), std::end(architectures)};
}
std::vector<std::string> seccomp_flags() {
  return names_of(filter_flags);
}

}  // namespace lade::runtime
