// update.
#include <fmt/format.h>

#include "common/prompt.hpp"
#include "os/file.hpp"
#include "runtime/commands.hpp"
#include "runtime/front.hpp"

namespace lade::runtime_tool {
namespace {

using common::Command;
using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> update_options() {
  const auto number = [](const char* name, const char* help) {
    return Option{.name = name, .kind = ValueKind::integer, .value_name = "N", .help = help};
  };
  const auto text = [](const char* name, const char* help) {
    return Option{.name = name, .kind = ValueKind::text, .value_name = "LIST", .help = help};
  };
  return {{.name = "resources",
           .short_name = 'r',
           .kind = ValueKind::text,
           .value_name = "FILE",
           .help = "limits as JSON; - for standard input"},
          number("blkio-weight", "share of block devices, 10 to 1000"),
          number("cpu-period", "period of --cpu-quota, in microseconds"),
          number("cpu-quota", "time of processors in a period, in microseconds"),
          number("cpu-burst", "time that may be saved up, in microseconds"),
          number("cpu-rt-period", "period of --cpu-rt-runtime"),
          number("cpu-rt-runtime", "realtime in a period, in microseconds"),
          number("cpu-share", "share of processors, 2 to 262144"),
          number("cpu-idle", "1: only runs when nothing else does"),
          text("cpuset-cpus", "processors"),
          text("cpuset-mems", "memory nodes"),
          number("kernel-memory", "kernel memory, in bytes"),
          number("kernel-memory-tcp", "kernel memory of TCP buffers, in bytes"),
          number("memory", "memory, in bytes; -1: any"),
          number("memory-reservation", "memory that is kept for it, in bytes"),
          number("memory-swap", "memory with swap, in bytes; -1: any"),
          number("pids-limit", "processes; -1: any")};
}

runtime::Resources resources_of_flags(const Flags& flags) {
  runtime::Resources resources;
  const auto set = [&](const char* name, auto& value) {
    using Number = typename std::remove_reference_t<decltype(value)>::value_type;
    const auto given = flags.find_integer(name);
    if (!given) return;
    if (std::is_unsigned_v<Number> && *given < 0)
      throw Error(Kind::invalid_input, fmt::format("--{}: below 0", name));
    value = static_cast<Number>(*given);
  };
  set("blkio-weight", resources.block_io.weight);
  set("cpu-period", resources.cpu.period);
  set("cpu-quota", resources.cpu.quota);
  set("cpu-burst", resources.cpu.burst);
  set("cpu-rt-period", resources.cpu.realtime_period);
  set("cpu-rt-runtime", resources.cpu.realtime_runtime);
  set("cpu-share", resources.cpu.shares);
  set("cpu-idle", resources.cpu.idle);
  resources.cpu.cpus = flags.text("cpuset-cpus");
  resources.cpu.mems = flags.text("cpuset-mems");
  set("kernel-memory", resources.memory.kernel);
  set("kernel-memory-tcp", resources.memory.kernel_tcp);
  set("memory", resources.memory.limit);
  set("memory-reservation", resources.memory.reservation);
  set("memory-swap", resources.memory.swap);
  set("pids-limit", resources.pids.limit);
  return resources;
}

int run_update(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    const std::string id = session.id();
    const auto file = session.flags().find_text("resources");
    if (!file) {
      session.runtime.update(id, resources_of_flags(session.flags()));
      return 0;
    }
    const std::string text = *file == "-" ? common::read_standard_input(runtime::max_spec_size, {})
                                          : os::read_file(*file, runtime::max_spec_size);
    session.runtime.update(id, runtime::parse_resources(text));
    return 0;
  });
}

}  // namespace

const Command update_command = {.name = "update",
                                .summary = "Change the limits of a container",
                                .description = "Sets limits of a container that runs.",
                                .synopsis = "[options] CONTAINER",
                                .example = "update --memory 100000000 c1",
                                .options = update_options,
                                .run = run_update};

}  // namespace lade::runtime_tool
