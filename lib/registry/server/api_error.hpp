// A refusal in the words of the distribution-spec, "Error Codes".
#pragma once

#include <string>

#include "base/error.hpp"

namespace lade::registry::server {

class ApiError final : public Error {
 public:
  ApiError(int status, std::string code, std::string message)
      : Error(Kind::invalid_input, std::move(message)), status_(status), code_(std::move(code)) {}
  int status() const { return status_; }
  const std::string& code() const { return code_; }

 private:
  int status_;
  std::string code_;
};

// {"errors":[{"code":...,"message":...}]}
std::string error_document(const std::string& code, const std::string& message);

}  // namespace lade::registry::server
