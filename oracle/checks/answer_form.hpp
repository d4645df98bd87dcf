// What every answer of the shape route carries beside its rows: the headers of http-api.md §8 and
// §9, from what was asked and what came back alone. Stateless.
#pragma once

#include <string>
#include <string_view>

#include "core/protocol/http.hpp"
#include "oracle/client/client_view.hpp"
#include "oracle/shape_spec.hpp"

namespace holdfast::oracle {

/// A request on the shape route, as far as the form of its answer depends on it.
struct Asked {
  std::string offset;  ///< as sent
  bool live = false;
  std::string cursor;  ///< empty: none
  std::string_view method = "GET";
};

void check_answer_form(const ShapeSpec& spec, const Asked& asked,
                       const protocol::Response& response, const Object& object);

}  // namespace holdfast::oracle
