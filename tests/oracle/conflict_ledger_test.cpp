// The 409 ledger on answers made by hand: each cause excuses what it may and no more.
#include "oracle/checks/conflict_ledger.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::ShapeHandle;

const ShapeHandle k_first{"1-1"};
const ShapeHandle k_second{"1-2"};

Instant second(int count) {
  return Instant{} + std::chrono::seconds(count);
}

class Ledger : public ::testing::Test {
 protected:
  void serve(const ShapeHandle& handle, int sent, int answered) {
    ledger_.served(spec_, handle, second(sent), second(answered), found_.sink());
  }
  void refuse(const ShapeHandle& handle, int answered, const std::string& reason = {}) {
    ledger_.refused(spec_, handle, second(answered), reason, found_.sink());
  }
  void happens(Cause cause, const char* subject, int at, std::optional<int> over = {}) {
    journal_.push_back({cause, subject, second(at), over ? second(*over) : Instant::never()});
  }

  ShapeSpec spec_ = items_spec();
  Journal journal_;
  ConflictLedger ledger_{journal_};
  Objections found_;
};

TEST_F(Ledger, A409WithoutAnyCauseIsSpurious) {
  serve(k_first, 1, 2);
  refuse(k_first, 3);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
  EXPECT_EQ(ledger_.spurious(), 1U);
  EXPECT_EQ(ledger_.legitimate(), 0U);
}

TEST_F(Ledger, A409AboutAHandleThatNobodyKnowsNeedsACauseToo) {
  refuse(k_first, 3);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
}

TEST_F(Ledger, ADeletionOfTheShapeExcusesIt) {
  serve(k_first, 1, 2);
  happens(Cause::deleted_by_request, "s0", 3);
  refuse(k_first, 4);
  EXPECT_EQ(found_.properties(), Properties{});
  EXPECT_EQ(ledger_.legitimate(), 1U);
}

TEST_F(Ledger, WhatServedBeforeADeletionWasSentNeverServesAfterItsAnswer) {
  serve(k_first, 1, 2);
  ledger_.deleted(spec_, second(3), second(5));
  serve(k_first, 4, 6);
  EXPECT_EQ(found_.properties(), Properties{}) << "it may have been asked before the removal";
  serve(k_second, 6, 7);
  EXPECT_EQ(found_.properties(), Properties{});
  serve(k_first, 6, 7);
  EXPECT_EQ(found_.properties(), Properties{property::removal_final});
}

TEST_F(Ledger, ATruncationOfItsTableExcusesIt) {
  serve(k_first, 1, 2);
  happens(Cause::truncated, "items", 3);
  refuse(k_first, 4);
  EXPECT_EQ(found_.properties(), Properties{});
}

TEST_F(Ledger, ALimitExcusesItOnlyWhenMoreShapesWereAskedForAndThatIsTheReason) {
  journal_.push_back({Cause::over_limit, {}, {}, Instant::never(), 1});
  ledger_.asked(spec_);
  serve(k_first, 1, 2);
  refuse(k_first, 3, "expired");
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict}) << "one is no excess";
  ShapeSpec other = spec_;
  other.name = "s1";
  ledger_.asked(other);
  refuse(k_first, 4, "deleted");
  EXPECT_EQ(ledger_.spurious(), 2U) << "another reason needs a cause of its own";
  refuse(k_first, 5, "expired");
  EXPECT_EQ(ledger_.legitimate(), 1U);
}

TEST_F(Ledger, ATruncationOfATableOfASubSelectExcusesItAndADeletionOfAnotherShapeDoesNot) {
  spec_.inner_tables = {"groups", "members"};
  serve(k_first, 1, 2);
  happens(Cause::deleted_by_request, "members", 3);
  refuse(k_first, 4);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
  happens(Cause::truncated, "members", 5);
  refuse(k_first, 6);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
  EXPECT_EQ(ledger_.legitimate(), 1U);
}

TEST_F(Ledger, WhatHappensToOthersExcusesNothing) {
  serve(k_first, 1, 2);
  happens(Cause::deleted_by_request, "s1", 3);
  happens(Cause::deleted_by_request, "items", 3);
  happens(Cause::truncated, "other", 3);
  happens(Cause::truncated, "s0", 3);
  refuse(k_first, 4);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
}

TEST_F(Ledger, ACauseThatComesAfterTheAnswerExcusesNothing) {
  serve(k_first, 1, 2);
  happens(Cause::deleted_by_request, "s0", 5);
  refuse(k_first, 4);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
}

TEST_F(Ledger, ACauseThatWasOverBeforeTheSuccessorsBirthDoesNotExcuseItsEnd) {
  serve(k_first, 1, 2);
  happens(Cause::truncated, "items", 3, 4);
  serve(k_first, 6, 7);  // the engine has not come to the truncation yet
  refuse(k_first, 8);
  serve(k_second, 9, 10);
  EXPECT_EQ(found_.properties(), Properties{});
  refuse(k_second, 11);
  EXPECT_EQ(found_.properties(), Properties{property::spurious_conflict});
  EXPECT_EQ(ledger_.legitimate(), 1U);
}

TEST_F(Ledger, ACauseThatIsNotOverMayHaveHitTheSuccessor) {
  serve(k_first, 1, 2);
  happens(Cause::deleted_by_request, "s0", 3);
  serve(k_second, 9, 10);
  refuse(k_second, 11);
  EXPECT_EQ(found_.properties(), Properties{});
}

TEST_F(Ledger, AnAnswerThatOverlapsSaysNothingAboutWhichHandleCameFirst) {
  happens(Cause::truncated, "items", 3, 4);
  serve(k_second, 5, 6);
  serve(k_first, 1, 7);  // a slow answer of the predecessor
  refuse(k_first, 8);
  refuse(k_second, 8);
  EXPECT_EQ(found_.properties(), Properties{});
}

TEST_F(Ledger, AHandleWithTwoDefinitionsIsAViolation) {
  serve(k_first, 1, 2);
  spec_.name = "s1";
  serve(k_first, 3, 4);
  EXPECT_EQ(found_.properties(), Properties{property::handle_unique});
}

TEST_F(Ledger, AHandleThatServesAfterA409EndedItIsAViolation) {
  happens(Cause::deleted_by_request, "s0", 0);
  serve(k_first, 1, 2);
  refuse(k_first, 4);
  serve(k_first, 3, 5);
  EXPECT_EQ(found_.properties(), Properties{}) << "it was asked before the 409";
  serve(k_first, 5, 6);
  EXPECT_EQ(found_.properties(), Properties{property::removal_final});
}

}  // namespace
}  // namespace holdfast::oracle::test
