// DATABASE_URL as libpq may see it. Whether the URL has the form of postgres.md §2.1 is config's
// business; this only leaves out what libpq would trip over.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::production {

/// The URL with none of its parameters but sslmode, since libpq refuses parameters that it does not
/// know ("pgbouncer=true") and upstream ignores them. `allow` becomes `prefer`, which tries TLS
/// first. A connection string that is no URL is returned unchanged.
std::string libpq_url(std::string_view url);

}  // namespace holdfast::production
