#include "core/api/request_process.hpp"

#include <algorithm>
#include <utility>

#include "core/api/error_responses.hpp"
#include "core/api/responses.hpp"
#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/inspector.hpp"
#include "core/stack/expiry_manager.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_cache.hpp"
#include "core/stack/shape_cleaner.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_process.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::api {
namespace {

using stack::Readiness;
using stack::ShapeMeta;

constexpr Duration k_retry_delay = std::chrono::milliseconds(50);

}  // namespace

RequestProcess::RequestProcess(stack::Context context, std::shared_ptr<const ApiOptions> options,
                               Stopping stopping, std::shared_ptr<Permit> permit,
                               std::shared_ptr<const protocol::Request> request, Respond respond)
    : context_(std::move(context)),
      options_(std::move(options)),
      stopping_(std::move(stopping)),
      permit_(std::move(permit)),
      request_(std::move(request)),
      respond_(std::move(respond)) {}

void RequestProcess::init() {
  if (request_->method == "POST") method_ = Method::post;
  if (request_->method == "DELETE") method_ = Method::remove;
  ready_deadline_ = now() + options_->stack_ready_timeout;
  cast<&RequestProcess::start>(me());
}

void RequestProcess::start() {
  attempt([this] { return first(); });
}

void RequestProcess::wake() {
  if (held_ == Hold::none) return;
  ready_deadline_ = now() + options_->stack_ready_timeout;
  attempt([this] { return serve(); });
}

void RequestProcess::snapshot_delayed(std::string why) {
  if (held_ != Hold::snapshot) return;
  context_->reached(Mark::snapshot_delay_told);
  finish(snapshot_failed(method_, why));
}

void RequestProcess::time_out() {
  if (held_ == Hold::none) return;
  final_look_ = true;
  ready_deadline_ = now() + options_->stack_ready_timeout;
  attempt([this] { return at_time_out(); });
}

void RequestProcess::drain() {
  time_out();
}

void RequestProcess::on_down(runtime::MonitorRef ref, runtime::ProcessId,
                             const runtime::ExitReason&) {
  if (ref != changes_monitor_) return;
  // Whoever would have woken us is gone, for whatever reason: subscribe anew and look again.
  if (!context_->guards.on(Guard::waiters_outlive_shape_changes)) return;
  subscribed_ = false;
  wake();
}

// -- from the parameters to a shape ---------------------------------------------------------------

void RequestProcess::attempt(const std::function<Answer()>& step) {
  for (;;) {
    NotNow reason{NotReady::stack_restart, {}};
    try {
      if (Answer answer = step()) finish(std::move(*answer));
      return;
    } catch (const NotNow& not_now) {
      reason = not_now;
    } catch (const runtime::ProcessExit&) {
      // Whatever the reason: part of the engine is not there now. That says nothing about the
      // shape.
    }
    if (*stopping_ || now() >= ready_deadline_) {
      finish(final_look_ ? stack_down_at_timeout(method_, reason.condition, reason.cause)
                         : not_ready(method_, reason.condition, reason.cause));
      return;
    }
    sleep(k_retry_delay);
  }
}

void RequestProcess::wait_until(Readiness wanted) {
  if (stack::read_status(runtime()).readiness >= wanted) return;
  const Duration left = std::max(Duration{0}, ready_deadline_ - now());
  try {
    call_within<&stack::StatusMonitor::wait_until>(left, stack::names::status_monitor, wanted,
                                                   ready_deadline_);
  } catch (const runtime::ProcessExit&) {
    throw NotNow{wanted == Readiness::active ? NotReady::lock : NotReady::shape_metadata, {}};
  }
}

Source RequestProcess::source() {
  if (!ask_store_ && stack::read_status(runtime()).catalogue_current) {
    const bool leads = context_->store->epoch_is_ours(now()) ||
                       !context_->guards.on(Guard::leader_looks_at_the_epoch) ||
                       call<&stack::StoreProcess::still_leads>(stack::names::store);
    if (leads) return Source::read_models;
  }
  context_->reached(Mark::standby_served_a_read);
  return Source::store;
}

RequestProcess::Answer RequestProcess::first() {
  return method_ == Method::remove ? first_delete() : first_get();
}

RequestProcess::Answer RequestProcess::first_get() {
  if (auto refused = check_body(*request_, *options_)) return refused;
  wait_until(Readiness::read_only);
  auto parameters = parse_shape_request(*request_, *options_);
  if (!parameters.ok()) return parameters.error();
  parameters_ = std::move(*parameters);
  auto definition =
      resolve_definition(*this, *context_, method_, parameters_->definition, &*parameters_);
  if (!definition.ok()) return definition.error();
  definition_ = std::move(*definition);
  if (parameters_->compaction && !definition_->dependencies().empty())
    return definition_invalid(
        method_, {"experimental_compaction", "can't be enabled for shapes with subqueries"});

  auto shape = find_by_identity(*this, *context_, source(), definition_->identity());
  const bool asked_for_it =
      !parameters_->handle || (shape && shape->handle == *parameters_->handle);
  if (!asked_for_it && catalogue_may_be_old()) {
    shape::for_each_definition(*definition_, [&](const shape::Definition& each) {
      call<&stack::Inspector::forget_relation>(stack::names::inspector, each.relation().name);
    });
    return first_get();
  }
  if (!shape || !asked_for_it) {
    // The store decides, in one transaction: it answers the live shape or makes one.
    if (!shape) {
      wait_until(Readiness::active);
      auto made = call<&stack::ShapeCache::create_or_find>(stack::names::shape_cache, definition_);
      if (!made.ok()) return creation_failed(method_);
      handle_ = std::move(*made);
    } else {
      handle_ = shape->handle;
    }
    if (parameters_->handle && *parameters_->handle != *handle_) return conflict(handle_);
  } else {
    handle_ = shape->handle;
  }
  return serve();
}

bool RequestProcess::catalogue_may_be_old() {
  if (std::exchange(asked_catalogue_again_, true)) return false;
  const storage::ShapeLookup found = look_up(*context_, *parameters_->handle);
  if (!found.live) return false;
  const auto definition = stack::shape_meta_from(*found.live).definition;
  return definition->request_key() == definition_->request_key() &&
         definition->identity() != definition_->identity();
}

RequestProcess::Answer RequestProcess::first_delete() {
  wait_until(Readiness::active);
  auto parameters = parse_delete_request(*request_, *options_);
  if (!parameters.ok()) return parameters.error();
  std::optional<protocol::ShapeHandle> handle = parameters->handle;
  if (parameters->definition) {
    auto definition =
        resolve_definition(*this, *context_, method_, *parameters->definition, nullptr);
    if (!definition.ok()) return definition.error();
    const auto shape = find_by_identity(*this, *context_, source(), (*definition)->identity());
    if (!shape) return no_such_shape();
    if (handle && *handle != shape->handle) return definition_and_handle_differ();
    handle = shape->handle;
  } else if (!find_by_handle(*this, *context_, source(), *handle)) {
    return no_such_shape();
  }
  end_shape(*handle, "deleted");
  context_->reached(Mark::shape_removed_by_request);
  return deletion_accepted();
}

// -- from a shape to an answer --------------------------------------------------------------------

std::optional<ShapeMeta> RequestProcess::current_shape() {
  const bool held = held_ != Hold::none && source() == Source::read_models;
  if (held && !context_->guards.on(Guard::missing_tables_are_no_change))
    return runtime::TableRef(runtime(), stack::tables::shape_meta).at(*handle_);
  return find_by_handle(*this, *context_, source(), *handle_);
}

RequestProcess::Answer RequestProcess::serve() {
  // In this order (http-api.md §13.5): whatever was processed at the position read first is in the
  // head read second.
  const auto global = global_lsn(*this, source(), *handle_);
  yield_point("request.position_read");  // another thread may write between the two
  const auto meta = current_shape();
  if (!meta) return shape_is_gone();
  note_read();
  if (!meta->quarantine.empty()) return shape_quarantined(method_, meta->quarantine);
  if (!meta->snapshot_complete) return hold(Hold::snapshot, context_->options.snapshot_wait, *meta);
  if (permit_ != nullptr) permit_->shape_is_there();
  if (parameters_->is_now())
    return now_response(*parameters_, view_of(*meta, global), *options_, draws());
  if (*parameters_->offset > meta->head)
    return hold(Hold::out_of_bounds, options_->long_poll_timeout / 2, *meta);
  return serve_range(*meta, global);
}

void RequestProcess::note_read() {
  if (context_->options.max_shapes)
    cast<&stack::ExpiryManager::read>(stack::names::expiry_manager, *handle_);
}

RequestProcess::Answer RequestProcess::serve_range(const ShapeMeta& meta,
                                                   std::optional<postgres::Lsn> global) {
  const protocol::LogOffset& after = *parameters_->offset;
  storage::Slice slice{meta.head, {}};
  if (after < meta.head) {
    auto read = context_->readers->read({meta.handle, after, meta.head});
    if (!read.ok()) {
      if (read.error().kind == storage::StoreFailure::not_found) {
        if (!current_shape()) return shape_is_gone();
        throw NotNow{NotReady::shape_data, read.error().message};
      }
      if (read.error().kind == storage::StoreFailure::corrupt)
        return log_is_damaged(read.error().message);
      throw NotNow{NotReady::shape_data, read.error().message};
    }
    slice = std::move(*read);
  }
  const ShapeView view = view_of(meta, global);
  if (auto unchanged = not_modified(*parameters_, view, slice.end, *options_, draws()))
    return unchanged;
  if (slice.items.empty() && parameters_->live != Live::no) return serve_empty(meta, global);
  return range_response(*parameters_, view, {slice.end, slice.items}, *options_, draws());
}

RequestProcess::Answer RequestProcess::log_is_damaged(const std::string& what) {
  context_->emit(
      {observe::Level::error, "shape_log_damaged", {{"handle", handle_->text}, {"reason", what}}});
  // Ending a shape is for who leads.
  if (stack::read_status(runtime()).readiness != Readiness::active)
    return log_unreadable(method_, what);
  auto removed = call<&stack::ShapeCleaner::remove>(stack::names::shape_cleaner, *handle_,
                                                    std::string("log_damaged"));
  if (!removed.ok()) return log_unreadable(method_, what);
  return shape_is_gone();
}

RequestProcess::Answer RequestProcess::serve_empty(const ShapeMeta& meta,
                                                   std::optional<postgres::Lsn> global) {
  if (final_look_)
    return empty_live_response(*parameters_, view_of(meta, global), *options_, draws());
  return hold(Hold::live, options_->long_poll_timeout, meta);
}

RequestProcess::Answer RequestProcess::at_time_out() {
  switch (held_) {
    case Hold::none:
      return std::nullopt;
    case Hold::snapshot:
      return not_ready(method_, NotReady::shape_data);
    case Hold::out_of_bounds: {
      // Another instance may lead by now, unknown to this one. What anybody ever served is in the
      // store (I-56).
      ask_store_ = true;
      const auto meta = current_shape();
      if (!meta) return shape_is_gone();
      if (*parameters_->offset <= meta->head) return serve();
      return out_of_bounds(method_);
    }
    case Hold::live:
      wait_until(Readiness::read_only);
      context_->reached(Mark::live_request_timed_out);
      return serve();
  }
  ASSERT(false, "every way of being held ends");
}

// -- waiting --------------------------------------------------------------------------------------

RequestProcess::Answer RequestProcess::hold(Hold why, Duration limit, const ShapeMeta& seen) {
  if (*stopping_) final_look_ = true;
  if (final_look_) {
    held_ = why;
    return at_time_out();
  }
  if (held_ != why) {
    cancel(timer_);
    timer_ = send_after<&RequestProcess::time_out>(limit);
    held_ = why;
  }
  if (ask_store_) {
    // Nobody wakes for a shape that the read models do not have.
    cancel(look_again_);
    look_again_ = send_after<&RequestProcess::wake>(context_->options.standby_poll);
  }
  if (subscribed_) return std::nullopt;
  // Subscribe, then look again: what happened between the look and the subscription woke nobody.
  yield_point("request.looked");  // another thread may write between the two
  subscribe();
  const auto again = current_shape();
  const bool same = again && again->head == seen.head && again->quarantine.empty() &&
                    again->snapshot_complete == seen.snapshot_complete;
  if (same) return std::nullopt;
  return serve();
}

void RequestProcess::subscribe() {
  call<&stack::ShapeChanges::subscribe>(stack::names::shape_changes, *handle_,
                                        runtime::Ref<stack::Waiter>{self()});
  changes_monitor_ = monitor(runtime().whereis(stack::names::shape_changes.text));
  subscribed_ = true;
}

// -- answers --------------------------------------------------------------------------------------

RequestProcess::Answer RequestProcess::conflict(
    const std::optional<protocol::ShapeHandle>& successor) {
  // The store has the last word: read models may lag behind a leader that this instance does not
  // know of yet, and a 409 cannot be taken back (I-55).
  const protocol::ShapeHandle& dead = parameters_->handle ? *parameters_->handle : *handle_;
  const storage::ShapeLookup found = look_up(*context_, dead);
  const bool lives = found.live && found.live->identity == definition_->identity();
  if (lives && !ask_store_ && context_->guards.on(Guard::gone_asks_the_store)) {
    ask_store_ = true;
    return first_get();
  }
  if (found.live && !lives) end_if_outdated(*found.live);
  // A 409 is final (I-43): a removal may be in the store and its row not yet forgotten, so whoever
  // asked the store makes sure that no read model answers for the shape again.
  if (!found.live && runtime::TableRef(runtime(), stack::tables::shape_meta).find(dead).found())
    call<&stack::ShapeStatusOwner::forget>(stack::names::shape_status_owner, dead);
  if (successor) {
    // Likewise of the successor: read models that have not forgotten what a reset ended name it.
    // Then the store says who follows, or makes it (http-api.md §18.1).
    const storage::ShapeLookup next = look_up(*context_, *successor);
    if (!next.live) {
      if (auto failure = snapshot_failure(next.removed_reason)) return failure;
      if (!std::exchange(ask_store_, true)) return first_get();
      throw NotNow{NotReady::shape_data, "the shape that follows ended before it could be named"};
    }
  }
  context_->reached(Mark::conflict_answered);
  return must_refetch(method_, successor, found.removed_reason.value_or(std::string()));
}

void RequestProcess::end_if_outdated(const storage::ShapeRecord& live) {
  if (stack::shape_meta_from(live).definition->request_key() != definition_->request_key()) return;
  // The same request means another shape now, since its table was altered (LC-6). Were the shape
  // left to the next look at the catalogue, an alteration undone before that would bring it back.
  wait_until(Readiness::active);
  end_shape(live.handle, "schema_changed");
}

void RequestProcess::end_shape(const protocol::ShapeHandle& handle, std::string reason) {
  auto removed =
      call<&stack::ShapeCleaner::remove>(stack::names::shape_cleaner, handle, std::move(reason));
  if (!removed.ok()) throw NotNow{NotReady::shape_data, removed.error().message};
}

RequestProcess::Answer RequestProcess::snapshot_failure(
    const std::optional<std::string>& removed_reason) {
  if (!removed_reason) return std::nullopt;
  const std::string_view text = *removed_reason;
  const bool refused = text.starts_with(stack::removed::snapshot_refused);
  if (!refused && !text.starts_with(stack::removed::snapshot_failed)) return std::nullopt;
  context_->reached(Mark::snapshot_failure_told);
  if (refused)
    return snapshot_failed(method_, text.substr(stack::removed::snapshot_refused.size()));
  return snapshot_unexpected(method_, text.substr(stack::removed::snapshot_failed.size()));
}

RequestProcess::Answer RequestProcess::shape_is_gone() {
  // Who names a handle and does not wait for its snapshot asks again for what was served before.
  if (!parameters_->handle || held_ == Hold::snapshot) {
    if (auto failure = snapshot_failure(look_up(*context_, *handle_).removed_reason))
      return failure;
  }
  if (!parameters_->handle) {
    // The client named no handle, so there is nothing to refetch: it gets the shape of its
    // definition as it is now.
    cancel(timer_);
    held_ = Hold::none;
    subscribed_ = false;
    return first_get();
  }
  const auto successor = find_by_identity(*this, *context_, source(), definition_->identity());
  return conflict(successor ? std::optional(successor->handle) : std::nullopt);
}

ShapeView RequestProcess::view_of(const ShapeMeta& meta,
                                  std::optional<postgres::Lsn> global) const {
  // A live answer has no schema header.
  const bool with_schema = parameters_->live == Live::no;
  // Not beyond what the log has (I-58).
  if (global && meta.waiting_from.value != 0 &&
      context_->guards.on(Guard::markers_stay_below_the_buffer))
    global = std::min(*global, postgres::Lsn{meta.waiting_from.value - 1});
  return {meta.handle, with_schema ? meta.definition->schema_header() : std::string(), meta.head,
          global};
}

ReplyDraws RequestProcess::draws() {
  const WallTime wall = wall_time();
  const std::uint64_t random = draw("cursor");
  const std::uint64_t unique = draw("unique");
  return {wall, random, unique};
}

void RequestProcess::finish(protocol::Response response) {
  if (held_ == Hold::live && !final_look_) context_->reached(Mark::live_request_woken);
  held_ = Hold::none;
  respond_(std::move(response));
  exit_after_handler(runtime::ExitReason::normal());
}

}  // namespace holdfast::api
