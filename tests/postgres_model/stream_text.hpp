// Tells CopyData payloads as lines of text, independent of the engine's decoder: for comparing what
// the model streams with what tests expect and with what a real Postgres streams.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::test {

struct StreamTeller {
  /// Adds the lines of one payload: "B", "I public.t (1,'a')", "U … old (…) new (…)", "k", ….
  /// Positions, xids, oids and times are kept apart, in the members below.
  void tell(const std::string& copy_data);

  std::vector<std::string> lines;         ///< without keepalives and Relation messages
  std::vector<std::string> relations;     ///< one per Relation message
  std::vector<std::uint64_t> final_lsns;  ///< Begin
  std::vector<std::uint64_t> end_lsns;    ///< Commit
  std::vector<std::uint32_t> xids;        ///< Begin
  std::vector<std::uint64_t> keepalives;  ///< walEnd
  std::vector<bool> reply_requested;      ///< of the keepalives

 private:
  struct Known {
    std::string name;
  };
  std::map<std::uint32_t, Known> known_;
};

}  // namespace holdfast::test
