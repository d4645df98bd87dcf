// The decoder gives the transactions that hand-made pgoutput bytes describe (postgres.md §9-§11).
#include "core/postgres/decoder.hpp"

#include <gtest/gtest.h>

#include "tests/postgres/wire.hpp"

namespace holdfast::postgres {
namespace {

using namespace wire;
using Event = std::optional<StreamEvent>;

/// Feeds a message that must be taken.
Event take(StreamDecoder& decoder, std::string payload) {
  auto event = decoder.feed(std::move(payload));
  EXPECT_TRUE(event.ok()) << event.error().message;
  return event.ok() ? std::move(*event) : Event{};
}
/// Feeds messages that must be taken and complete nothing but their last.
Transaction transaction(StreamDecoder& decoder, const std::vector<std::string>& payloads) {
  Event last;
  for (const std::string& payload : payloads) {
    EXPECT_FALSE(last && std::holds_alternative<Transaction>(*last));
    last = take(decoder, payload);
  }
  if (!last || !std::holds_alternative<Transaction>(*last)) {
    ADD_FAILURE() << "no transaction came out";
    return {};
  }
  return std::move(std::get<Transaction>(*last));
}
DecodeError refusal(StreamDecoder& decoder, const std::string& payload) {
  auto event = decoder.feed(payload);
  EXPECT_FALSE(event.ok());
  return event.ok() ? DecodeError{} : event.error();
}

const std::vector<Column> k_id_and_text = {{"id", 23, true}, {"body", 25}};
const std::string k_items = relation(100, "public", "items", k_id_and_text);
const std::string k_notes = relation(200, "app", "notes", k_id_and_text);

Tuple cells(std::initializer_list<std::optional<std::string_view>> list) {
  return list;
}

TEST(Decoder, assembles_a_transaction_from_begin_to_commit) {
  StreamDecoder decoder;
  take(decoder, k_items);
  const auto t1 = transaction(
      decoder, {begin(0xffffffff00000010, 4294967295U, 77), insert(100, {t("1"), null()}),
                update(100, {t("1"), null()}, {t("2"), t("")}), erase(100, {t("2"), t("")}),
                commit(0xffffffff00000010, 0xffffffff00000040)});
  EXPECT_EQ(t1.commit_lsn.value, 0xffffffff00000010U) << "LSNs use all 64 bits";
  EXPECT_EQ(t1.end_lsn.value, 0xffffffff00000040U);
  EXPECT_EQ(t1.xid.value, 4294967295U);
  EXPECT_EQ(t1.commit_time_us, 77);
  ASSERT_EQ(t1.changes.size(), 3U);
  EXPECT_EQ(t1.changes[0].kind, ChangeKind::insert);
  EXPECT_EQ(t1.changes[0].new_tuple, cells({"1", std::nullopt}));
  EXPECT_TRUE(t1.changes[0].old_tuple.empty());
  EXPECT_EQ(t1.changes[1].kind, ChangeKind::update);
  EXPECT_EQ(t1.changes[1].old_tuple, cells({"1", std::nullopt}));
  EXPECT_EQ(t1.changes[1].new_tuple, cells({"2", ""})) << "an empty text is not NULL";
  EXPECT_EQ(t1.changes[2].kind, ChangeKind::erase);
  EXPECT_EQ(t1.changes[2].old_tuple, cells({"2", ""}));
  EXPECT_EQ(t1.changes[2].relation->name, (RelationName{"public", "items"}));
  EXPECT_FALSE(decoder.inside_transaction());
}

TEST(Decoder, numbers_changes_by_two_over_all_relations_and_each_truncated_one) {
  StreamDecoder decoder;
  take(decoder, k_items);
  take(decoder, k_notes);
  const auto t1 =
      transaction(decoder, {begin(10, 1), insert(100, {t("1"), null()}), truncate({100, 200}, 3),
                            insert(200, {t("1"), null()}), commit(10, 20)});
  ASSERT_EQ(t1.changes.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(t1.changes[i].op, 2 * i);
  EXPECT_EQ(t1.changes[1].kind, ChangeKind::truncate);
  EXPECT_EQ(t1.changes[1].relation->oid.value, 100U);
  EXPECT_EQ(t1.changes[2].relation->oid.value, 200U);
  const auto t2 =
      transaction(decoder, {begin(30, 2), insert(100, {t("2"), null()}), commit(30, 40)});
  EXPECT_EQ(t2.changes.at(0).op, 0U) << "each transaction starts again";
}

TEST(Decoder, gives_an_empty_transaction_too) {
  StreamDecoder decoder;
  const auto t1 = transaction(decoder, {begin(10, 1), commit(10, 20)});
  EXPECT_TRUE(t1.changes.empty());
  EXPECT_EQ(t1.end_lsn.value, 20U);
}

TEST(Decoder, fills_unchanged_cells_from_the_old_row) {
  StreamDecoder decoder;
  take(decoder, k_items);
  const std::string big(100'000, 'x');
  const auto t1 =
      transaction(decoder, {begin(10, 1), update(100, {t("1"), t(big)}, {t("2"), same()}),
                            update(100, {t("2"), null()}, {t("3"), same()}), commit(10, 20)});
  EXPECT_EQ(t1.changes.at(0).new_tuple, cells({"2", big}));
  EXPECT_EQ(t1.changes.at(1).new_tuple, cells({"3", std::nullopt}));
}

TEST(Decoder, keeps_cells_readable_after_the_transaction_has_left) {
  std::optional<Transaction> kept;
  {
    StreamDecoder decoder;
    take(decoder, k_items);
    take(decoder, begin(10, 1));
    for (int i = 0; i < 1000; ++i)
      take(decoder, insert(100, {t(std::to_string(i)), t("body of " + std::to_string(i))}));
    kept = transaction(decoder, {commit(10, 20)});
    transaction(decoder, {begin(30, 2), insert(100, {t("other"), t("row")}), commit(30, 40)});
  }
  ASSERT_EQ(kept->changes.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i)
    EXPECT_EQ(kept->changes[i].new_tuple[1], "body of " + std::to_string(i));
  EXPECT_LT(kept->buffers.size(), 20U) << "payloads are kept in blocks";
}

TEST(Decoder, reports_keepalives_outside_transactions_only) {
  StreamDecoder decoder;
  const Event outside = take(decoder, keepalive(99, true));
  ASSERT_TRUE(outside && std::holds_alternative<Keepalive>(*outside));
  EXPECT_EQ(std::get<Keepalive>(*outside).wal_end.value, 99U);
  EXPECT_TRUE(std::get<Keepalive>(*outside).reply_requested);
  EXPECT_FALSE(decoder.take_reply_request()) << "the event has said it";

  take(decoder, begin(110, 1));
  EXPECT_FALSE(take(decoder, keepalive(120)));
  EXPECT_FALSE(decoder.take_reply_request());
  EXPECT_FALSE(take(decoder, keepalive(130, true)));
  EXPECT_TRUE(decoder.inside_transaction());
  EXPECT_TRUE(decoder.take_reply_request());
  EXPECT_FALSE(decoder.take_reply_request()) << "asking clears it";
}

TEST(Decoder, reports_a_relation_at_first_sight_and_when_it_differs) {
  StreamDecoder decoder;
  const Event first = take(decoder, k_items);
  ASSERT_TRUE(first && std::holds_alternative<RelationChanged>(*first));
  const StreamRelation& seen = *std::get<RelationChanged>(*first).relation;
  EXPECT_EQ(seen.oid.value, 100U);
  EXPECT_EQ(seen.replica_identity, 'f');
  ASSERT_EQ(seen.columns.size(), 2U);
  EXPECT_EQ(seen.columns[0], (StreamRelation::Column{"id", {23}, -1, true}));

  EXPECT_FALSE(take(decoder, k_items)) << "the same again is no change";
  EXPECT_EQ(decoder.take_repeated_relations(), std::set<RelationName>{seen.name});
  EXPECT_TRUE(decoder.take_repeated_relations().empty());

  for (const std::string& differs :
       {relation(100, "public", "renamed", k_id_and_text),
        relation(100, "other", "renamed", k_id_and_text),
        relation(100, "other", "renamed", k_id_and_text, 'd'),
        relation(100, "other", "renamed", {{"id", 20, true}, {"body", 25}}, 'd'),
        relation(100, "other", "renamed", {{"id", 20, true}}, 'd'), relation(101, "x", "y", {})}) {
    const Event event = take(decoder, differs);
    EXPECT_TRUE(event && std::holds_alternative<RelationChanged>(*event));
  }
}

TEST(Decoder, decodes_each_change_with_the_columns_of_its_moment) {
  StreamDecoder decoder;
  take(decoder, k_items);
  take(decoder, begin(10, 1));
  take(decoder, insert(100, {t("1"), t("two columns")}));
  const Event changed = take(decoder, relation(100, "public", "items", {{"id", 23, true}}));
  ASSERT_TRUE(changed && std::holds_alternative<RelationChanged>(*changed))
      << "reported at once, ahead of its transaction";
  take(decoder, insert(100, {t("2")}));
  const auto t1 = transaction(decoder, {commit(10, 20)});
  EXPECT_EQ(t1.changes.at(0).relation->columns.size(), 2U);
  EXPECT_EQ(t1.changes.at(1).relation->columns.size(), 1U);
}

TEST(Decoder, names_system_relations_by_their_schema) {
  StreamDecoder decoder;
  const Event event = take(decoder, relation(100, "", "items", {}));
  EXPECT_EQ(std::get<RelationChanged>(*event).relation->name.schema, "pg_catalog");
}

TEST(Decoder, passes_over_origin_type_and_message) {
  StreamDecoder decoder;
  take(decoder, k_items);
  const auto t1 = transaction(
      decoder, {begin(10, 1), origin("elsewhere"), type(9999, "public", "mood"),
                message("prefix", "content"), insert(100, {t("1"), null()}), commit(10, 20)});
  ASSERT_EQ(t1.changes.size(), 1U);
  EXPECT_EQ(t1.changes[0].op, 0U);
}

// Once it was an error: the session ended, and the next one met the same bytes.
TEST(Decoder, tells_that_a_change_without_its_full_old_row_is_partial) {
  const std::vector<std::string> incomplete = {update_without_old(100, {t("1"), same()}),
                                               update(100, {t("1"), null()}, {t("2"), same()}, 'K'),
                                               erase(100, {t("1"), null()}, 'K')};
  for (const std::string& payload : incomplete) {
    StreamDecoder decoder;
    take(decoder, relation(100, "public", "items", k_id_and_text, 'd'));
    const auto t1 = transaction(
        decoder, {begin(10, 1), payload, insert(100, {t("3"), null()}), commit(10, 20)});
    ASSERT_EQ(t1.changes.size(), 2U);
    EXPECT_EQ(t1.changes[0].kind, ChangeKind::partial);
    EXPECT_EQ(t1.changes[0].op, 0U);
    EXPECT_EQ(t1.changes[0].relation->name, (RelationName{"public", "items"}));
    EXPECT_TRUE(t1.changes[0].old_tuple.empty() && t1.changes[0].new_tuple.empty());
    EXPECT_EQ(shape_ending(t1.changes[0]), "replica_identity_not_full");
    EXPECT_EQ(t1.changes[1].op, 2U);
    EXPECT_TRUE(shape_ending(t1.changes[1]).empty());
  }
}

TEST(Decoder, refuses_a_partial_change_that_is_cut_short) {
  for (const std::string& payload :
       {update_without_old(100, {t("1"), same()}),
        update(100, {t("1"), null()}, {t("2"), same()}, 'K'), erase(100, {t("1"), null()}, 'K')}) {
    StreamDecoder decoder;
    take(decoder, relation(100, "public", "items", k_id_and_text, 'd'));
    take(decoder, begin(10, 1));
    EXPECT_EQ(refusal(decoder, payload.substr(0, payload.size() - 1)).kind,
              DecodeFailure::malformed);
  }
}

TEST(Decoder, refuses_a_relation_that_was_never_described) {
  for (const std::string& payload :
       {insert(300, {t("1"), null()}), erase(300, {t("1"), null()}), truncate({100, 300})}) {
    StreamDecoder decoder;
    take(decoder, k_items);
    take(decoder, begin(10, 1));
    const DecodeError error = refusal(decoder, payload);
    EXPECT_EQ(error.kind, DecodeFailure::protocol);
    EXPECT_NE(error.message.find("300"), std::string::npos);
  }
}

TEST(Decoder, refuses_messages_at_the_wrong_time) {
  const std::vector<std::vector<std::string>> wrong = {
      {insert(100, {t("1"), null()})},
      {update(100, {t("1"), null()}, {t("1"), null()})},
      {erase(100, {t("1"), null()})},
      {truncate({100})},
      {commit(10, 20)},
      {begin(10, 1), begin(10, 1)},
      {begin(10, 1), commit(11, 20)},
      {begin(10, 1), commit(10, 9)},
      {begin(10, 1), insert(100, {t("1")})},
      {begin(10, 1), insert(100, {t("1"), null(), null()})}};
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    StreamDecoder decoder;
    take(decoder, k_items);
    for (std::size_t j = 0; j + 1 < wrong[i].size(); ++j) take(decoder, wrong[i][j]);
    EXPECT_EQ(refusal(decoder, wrong[i].back()).kind, DecodeFailure::protocol) << "case " << i;
  }
}

TEST(Decoder, refuses_cells_that_a_text_stream_never_carries) {
  for (const Row& row : {Row{t("1"), {'b', "\1"}}, Row{t("1"), {'x', {}}}, Row{t("1"), same()}}) {
    StreamDecoder decoder;
    take(decoder, k_items);
    take(decoder, begin(10, 1));
    const DecodeError error = refusal(decoder, insert(100, row));
    EXPECT_EQ(error.kind, DecodeFailure::malformed);
    EXPECT_EQ(error.position, 25U + 1 + 4 + 1 + 2 + 6) << "points at the cell's kind";
  }
}

TEST(Decoder, gives_a_big_transaction_out_in_fragments) {
  // A change counts 128 bytes and its cells: 3, then 7; NULL and `u` are free.
  StreamDecoder decoder(128 + 3 + 128 + 7);
  take(decoder, k_items);
  take(decoder, begin(10, 7, 77));
  EXPECT_FALSE(take(decoder, insert(100, {t("123"), null()})));
  const auto event = take(decoder, update(100, {t("12"), t("ab")}, {t("123"), same()}));
  ASSERT_TRUE(event);
  const auto& fragment = std::get<Transaction>(*event);
  EXPECT_FALSE(fragment.ends);
  EXPECT_EQ(fragment.commit_lsn, Lsn{10});
  EXPECT_EQ(fragment.end_lsn, Lsn{0}) << "its end is not known";
  EXPECT_EQ(fragment.xid.value, 7U);
  ASSERT_EQ(fragment.changes.size(), 2U);
  EXPECT_TRUE(decoder.inside_transaction());

  EXPECT_FALSE(take(decoder, erase(100, {t("5"), null()}))) << "the count starts again";
  const auto end = take(decoder, commit(10, 20));
  ASSERT_TRUE(end);
  const auto& rest = std::get<Transaction>(*end);
  EXPECT_TRUE(rest.ends);
  EXPECT_EQ(rest.end_lsn, Lsn{20});
  EXPECT_EQ(rest.xid.value, 7U);
  EXPECT_EQ(rest.commit_time_us, 77);
  ASSERT_EQ(rest.changes.size(), 1U);
  EXPECT_EQ(rest.changes[0].op, 4U) << "operations are numbered over the whole transaction";
  EXPECT_EQ(fragment.changes[0].new_tuple, cells({"123", std::nullopt})) << "still readable";
}

TEST(Decoder, a_fragment_at_the_last_change_leaves_an_empty_end) {
  StreamDecoder decoder(1);
  take(decoder, k_items);
  take(decoder, begin(10, 1));
  EXPECT_TRUE(take(decoder, insert(100, {t("1"), null()})));
  const auto end = take(decoder, commit(10, 20));
  ASSERT_TRUE(end);
  EXPECT_TRUE(std::get<Transaction>(*end).changes.empty());
  EXPECT_TRUE(std::get<Transaction>(*end).ends);
}

TEST(Decoder, stays_refused_after_an_error) {
  StreamDecoder decoder;
  take(decoder, begin(10, 1));
  const DecodeError first = refusal(decoder, "x");
  const DecodeError again = refusal(decoder, commit(10, 20));
  EXPECT_EQ(again.message, first.message);
  EXPECT_FALSE(decoder.inside_transaction());
}

}  // namespace
}  // namespace holdfast::postgres
