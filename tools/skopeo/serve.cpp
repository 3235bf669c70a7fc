#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "registry/server.hpp"
#include "skopeo/commands.hpp"
#include "spec/image_name.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

constexpr std::string_view default_address = "127.0.0.1:5000";

std::vector<Option> serve_options() {
  return {{.name = "htpasswd",
           .kind = ValueKind::text,
           .value_name = "FILE",
           .help = "let in only the users of FILE (bcrypt entries, as htpasswd -B writes them)"},
          {.name = "listen",
           .kind = ValueKind::text,
           .value_name = "HOST:PORT",
           .help = "where to listen; port 0: any free one (default 127.0.0.1:5000)"},
          {.name = "readonly", .help = "refuse pushes and deletions"},
          {.name = "tls-cert",
           .kind = ValueKind::text,
           .value_name = "FILE",
           .help = "certificate (PEM) for HTTPS"},
          {.name = "tls-key",
           .kind = ValueKind::text,
           .value_name = "FILE",
           .help = "private key (PEM) for HTTPS"}};
}

// "127.0.0.1:5000", "[::1]:5000", "localhost:0", ":5000".
void set_address(const std::string& address, registry::ServerOptions& options) {
  const std::size_t colon = address.rfind(':');
  const auto refuse = [&] {
    throw Error(Kind::invalid_input, fmt::format("invalid address \"{}\": HOST:PORT expected", address));
  };
  if (colon == std::string::npos) refuse();
  options.host = address.substr(0, colon);
  if (options.host.starts_with('[') && options.host.ends_with(']')) {
    options.host = options.host.substr(1, options.host.size() - 2);
  }
  unsigned port = 0;
  const char* end = address.data() + address.size();
  const auto [at, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || at != end || port > 65535) refuse();
  options.port = static_cast<int>(port);
}

registry::ServerOptions options_of(const Invocation& invocation) {
  const common::Flags& flags = invocation.flags;
  const spec::ImageName name = spec::ImageName::parse(invocation.arguments[0]);
  if (name.transport != "oci" || name.rest.empty() || name.rest.find(':') != std::string::npos) {
    throw Error(Kind::invalid_input,
                fmt::format("cannot serve \"{}\": oci:DIRECTORY expected", invocation.arguments[0]));
  }
  if (flags.given("tls-cert") != flags.given("tls-key")) {
    throw Error(Kind::invalid_input, "--tls-cert and --tls-key must be given together");
  }
  registry::ServerOptions options;
  options.layout = name.rest;
  set_address(flags.find_text("listen").value_or(std::string(default_address)), options);
  options.readonly = flags.flag("readonly");
  options.htpasswd = flags.text("htpasswd");
  options.tls_cert = flags.text("tls-cert");
  options.tls_key = flags.text("tls-key");
  return options;
}

int run_serve(Invocation& invocation) {
  if (invocation.arguments.size() != 1) invocation.refuse_usage("Exactly one argument expected", true);
  const registry::ServerOptions options = options_of(invocation);
  const auto server = registry::Server::start(options, invocation.logger);
  const bool v6 = options.host.find(':') != std::string::npos;
  const std::string host = options.host.empty() ? "0.0.0.0" : v6 ? "[" + options.host + "]" : options.host;
  invocation.out.line(fmt::format("Serving {} at http{}://{}:{}", options.layout.string(),
                                  options.tls_cert.empty() ? "" : "s", host, server->port()));
  invocation.out.flush();
  server->wait(invocation.context.stop);
  return 0;
}

}  // namespace

const common::Command serve_command{
    .name = "serve",
    .summary = "Serve an OCI layout as a registry",
    .description =
        "Serve an OCI layout as a registry (OCI distribution-spec 1.1) until interrupted.\n"
        "Without --listen only this machine can reach it.",
    .synopsis = "[command options] oci:DIRECTORY",
    .example =
        "serve oci:images\nserve --listen :5000 --htpasswd users --tls-cert a.crt --tls-key a.key oci:images",
    .argument = common::ArgumentHint::image,
    .options = serve_options,
    .run = run_serve};

}  // namespace lade::skopeo
