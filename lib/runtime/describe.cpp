#include <fmt/format.h>
#include <sys/mount.h>

#include "runtime/plan.hpp"

namespace lade::runtime {
namespace {

std::string words(const step::JoinNamespace&) {
  return "joining a namespace";
}
std::string words(const step::NewSession&) {
  return "setsid";
}
std::string words(const step::NewKeyring&) {
  return "joining a session keyring";
}
std::string words(const step::UnshareCgroup&) {
  return "making the cgroup namespace";
}
std::string words(const step::SetHostname& s) {
  return "setting hostname " + s.name;
}
std::string words(const step::SetDomainname& s) {
  return "setting domainname " + s.name;
}
std::string words(const step::LoopbackUp&) {
  return "bringing up the loopback interface";
}
std::string words(const step::WriteSysctl& s) {
  return fmt::format("setting sysctl {} to {}", s.path, s.value);
}
std::string words(const step::SetPropagation&) {
  return "setting the propagation of the root mount";
}
std::string words(const step::OpenRoot& s) {
  return "mounting the root " + s.path;
}
std::string words(const step::MountAt& s) {
  if ((s.flags & MS_REMOUNT) != 0) return "remounting " + s.target;
  return fmt::format("mounting {} at {}", s.is_bind() || s.type.empty() ? s.source : s.type, s.target);
}
std::string words(const step::MakeLink& s) {
  return "making the link " + s.path;
}
std::string words(const step::MakeDevice& s) {
  return "making the device " + s.path;
}
std::string words(const step::MakeDirectory& s) {
  return "making the directory " + s.path;
}
std::string words(const step::OpenTerminal&) {
  return "opening the terminal";
}
std::string words(const step::AwaitRuntimeHooks&) {
  return "waiting for hooks";
}
std::string words(const step::RunHooks&) {
  return "createContainer hook";
}
std::string words(const step::MaskPath& s) {
  return "masking " + s.path;
}
std::string words(const step::MakeReadonly& s) {
  return "making " + s.path + " read-only";
}
std::string words(const step::MakeRootReadonly&) {
  return "making the root read-only";
}
std::string words(const step::EnterRoot&) {
  return "entering the root";
}
std::string words(const step::UseRoot&) {
  return "entering the container's root";
}
std::string words(const step::EnterDirectory& s) {
  return "entering the working directory " + s.path;
}
std::string words(const step::FindProgram& s) {
  return "finding the program " + s.name;
}

}  // namespace

std::string describe(const Step& step) {
  return std::visit([](const auto& one) { return words(one); }, step);
}

}  // namespace lade::runtime
