#include "registry/server/api.hpp"

#include <exception>

#include "registry/server/api_error.hpp"
#include "registry/text.hpp"
#include "spec/json.hpp"

namespace lade::registry::server {

namespace {

struct Refusal {
  int status;
  const char* code;
};

// What a failure inside says to a client. Only what a client has sent can be invalid: for a reader, a broken
// layout is the server's failure.
Refusal refusal_of(Kind kind, bool sent) {
  switch (kind) {
    case Kind::not_found:
    case Kind::image_not_found: return {404, "MANIFEST_UNKNOWN"};
    case Kind::invalid_input:
    case Kind::unsupported:
      if (sent) return {400, "MANIFEST_INVALID"};
      break;
    case Kind::integrity:
    case Kind::already_exists:
    case Kind::denied:
    case Kind::unavailable:
    case Kind::system: break;
  }
  return {500, "UNKNOWN"};
}

void set_error(httplib::Response& response, int status, const std::string& code, const std::string& message) {
  response.status = status;
  response.set_content(error_document(code, message), "application/json");
  if (status == 401) response.set_header("WWW-Authenticate", "Basic realm=\"lade\"");
}

}  // namespace

std::string error_document(const std::string& code, const std::string& message) {
  spec::Json entry = spec::Json::object();
  entry["code"] = code;
  entry["message"] = message;
  spec::Json document = spec::Json::object();
  document["errors"] = spec::Json::array({entry});
  return spec::dump_json(document);
}

spec::Digest Call::parse_digest(std::string_view text) {
  const auto digest = spec::Digest::try_parse(text);
  if (!digest) throw ApiError(400, "DIGEST_INVALID", "provided digest is not valid");
  return *digest;
}

bool Call::has_body() const {
  if (request.has_header("Transfer-Encoding")) return true;
  return request.has_header("Content-Length") && header("Content-Length") != "0";
}

void Call::read_body(const std::function<void(io::Bytes)>& take) {
  if (!has_body()) return;
  // httplib would decode these before we see the bytes.
  if (body_ == nullptr || request.has_header("Content-Encoding") || request.is_multipart_form_data()) {
    throw ApiError(415, "UNSUPPORTED", "this kind of request body is not supported");
  }
  std::exception_ptr failure;  // not through the frames of httplib
  const bool complete = (*body_)([&](const char* data, std::size_t size) {
    try {
      take(io::as_bytes({data, size}));
      return true;
    } catch (...) {
      failure = std::current_exception();
      return false;
    }
  });
  response.status = -1;  // httplib has set its own opinion
  if (failure) std::rethrow_exception(failure);
  if (!complete) throw ApiError(400, "BLOB_UPLOAD_INVALID", "the request body is incomplete or malformed");
  body_read_ = true;
}

std::string Call::read_text_body(std::uint64_t limit) {
  std::string text;
  read_body([&](io::Bytes data) {
    if (data.size() > limit - text.size()) {
      throw ApiError(413, "SIZE_INVALID", "the manifest is larger than " + std::to_string(limit) + " bytes");
    }
    text += io::as_text(data);
  });
  return text;
}

void Call::reply(int status, const std::string& content_type, const std::string& body) {
  response.status = status;
  if (!content_type.empty()) response.set_content(body, content_type);
}

void Api::handle(const httplib::Request& request, httplib::Response& response,
                 const httplib::ContentReader* body) noexcept {
  Call call(request, response, body);
  guarded(request, response, [&] { answer(call); });
  response.set_header("Docker-Distribution-API-Version", "registry/2.0");
  if (!call.body_is_read()) response.set_header("Connection", "close");
  context_.log.debug(request.method + " " + request.target + ": " + std::to_string(response.status));
}

bool Api::may_continue(const httplib::Request& request, httplib::Response& response) noexcept {
  if (guarded(request, response, [&] { check_access(request); })) return true;
  response.set_header("Connection", "close");
  return false;
}

// The boundary to httplib's frames, which no exception may cross.
bool Api::guarded(const httplib::Request& request, httplib::Response& response,
                  const std::function<void()>& fn) noexcept {
  try {
    fn();
    return true;
  } catch (const ApiError& error) {
    set_error(response, error.status(), error.code(), error.message());
  } catch (const Error& error) {
    const auto [status, code] = refusal_of(error.kind(), request.method == "PUT");
    // Names of files are nobody's business.
    set_error(response, status, code, status == 500 ? "internal error" : error.what());
    context_.log.warning(request.method + " " + request.target + ": " + error.what());
  } catch (const std::exception& error) {
    set_error(response, 500, "UNKNOWN", "internal error");
    context_.log.warning(request.method + " " + request.target + ": " + error.what());
  }
  return false;
}

void Api::describe_error(httplib::Response& response) {
  if (!response.body.empty() || response.status < 400) return;
  set_error(response, response.status, "UNSUPPORTED", "the request is malformed or not supported");
}

void Api::check_access(const httplib::Request& request) {
  if (passwords_ != nullptr && !passwords_->allows(request.get_header_value("Authorization"))) {
    throw ApiError(401, "UNAUTHORIZED", "authentication required");
  }
  if (options_.readonly && request.method != "GET" && request.method != "HEAD") {
    throw ApiError(405, "UNSUPPORTED", "this registry is read-only");
  }
}

void Api::answer(Call& call) {
  check_access(call.request);
  auto target = Target::parse(call.request.target);
  if (!target) throw ApiError(400, "UNSUPPORTED", "the target of the request is malformed");
  auto route = parse_route(target->path);
  if (!route) throw ApiError(404, "UNSUPPORTED", "there is no such end point");
  const bool in_repository =
      route->resource != Route::Resource::base && route->resource != Route::Resource::catalog;
  if (in_repository && !is_valid_repository(route->repository)) {
    throw ApiError(400, "NAME_INVALID", "invalid repository name");
  }
  call.target = std::move(*target);
  call.route = std::move(*route);
  dispatch(call);
}

void Api::dispatch(Call& call) {
  using Resource = Route::Resource;
  const bool get = call.is("GET") || call.is("HEAD");
  switch (call.route.resource) {
    case Resource::manifest: return on_manifest(call);
    case Resource::blob: return on_blob(call);
    case Resource::upload: return on_upload(call);
    case Resource::uploads:
      if (call.is("POST")) return begin_upload(call);
      break;
    case Resource::base:
      if (get) return get_base(call);
      break;
    case Resource::catalog:
      if (get) return get_catalog(call);
      break;
    case Resource::tags:
      if (get) return get_tags(call);
      break;
    case Resource::referrers:
      if (get) return get_referrers(call);
      break;
  }
  throw ApiError(405, "UNSUPPORTED", "the method is not supported here");
}

}  // namespace lade::registry::server
