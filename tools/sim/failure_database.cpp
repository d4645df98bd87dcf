#include "tools/sim/failure_database.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

#include "scenarios/reduction/choices.hpp"
#include "tools/sim/subject.hpp"

namespace holdfast::tools {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

/// Which guards were off, short enough for a file's name.
std::string without_in_name(const std::vector<std::string>& guards) {
  if (guards.empty()) return {};
  if (guards.size() == 1) return "-without-" + guards.front();
  std::string all;
  for (const std::string& guard : guards) all += guard + ",";
  return "-without-" + std::to_string(guards.size()) + "-guards-" +
         hash128(all).to_hex().substr(0, 8);
}

}  // namespace

std::string name_for_file(const std::string& text) {
  constexpr std::size_t k_longest = 60;
  std::string name;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      name.push_back(c);
    else if (!name.empty() && name.back() != '-')
      name.push_back('-');
  name = name.substr(0, k_longest);
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "failure" : name;
}

std::vector<FailureDatabase::Entry> FailureDatabase::entries(
    const std::string& scenario, const std::vector<std::string>& without) const {
  std::vector<Entry> found;
  std::error_code error;
  if (directory_.empty() || !fs::is_directory(directory_, error)) return found;
  std::vector<std::string> files;
  for (const auto& item : fs::directory_iterator(directory_, error))
    if (item.path().extension() == ".json") files.push_back(item.path().string());
  for (const std::string& file : sorted(std::move(files))) {
    auto repro = read_repro(file);
    if (!repro.ok()) {
      std::fprintf(stderr, "not replayed: %s\n", repro.error().message.c_str());
      continue;
    }
    if (repro->plan.scenario == scenario && sorted(repro->without) == sorted(without))
      found.push_back({file, std::move(*repro)});
  }
  return found;
}

std::string FailureDatabase::keep(const scenarios::Repro& repro) const {
  if (directory_.empty() || !repro.verdict) return {};
  std::string name = repro.plan.scenario + "-" + name_for_file(repro.verdict->property);
  name += without_in_name(sorted(repro.without));
  const std::string file = directory_ + "/" + name + ".json";
  const auto before = read_repro(file);
  const auto size = [](const scenarios::Repro& r) { return count_choices(r.plan).total(); };
  if (before.ok() && size(*before) <= size(repro)) return file;
  const auto written = write_repro(repro, file);
  if (!written.ok()) {
    std::fprintf(stderr, "%s\n", written.error().message.c_str());
    return {};
  }
  return file;
}

void FailureDatabase::drop(const Entry& entry) const {
  std::error_code ignored;
  fs::remove(entry.file, ignored);
}

}  // namespace holdfast::tools
