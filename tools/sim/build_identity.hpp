// Which Holdfast this program is, as repro files say it.
#pragma once

#include <string>

namespace holdfast::tools {

/// "commit 4921b68, sqlite 3.40.1, pg_query 15": the same text for every build type and compiler.
/// A "+" behind the commit: with changes that were not committed.
std::string build_identity();

}  // namespace holdfast::tools
