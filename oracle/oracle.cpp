#include "oracle/oracle.hpp"

#include <algorithm>

#include "oracle/checks/answer_form.hpp"
#include "oracle/checks/nothing_missed.hpp"
#include "oracle/checks/probe_form.hpp"
#include "oracle/client/json_reader.hpp"

namespace holdfast::oracle {
namespace {

std::string print(const Row& row) {
  std::string text = "{";
  for (const auto& [column, cell] : row)
    text += (text.size() > 1 ? ", " : "") + column + "=" + (cell ? *cell : "NULL");
  return text + "}";
}

/// Sorted.
std::vector<std::string> selected_columns(const ShapeSpec& spec) {
  std::vector<std::string> selected;
  for (const std::string& column : spec.all_columns)
    if (spec.selects(column)) selected.push_back(column);
  std::sort(selected.begin(), selected.end());
  return selected;
}

/// The names in the value of the schema header, sorted; empty: it is no object.
std::vector<std::string> schema_columns(const std::string& schema) {
  std::vector<std::string> columns;
  try {
    JsonReader reader(schema);
    reader.open_object();
    std::string_view name;
    for (bool first = true; reader.next_member(name, first);) {
      columns.emplace_back(name);
      reader.skip();
    }
  } catch (const Malformed&) {
    return {};
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

}  // namespace

std::string difference(const Rows& client, const Rows& query) {
  for (const auto& [key, row] : query) {
    const auto held = client.find(key);
    if (held == client.end()) return "the client lacks " + key + " " + print(row);
    if (held->second != row)
      return "the client has " + key + " " + print(held->second) + " instead of " + print(row);
  }
  for (const auto& [key, row] : client)
    if (!query.contains(key)) return "the client has " + key + " " + print(row) + " too many";
  return {};
}

void Oracle::object(const char* property, std::string what, const std::string& client, Instant at) {
  violations_.push_back({property, std::move(what), client, at});
}

void Oracle::asked(const Exchange& exchange) {
  ledger_.asked(*exchange.spec);
  expiry_order_.asked(exchange.spec->name, exchange.client);
}

void Oracle::observe(const Exchange& exchange, ClientView& view) {
  counters_.requests++;
  expiry_order_.ended(exchange.spec->name, exchange.client, exchange.answered);
  const Object object = [&](const char* property, std::string what) {
    this->object(property, exchange.spec->name + ": " + std::move(what), exchange.client,
                 exchange.answered);
  };
  if (exchange.answered - exchange.sent > k_request_deadline)
    object(property::request_ends, "a request took too long");
  if (exchange.response) {
    const bool live = exchange.state.phase == ClientPhase::live;
    const ShapeSpec& as_it_is = described(*exchange.spec, *exchange.response, object);
    if (exchange.state.phase == ClientPhase::initial && &as_it_is != exchange.spec)
      view.describe(as_it_is);
    check_answer_form(
        view.spec(),
        {exchange.state.offset.to_string(), live, live ? exchange.state.cursor : std::string()},
        *exchange.response, object);
  }
  if (exchange.response && exchange.response->status == 200)
    observe_success(exchange, view, object);
  else
    observe_failure(exchange, object);
}

const ShapeSpec& Oracle::described(const ShapeSpec& spec, const protocol::Response& response,
                                   const Object& object) {
  const std::string* schema = response.header("electric-schema");
  const std::size_t forms = truth_->form_count(spec);
  if (forms == 1 || response.status != 200 || schema == nullptr) return spec;
  const std::vector<std::string> columns = schema_columns(*schema);
  for (std::size_t form = 0; form < forms; ++form) {
    const auto [known, fresh] = described_.try_emplace({spec.name, form}, spec);
    if (fresh) known->second = truth_->in_form(spec, form);
    if (selected_columns(known->second) == columns) return known->second;
  }
  object(property::answer_form, "its table never had the columns of the schema " + *schema);
  return spec;
}

bool Oracle::refused_by_its_table(const ShapeSpec& spec, const protocol::Response& response,
                                  const Origin& made) {
  const auto is_about = [&](const char* field) {
    return response.body.find(R"("errors":{")" + std::string(field)) != std::string::npos;
  };
  // To a HEAD nothing says what of.
  const bool of_table = response.status == 400 && (response.body.empty() || is_about("table") ||
                                                   is_about("columns") || is_about("where"));
  if (!of_table || !ledger_.lasts(Cause::table_unfit, spec, made.sent, made.answered)) return false;
  counters_.refused++;
  return true;
}

void Oracle::check_form(const std::vector<Message>& messages, ClientView& view,
                        const Object& object) {
  if (!view.snapshot() || truth_->form_count(view.spec()) == 1) return;
  if (!view.form()) {
    view.set_form(truth_->form_seen(view.spec(), *view.snapshot()));
    if (selected_columns(truth_->in_form(view.spec(), *view.form())) !=
        selected_columns(view.spec()))
      object(property::schema_kept, "the snapshot saw other columns than the schema has");
  }
  for (const Message& message : messages)
    if (message.lsn && truth_->form_at(view.spec(), *message.lsn) != *view.form())
      object(property::schema_kept,
             "the record at " + std::to_string(*message.lsn) + " is of another form of its table");
}

void Oracle::observe_success(const Exchange& exchange, ClientView& view, const Object& object) {
  const protocol::Response& response = *exchange.response;
  const std::string* handle_text = response.header("electric-handle");
  const std::string* offset_text = response.header("electric-offset");
  const auto offset =
      offset_text == nullptr ? std::nullopt : protocol::LogOffset::parse(*offset_text);
  if (handle_text == nullptr || !offset)
    return object(property::protocol, "a 200 without handle or offset");
  const protocol::ShapeHandle handle{*handle_text};
  const bool starts = exchange.state.phase == ClientPhase::initial;
  if (!starts && exchange.state.handle != handle)
    object(property::protocol, "a 200 for another handle than was asked for: " + handle.text);
  if (exchange.state.expired == handle)
    object(property::removal_final, handle.text + " is served to whoever says that it has expired");
  if (*offset < exchange.state.offset)
    object(property::log_order, "the offset goes back to " + *offset_text);
  const Origin made = exchange.made();
  ledger_.served(*exchange.spec, handle, made.sent, made.answered, object);
  expiry_order_.served(exchange.spec->name, handle, made.sent, object);

  const auto messages = messages_of(handle, response, object);
  if (!messages) return;
  const bool up_to_date = response.header("electric-up-to-date") != nullptr;
  if (!up_to_date) constancy_.chunk(handle, exchange.state.offset, *offset, response.body, object);
  chunk_rule_.answer(handle, exchange.state.offset, *offset, up_to_date, *messages, object);
  if (up_to_date) check_marker(exchange, *offset, *messages, object);
  if (!exchange.spec->has_subqueries()) check_key_changes(*exchange.spec, *messages, object);
  if (ledger_.lasts(Cause::table_unpublished, *exchange.spec, made.sent, made.answered)) {
    // Nobody could know yet what the stream does not tell; from when they must, the view is right,
    // or its shape has ended.
    counters_.not_judged++;
    return view.apply(*messages, exchange.state.offset, *offset, [](const char*, const auto&) {});
  }
  view.apply(*messages, exchange.state.offset, *offset, object);
  check_form(*messages, view, object);
  if (starts) memberships_.erase(exchange.client);
  if (up_to_date) compare(exchange.client, *offset, view, object);
}

std::optional<std::vector<Message>> Oracle::messages_of(const protocol::ShapeHandle& handle,
                                                        const protocol::Response& response,
                                                        const Object& object) {
  auto messages = parse_messages(response.body);
  if (!messages.ok()) {
    object(property::protocol, messages.error().message + ": " + response.body);
    return std::nullopt;
  }
  constancy_.records(handle, *messages, object);
  const bool up_to_date = response.header("electric-up-to-date") != nullptr;
  const bool marked = !messages->empty() && messages->back().kind == MessageKind::up_to_date;
  if (up_to_date != marked)
    object(property::protocol, "the up-to-date header and the marker disagree");
  for (const Message& message : *messages) check_transaction_id(message, object);
  return std::move(*messages);
}

void Oracle::check_marker(const Exchange& exchange, const protocol::LogOffset& offset,
                          const std::vector<Message>& messages, const Object& object) {
  if (messages.empty() || messages.back().kind != MessageKind::up_to_date) return;
  const std::uint64_t claimed = messages.back().up_to;
  const bool live_with_data = exchange.state.phase == ClientPhase::live && messages.size() > 1;
  if (claimed < offset.tx || (live_with_data && claimed != offset.tx))
    object(property::marker_honest, "an answer that ends at " + offset.to_string() +
                                        (live_with_data ? ", live and with data," : "") +
                                        " claims to be up to date with " + std::to_string(claimed));
}

void Oracle::check_key_changes(const ShapeSpec& spec, const std::vector<Message>& messages,
                               const Object& object) {
  for (std::size_t i = 1; i < messages.size(); ++i) {
    const Message& gone = messages[i - 1];
    const Message& come = messages[i];
    const bool pair = gone.kind == MessageKind::erase && come.kind == MessageKind::insert &&
                      gone.lsn && gone.lsn == come.lsn && come.op == gone.op + 1;
    const bool silent = gone.key_change_to.empty() && come.key_change_from.empty();
    if (pair && silent && truth_->key_moved(spec, *gone.lsn, gone.key, come.key))
      object(property::row_content, "nothing says that " + gone.key + " became " + come.key +
                                        " at " + std::to_string(*gone.lsn));
  }
}

void Oracle::check_transaction_id(const Message& message, const Object& object) {
  if (!message.lsn) return;
  const auto known = truth_->transaction_id(*message.lsn);
  if (known && *known != message.txid)
    object(property::row_content, "the record at " + std::to_string(*message.lsn) +
                                      " is of transaction " + std::to_string(*known) + ", not " +
                                      std::to_string(message.txid));
}

std::string Oracle::compared(const ClientView& view, const VisibleSet& visible) {
  const bool sample = comparisons_++ % k_full_comparison_interval == 0;
  if (!sample && view.digest() == truth_->digest(view.spec(), visible)) return {};
  counters_.compared_in_full++;
  return difference(view.rows(), truth_->rows(view.spec(), visible));
}

void Oracle::compare(const std::string& client, const protocol::LogOffset& offset,
                     const ClientView& view, const Object& object) {
  if (!view.snapshot())
    return object(property::protocol, "up to date without ever having seen snapshot-end");
  counters_.compared_markers++;
  if (view.spec().has_subqueries())
    return compare_memberships(client, {std::max(view.claimed(), offset.tx), *view.snapshot()},
                               view, object);
  const VisibleSet visible{std::max(view.marker(), offset.tx), *view.snapshot(),
                           view.form().value_or(0)};
  const std::string wrong = compared(view, visible);
  if (!wrong.empty())
    object(property::view_equals_query,
           "at " + std::to_string(visible.up_to) + ", offset " + offset.to_string() + ": " + wrong);
}

/// What such a shape knows of the inner rows may lag behind, but never goes back. Its own rows are
/// those of the marker's position all the same.
void Oracle::compare_memberships(const std::string& client, const VisibleSet& visible,
                                 const ClientView& view, const Object& object) {
  Memberships* truth = truth_->memberships(view.spec());
  if (truth != nullptr &&
      memberships_[client].judge(view, visible, *truth, counters_.memberships, object))
    return;
  compare_contents(visible, view, object);
}

void Oracle::compare_contents(const VisibleSet& visible, const ClientView& view,
                              const Object& object) {
  ShapeSpec whole = view.spec();
  whole.where.clear();
  const Rows table = truth_->rows(whole, visible);
  for (const auto& [key, row] : view.rows()) {
    const auto found = table.find(key);
    if (found == table.end() || found->second != row)
      return object(property::view_equals_query,
                    "at " + std::to_string(visible.up_to) + ": the client has " + key + " " +
                        print(row) + ", but its table has " +
                        (found == table.end() ? "no such row" : print(found->second)));
  }
}

void Oracle::observe_failure(const Exchange& exchange, const Object& object) {
  if (!exchange.response || exchange.response->status == 503) {
    counters_.retried++;
    if (exchange.response) check_quarantine(*exchange.response, object);
    if (exchange.response)
      check_snapshot_refused(*exchange.spec, *exchange.response, exchange.made(), object);
    return;
  }
  const protocol::Response& response = *exchange.response;
  if (response.status == 409 && exchange.state.handle)
    return observe_conflict(*exchange.spec, *exchange.state.handle, response, exchange.made(),
                            object);
  if (refused_by_its_table(*exchange.spec, response, exchange.made())) return;
  if (response.status == 400 && response.body.find("out of bounds") != std::string::npos)
    return object(property::out_of_bounds,
                  "offset " + exchange.state.offset.to_string() + " was served before");
  object(response.status >= 500 ? property::server_error : property::protocol,
         "status " + std::to_string(response.status) + ": " + response.body);
}

void Oracle::observe_conflict(const ShapeSpec& spec, const protocol::ShapeHandle& asked,
                              const protocol::Response& response, const Origin& made,
                              const Object& object) {
  const std::string* reason = response.header("electric-reason");
  if (reason != nullptr && *reason == "expired")
    expiry_order_.expired(spec.name, made.sent, made.answered);
  ledger_.refused(spec, asked, made.answered, reason == nullptr ? std::string() : *reason, object);
  if (const std::string* successor = response.header("electric-handle"))
    ledger_.named(spec, asked, protocol::ShapeHandle{*successor}, made.sent, made.answered, object);
}

// -- probes ---------------------------------------------------------------------------------------

void Oracle::asked(const Probe& probe) {
  if (!reads_a_shape(probe.kind)) return;
  ledger_.asked(*probe.spec);
  expiry_order_.asked(probe.spec->name, probe.prober);
}

void Oracle::observe(const Probe& probe, const std::optional<protocol::Response>& response,
                     const Origin& made) {
  counters_.requests++;
  if (reads_a_shape(probe.kind)) expiry_order_.ended(probe.spec->name, probe.prober, made.answered);
  if (response)
    observe_answer(probe, *response, made);
  else
    counters_.retried++;
}

void Oracle::observe_answer(const Probe& probe, const protocol::Response& response,
                            const Origin& made) {
  const Object object = [&](const char* property, std::string what) {
    this->object(property, probe.spec->name + ": " + std::move(what),
                 probe.prober + ", " + std::string(name_of(probe.kind)), made.answered);
  };
  const bool by_its_words = probe.kind == ProbeKind::bad_parameters;
  if (!by_its_words && refused_by_its_table(*probe.spec, response, made)) return;
  Probe of_the_table = probe;
  of_the_table.spec = &described(*probe.spec, response, object);
  check_probe_form(of_the_table, response, object);
  const std::string* named = response.header("electric-handle");
  if (response.status == 409 && probe.handle) {
    // That a handle which never was, or was another definition's, is refused ends nothing.
    const bool its_own =
        probe.kind != ProbeKind::unknown_handle && probe.kind != ProbeKind::other_shape;
    if (its_own) return observe_conflict(*probe.spec, *probe.handle, response, made, object);
    if (named != nullptr)
      ledger_.named(*probe.spec, *probe.handle, protocol::ShapeHandle{*named}, made.sent,
                    made.answered, object);
    return;
  }
  if ((response.status != 200 && response.status != 304) || named == nullptr) return;
  const protocol::ShapeHandle handle{*named};
  ledger_.served(*probe.spec, handle, made.sent, made.answered, object);
  expiry_order_.served(probe.spec->name, handle, made.sent, object);
  const std::string* asked_for = probe.request.parameter("handle");
  if (asked_for != nullptr && *asked_for != handle.text)
    object(property::protocol, "a " + std::to_string(response.status) +
                                   " for another handle than was asked for: " + handle.text);
  if (response.status == 200 && probe.request.method != "HEAD")
    observe_probe_success(probe, handle, response, object);
}

void Oracle::observe_probe_success(const Probe& probe, const protocol::ShapeHandle& handle,
                                   const protocol::Response& response, const Object& object) {
  const auto messages = messages_of(handle, response, object);
  const std::string* const asked = probe.request.parameter("offset");
  const std::string* const text = response.header("electric-offset");
  const auto to = text == nullptr ? std::nullopt : protocol::LogOffset::parse(*text);
  if (!to) return object(property::protocol, "a 200 without an offset");
  const auto from = asked == nullptr ? std::nullopt : protocol::LogOffset::parse(*asked);
  if (!messages || !from) return;
  if (*to < *from) object(property::log_order, "the offset goes back to " + *text);
  constancy_.whole(handle, *from, *to, *messages, object);
  if (response.header("electric-up-to-date") == nullptr)
    constancy_.chunk(handle, *from, *to, response.body, object);
  for (const Message& message : *messages)
    if (message.lsn && *message.lsn <= probe.claimed)
      object(property::marker_honest, "a record at " + std::to_string(*message.lsn) +
                                          " follows an answer to offset=now that had seen all to " +
                                          std::to_string(probe.claimed));
  // What is written while a table is not published may be in no stream.
  const bool all_streamed = std::none_of(
      journal_.begin(), journal_.end(),
      [](const CauseEvent& event) { return event.cause == Cause::table_unpublished; });
  if (probe.kind == ProbeKind::follow_now && all_streamed && !messages->empty() &&
      messages->back().kind == MessageKind::up_to_date)
    check_nothing_missed(*truth_, *probe.spec, probe.committed, messages->back().up_to, *messages,
                         object);
}

void Oracle::check_quarantine(const protocol::Response& response, const Object& object) {
  if (response.body.find("is in quarantine") == std::string::npos) return;
  const bool poisoned = std::any_of(journal_.begin(), journal_.end(), [](const CauseEvent& event) {
    return event.cause == Cause::poisoned;
  });
  if (!poisoned) object(property::server_error, "a shape is in quarantine that nothing poisoned");
}

void Oracle::check_snapshot_refused(const ShapeSpec& spec, const protocol::Response& response,
                                    const Origin& made, const Object& object) {
  const bool refused = response.body.find(R"("Database table )") != std::string::npos ||
                       response.body.find("Unable to create initial snapshot") != std::string::npos;
  if (!refused) return;
  counters_.refused++;
  if (!ledger_.lasts(Cause::table_unfit, spec, made.sent, made.answered))
    object(property::server_error, "a table is refused that is as it must be: " + response.body);
}

void Oracle::overdue(const Exchange& exchange) {
  object(property::request_ends,
         exchange.spec->name + ": no answer to " + exchange.state.offset.to_string(),
         exchange.client, exchange.answered);
}

std::uint64_t Oracle::agreed_commit(const ClientView& view) {
  const std::uint64_t now = truth_->last_commit();
  return view.snapshot() && compared(view, {now, *view.snapshot()}).empty() ? now : 0;
}

void Oracle::converged(const ShapeSpec& spec, const std::string& client, const ClientView& view,
                       Instant at) {
  if (!view.snapshot())
    return object(property::convergence, spec.name + ": never saw its snapshot", client, at);
  // Its answers may all have come while nobody judged them.
  const std::size_t form =
      view.form() ? *view.form() : truth_->form_seen(spec, *view.snapshot());
  if (form != truth_->form_at(spec, truth_->last_commit()))
    object(property::convergence, spec.name + ": its table has changed, and its shape lives on",
           client, at);
  const std::string wrong = compared(view, {truth_->last_commit(), *view.snapshot(), form});
  if (!wrong.empty()) object(property::convergence, spec.name + ": " + wrong, client, at);
}

}  // namespace holdfast::oracle
