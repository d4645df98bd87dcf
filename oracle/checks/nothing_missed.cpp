#include "oracle/checks/nothing_missed.hpp"

#include <set>

namespace holdfast::oracle {

std::size_t check_nothing_missed(Truth& truth, const ShapeSpec& spec, std::uint64_t from,
                                 std::uint64_t to, const std::vector<Message>& messages,
                                 const Object& object) {
  if (to <= from || spec.has_subqueries() || truth.form_count(spec) != 1) return 0;
  const Rows before = truth.rows(spec, {from, {}});
  const Rows after = truth.rows(spec, {to, {}});
  std::set<std::string> named;
  for (const Message& message : messages) named.insert(message.key);
  std::size_t changed = 0;
  const auto must_be_named = [&](const std::string& key) {
    ++changed;
    if (!named.contains(key))
      object(property::marker_honest, "all up to " + std::to_string(to) +
                                          " is said to be told, but not what became of " + key +
                                          " after " + std::to_string(from));
  };
  for (const auto& [key, row] : before) {
    const auto found = after.find(key);
    if (found == after.end() || found->second != row) must_be_named(key);
  }
  for (const auto& [key, row] : after)
    if (!before.contains(key)) must_be_named(key);
  return changed;
}

}  // namespace holdfast::oracle
