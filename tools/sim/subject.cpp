#include "tools/sim/subject.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "tools/sim/history.hpp"

namespace holdfast::tools {
namespace {

/// No repro file is bigger; what is, is something else.
constexpr std::uintmax_t k_biggest_file = 64ULL << 20;

bool looks_like_a_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("+-.0123456789") == std::string::npos;
}

}  // namespace

Result<std::uint64_t> parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (text.empty() || error != std::errc{} || rest != text.data() + text.size())
    return fail("'" + text + "' is no seed; a seed is a whole number from 0 to 2^64 - 1");
  return seed;
}

scenarios::Repro repro_of_seed(const std::string& scenario, std::uint64_t seed,
                               const std::vector<std::string>& without) {
  scenarios::Repro repro;
  repro.plan = scenarios::make_plan(scenario, seed);
  repro.without = without;
  return repro;
}

Result<scenarios::Repro> read_repro(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return fail(path + ": there is no such file");
  if (!std::filesystem::is_regular_file(path, error)) return fail(path + ": is no file");
  if (std::filesystem::file_size(path, error) > k_biggest_file)
    return fail(path + ": is too big for a repro file");
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return fail(path + ": cannot be read");
  return scenarios::parse_repro(text, path);
}

Result<void> write_repro(const scenarios::Repro& repro, const std::string& path) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << scenarios::to_text(repro);
  file.close();
  if (!file) return fail(path + ": cannot be written");
  return {};
}

Result<Subject> find_subject(const std::string& seed_or_file, const std::string& scenario,
                             const std::vector<std::string>& without) {
  const auto weakened = weakened_by(without);
  if (!weakened.ok()) return weakened.failure();
  std::error_code ignored;
  if (looks_like_a_number(seed_or_file) && !std::filesystem::exists(seed_or_file, ignored)) {
    const auto seed = parse_seed(seed_or_file);
    if (!seed.ok()) return seed.failure();
    const auto known = check_scenario(scenario);
    if (!known.ok()) return Failure<Error>{known.error()};
    return Subject{seed_or_file, false, repro_of_seed(scenario, *seed, without)};
  }
  auto repro = read_repro(seed_or_file);
  if (!repro.ok()) return repro.failure();
  bool another_run = false;
  for (const std::string& name : without)
    if (std::find(repro->without.begin(), repro->without.end(), name) == repro->without.end()) {
      repro->without.push_back(name);
      another_run = true;
    }
  return Subject{seed_or_file, !another_run, std::move(*repro)};
}

}  // namespace holdfast::tools
