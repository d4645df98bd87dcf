// RequestProcess: one request on the shape route, from its parameters to its answer (http-api.md
// §4). A held request owns no stack: it is this object, a subscription and a timer. It answers
// exactly once. What it asks may die or restart at any moment: then it asks again, until its own
// deadline.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/api/admission.hpp"
#include "core/api/api_options.hpp"
#include "core/api/parameters.hpp"
#include "core/api/responses.hpp"
#include "core/api/shape_lookup.hpp"
#include "core/protocol/http.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/context.hpp"
#include "core/stack/shape_changes.hpp"
#include "core/stack/shape_meta.hpp"

namespace holdfast::api {

class RequestProcess : public stack::Waiter {
 public:
  using Respond = std::function<void(protocol::Response)>;

  /// Set once, when the server begins to stop: from then on nothing is held or waited for.
  using Stopping = std::shared_ptr<const std::atomic<bool>>;

  RequestProcess(stack::Context context, std::shared_ptr<const ApiOptions> options,
                 Stopping stopping, std::shared_ptr<Permit> permit,
                 std::shared_ptr<const protocol::Request> request, Respond respond);

  // -- handlers -----------------------------------------------------------------------------------

  void start();
  /// The shape it waits for moved, or ended.
  void wake() override;
  void snapshot_delayed(std::string why) override;
  /// The time it may be held is over.
  void time_out();
  /// The server stops: what is held is answered as at its timeout.
  void drain();

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  enum class Hold : std::uint8_t { none, snapshot, live, out_of_bounds };
  using Answer = std::optional<protocol::Response>;  ///< nullopt: held

  /// Runs a step until it answers or holds; waits out what is not ready.
  void attempt(const std::function<Answer()>& step);
  Answer first();
  Answer first_get();
  /// Whether the handle that the client names lives, and is of this very request, but of another
  /// table than this instance knows: nobody tells a standby, or who was frozen, what has changed.
  /// True once.
  bool catalogue_may_be_old();
  Answer first_delete();
  /// Serves the shape as it is now, or holds.
  Answer serve();
  /// Where shapes expire, what was read last stays longest.
  void note_read();
  Answer serve_range(const stack::ShapeMeta& meta, std::optional<postgres::Lsn> global);
  Answer serve_empty(const stack::ShapeMeta& meta, std::optional<postgres::Lsn> global);
  /// The shape cannot be served any more from what is on the disk, so it ends (LC-12).
  Answer log_is_damaged(const std::string& what);
  Answer at_time_out();
  Answer hold(Hold why, Duration limit, const stack::ShapeMeta& seen);
  Answer conflict(const std::optional<protocol::ShapeHandle>& successor);
  /// Durably, and for all who ask. Throws NotNow.
  void end_shape(const protocol::ShapeHandle& handle, std::string reason);
  /// Ends a shape that this very request no longer means.
  void end_if_outdated(const storage::ShapeRecord& live);
  /// Why the snapshot of a shape could not be taken, if it was removed for that. To make the shape
  /// anew would fail again, and again.
  Answer snapshot_failure(const std::optional<std::string>& removed_reason);
  /// 409 if the client holds a handle, else its definition's shape of now.
  Answer shape_is_gone();
  std::optional<stack::ShapeMeta> current_shape();

  /// Throws NotNow.
  void wait_until(stack::Readiness wanted);
  /// SUSPENDS, where this instance leads and has not seen for a while that it does.
  Source source();
  void subscribe();
  ShapeView view_of(const stack::ShapeMeta& meta, std::optional<postgres::Lsn> global) const;
  ReplyDraws draws();
  void finish(protocol::Response response);
  runtime::Ref<RequestProcess> me() const { return {self()}; }

  stack::Context context_;
  std::shared_ptr<const ApiOptions> options_;
  Stopping stopping_;
  std::shared_ptr<Permit> permit_;  ///< may be null: of a DELETE
  std::shared_ptr<const protocol::Request> request_;
  Respond respond_;
  Method method_ = Method::get;
  Instant ready_deadline_;

  std::optional<ShapeParameters> parameters_;
  std::shared_ptr<const shape::Definition> definition_;
  std::optional<protocol::ShapeHandle> handle_;  ///< of the shape being served
  Hold held_ = Hold::none;
  bool subscribed_ = false;
  bool asked_catalogue_again_ = false;
  bool ask_store_ = false;   ///< the read models were wrong about this shape
  bool final_look_ = false;  ///< the timeout's own look: data if there is any, else the empty reply
  runtime::MonitorRef changes_monitor_;
  runtime::TimerRef timer_;
  runtime::TimerRef look_again_;
};

}  // namespace holdfast::api
