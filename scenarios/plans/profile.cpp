#include "scenarios/plans/profile.hpp"

namespace holdfast::scenarios {
namespace {

/// The size of `mixed`, for shapes with subqueries: more clients and rows, since a move is of rows
/// that somebody else changed.
constexpr Profile with_subqueries(std::string_view name, SubqueryWorld world) {
  return {.name = name,
          .tables_max = 0,
          .specs_min = 2,
          .specs_max = 7,
          .batches_min = 2,
          .batches_max = 5,
          .transactions_per_batch = 5,
          .mutations_per_transaction = 5,
          .restarts_min = 1,
          .restarts_max = 3,
          .faults_max = 3,
          .removal_percent = 20,
          .second_client_percent = 60,
          .calm_percent = 25,
          .world = world,
          .every_trouble = true};
}

constexpr Profile k_profiles[] = {
    // The default mixture: small histories, everything varies.
    {.name = "mixed",
     .tables_max = 3,
     .specs_min = 2,
     .specs_max = 6,
     .batches_min = 2,
     .batches_max = 5,
     .transactions_per_batch = 4,
     .mutations_per_transaction = 4,
     .restarts_min = 1,
     .restarts_max = 3,
     .faults_max = 3,
     .removal_percent = 30,
     .second_client_percent = 60,
     .calm_percent = 25,
     .every_trouble = true},
    // design.md §15's history: 20 shapes, 5 batches of 10 transactions of 5 mutations, a restart
    // every 2 batches, plain shapes.
    {.name = "reference",
     .tables_max = 4,
     .specs_min = 20,
     .specs_max = 20,
     .batches_min = 5,
     .batches_max = 5,
     .transactions_per_batch = 10,
     .mutations_per_transaction = 5,
     .restarts_min = 2,
     .restarts_max = 2,
     .faults_max = 1,
     .removal_percent = 0,
     .second_client_percent = 100,
     .calm_percent = 0,
     .benchmark = true},
    // Restarts upon restarts, little else.
    {.name = "restarts",
     .tables_max = 2,
     .specs_min = 2,
     .specs_max = 4,
     .batches_min = 4,
     .batches_max = 8,
     .transactions_per_batch = 3,
     .mutations_per_transaction = 3,
     .restarts_min = 4,
     .restarts_max = 8,
     .faults_max = 0,
     .removal_percent = 10,
     .second_client_percent = 60,
     .calm_percent = 25},
    with_subqueries("hierarchy", SubqueryWorld::hierarchy),
    with_subqueries("issue_tracker", SubqueryWorld::tracker),
    with_subqueries("access_lists", SubqueryWorld::access),
    with_subqueries("awkward_values", SubqueryWorld::awkward),
    // The history of `reference`, of the public restart test's tables and where clauses.
    {.name = "reference_subqueries",
     .tables_max = 0,
     .specs_min = 20,
     .specs_max = 20,
     .batches_min = 5,
     .batches_max = 5,
     .transactions_per_batch = 10,
     .mutations_per_transaction = 5,
     .restarts_min = 2,
     .restarts_max = 2,
     .faults_max = 1,
     .removal_percent = 0,
     .second_client_percent = 100,
     .calm_percent = 0,
     .world = SubqueryWorld::hierarchy,
     .benchmark = true},
    // The public restart job's own size (known-failures.md §12): a restart every 3 batches.
    {.name = "restart_job",
     .tables_max = 0,
     .specs_min = 200,
     .specs_max = 200,
     .batches_min = 50,
     .batches_max = 50,
     .transactions_per_batch = 10,
     .mutations_per_transaction = 10,
     .restarts_min = 16,
     .restarts_max = 16,
     .faults_max = 0,
     .removal_percent = 0,
     .second_client_percent = 0,
     .calm_percent = 0,
     .world = SubqueryWorld::hierarchy,
     .benchmark = true},
};

}  // namespace

std::span<const Profile> profiles() {
  return k_profiles;
}

}  // namespace holdfast::scenarios
