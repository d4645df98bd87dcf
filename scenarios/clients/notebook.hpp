// What the clients of a run were served, as far as probes ask for it again: a bounded part of the
// pages, and the handles that a 409 has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "oracle/oracle.hpp"

namespace holdfast::scenarios {

/// An answer that was not live: where it began and ended, and its tag.
struct ServedPage {
  protocol::ShapeHandle handle;
  protocol::LogOffset from;
  protocol::LogOffset to;
  std::string tag;
};

class Notebook {
 public:
  void note(const oracle::Exchange& exchange);
  /// `pick` chooses among those that are known; nullptr: none is.
  const ServedPage* page(const oracle::ShapeSpec& spec, std::uint64_t pick) const;
  const ServedPage* dead_page(const oracle::ShapeSpec& spec, std::uint64_t pick) const;

 private:
  static constexpr std::size_t k_most_pages = 24;  ///< of a shape; the oldest make room
  struct Known {
    std::vector<ServedPage> pages;
    std::size_t noted = 0;
    std::vector<ServedPage> dead;  ///< where a client stood when its handle ended
  };
  std::map<std::string, Known> known_;  ///< by the shape's name
};

}  // namespace holdfast::scenarios
