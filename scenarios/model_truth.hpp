// The oracle's truth in a simulated run: the Postgres model's history of row versions.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "oracle/truth.hpp"
#include "scenarios/subqueries/model_memberships.hpp"
#include "sim/postgres/model.hpp"
#include "sim/postgres/repeated_query.hpp"

namespace holdfast::scenarios {

class ModelTruth final : public oracle::Truth {
 public:
  explicit ModelTruth(const sim::postgres::PostgresModel& model) : model_(model) {}
  oracle::Rows rows(const oracle::ShapeSpec& spec, const oracle::VisibleSet& visible) override;
  /// REQUIRES: specs of one name are equal.
  oracle::RowsDigest digest(const oracle::ShapeSpec& spec,
                            const oracle::VisibleSet& visible) override;
  /// REQUIRES: specs of one name are equal.
  oracle::Memberships* memberships(const oracle::ShapeSpec& spec) override;
  std::optional<std::uint64_t> transaction_id(std::uint64_t commit_lsn) override;
  bool key_moved(const oracle::ShapeSpec& spec, std::uint64_t commit_lsn, const std::string& from,
                 const std::string& to) override;
  std::uint64_t last_commit() override;

 private:
  /// nullptr: not known.
  const sim::postgres::Transaction* committed_at(std::uint64_t commit_lsn);

  const sim::postgres::PostgresModel& model_;
  std::map<std::uint64_t, const sim::postgres::Transaction*> by_commit_;
  std::map<std::string, std::unique_ptr<sim::postgres::RepeatedQuery>> queries_;  ///< by spec
  std::map<std::string, std::unique_ptr<ModelMemberships>> memberships_;          ///< by spec
};

}  // namespace holdfast::scenarios
