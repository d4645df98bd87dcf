// What GET /metrics on ELECTRIC_PROMETHEUS_PORT answers, in Prometheus' text format.
#pragma once

#include "core/api/engine.hpp"
#include "core/base/marks.hpp"
#include "core/production/http/server.hpp"

namespace holdfast::production {

/// A handler for a server of its own. The arguments outlive it.
http::Handler metrics_handler(const http::HttpServer& server, const api::Engine& engine,
                              const Marks& marks);

}  // namespace holdfast::production
