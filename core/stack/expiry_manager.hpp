// ExpiryManager: keeps the number of shapes at a limit by removing those that were read longest ago
// (engine.md L-15, LC-2). In the tree only where there is a limit. When a shape was read is known
// here alone and never stored: after a restart all count as read then.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "core/base/time.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

/// When each shape was read last.
using LastReads = std::map<protocol::ShapeHandle, Instant>;

/// The `count` shapes that were read longest ago, that one first. Of equals the smaller handle.
std::vector<protocol::ShapeHandle> least_recently_read(const LastReads& reads, std::size_t count);

class ExpiryManager : public runtime::Process {
 public:
  /// REQUIRES: the options have a limit.
  explicit ExpiryManager(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// A request found this shape, or was answered from it.
  void read(protocol::ShapeHandle handle);
  /// From the timer: removes what is beyond the limit, and comes again. SUSPENDS.
  void look();

 protected:
  void init() override;

 private:
  /// Brings reads_ up to what lives now. False: nobody can tell now.
  bool look_who_lives();
  /// What somebody waits for is read now.
  void note_who_waits();
  /// Whether there is more to remove.
  bool remove_some();

  Context context_;
  LastReads reads_;
};

}  // namespace holdfast::stack
