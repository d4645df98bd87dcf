#include "core/production/system_random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "core/base/assert.hpp"

namespace holdfast::production {
namespace {

Hash128 seed_of_this_process() {
  std::uint64_t words[2];
  ssize_t got;
  do {
    got = ::getrandom(words, sizeof words, 0);
  } while (got == -1 && errno == EINTR);
  ASSERT(got == static_cast<ssize_t>(sizeof words), "getrandom gives 16 bytes once the pool is up");
  return {words[0], words[1]};
}

}  // namespace

SystemRandom::SystemRandom() : seed_(seed_of_this_process()) {}

std::uint64_t SystemRandom::draw(std::uint64_t path, std::string_view site, std::uint64_t ordinal) {
  RollingHash hash;
  hash.add(seed_.high);
  hash.add(seed_.low);
  hash.add(path);
  hash.add(site);
  hash.add(ordinal);
  return hash.value().high;
}

}  // namespace holdfast::production
