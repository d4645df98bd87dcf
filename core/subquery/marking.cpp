#include "core/subquery/marking.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/md5.hpp"
#include "core/shape/log_item.hpp"
#include "core/subquery/set_index.hpp"
#include "core/where/link_value.hpp"

namespace holdfast::subquery {
namespace {

using where::Truth;

/// More columns than this on a left side: the number of ways to put NULLs into a row of them grows
/// too large to enumerate.
constexpr std::size_t k_most_masked_columns = 6;

/// From so many values on an index of a set costs less than looking through it for each.
constexpr std::size_t k_worth_an_index = 16;

where::Loader loader_of(const postgres::ColumnInfo& column) {
  const auto loader = where::own_loader(where::type_of_column(column));
  ASSERT(loader, "a left side has columns that compare");
  return *loader;
}

/// The value itself and, if rows with NULLs may follow it, every way to put NULLs into it.
std::vector<std::string> left_sides(const std::string& value, bool with_nulls) {
  std::vector<std::string> made = {value};
  if (!with_nulls) return made;
  const auto columns = where::unpack_link_value(value);
  for (std::size_t mask = 1; mask < std::size_t{1} << columns.size(); ++mask) {
    std::string packed;
    for (std::size_t i = 0; i < columns.size(); ++i)
      where::append_packed(packed, (mask >> i & 1U) != 0 ? std::nullopt : columns[i]);
    made.push_back(std::move(packed));
  }
  return made;
}

/// Whether rows with a left side are in a set, or outside of it where that is asked. A row with a
/// NULL on its left side is in no set, and it is outside of one only as long as nothing in there
/// might be its equal.
class ActiveIn {
 public:
  ActiveIn(const ValueSet& set, bool negated, std::size_t questions)
      : set_(set), negated_(negated) {
    if (negated && questions >= k_worth_an_index) index_.emplace(set);
  }
  bool operator()(const std::string& left) const {
    if (!negated_) return !where::has_null(left) && set_.contains(left);
    return (index_ ? index_->holds(left) : set_.holds(left)) == Truth::no;
  }

 private:
  const ValueSet& set_;
  bool negated_;
  std::optional<SetIndex> index_;
};

}  // namespace

Marking::Marking(std::shared_ptr<const shape::Definition> definition,
                 const protocol::ShapeHandle& handle, Rules rules)
    : definition_(std::move(definition)), salt_(handle.text), rules_(rules) {}

std::string Marking::hash(const where::Position& position, std::string_view packed) const {
  const auto cells = where::unpack_link_value(packed);
  const bool row = cells.size() > 1;
  std::string text = salt_;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (row) text += definition_->relation().columns[position.columns[i]].name + ':';
    text += cells[i] ? "v:" : "NULL";
    if (cells[i]) text += *cells[i];
  }
  return md5_hex(text);
}

std::string Marking::hash_of_row(const where::Position& position,
                                 const postgres::Tuple& tuple) const {
  std::string packed;
  for (const std::uint16_t column : position.columns) {
    const where::Loader loader = loader_of(definition_->relation().columns[column]);
    // A text that is no value of its type is in no set: any hash of its own will do.
    if (!rules_.hash_canonical_values || !where::append_link_cell(packed, loader, tuple[column]))
      where::append_packed(packed, tuple[column]);
  }
  return hash(position, packed);
}

bool Marking::active(std::size_t position, const postgres::Tuple& tuple, const Views& views) const {
  const where::Position& at = plan().positions[position];
  // A left side with a NULL is in no set, and whoever asks a large set of rows asks long.
  if (at.dependency && !at.negated &&
      std::any_of(at.columns.begin(), at.columns.end(),
                  [&](std::uint16_t column) { return !tuple[column]; }))
    return false;
  const Truth truth = definition_->condition()->evaluate_position(position, tuple, views);
  if (!rules_.negate_before_coercing && plan().positions[position].negated)
    return truth != Truth::no;
  return truth == Truth::yes;
}

shape::RowMarks Marking::marks(const postgres::Tuple& tuple, const Views& views) const {
  shape::RowMarks made;
  for (std::size_t p = 0; p < plan().positions.size(); ++p) {
    const where::Position& position = plan().positions[p];
    made.hashes.push_back(position.dependency ? hash_of_row(position, tuple) : "1");
    made.active.push_back(active(p, tuple, views));
  }
  return made;
}

std::optional<shape::RowMarks> Marking::marks_if_included(const postgres::Tuple& tuple,
                                                          const Views& views) const {
  if (definition_->dependencies().empty()) {
    if (!shape::contains(*definition_, tuple)) return std::nullopt;
    return shape::RowMarks{};
  }
  // Conditions first: most rows that are looked at are not in the shape, and hashing costs more.
  std::vector<bool> conditions;
  for (std::size_t p = 0; p < plan().positions.size(); ++p)
    conditions.push_back(active(p, tuple, views));
  if (!shape::included(plan(), conditions)) return std::nullopt;
  shape::RowMarks made;
  for (const where::Position& position : plan().positions)
    made.hashes.push_back(position.dependency ? hash_of_row(position, tuple) : "1");
  made.active = std::move(conditions);
  return made;
}

bool Marking::patterns_follow(std::size_t dependency,
                              const std::vector<std::string>& values) const {
  if (!plan().dependencies[dependency].negated) return true;
  return definition_->dependencies()[dependency].link.size() <= k_most_masked_columns &&
         std::none_of(values.begin(), values.end(),
                      [](const std::string& value) { return where::has_null(value); });
}

Flips Marking::flips(std::size_t dependency, const ValueSet& before, const ValueSet& after,
                     const std::vector<std::string>& values) const {
  const where::DependencyUse& use = plan().dependencies[dependency];
  const ActiveIn was_active(before, use.negated, values.size());
  const ActiveIn is_active(after, use.negated, values.size());
  std::set<shape::MovePattern> ins;
  std::set<shape::MovePattern> outs;
  std::set<std::string> seen;
  for (const std::string& value : values)
    for (const std::string& left : left_sides(value, use.negated)) {
      if (!seen.insert(left).second) continue;
      const bool was = was_active(left);
      const bool is = is_active(left);
      if (was == is) continue;
      for (const std::size_t p : use.positions)
        (is ? ins : outs).insert({p, hash(plan().positions[p], left)});
    }
  return {{ins.begin(), ins.end()}, {outs.begin(), outs.end()}};
}

std::vector<std::uint16_t> query_columns(const shape::Definition& definition) {
  std::vector<std::uint16_t> columns = definition.selected();
  if (definition.condition()) {
    const auto& read = definition.condition()->columns();
    columns.insert(columns.end(), read.begin(), read.end());
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

}  // namespace holdfast::subquery
