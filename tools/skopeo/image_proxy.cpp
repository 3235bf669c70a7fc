#include <fmt/format.h>

#include <limits>

#include "common/option_groups.hpp"
#include "common/session.hpp"
#include "proxy/proxy.hpp"
#include "skopeo/commands.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> image_proxy_options() {
  std::vector<Option> options = common::image_options("");
  options.push_back(common::authfile_option());
  options.push_back({.name = "sockfd",
                     .kind = ValueKind::unsigned_integer,
                     .help = "Serve on this open socket (default 0: standard input)"});
  return options;
}

int run_image_proxy(Invocation& invocation) {
  if (!invocation.arguments.empty())
    throw Error(Kind::invalid_input,
                fmt::format("accepts 0 arg(s), received {}", invocation.arguments.size()));
  common::Session session(invocation);
  const proxy::ProxyOptions options{
      .parse = [](const std::string& name) { return transport::parse_image_name(name); },
      .transport_options =
          [&](const transport::ImageReference& reference) {
            return session.transport_options("", reference);
          },
      .policy = [&] { return session.policy(); },
      .platform = session.platform()};
  const std::uint64_t socket = invocation.flags.find_unsigned("sockfd").value_or(0);
  if (socket > std::numeric_limits<int>::max())
    throw Error(Kind::invalid_input, fmt::format("invalid descriptor {}", socket));
  proxy::serve(invocation.context, os::UniqueFd(static_cast<int>(socket)), options);
  return 0;
}

}  // namespace

const common::Command image_proxy_command{
    .name = "experimental-image-proxy",
    .summary = "Interactive proxy for fetching container images (EXPERIMENTAL)",
    .description =
        "Lets another program read images: it sends requests as JSON over a socket (SOCK_SEQPACKET) and gets "
        "manifests, configs and blobs through pipes. The protocol is that of skopeo, version 0.2.8.",
    .synopsis = "[command options]",
    .example = "experimental-image-proxy --sockfd 3",
    .options = image_proxy_options,
    .run = run_image_proxy};

}  // namespace lade::skopeo
