// The distribution-spec's end points on a layout.
#pragma once

#include <httplib.h>

#include <functional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "registry/server/htpasswd.hpp"
#include "registry/server/layout_store.hpp"
#include "registry/server/route.hpp"
#include "registry/server/uploads.hpp"

namespace lade::registry::server {

// One request and its response.
class Call {
 public:
  // body: nullptr for methods without one.
  Call(const httplib::Request& request_, httplib::Response& response_, const httplib::ContentReader* body)
      : request(request_), response(response_), body_(body) {}

  const httplib::Request& request;
  httplib::Response& response;
  Target target;
  Route route;

  bool is(std::string_view method) const { return request.method == method; }
  std::string header(const std::string& name) const { return request.get_header_value(name); }
  // The digest in the last part of the path, or in `text`. ApiError DIGEST_INVALID.
  spec::Digest digest() const { return parse_digest(route.reference); }
  static spec::Digest parse_digest(std::string_view text);

  bool has_body() const;
  // Hands the body over piece by piece. Does nothing if there is none.
  void read_body(const std::function<void(io::Bytes)>& take);
  // ApiError 413 if it is longer than limit.
  std::string read_text_body(std::uint64_t limit);
  // A body that nobody read stands between this request and the next one.
  bool body_is_read() const { return !has_body() || body_read_; }

  void reply(int status, const std::string& content_type = "", const std::string& body = "");
  void reply_json(int status, const std::string& document) { reply(status, "application/json", document); }

 private:
  const httplib::ContentReader* body_;
  bool body_read_ = false;
};

class Api {
 public:
  struct Options {
    bool readonly = false;
  };

  // passwords: nullptr lets everybody in. All references must outlive this object.
  Api(LayoutStore& store, Htpasswd* passwords, const Options& options, const Context& context)
      : store_(store), uploads_(store), passwords_(passwords), options_(options), context_(context) {}

  // Answers a request; never throws.
  void handle(const httplib::Request& request, httplib::Response& response,
              const httplib::ContentReader* body) noexcept;
  // Before "100 Continue": whether the client may go on and send its body.
  bool may_continue(const httplib::Request& request, httplib::Response& response) noexcept;
  // A document for refusals by httplib itself.
  static void describe_error(httplib::Response& response);

 private:
  void answer(Call& call);
  void check_access(const httplib::Request& request);
  void dispatch(Call& call);
  bool guarded(const httplib::Request& request, httplib::Response& response,
               const std::function<void()>& fn) noexcept;

  void get_base(Call& call);
  void get_catalog(Call& call);
  void get_tags(Call& call);
  void get_referrers(Call& call);
  void on_manifest(Call& call);
  void get_manifest(Call& call);
  void put_manifest(Call& call);
  void delete_manifest(Call& call);
  void check_references(const StoredManifest& manifest) const;

  void on_blob(Call& call);
  void get_blob(Call& call);
  void delete_blob(Call& call);
  void begin_upload(Call& call);
  void on_upload(Call& call);
  void get_upload(Call& call);
  void append_upload(Call& call);
  void complete_upload(Call& call);
  void append_body(Call& call, Upload& upload);
  bool mount(Call& call);
  void reply_created(Call& call, const spec::Digest& digest);

  LayoutStore& store_;
  Uploads uploads_;
  Htpasswd* passwords_;
  Options options_;
  Context context_;
};

}  // namespace lade::registry::server
