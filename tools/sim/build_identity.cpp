#include "tools/sim/build_identity.hpp"

#include <pg_query.h>
#include <sqlite3.h>

namespace holdfast::tools {
namespace {

constexpr const char* k_commit =
#include <holdfast_commit.inc>
    ;

}  // namespace

std::string build_identity() {
  return std::string("commit ") + k_commit + ", sqlite " + sqlite3_libversion() + ", pg_query " +
         PG_MAJORVERSION;
}

}  // namespace holdfast::tools
