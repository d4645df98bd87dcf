// Generated conditions with sub-selects and arrays, in the forms of shapes and of the queries that
// move rows into them (engine.md §3.5), for the comparison with a real Postgres.
#pragma once

#include "tests/postgres_model/generate.hpp"

namespace holdfast::test {

/// Over public.wide: [NOT] IN (SELECT …) of columns and of pairs, nested up to `depth` times,
/// = ANY (array), IN (SELECT * FROM unnest(…)), coalesce(…, false).
std::string generate_subquery_condition(Dice& dice, unsigned depth);

}  // namespace holdfast::test
