#include "support/scripted_server.hpp"

#include <strings.h>

#include <deque>
#include <set>

namespace lade::test {

namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 307: return "Temporary Redirect";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

std::string find_header(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) return value;
  }
  return {};
}

RecordedRequest parse_head(const std::string& head) {
  RecordedRequest request;
  const std::size_t line_end = head.find("\r\n");
  const std::size_t first = head.find(' ');
  const std::size_t second = head.find(' ', first + 1);
  if (second == std::string::npos || second > line_end) return request;
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  for (std::size_t at = line_end + 2; at + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    if (colon < end)
      request.headers.emplace_back(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
    at = end + 2;
  }
  return request;
}

std::string read_line(ServerConnection& connection) {
  std::string line;
  while (!line.ends_with("\r\n")) {
    const std::string byte = connection.read_exactly(1);
    if (byte.empty()) break;
    line += byte;
  }
  return line;
}

std::string read_chunked(ServerConnection& connection) {
  std::string body;
  while (true) {
    const std::string line = read_line(connection);
    if (line.empty()) return body;
    const std::size_t size = std::stoul(line, nullptr, 16);
    if (size > 0) body += connection.read_exactly(size);
    read_line(connection);
    if (size == 0) return body;
  }
}

std::string read_body(ServerConnection& connection, const RecordedRequest& request) {
  if (!find_header(request.headers, "Transfer-Encoding").empty()) return read_chunked(connection);
  const std::string length = find_header(request.headers, "Content-Length");
  return length.empty() ? "" : connection.read_exactly(std::stoul(length));
}

bool matches(const std::string& pattern, const RecordedRequest& request) {
  if (pattern == "*" || pattern == request.target) return true;
  return pattern.find('?') == std::string::npos && pattern == request.path();
}

}  // namespace

std::string RecordedRequest::header(std::string_view name) const {
  return find_header(headers, name);
}

bool RecordedRequest::has_header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) return true;
  }
  return false;
}

std::string RecordedRequest::path() const {
  return target.substr(0, target.find('?'));
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  opened_.notify_all();
}

void Gate::wait() {
  std::unique_lock lock(mutex_);
  opened_.wait(lock, [&] { return open_; });
}

Reply reply(int status, HeaderList headers, std::string body) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n";
  const bool framed =
      !find_header(headers, "Content-Length").empty() || !find_header(headers, "Transfer-Encoding").empty();
  if (!framed && status != 204) headers.emplace_back("Content-Length", std::to_string(body.size()));
  for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
  Reply result;
  result.bytes = head + "\r\n" + body;
  return result;
}

Reply raw_reply(std::string bytes, bool close) {
  Reply result;
  result.bytes = std::move(bytes);
  result.close = close;
  return result;
}

struct ScriptedServer::Impl {
  struct Rule {
    std::string method, target;
    std::deque<Reply> replies;
    Handler handler;
  };

  mutable std::mutex mutex;
  std::deque<Rule> rules;
  std::vector<RecordedRequest> requests;
  std::vector<std::string> unmatched;
  std::set<std::shared_ptr<Gate>> gates;
  bool stopping = false;
  std::unique_ptr<RawServer> server;  // last: its threads use what is above

  // A copy of the rule's handler or of its next reply.
  std::pair<Handler, Reply> find(const RecordedRequest& request) {
    const std::lock_guard lock(mutex);
    for (Rule& rule : rules) {
      if (rule.method != "*" && rule.method != request.method) continue;
      if (!matches(rule.target, request)) continue;
      if (rule.handler) return {rule.handler, {}};
      Reply next = rule.replies.front();
      if (rule.replies.size() > 1) rule.replies.pop_front();
      return {nullptr, next};
    }
    const std::string line = request.method + " " + request.target;
    unmatched.push_back(line);
    return {nullptr, reply(404, {}, "unscripted: " + line)};
  }

  void record(const RecordedRequest& request) {
    const std::lock_guard lock(mutex);
    requests.push_back(request);
  }

  void wait(const std::shared_ptr<Gate>& gate) {
    if (!gate) return;
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      gates.insert(gate);
    }
    gate->wait();
  }

  // False when the connection is at its end.
  bool perform(ServerConnection& connection, const Reply& reply) {
    wait(reply.before);
    const std::string bytes = reply.bytes.substr(0, reply.cut_at.value_or(std::string::npos));
    if (reply.at_gap) {
      connection.send(std::string_view(bytes).substr(0, reply.gap));
      wait(reply.at_gap);
    }
    const bool sent = connection.send(std::string_view(bytes).substr(reply.at_gap ? reply.gap : 0));
    if (reply.reset) connection.reset();
    if (reply.close || reply.cut_at) connection.close();
    return sent && !reply.reset && !reply.close && !reply.cut_at;
  }

  // The body is read before the handler runs, so that it may look at it; a fixed reply decides by read_body.
  bool serve(ServerConnection& connection) {
    const std::string head = connection.read_head();
    if (head.empty()) return false;
    RecordedRequest request = parse_head(head);
    request.connection = connection.number();
    auto [handler, next] = find(request);
    const bool whole = handler || next.read_body;
    if (whole) request.body = read_body(connection, request);
    record(request);
    if (handler) next = handler(request);
    const bool alive = perform(connection, next);
    if (!whole && alive) connection.wait_for_close();
    return alive && whole;
  }
};

ScriptedServer::ScriptedServer(ServerOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->server = std::make_unique<RawServer>(
      [impl = impl_.get()](ServerConnection& connection) {
        while (impl->serve(connection)) {
        }
      },
      std::move(options));
}

ScriptedServer::~ScriptedServer() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (const auto& gate : impl_->gates) gate->open();
  }
  impl_->server.reset();
}

void ScriptedServer::on(std::string method, std::string target, std::vector<Reply> replies) {
  const std::lock_guard lock(impl_->mutex);
  impl_->rules.push_back({std::move(method), std::move(target), {replies.begin(), replies.end()}, nullptr});
}

void ScriptedServer::on(std::string method, std::string target, Reply reply) {
  on(std::move(method), std::move(target), std::vector<Reply>{std::move(reply)});
}

void ScriptedServer::on(std::string method, std::string target, Handler handler) {
  const std::lock_guard lock(impl_->mutex);
  impl_->rules.push_back({std::move(method), std::move(target), {}, std::move(handler)});
}

std::vector<RecordedRequest> ScriptedServer::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}

std::vector<RecordedRequest> ScriptedServer::requests(std::string_view method, std::string_view path) const {
  std::vector<RecordedRequest> found = requests();
  std::erase_if(found,
                [&](const auto& request) { return request.method != method || request.path() != path; });
  return found;
}

std::vector<std::string> ScriptedServer::unmatched() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->unmatched;
}

int ScriptedServer::port() const {
  return impl_->server->port();
}
std::string ScriptedServer::host() const {
  return impl_->server->host();
}
std::string ScriptedServer::url(std::string_view target) const {
  return impl_->server->url(target);
}
unsigned ScriptedServer::connections() const {
  return impl_->server->connections();
}

}  // namespace lade::test
