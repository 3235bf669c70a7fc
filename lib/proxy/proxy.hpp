// The protocol of `skopeo experimental-image-proxy`, version 0.2.8: another program reads images through this
// one. Requests {"method", "args"} and replies {"success", "value", "pipeid", "error_code", "error"} are
// messages on a socket; bytes come through pipes whose ends are sent with the replies.
#pragma once

#include <functional>
#include <memory>

#include "base/context.hpp"
#include "os/unique_fd.hpp"
#include "spec/platform.hpp"
#include "transport/options.hpp"
#include "trust/policy.hpp"

namespace lade::proxy {

struct ProxyOptions {
  std::function<std::unique_ptr<transport::ImageReference>(const std::string& name)> parse;
  std::function<transport::Options(const transport::ImageReference& reference)> transport_options;
  // Asked for when an image is opened; it decides over each of them.
  std::function<trust::PolicyContext()> policy;
  spec::PlatformChoice platform;  // of what is taken from lists
};

// Until the client says Shutdown or closes the socket; transfers that are still running are given up then. A
// failed request is told to the client. Kind::invalid_input for a descriptor that is no such socket.
void serve(const Context& context, os::UniqueFd socket, const ProxyOptions& options);

}  // namespace lade::proxy
