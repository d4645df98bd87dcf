#include "core/subquery/rules.hpp"

#include "core/base/guard_list.hpp"

namespace holdfast::subquery {

Rules::Rules(const Guards& guards)
    : negate_before_coercing(guards.on(Guard::negate_before_coercing)),
      hash_canonical_values(guards.on(Guard::hash_canonical_values)),
      cancel_within_a_commit(guards.on(Guard::cancel_within_a_commit)),
      convert_at_the_splice(guards.on(Guard::convert_at_the_splice)),
      drop_replayed_transactions(guards.on(Guard::drop_replayed_transactions)) {}

}  // namespace holdfast::subquery
