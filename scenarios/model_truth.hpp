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
  std::size_t form_count(const oracle::ShapeSpec& spec) override;
  std::size_t form_seen(const oracle::ShapeSpec& spec,
                        const oracle::StatedSnapshot& snapshot) override;
  std::size_t form_at(const oracle::ShapeSpec& spec, std::uint64_t commit_lsn) override;
  oracle::ShapeSpec in_form(const oracle::ShapeSpec& spec, std::size_t form) override;

 private:
  /// nullptr: not known.
  const sim::postgres::Transaction* committed_at(std::uint64_t commit_lsn);

  /// The forms of a table as one shape tells them apart.
  struct Forms {
    std::vector<std::size_t> of_change;  ///< by number of the model's form: which one it is
    std::vector<std::string> texts;      ///< by form: what the shape can tell
    std::vector<sim::postgres::TableForm> latest;  ///< by form
  };
  const Forms& forms(const oracle::ShapeSpec& spec);
  sim::postgres::TableForm form(const oracle::ShapeSpec& spec, std::size_t number);

  const sim::postgres::PostgresModel& model_;
  std::map<std::uint64_t, const sim::postgres::Transaction*> by_commit_;
  std::map<std::string, Forms> forms_;  ///< by spec
  struct Query {
    sim::postgres::TableVersionRef version;
    std::unique_ptr<sim::postgres::RepeatedQuery> query;
  };
  std::map<std::pair<std::string, std::size_t>, Query> queries_;          ///< by spec and form
  std::map<std::string, std::unique_ptr<ModelMemberships>> memberships_;  ///< by spec
};

}  // namespace holdfast::scenarios
