#include "oracle/checks/expiry_order.hpp"

namespace holdfast::oracle {
namespace {

/// A request that was under way for so long was held: it waited for its shape. And so long after
/// its last read a shape that expires is one that was read before.
constexpr Duration k_surely = std::chrono::seconds(1);

}  // namespace

void ExpiryOrder::asked(const std::string& spec, const std::string& client) {
  reads_[spec].open[client]++;
}

void ExpiryOrder::ended(const std::string& spec, const std::string& client, Instant at) {
  Reads& reads = reads_[spec];
  const auto open = reads.open.find(client);
  if (open != reads.open.end() && --open->second == 0) reads.open.erase(open);
  reads.last_end = std::max(reads.last_end, at);
}

void ExpiryOrder::served(const std::string& spec, const protocol::ShapeHandle& handle, Instant sent,
                         const Object& object) {
  Reads& reads = reads_[spec];
  if (reads.handle == handle && reads.due_at && sent > *reads.due_at)
    object(property::expiry_order, handle.text + " of " + spec + ", read by nobody, stays while " +
                                       reads.instead_of + ", which a request waits for, expires");
  reads.due_at.reset();
  reads.handle = handle;
}

void ExpiryOrder::expired(const std::string& spec, Instant sent, Instant answered) {
  if (answered - sent < k_surely || disturbances_ > 0) return;
  for (auto& [name, reads] : reads_) {
    const bool idle = reads.open.empty() && answered - reads.last_end > k_surely;
    if (name == spec || !idle || !reads.handle || disturbed_until_ > reads.last_end) continue;
    if (reads.due_at) continue;
    reads.due_at = answered;
    reads.instead_of = spec;
  }
}

}  // namespace holdfast::oracle
