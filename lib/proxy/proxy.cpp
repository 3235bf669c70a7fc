#include "proxy/proxy.hpp"

#include <list>
#include <map>
#include <optional>

#include "proxy/channel.hpp"
#include "proxy/opened_image.hpp"
#include "spec/json.hpp"

namespace lade::proxy {

namespace {

using spec::Json;

constexpr const char* protocol_version = "0.2.8";
constexpr double max_safe_integer = 9007199254740991;  // of JavaScript

struct Reply {
  Json value = nullptr;
  std::uint32_t pipe = 0;
  os::UniqueFd data{}, errors{};
};

[[noreturn]] void refuse_request(std::string reason) {
  throw Error(Kind::invalid_input, std::move(reason));
}

using Arguments = Json::array_t;

void expect_arguments(const Arguments& arguments, std::size_t count, std::string_view names) {
  if (arguments.size() != count)
    refuse_request("found " + std::to_string(arguments.size()) + " args, expecting (" + std::string(names) +
                   ")");
}

std::uint64_t number_of(const Json& value) {
  if (!value.is_number()) refuse_request("expecting numeric, not " + std::string(value.type_name()));
  const double number = value.get<double>();
  if (!(number >= 0 && number <= max_safe_integer))
    refuse_request("out of range integer for numeric " + value.dump());
  return static_cast<std::uint64_t>(number);
}

const std::string& text_of(const Json& value, std::string_view what) {
  if (!value.is_string())
    refuse_request("expecting string " + std::string(what) + ", not " + value.type_name());
  return value.get_ref<const std::string&>();
}

class Proxy {
 public:
  Proxy(const Context& context, const ProxyOptions& options)
      : stop_with_(context.stop, [this] { stop_.request_stop(); }),
        context_(context.with_stop(stop_.get_token())),
        options_(options) {}
  // Ends what is still being transferred.
  ~Proxy() { stop_.request_stop(); }

  // nullopt: the client is done.
  std::optional<Reply> answer(const Channel::Message& message);

 private:
  using Method = Reply (Proxy::*)(const Arguments&);
  static const std::map<std::string, Method, std::less<>> methods;

  Reply initialize(const Arguments& arguments);
  Reply open_image(const Arguments& arguments) { return open(arguments, false); }
  Reply open_image_optional(const Arguments& arguments) { return open(arguments, true); }
  Reply close_image(const Arguments& arguments);
  Reply get_manifest(const Arguments& arguments);
  Reply get_config(const Arguments& arguments);
  Reply get_full_config(const Arguments& arguments);
  Reply get_blob(const Arguments& arguments);
  Reply get_raw_blob(const Arguments& arguments);
  Reply get_layer_info(const Arguments& arguments);
  Reply get_layer_info_piped(const Arguments& arguments);
  Reply finish_pipe(const Arguments& arguments);

  Reply open(const Arguments& arguments, bool may_be_missing);
  OpenedImage& image(const Json& id);
  OpenedImage& only_image(const Arguments& arguments);
  Reply piped(Json value, PipeJob::Work work);
  Reply piped_text(Json value, std::string text);

  std::stop_source stop_;
  std::stop_callback<std::function<void()>> stop_with_;
  const Context context_;
  const ProxyOptions& options_;
  bool initialized_ = false;
  std::uint64_t last_image_ = 0;
  std::uint32_t last_pipe_ = 0;
  std::map<std::uint64_t, OpenedImage> images_;
  std::map<std::uint32_t, PipeJob> pipes_;
  std::list<PipeJob> raw_pipes_;  // nobody asks for their end
};

const std::map<std::string, Proxy::Method, std::less<>> Proxy::methods{
    {"Initialize", &Proxy::initialize},
    {"OpenImage", &Proxy::open_image},
    {"OpenImageOptional", &Proxy::open_image_optional},
    {"CloseImage", &Proxy::close_image},
    {"GetManifest", &Proxy::get_manifest},
    {"GetConfig", &Proxy::get_config},
    {"GetFullConfig", &Proxy::get_full_config},
    {"GetBlob", &Proxy::get_blob},
    {"GetRawBlob", &Proxy::get_raw_blob},
    {"GetLayerInfo", &Proxy::get_layer_info},
    {"GetLayerInfoPiped", &Proxy::get_layer_info_piped},
    {"FinishPipe", &Proxy::finish_pipe},
};

std::optional<Reply> Proxy::answer(const Channel::Message& message) {
  raw_pipes_.remove_if([](const PipeJob& job) { return job.is_done(); });
  if (message.truncated)
    refuse_request("invalid request: longer than " + std::to_string(max_message_size) + " bytes");
  const Json request = spec::parse_json(message.text, "invalid request");
  if (!request.is_object()) refuse_request("invalid request: not an object");
  const std::string name = spec::string_member(request, "method", "invalid request");
  context_.log.debug("Executing method " + name);
  if (name == "Shutdown") return std::nullopt;
  const auto method = methods.find(name);
  if (method == methods.end()) refuse_request("unknown method: " + name);
  if (!initialized_ && name != "Initialize") refuse_request("client error: must invoke Initialize");
  return (this->*method->second)(spec::array_member(request, "args", "invalid request"));
}

Reply Proxy::initialize(const Arguments& arguments) {
  if (!arguments.empty()) refuse_request("invalid request, expecting zero arguments");
  if (initialized_) refuse_request("already initialized");
  initialized_ = true;
  return {protocol_version};
}

Reply Proxy::open(const Arguments& arguments, bool may_be_missing) {
  expect_arguments(arguments, 1, "imgref");
  const std::shared_ptr<const transport::ImageReference> reference =
      options_.parse(text_of(arguments[0], "imageref"));
  std::optional<OpenedImage> opened;
  try {
    opened.emplace(context_, reference, options_.transport_options(*reference));
  } catch (const Error& error) {
    if (!may_be_missing || error.kind() != Kind::image_not_found) throw;
    return {0};
  }
  opened->check(context_, options_.policy());
  images_.emplace(++last_image_, std::move(*opened));
  return {last_image_};
}

OpenedImage& Proxy::image(const Json& id) {
  const std::uint64_t number = number_of(id);
  if (number == 0) refuse_request("invalid imageid value of zero");
  const auto found = images_.find(number);
  if (found == images_.end()) refuse_request("no image " + std::to_string(number));
  return found->second;
}

OpenedImage& Proxy::only_image(const Arguments& arguments) {
  expect_arguments(arguments, 1, "imgid");
  return image(arguments[0]);
}

Reply Proxy::close_image(const Arguments& arguments) {
  only_image(arguments);
  images_.erase(number_of(arguments[0]));
  return {};
}

Reply Proxy::piped(Json value, PipeJob::Work work) {
  const auto [entry, inserted] =
      pipes_.try_emplace(++last_pipe_, context_, std::move(work), PipeJob::Errors::kept);
  return {std::move(value), last_pipe_, entry->second.take_readers().first};
}

Reply Proxy::piped_text(Json value, std::string text) {
  return piped(std::move(value),
               [text = std::move(text)](const Context&, io::Writer& out) { out.write(io::as_bytes(text)); });
}

Reply Proxy::get_manifest(const Arguments& arguments) {
  auto [digest, bytes] = only_image(arguments).oci_manifest(context_, options_.platform);
  return piped_text(digest.str(), std::move(bytes));
}

Reply Proxy::get_full_config(const Arguments& arguments) {
  return piped_text(nullptr, spec::dump_json(only_image(arguments).config(context_, options_.platform)));
}

Reply Proxy::get_config(const Arguments& arguments) {
  const Json document = only_image(arguments).config(context_, options_.platform);
  const Json* config = spec::find_member(document, "config");
  return piped_text(nullptr, config == nullptr ? "{}" : spec::dump_json(*config));
}

Reply Proxy::get_blob(const Arguments& arguments) {
  expect_arguments(arguments, 3, "imgid, digest, size");
  auto job =
      image(arguments[0])
          .blob(context_, spec::Digest::parse(text_of(arguments[1], "blobid")), number_of(arguments[2]));
  return piped(job.size, std::move(job.work));
}

Reply Proxy::get_raw_blob(const Arguments& arguments) {
  expect_arguments(arguments, 2, "imgid, digest");
  auto job =
      image(arguments[0]).blob(context_, spec::Digest::parse(text_of(arguments[1], "blobid")), std::nullopt);
  auto [data, errors] =
      raw_pipes_.emplace_back(context_, std::move(job.work), PipeJob::Errors::piped).take_readers();
  return {job.size, 0, std::move(data), std::move(errors)};
}

Reply Proxy::get_layer_info(const Arguments& arguments) {
  return {only_image(arguments).layers(context_, options_.platform)};
}

Reply Proxy::get_layer_info_piped(const Arguments& arguments) {
  return piped_text(nullptr, spec::dump_json(only_image(arguments).layers(context_, options_.platform)));
}

Reply Proxy::finish_pipe(const Arguments& arguments) {
  expect_arguments(arguments, 1, "pipeid");
  const std::uint64_t id = number_of(arguments[0]);
  const auto found = id <= last_pipe_ ? pipes_.find(static_cast<std::uint32_t>(id)) : pipes_.end();
  if (found == pipes_.end()) refuse_request("finishpipe: no active pipe " + std::to_string(id));
  const auto failure = found->second.finish();
  pipes_.erase(found);
  if (failure) throw PipeFailed(*failure);
  return {};
}

std::string reply_text(const Reply& reply, const std::optional<Failure>& failure) {
  return spec::dump_json({{"success", !failure.has_value()},
                          {"value", reply.value},
                          {"pipeid", reply.pipe},
                          {"error_code", failure ? failure->code : ""},
                          {"error", failure ? failure->message : ""}});
}

void send(Channel& channel, const Reply& reply, const std::optional<Failure>& failure) {
  std::vector<int> descriptors;
  for (const os::UniqueFd* descriptor : {&reply.data, &reply.errors})
    if (descriptor->is_open()) descriptors.push_back(descriptor->get());
  const std::string text = reply_text(reply, failure);
  if (text.size() <= max_message_size) return channel.send(text, descriptors);
  channel.send(
      reply_text({}, Failure{"other", "the reply is longer than " + std::to_string(max_message_size) +
                                          " bytes; GetLayerInfoPiped has no such limit"}),
      {});
}

}  // namespace

void serve(const Context& context, os::UniqueFd socket, const ProxyOptions& options) {
  Channel channel(std::move(socket));
  Proxy proxy(context, options);
  while (const auto message = channel.receive(context)) {
    std::optional<Reply> reply;
    std::optional<Failure> failure;
    try {
      reply = proxy.answer(*message);
      if (!reply) return;
    } catch (const Error& error) {
      failure = failure_of(error);
    }
    if (!reply) reply.emplace();
    send(channel, *reply, failure);
  }
}

}  // namespace lade::proxy
