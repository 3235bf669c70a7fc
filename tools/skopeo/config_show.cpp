// config show IMAGE: which file decides what for an image.
#include <fmt/format.h>

#include <algorithm>

#include "common/option_groups.hpp"
#include "common/session.hpp"
#include "config/certs.hpp"
#include "skopeo/commands.hpp"
#include "spec/json.hpp"
#include "transport/docker/docker.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;
using common::Session;
using common::ValueKind;
using spec::Json;

std::vector<Option> config_options() {
  return {common::authfile_option(),
          {.name = "cert-dir",
           .kind = ValueKind::text,
           .value_name = "PATH",
           .help = "use certificates at PATH (*.crt, *.cert, *.key) to connect to the registry",
           .group = "Registry"},
          {.name = "json", .help = "print a JSON document"},
          {.name = "tls-verify",
           .help = "require HTTPS and verify certificates when talking to the registry",
           .group = "Registry"}};
}

// A name without a transport is one of a registry.
std::unique_ptr<transport::ImageReference> parse_shown(const std::string& text) {
  const std::string_view name = std::string_view(text).substr(0, text.find(':'));
  const auto known = transport::transports();
  const bool has_transport =
      std::ranges::any_of(known, [&](const auto* transport) { return transport->name() == name; });
  return transport::parse_image_name(has_transport ? text : "docker://" + text);
}

std::string or_default(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

// The words that a person needs to find the place.
std::string place_of(const config::RegistriesDSetting& setting) {
  return setting.key.empty() ? "built-in default"
                             : fmt::format("{}:{} {}", setting.file, setting.line, setting.key);
}

Json setting_document(const config::RegistriesDSetting& setting) {
  return {{"value", setting.value}, {"from", place_of(setting)}};
}

class Explanation {
 public:
  Explanation(Invocation& invocation, const transport::ImageReference& image)
      : invocation_(invocation), session_(invocation), image_(image) {}

  Json document() {
    Json result = {{"image", image_.str()}};
    if (const auto reference = image_.docker_reference(); image_.transport() == "docker" && reference)
      add_registry(result, *reference);
    result["policy"] = policy();
    return result;
  }

 private:
  void add_registry(Json& result, const spec::Reference& reference) {
    const auto& conf = *session_.registries();
    const auto* entry = conf.find(reference.str());
    result["registriesConf"] = entry == nullptr ? Json()
                                                : Json{{"prefix", entry->prefix},
                                                       {"blocked", entry->blocked},
                                                       {"from", conf.place_of(entry->prefix)}};
    result["pull"] = Json::array();
    try {
      for (const auto& endpoint : conf.pull_endpoints(reference)) result["pull"].push_back(place(endpoint));
    } catch (const Error& error) {
      if (error.kind() != Kind::denied) throw;
      result["refused"] = error.what();
    }
    result["push"] = place({reference, conf.is_insecure(reference), false});
  }

  Json place(const config::PullEndpoint& endpoint) {
    const auto& reference = endpoint.reference;
    const auto flag = invocation_.flags.find_flag("tls-verify");
    const auto* entry = session_.registries()->find(reference.str());
    const bool verified = flag.value_or(!endpoint.insecure);
    const std::string from_conf = entry == nullptr ? "" : session_.registries()->place_of(entry->prefix);
    const auto scopes = transport::docker_scopes(reference);
    const auto& d = *session_.registries_d();
    const auto credentials =
        session_.auth_store().find_source(invocation_.context, reference.domain(), reference.path());
    return {{"reference", reference.str()},
            {"mirror", endpoint.is_mirror},
            {"tlsVerify", verified},
            {"tlsVerifyFrom", flag ? "--tls-verify" : or_default(from_conf, "default")},
            {"certificates", config::find_certs_directory(session_.environment(), reference.domain(),
                                                          invocation_.flags.text("cert-dir"))},
            {"credentials", credentials.value_or("")},
            {"lookaside", setting_document(d.lookaside(scopes))},
            {"lookasideForWriting", setting_document(d.lookaside_for_writing(scopes))},
            {"sigstoreAttachments", setting_document(d.use_sigstore_attachments(scopes))}};
  }

  Json policy() {
    const auto policy = session_.policy();
    const auto decision = policy.decision(image_);
    Json requirements = Json::array();
    for (const auto& requirement : *decision.requirements)
      requirements.push_back(config::type_of(requirement));
    const bool insecure = invocation_.flags.flag("insecure-policy");
    return {{"requirements", std::move(requirements)},
            {"requireSigned", policy.require_signed()},
            {"from", decision.file.empty() ? Json(insecure ? "--insecure-policy" : "built-in default policy")
                                           : Json(decision.file + " " + decision.key)}};
  }

  Invocation& invocation_;
  Session session_;
  const transport::ImageReference& image_;
};

class Writer {
 public:
  explicit Writer(common::Output& out) : out_(out) {}

  void write(const Json& document) {
    line("", "image", document["image"]);
    if (document.contains("registriesConf")) write_registry(document);
    const Json& policy = document["policy"];
    std::string names;
    for (const auto& name : policy["requirements"])
      names += (names.empty() ? "" : " and ") + name.get<std::string>();
    line("", "policy", fmt::format("{} ({})", names, policy["from"].get<std::string>()));
    if (policy["requireSigned"].get<bool>()) line("", "signatures", "required (--require-signed)");
  }

 private:
  void write_registry(const Json& document) {
    const Json& conf = document["registriesConf"];
    line("", "registries.conf",
         conf.is_null() ? "no entry for this name"
                        : fmt::format("prefix \"{}\" ({})", text(conf, "prefix"), text(conf, "from")));
    for (const auto& place : document["pull"])
      write_place(place["mirror"].get<bool>() ? "pull from mirror" : "pull from", place);
    if (document.contains("refused")) line("", "refused", text(document, "refused"));
    write_place("push to", document["push"]);
  }

  void write_place(std::string_view title, const Json& place) {
    line("", title, text(place, "reference"));
    const bool verified = place["tlsVerify"].get<bool>();
    line("  ", "TLS",
         fmt::format("{} ({})", verified ? "verified" : "not verified, plain HTTP allowed",
                     text(place, "tlsVerifyFrom")));
    line("  ", "certificates", or_default(text(place, "certificates"), "the system's"));
    line("  ", "credentials", or_default(text(place, "credentials"), "none"));
    const bool writing = title == "push to";
    const Json& lookaside = place[writing ? "lookasideForWriting" : "lookaside"];
    line("  ", "lookaside", fmt::format("{} ({})", text(lookaside, "value"), text(lookaside, "from")));
    const Json& attachments = place["sigstoreAttachments"];
    line("  ", "sigstore attachments",
         fmt::format("{} ({})", text(attachments, "value") == "true" ? "used" : "not used",
                     text(attachments, "from")));
  }

  static std::string text(const Json& object, const char* name) { return object[name].get<std::string>(); }

  void line(std::string_view indent, std::string_view name, const std::string& value) {
    out_.line(fmt::format("{}{}: {}", indent, name, value));
  }

  common::Output& out_;
};

int run_config(Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  if (arguments.size() != 2 || arguments[0] != "show")
    invocation.refuse_usage(fmt::format("Usage: {} config show IMAGE-NAME", invocation.program.name));
  const auto image = parse_shown(arguments[1]);
  const Json document = Explanation(invocation, *image).document();
  if (invocation.flags.flag("json")) {
    invocation.out.line(spec::dump_json(document, 4));
  } else {
    Writer(invocation.out).write(document);
  }
  return 0;
}

}  // namespace

const common::Command config_command{
    .name = "config",
    .summary = "Show which files decide what for an image",
    .description =
        "Show which files decide what for an image: where it is pulled from and pushed to, TLS, whose "
        "credentials, where signatures are kept, and the policy. Nothing is fetched.",
    .synopsis = "[command options] show IMAGE-NAME",
    .example =
        "config show docker://quay.io/skopeo/stable:latest\nconfig show --json docker.io/library/busybox",
    .argument = common::ArgumentHint::image,
    .choices = {"show"},
    .options = config_options,
    .run = run_config};

}  // namespace lade::skopeo
