// What a check objected to, collected so that a test can compare it: one property's name, or none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "oracle/client/client_view.hpp"

namespace holdfast::oracle::test {

class Objections {
 public:
  Object sink() {
    return [this](const char* property, std::string what) {
      properties_.emplace_back(property);
      sentences_.push_back(std::move(what));
    };
  }
  const std::vector<std::string>& properties() const { return properties_; }
  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::vector<std::string> properties_;
  std::vector<std::string> sentences_;
};

using Properties = std::vector<std::string>;

/// items(id, name, done), key id.
inline ShapeSpec items_spec() {
  ShapeSpec spec;
  spec.name = "s0";
  spec.table = "items";
  spec.all_columns = {"id", "name", "done"};
  spec.key_columns = {"id"};
  spec.bool_columns = {"done"};
  return spec;
}

}  // namespace holdfast::oracle::test
