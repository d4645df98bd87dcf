#include "core/production/server/event_log.hpp"

#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace holdfast::production {
namespace {

const char* name_of(observe::Level level) {
  switch (level) {
    case observe::Level::debug:
      return "debug";
    case observe::Level::info:
      return "info";
    case observe::Level::warning:
      return "warning";
    case observe::Level::error:
      return "error";
  }
  return "info";
}

std::string timestamp(WallTime time) {
  const std::time_t seconds = static_cast<std::time_t>(time.unix_us / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(time.unix_us % 1'000'000));
  return std::string(text, size) + fraction;
}

}  // namespace

std::string log_value(const std::string& text) {
  bool plain = !text.empty();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '"' || c == '=') plain = false;
  }
  if (plain) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(byte));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

void EventLog::emit(const observe::Event& event) {
  if (event.level < least_) return;
  std::string text(event.name);
  for (const auto& [name, value] : event.fields)
    text.append(" ").append(name).append("=").append(log_value(value));
  write_line(event.level, text);
}

void EventLog::say(observe::Level level, const std::string& sentence) {
  if (level < least_) return;
  std::string text;
  for (const char c : sentence) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  write_line(level, text);
}

void EventLog::write_line(observe::Level level, const std::string& text) {
  const std::string line =
      timestamp(clock_.wall_time()) + " [" + name_of(level) + "] " + text + "\n";
  const std::lock_guard lock(mutex_);
  // A log that cannot be written must not stop the server: the result is ignored on purpose.
  [[maybe_unused]] const ssize_t ignored = ::write(to_, line.data(), line.size());
}

}  // namespace holdfast::production
