// Which shapes a change may concern. Owned by the shape log collector, called by it alone. Always
// an over-approximation (I-16): a shape that is not returned gets no item from the change; one that
// is returned may still get none, the condition decides. Never suspends, never fails.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/guards.hpp"
#include "core/postgres/stream.hpp"
#include "core/protocol/offset.hpp"
#include "core/routing/subquery_index.hpp"
#include "core/shape/definition.hpp"

namespace holdfast::routing {

/// One registered shape. Its address is stable until it is removed.
struct Route {
  protocol::ShapeHandle handle;
  std::shared_ptr<const shape::Definition> definition;
  std::uint64_t number = 0;  ///< counts additions; later shapes have larger numbers, never reused
};

class Router {
 public:
  explicit Router(Guards guards = Guards::all()) : guards_(guards) {}
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// O(1) plus the size of the handle. REQUIRES: the handle is not registered.
  const Route& add(protocol::ShapeHandle handle,
                   std::shared_ptr<const shape::Definition> definition);
  /// Linear in the shapes that share the handle's place. False: it was not registered. Afterwards
  /// no entry of it exists (I-19).
  bool remove(const protocol::ShapeHandle& handle);
  const Route* find(const protocol::ShapeHandle& handle) const;
  std::size_t size() const { return routes_.size(); }

  /// Replaces `out` by the shapes that an insert, update, delete or truncate may concern, in order
  /// of addition. O(m log m + indexed columns) for m returned shapes, whatever the number of
  /// others; plain shapes without an equality are always returned. REQUIRES: the change has a
  /// relation.
  void route(const postgres::Change& change, std::vector<const Route*>& out) const;
  // What the views of a registered shape with subqueries hold (subquery_index.hpp).
  void seed(const protocol::ShapeHandle& handle, const subquery::Views& views);
  void broaden(const protocol::ShapeHandle& handle, const subquery::ViewDelta& delta);
  void narrow(const protocol::ShapeHandle& handle, const subquery::ViewDelta& delta);

  /// All shapes of a table, in order of addition: what a change of the relation concerns.
  void route_all(postgres::Oid table, std::vector<const Route*>& out) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
  };
  using Routes = std::vector<const Route*>;  // ascending numbers
  /// Shapes with `column = constant`, by the constant's comparison key.
  struct EqualityIndex {
    std::uint16_t column = 0;
    postgres::Oid type;
    std::unordered_map<std::string, Routes, TextHash, std::equal_to<>> by_key;
  };
  struct Table {
    std::vector<EqualityIndex> indexes;
    SubqueryIndex by_views;
    std::map<SubqueryIndex::ShapeNumber, const Route*> with_subqueries;
    Routes unindexed;
    Routes all;
  };

  static EqualityIndex* index_for(Table& table, const shape::Definition& definition);
  static void look_up(const Table& table, const postgres::Tuple& tuple, Routes& out);
  static void look_up(const EqualityIndex& index, const postgres::Tuple& tuple,
                      std::string& scratch, Routes& out);

  std::map<protocol::ShapeHandle, std::unique_ptr<Route>> routes_;
  std::unordered_map<std::uint32_t, Table> tables_;
  Guards guards_;
  std::uint64_t additions_ = 0;
};

}  // namespace holdfast::routing
