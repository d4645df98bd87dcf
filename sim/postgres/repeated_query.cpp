#include "sim/postgres/repeated_query.hpp"

#include "sim/postgres/reader.hpp"

namespace holdfast::sim::postgres {

RepeatedQuery::RepeatedQuery(ModelState& state, RelationName table,
                             std::vector<std::string> columns, std::string condition, RowHash hash)
    : state_(state),
      name_(std::move(table)),
      columns_(std::move(columns)),
      text_(std::move(condition)),
      hash_(std::move(hash)) {}

RepeatedQuery::RepeatedQuery(ModelState& state, TableForm form, std::vector<std::string> columns,
                             std::string condition, RowHash hash)
    : RepeatedQuery(state, form.version->name, std::move(columns), std::move(condition),
                    std::move(hash)) {
  form_ = std::move(form);
}

bool RepeatedQuery::prepare(const Table& table) {
  const TableVersionRef& version = form_ ? form_->version : table.current();
  if (form_ && version_ == version) return true;  // it never changes
  const auto condition = form_ ? state_.compile(*version, text_) : state_.compile(table, text_);
  if (!condition) return false;
  const WhereClause* clause = condition->get();
  if (clause != nullptr && (clause->deep() || !clause->subselects().empty())) return false;
  if (version_ == version && condition_ == *condition) return true;
  // The old ones were kept, so nothing new can have come to lie at their addresses.
  auto slots = find_slots(*version, columns_);
  if (!slots) return false;
  version_ = version;
  condition_ = *condition;
  slots_ = std::move(*slots);
  tested_.clear();
  return true;
}

bool RepeatedQuery::test(const Row& row, Tested& tested) const {
  if (condition_) {
    const auto truth = condition_->evaluate(row, {});
    if (!truth) return false;
    if (*truth != Truth::yes) {
      tested.verdict = Verdict::rejected;
      return true;
    }
  }
  tested.verdict = Verdict::chosen;
  tested.hash = hash_(key_texts(*version_, row), cell_texts(slots_, row));
  return true;
}

std::optional<Hash128> RepeatedQuery::sum(const VisibleSet& visible) {
  const Table* table = form_ ? form_->table : state_.find_table(name_);
  if (table == nullptr || !prepare(*table)) return std::nullopt;
  tested_.resize(table->versions().size());
  Hash128 sum;
  auto tested = tested_.begin();
  // O(versions of the table); a version costs two comparisons of positions.
  for (const RowVersion& version : table->versions()) {
    Tested& known = *tested++;
    if (known.verdict == Verdict::rejected || !visible.contains(*version.created)) continue;
    if (version.deleted != nullptr && visible.contains(*version.deleted)) continue;
    if (known.verdict == Verdict::not_tested && !test(*version.row, known)) return std::nullopt;
    if (known.verdict != Verdict::chosen) continue;
    sum.high += known.hash.high;
    sum.low += known.hash.low;
  }
  return sum;
}

}  // namespace holdfast::sim::postgres
