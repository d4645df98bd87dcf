// env::Random in production: keyed draws as in the simulator, over a seed that differs with every
// start of the process. Thread-safe, since the seed never changes. Not for secrets.
#pragma once

#include "core/base/hash.hpp"
#include "core/env/random.hpp"

namespace holdfast::production {

class SystemRandom : public env::Random {
 public:
  /// Takes the seed from the operating system; ends the process if it gives none.
  SystemRandom();
  explicit SystemRandom(Hash128 seed) : seed_(seed) {}

  std::uint64_t draw(std::uint64_t path, std::string_view site, std::uint64_t ordinal) override;

 private:
  Hash128 seed_;
};

}  // namespace holdfast::production
