// What the tests of the registry client share.
#pragma once

#include <memory>
#include <string>

#include "registry/client.hpp"
#include "support/errors.hpp"
#include "support/fake_http.hpp"
#include "support/streams.hpp"

namespace lade::test {

struct ClientFixture {
  explicit ClientFixture(FakePool::Answer answer) : pool(std::make_shared<FakePool>(std::move(answer))) {
    options.pool = pool;
  }

  std::unique_ptr<registry::Client> client(registry::Access access = registry::Access::pull,
                                           const std::string& host = "reg.example") {
    return registry::Client::make(host, "ns/app", access, options);
  }
  Context context() { return {stop.get_token(), null_logger(), silent_progress(), clock}; }

  std::shared_ptr<FakePool> pool;
  registry::Options options;
  FakeClock clock;
  std::stop_source stop;
};

inline FakeAnswer refused(int status, const std::string& code, const std::string& message) {
  return {.status = status,
          .body = R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})"};
}

// 401 with a Bearer challenge of auth.example.
inline FakeAnswer bearer_challenge(const std::string& more = "") {
  FakeAnswer answer = refused(401, "UNAUTHORIZED", "authentication required");
  answer.headers = {
      {"WWW-Authenticate", R"(Bearer realm="https://auth.example/token",service="reg.example")" + more}};
  return answer;
}

inline FakeAnswer token_answer(const std::string& token) {
  return {.body = R"({"token":")" + token + R"(","expires_in":300})"};
}

}  // namespace lade::test
