// Changes after an answer to offset=now, each told and each kept back: no comparison of a client's
// view would see that one is missing.
#include "oracle/checks/nothing_missed.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

/// One row changes, one goes, one comes and one stays, all at 200.
class Changing final : public Truth {
 public:
  Rows rows(const ShapeSpec&, const VisibleSet& visible) override {
    const Row a{{"id", "1"}, {"name", "a"}};
    const Row b{{"id", "1"}, {"name", "b"}};
    if (visible.up_to < 200) return {{"changes", a}, {"goes", a}, {"stays", a}};
    return {{"changes", b}, {"comes", a}, {"stays", a}};
  }
  RowsDigest digest(const ShapeSpec&, const VisibleSet&) override { return {}; }
  std::uint64_t last_commit() override { return 0; }
  std::optional<std::uint64_t> transaction_id(std::uint64_t) override { return std::nullopt; }
  bool key_moved(const ShapeSpec&, std::uint64_t, const std::string&, const std::string&) override {
    return false;
  }
  std::size_t form_count(const ShapeSpec&) override { return forms; }

  std::size_t forms = 1;
};

class NothingMissed : public ::testing::Test {
 protected:
  std::size_t objections(std::vector<std::string> told, std::uint64_t from, std::uint64_t to) {
    std::vector<Message> messages;
    for (std::string& key : told) messages.emplace_back().key = std::move(key);
    messages.emplace_back().kind = MessageKind::up_to_date;
    Objections found;
    changed_ = check_nothing_missed(truth_, items_spec(), from, to, messages, found.sink());
    for (const std::string& property : found.properties())
      EXPECT_EQ(property, property::marker_honest);
    return found.properties().size();
  }

  Changing truth_;
  std::size_t changed_ = 0;
};

TEST_F(NothingMissed, EveryKeyThatDiffersMustBeNamed) {
  EXPECT_EQ(objections({"changes", "goes", "comes"}, 100, 200), 0U);
  EXPECT_EQ(changed_, 3U);
  EXPECT_EQ(objections({"changes", "goes"}, 100, 200), 1U);
  EXPECT_EQ(objections({"comes", "other"}, 100, 200), 2U);
  EXPECT_EQ(objections({}, 100, 300), 3U);
}

TEST_F(NothingMissed, NothingIsDueOfWhatTheMarkerDoesNotSay) {
  EXPECT_EQ(objections({}, 100, 199), 0U);
  EXPECT_EQ(objections({}, 200, 300), 0U) << "committed before the answer";
  EXPECT_EQ(objections({}, 300, 100), 0U) << "a server that was just started says nothing yet";
}

TEST_F(NothingMissed, AlteredTablesAreNotJudged) {
  truth_.forms = 2;
  EXPECT_EQ(objections({}, 100, 200), 0U);
}

}  // namespace
}  // namespace holdfast::oracle::test
