// tests/runtime under the threaded executor: on one shard, and on three with everything scattered.
#include <set>
#include <string>

#include "tests/executor/threaded_fixture.hpp"

namespace holdfast::test {
namespace {

/// Tests that count or list the processes of one Runtime: with several shards each has its own.
const std::set<std::string> k_of_one_runtime = {
    "an_idle_process_holds_no_stack",
    "killing_a_supervisor_takes_its_whole_tree_along",
    "siblings_of_one_role_have_generations_and_keys_in_their_paths",
};

void skip_if_of_one_runtime() {
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  if (k_of_one_runtime.contains(name.substr(0, name.find('/'))))
    GTEST_SKIP() << "looks into one Runtime, and there are three";
}

}  // namespace

std::vector<ExecutorUnderTest> executors_under_test() {
  return {{"one_shard", [] { return std::make_unique<ThreadedFixture>(1); }},
          {"three_shards", [] {
             skip_if_of_one_runtime();
             return std::make_unique<ThreadedFixture>(3);
           }}};
}

}  // namespace holdfast::test
