// What a check leaves for CI systems: JUnit and GitHub's annotations.
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tools/sim/commands/check_summary.hpp"

namespace holdfast::tools {
namespace {

std::string escaped_for_xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out.push_back(static_cast<unsigned char>(c) < 32 ? ' ' : c);
  }
  return out;
}

/// GitHub's own escapes; a title ends at a comma or a colon besides.
std::string escaped_for_github(const std::string& text, bool title) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\n')
      out += "%0A";
    else if (c == '\r')
      out += "%0D";
    else if (title && c == ':')
      out += "%3A";
    else if (title && c == ',')
      out += "%2C";
    else
      out.push_back(c);
  }
  return out;
}

void write_case(std::ofstream& file, const std::string& name, const std::string& property,
                const std::string& what) {
  file << "  <testcase classname=\"holdfast-sim\" name=\"" << escaped_for_xml(name)
       << "\"><failure message=\"" << escaped_for_xml(property) << "\">" << escaped_for_xml(what)
       << "</failure></testcase>\n";
}

}  // namespace

Result<void> write_junit(const Summary& s, const CheckOptions& options) {
  std::size_t failures = s.failures.size();
  for (const Replayed& each : s.replayed) failures += each.fails ? 1 : 0;
  const std::uint64_t passed =
      s.histories - std::min<std::uint64_t>(s.histories, s.failures.size());
  std::ofstream file(options.junit, std::ios::trunc);
  file << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"holdfast-sim "
       << escaped_for_xml(options.scenario) << "\" tests=\"" << failures + (passed > 0 ? 1 : 0)
       << "\" failures=\"" << failures << "\" time=\"" << s.seconds << "\">\n";
  if (passed > 0)
    file << "  <testcase classname=\"holdfast-sim\" name=\"" << passed
         << " histories pass\" time=\"" << s.seconds << "\"/>\n";
  for (const Failure& each : s.failures)
    write_case(file, "seed " + std::to_string(each.seed), each.property, each.what);
  for (const Replayed& each : s.replayed)
    if (each.fails) write_case(file, each.file, each.property, each.what);
  file << "</testsuite>\n";
  file.close();
  if (!file) return fail(options.junit + ": cannot be written");
  return {};
}

void print_annotations(const Summary& s, const CheckOptions& options) {
  const char* const on_github = std::getenv("GITHUB_ACTIONS");
  if (on_github == nullptr || std::string(on_github) != "true") return;
  // Standard error, so that --json stays what it is; GitHub reads both.
  for (const FailureGroup& group : s.groups)
    std::fprintf(
        stderr, "::error title=%s::%s\n",
        escaped_for_github("holdfast-sim: " + group.property, true).c_str(),
        escaped_for_github(std::to_string(group.seeds.size()) + " of " +
                               std::to_string(s.histories) + " histories of '" + options.scenario +
                               "' violate it; to see one: " + group.command,
                           false)
            .c_str());
  for (const Replayed& each : s.replayed)
    if (each.fails)
      std::fprintf(stderr, "::error title=%s::%s\n",
                   escaped_for_github("holdfast-sim: " + each.property, true).c_str(),
                   escaped_for_github(each.file + " still fails: " + each.what, false).c_str());
}

}  // namespace holdfast::tools
