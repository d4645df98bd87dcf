// The membership tests of a shape's clause in a simulated run, out of the Postgres model's history.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "oracle/memberships.hpp"
#include "sim/postgres/membership_history.hpp"
#include "sim/postgres/model.hpp"

namespace holdfast::scenarios {

class ModelMemberships final : public oracle::Memberships {
 public:
  ModelMemberships(const sim::postgres::PostgresModel& model, const oracle::ShapeSpec& spec);

  bool refresh() override;
  std::uint64_t epoch() const override { return history_->epoch(); }
  std::size_t tests() const override { return history_->tests(); }
  std::vector<const oracle::TestedRow*> rows(const oracle::VisibleSet& visible) override;
  std::optional<std::uint64_t> earliest(std::size_t test, const std::string& left,
                                        oracle::TestTruth truth, std::uint64_t from) override;

 private:
  const oracle::TestedRow* row_of(const sim::postgres::MembershipHistory::Tested& tested);

  oracle::ShapeSpec spec_;
  std::unique_ptr<sim::postgres::MembershipHistory> history_;
  std::uint64_t epoch_ = 0;  ///< of rows_
  /// Looked up, never iterated.
  std::unordered_map<const sim::postgres::MembershipHistory::Tested*, oracle::TestedRow> rows_;
};

/// The model's words for what the oracle asks about.
sim::postgres::VisibleSet model_set(const oracle::VisibleSet& visible);
/// The columns that a full row of the shape has, in the table's order.
std::vector<std::string> columns_of(const oracle::ShapeSpec& spec);

}  // namespace holdfast::scenarios
