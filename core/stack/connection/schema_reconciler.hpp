// SchemaReconciler: finds what no message of the stream need ever tell: a table that was dropped,
// dropped and made again, renamed, or altered and not written to since. It holds live shapes, and
// what is remembered of tables, against Postgres' catalogue, each time the stream begins and then
// periodically while it runs, and has shapes removed that no longer fit (postgres.md §14.2, LC-5),
// or whose table was out of the publication: what was written then is in no stream (LC-6).
// Whatever goes wrong, it tries again: an error of the catalogue says nothing about a shape (F-60).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

class SchemaReconciler : public runtime::Process {
 public:
  explicit SchemaReconciler(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// The stream runs, for as long as `client` lives.
  void connected(runtime::ProcessId client);
  void reconcile();
  /// The stream describes these tables, so something about them may have changed. Their shapes are
  /// compared before anything that follows is taken (I-63). false: Postgres could not be asked.
  /// SUSPENDS.
  bool look_at(std::set<postgres::RelationName> tables);

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  struct Found {
    /// Those that the catalogue has; the others are gone, or are none that a shape can have.
    std::map<postgres::RelationName, postgres::RelationInfo> tables;
    /// With the transaction that put them there (env::PublishedTable).
    std::map<postgres::Oid, std::optional<postgres::Xid>> published;
  };
  using Cached = std::vector<std::pair<postgres::RelationName, postgres::RelationInfo>>;
  using Shapes = std::vector<std::pair<protocol::ShapeHandle, ShapeMeta>>;

  /// These tables, or all (nullptr). false: somebody could not be asked now.
  bool compare(const std::set<postgres::RelationName>* only);
  env::DatabaseResult<Found> ask(const Cached& cached, const Shapes& shapes);
  void forget_changed(const Cached& cached, const Found& found);
  bool remove_misfits(const Shapes& shapes, const Found& found);
  /// The tables of live shapes have full identity, and the publication has no others.
  bool tidy_publication(const Shapes& shapes, const Found& found);

  Context context_;
  std::optional<runtime::MonitorRef> connection_;
  runtime::TimerRef next_;
};

}  // namespace holdfast::stack
