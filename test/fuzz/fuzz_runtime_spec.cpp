// config.json, and the plan that is made of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "runtime/plan.hpp"
#include "runtime/resources.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lade::runtime;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Host host;
  host.capabilities = ~0ULL;
  host.cgroups = {{{"cpu"}, "/sys/fs/cgroup/cpu", "/", "/c"}, {{}, "/sys/fs/cgroup", "/", "/c"}};
  PlanOptions options;
  options.root = "/bundle/rootfs";
  options.bundle = "/bundle";
  try {
    const Spec spec = parse_spec(text);
    const std::string written = lade::spec::dump_json(to_json(spec));
    if (lade::spec::dump_json(to_json(parse_spec(written))) != written) __builtin_trap();
    if (spec.linux.resources) device_program(complete_device_rules(spec.linux.resources->devices));
    plan(spec, host, options);
    std::vector<std::string> warnings;
    if (!spec.process) return 0;
    const ProcessTail tail = plan_tail(*spec.process, spec.linux.personality, host,
                                       program_candidates(*spec.process), {}, warnings);
    tail.tail.place(tail_base(), 3);
  } catch (const lade::Error&) {
    return 0;
  }
  return 0;
}
