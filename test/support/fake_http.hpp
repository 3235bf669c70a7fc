// An HttpPool without sockets: a function answers each request. For tests of what lies above HTTP.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/http.hpp"
#include "registry/text.hpp"

namespace lade::test {

struct FakeRequest {
  std::string method;
  std::string url;  // "https://host/path?query"
  registry::Headers headers;
  std::string body;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (registry::equals_ignoring_case(key, name)) return value;
    }
    return "";
  }
  std::string line() const { return method + " " + url; }
};

struct FakeAnswer {
  int status = 200;
  registry::Headers headers = {};
  std::string body = {};
  std::string error = {};  // not "": no response at all but Kind::unavailable with this text
  // Bytes of `body` after which the connection breaks; npos: never.
  std::size_t cut_at = std::string::npos;
  bool no_length = false;                         // no Content-Length
  std::string url = {};                           // where a redirect led; "": the request's
  std::function<void(std::size_t)> on_read = {};  // called with the number of bytes of each read
};

// Thread-safe as a pool has to be. `answer` is called for one request at a time. A request whose body is a
// stream is first offered without it (`early`), as a server may answer before it has read everything.
class FakePool final : public registry::HttpPool {
 public:
  using Answer = std::function<FakeAnswer(const FakeRequest&)>;
  using Early = std::function<std::optional<FakeAnswer>(const FakeRequest&)>;

  explicit FakePool(Answer answer) : answer_(std::move(answer)) {}

  Early early;
  // Bytes of the body that are read before an early answer is noticed.
  std::size_t read_before_early = 0;

  std::unique_ptr<registry::HttpResponse> send(const Context& context, const registry::Endpoint&,
                                               registry::HttpRequest request) override {
    context.throw_if_stopped();
    FakeRequest seen{request.method, request.url.str(), request.headers, request.text};
    std::optional<FakeAnswer> answer;
    if (request.body != nullptr) {
      if (early) answer = early(seen);
      seen.body = answer ? read_some(*request.body) : io::read_all(*request.body, 1 << 30, "request");
    }
    const std::lock_guard lock(mutex_);
    requests_.push_back(seen);
    if (!answer) answer = answer_(seen);
    if (!answer->error.empty()) {
      Error error(Kind::unavailable, answer->error);
      error.add_context("Get \"" + seen.url + "\"");
      throw error;
    }
    return std::make_unique<Response>(std::move(*answer), request);
  }

  std::shared_ptr<void> slot(const std::string& key,
                             const std::function<std::shared_ptr<void>()>& make) override {
    const std::lock_guard lock(slots_mutex_);
    auto& value = slots_[key];
    if (!value) value = make();
    return value;
  }
  using registry::HttpPool::slot;

  std::vector<FakeRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // "GET https://host/..." of all requests, in order.
  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const auto& request : requests()) result.push_back(request.line());
    return result;
  }

 private:
  std::string read_some(io::Reader& reader) const {
    std::string body(read_before_early, '\0');
    body.resize(io::read_full(reader, std::as_writable_bytes(std::span(body))));
    return body;
  }

  class Body final : public io::Reader {
   public:
    Body(std::string text, std::size_t cut_at, std::function<void(std::size_t)> on_read)
        : text_(std::move(text)), cut_at_(cut_at), on_read_(std::move(on_read)) {}
    std::size_t read(io::Buffer buffer) override {
      const std::size_t end = std::min(cut_at_, text_.size());
      const std::size_t count = std::min(buffer.size(), end - position_);
      if (count == 0 && cut_at_ <= text_.size()) throw Error(Kind::unavailable, "unexpected EOF");
      std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(position_), count,
                  reinterpret_cast<char*>(buffer.data()));
      position_ += count;
      if (on_read_) on_read_(count);
      return count;
    }

   private:
    std::string text_;
    std::size_t cut_at_;
    std::function<void(std::size_t)> on_read_;
    std::size_t position_ = 0;
  };

  class Response final : public registry::HttpResponse {
   public:
    Response(FakeAnswer answer, const registry::HttpRequest& request)
        : answer_(std::move(answer)),
          url_(answer_.url.empty() ? request.url : registry::Url::parse(answer_.url)),
          body_(request.method == "HEAD" ? "" : answer_.body, answer_.cut_at, answer_.on_read) {}
    int status() const override { return answer_.status; }
    std::string_view header(std::string_view name) const override {
      const auto values = header_values(name);
      return values.empty() ? std::string_view() : values.front();
    }
    std::vector<std::string_view> header_values(std::string_view name) const override {
      std::vector<std::string_view> values;
      for (const auto& [key, value] : answer_.headers) {
        if (registry::equals_ignoring_case(key, name)) values.push_back(value);
      }
      return values;
    }
    std::optional<std::uint64_t> content_length() const override {
      if (answer_.no_length) return std::nullopt;
      return answer_.body.size();
    }
    const registry::Url& url() const override { return url_; }
    io::Reader& body() override { return body_; }

   private:
    FakeAnswer answer_;
    registry::Url url_;
    Body body_;
  };

  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<FakeRequest> requests_;
  std::mutex slots_mutex_;
  std::map<std::string, std::shared_ptr<void>> slots_;
};

// Time that passes only when somebody sleeps.
class FakeClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override {
    return std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + passed();
  }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::hours(1)) + passed();
  }
  void sleep(std::chrono::milliseconds duration, std::stop_token stop) const override {
    if (stop.stop_requested()) throw Cancelled();
    const std::lock_guard lock(mutex_);
    sleeps_.push_back(duration);
    passed_ += duration;
  }
  void advance(std::chrono::milliseconds duration) { passed_ = passed() + duration; }
  std::vector<std::chrono::milliseconds> sleeps() const {
    const std::lock_guard lock(mutex_);
    return sleeps_;
  }

 private:
  std::chrono::milliseconds passed() const {
    const std::lock_guard lock(mutex_);
    return passed_;
  }
  mutable std::mutex mutex_;
  mutable std::vector<std::chrono::milliseconds> sleeps_;
  mutable std::chrono::milliseconds passed_{0};
};

}  // namespace lade::test
