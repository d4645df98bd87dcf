// F-96 from outside: an instance that remembers where it once sent those whose handle had ended,
// and sends everybody with that handle there, whether or not the successor still lives.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/protocol/http.hpp"

namespace holdfast::sim::mutants {

class RememberedRedirects {
 public:
  using Respond = std::function<void(protocol::Response)>;
  /// What answers the request instead of `respond`. May outlive this object.
  Respond wrap(const protocol::Request& request, Respond respond);

 private:
  using Redirects = std::map<std::string, protocol::Response>;  ///< by the handle that has ended
  std::shared_ptr<Redirects> redirects_ = std::make_shared<Redirects>();
};

}  // namespace holdfast::sim::mutants
