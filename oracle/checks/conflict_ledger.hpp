// The 409 ledger: every must-refetch needs a legitimate cause in the journal that was not over when
// the handle it ends was born (I-55). Kills, stops, restarts, power loss and deploys are none.
// Also: a handle means one definition for ever (I-42), and one that has ended never serves again
// (I-43).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/protocol/offset.hpp"
#include "oracle/client/client_view.hpp"
#include "oracle/journal.hpp"
#include "oracle/shape_spec.hpp"

namespace holdfast::oracle {

class ConflictLedger {
 public:
  explicit ConflictLedger(const Journal& journal) : journal_(&journal) {}

  /// Somebody asks for this shape, so that it may be made.
  void asked(const ShapeSpec& spec) { asked_.insert(spec.name); }
  /// `handle` served this shape in answer to a request. To be called in order of `answered`.
  void served(const ShapeSpec& spec, const protocol::ShapeHandle& handle, Instant sent,
              Instant answered, const Object& object);
  /// A DELETE of this shape was answered 202: what was served before it was sent never is again.
  void deleted(const ShapeSpec& spec, Instant sent, Instant answered);
  /// A request with this handle was answered 409, which gave this reason.
  void refused(const ShapeSpec& spec, const protocol::ShapeHandle& handle, Instant answered,
               const std::string& reason, const Object& object);

  /// A 409 to a request for `asked` named its successor: another handle, and none that had ended
  /// (F-96); it lived while the request was answered, as one that serves.
  void named(const ShapeSpec& spec, const protocol::ShapeHandle& asked,
             const protocol::ShapeHandle& successor, Instant sent, Instant answered,
             const Object& object);

  /// The name of the spec that a handle served; nullptr: it never served.
  const std::string* spec_of(const protocol::ShapeHandle& handle) const {
    const auto life = lives_.find(handle);
    return life == lives_.end() ? nullptr : &life->second.spec;
  }

  /// Whether an event of this cause, of something that the shape names, was not over before the
  /// request was sent.
  bool lasts(Cause cause, const ShapeSpec& spec, Instant sent, Instant answered) const;

  std::uint64_t legitimate() const { return legitimate_; }
  std::uint64_t spurious() const { return spurious_; }

 private:
  struct Life {
    std::string spec;
    Instant born;                  ///< no later than its real birth
    std::optional<Instant> ended;  ///< when a 409 about it, or its deletion, was answered
  };
  /// One answer: its handle lived at some moment from `sent` to `answered`.
  struct Answer {
    protocol::ShapeHandle handle;
    Instant sent;
    Instant answered;
  };
  bool explains(const CauseEvent& event, const ShapeSpec& spec, const std::string& reason) const;
  Instant earliest_birth(const ShapeSpec& spec, const protocol::ShapeHandle& handle,
                         Instant sent) const;

  const Journal* journal_;
  std::set<std::string> asked_;  ///< names of specs
  std::map<protocol::ShapeHandle, Life> lives_;
  std::map<std::string, std::vector<Answer>> answers_;  ///< per spec, in order of `answered`
  std::uint64_t legitimate_ = 0;
  std::uint64_t spurious_ = 0;
};

}  // namespace holdfast::oracle
