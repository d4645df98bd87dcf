#include "core/production/server/metrics.hpp"

#include <unistd.h>

#include <cstdio>

#include "core/base/mark_list.hpp"

namespace holdfast::production {
namespace {

void add(std::string& text, const char* name, const char* kind, const char* help,
         std::uint64_t value) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text.append("# TYPE ").append(name).append(" ").append(kind).append("\n");
  text.append(name).append(" ").append(std::to_string(value)).append("\n");
}

/// Resident memory, from the second field of statm; 0 where there is none.
std::uint64_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long long size = 0, resident = 0;
  const int fields = std::fscanf(file, "%llu %llu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::string render(const http::HttpServer& server, const api::Engine& engine, const Marks& marks) {
  std::string text;
  const http::Statistics http = server.statistics();
  add(text, "holdfast_http_connections", "gauge", "Open client connections.", http.connections);
  add(text, "holdfast_http_unanswered_requests", "gauge",
      "Requests that wait for their answer, long polls included.", http.unanswered_requests);
  add(text, "holdfast_http_requests_total", "counter", "Requests received.", http.requests);
  add(text, "holdfast_http_held_bytes", "gauge",
      "Memory of answers that clients have still to take; what slow ones leave waits on disk.",
      http.held_bytes);
  add(text, "holdfast_request_processes", "gauge",
      "Requests that the engine is working on or holds; those without a client are ended.",
      engine.requests());
  add(text, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
  text += "# HELP holdfast_events_total Things that happened in the engine, by name.\n";
  text += "# TYPE holdfast_events_total counter\n";
  for (std::size_t i = 0; i < k_mark_names.size(); ++i) {
    text.append("holdfast_events_total{event=\"").append(k_mark_names[i]).append("\"} ");
    text.append(std::to_string(marks.count(static_cast<Mark>(i)))).append("\n");
  }
  return text;
}

}  // namespace

http::Handler metrics_handler(const http::HttpServer& server, const api::Engine& engine,
                              const Marks& marks) {
  return [&server, &engine, &marks](protocol::Request request, http::Responder responder) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!reads || request.path != "/metrics")
      return responder.respond({404, {{"content-type", "text/plain"}}, "Not found\n"});
    responder.respond(
        {200, {{"content-type", "text/plain; version=0.0.4"}}, render(server, engine, marks)});
  };
}

}  // namespace holdfast::production
