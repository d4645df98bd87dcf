#include "sim/mutants/remembered_redirects.hpp"

#include <utility>

namespace holdfast::sim::mutants {

RememberedRedirects::Respond RememberedRedirects::wrap(const protocol::Request& request,
                                                       Respond respond) {
  const std::string* const handle = request.parameter("handle");
  if (handle == nullptr || request.method != "GET") return respond;
  return [redirects = redirects_, handle = *handle,
          respond = std::move(respond)](protocol::Response response) {
    if (response.status != 409 || response.header("electric-handle") == nullptr)
      return respond(std::move(response));
    respond(redirects->try_emplace(handle, std::move(response)).first->second);
  };
}

}  // namespace holdfast::sim::mutants
