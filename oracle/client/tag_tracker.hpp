// Why each row of a shape with subqueries is in it, as the log says (http-api.md §24): tags and
// conditions of the rows that one client holds, kept by moves. The client keeps a row for as long
// as some disjunct has all its conditions. Strict: what a row says must agree with itself, with the
// other rows of the same values and with the moves so far. Owned by a ClientView.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "oracle/client/messages.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {

/// Reports (property, sentence).
using Object = std::function<void(const char* property, std::string what)>;

class TagTracker {
 public:
  /// A row as its message has it, from now on. `message` is an insert, or an update of a held row.
  void take(const Message& message, const Object& object);
  /// A delete of a held row.
  void erase(const Message& message, const Object& object);
  /// Turns the conditions of the rows that match; answers the keys of those that are out now.
  std::vector<std::string> move(const Message& message, const Object& object);
  /// A row that a move brought along: it is in because of that move, and was not before.
  void check_moved_in(const Message& row, const std::vector<MovePattern>& move,
                      const Object& object) const;

 private:
  using Slots = std::vector<std::string>;
  struct Held {
    std::vector<std::string> tags;
    std::vector<bool> conditions;
  };
  /// What all held rows with a value in a position say of it.
  struct Known {
    bool active = false;
    std::size_t rows = 0;
  };

  static Slots split(const std::string& tag);
  static bool included(const std::vector<Slots>& disjuncts, const std::vector<bool>& conditions);
  static std::vector<Slots> disjuncts_of(const std::vector<std::string>& tags);
  /// Each pair of a position with a subquery and the row's value in it, once.
  static std::vector<MovePattern> values_of(const std::vector<Slots>& disjuncts);

  /// false: the tags mean nothing.
  bool check_form(const Message& message, const Object& object);
  void check_removed(const Message& message, const Held& held, const Object& object) const;
  void check_known(const Message& message, const std::vector<Slots>& disjuncts,
                   const Object& object);
  void forget(const Held& held);
  bool tests_membership(std::size_t position) const;

  std::map<std::string, Held> rows_;
  std::map<MovePattern, Known> known_;
  /// Which slots have what, the same in each row: '-' nothing, '1' a condition, 's' a subquery.
  std::string form_;
};

}  // namespace holdfast::oracle
