// The `holdfast` program. Everything but its command line is core/production/server.
#include <CLI/CLI.hpp>

#include "core/production/config.hpp"
#include "core/production/server/server_main.hpp"
#include "core/storage/store.hpp"

namespace {

constexpr const char* k_serve_footer_before = R"(
Configured by environment variables, under the names of ElectricSQL's sync service where it has
them.

Examples:
  DATABASE_URL=postgresql://postgres:pw@localhost:5432/app ELECTRIC_INSECURE=true holdfast serve
  DATABASE_URL=... ELECTRIC_SECRET=... ELECTRIC_STORAGE_DIR=/var/lib/holdfast holdfast serve
  curl 'http://localhost:3000/v1/shape?table=items&offset=-1'

Variables [default]:
)";

constexpr const char* k_serve_footer_after = R"(
SIGTERM or SIGINT: answers the requests in flight and stops; a second signal ends at once.
Exit codes: 0 stopped by a signal, 1 cannot start, 2 a variable has a wrong value.)";

}  // namespace

int main(int argc, char** argv) {
  holdfast::storage::configure_sqlite();
  CLI::App app{"Holdfast: a Postgres sync engine, wire-compatible with ElectricSQL's shape API"};
  app.require_subcommand(1);
  CLI::App* const serve = app.add_subcommand("serve", "Serve shapes over HTTP");
  serve->footer(k_serve_footer_before + holdfast::production::variables_table() +
                k_serve_footer_after);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : holdfast::production::k_exit_bad_configuration;
  }
  return holdfast::production::serve(holdfast::production::process_environment());
}
