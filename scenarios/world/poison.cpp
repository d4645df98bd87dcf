#include "scenarios/world/poison.hpp"

#include "core/runtime/runtime.hpp"

namespace holdfast::scenarios {
namespace {

/// The handle in ".../consumer[1-1]", with "#2" behind it from its second start on; empty: another
/// process.
std::string_view consumer_of(std::string_view path) {
  constexpr std::string_view k_role = "/consumer[";
  const std::size_t at = path.rfind(k_role);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = path.substr(at + k_role.size());
  return rest.substr(0, rest.find(']'));
}

}  // namespace

bool Poison::observe(const sim::StepInfo& step) {
  if (!active_ || step.instance == nullptr || step.label.text != "Consumer::deliver") return false;
  const std::string_view handle = consumer_of(step.path);
  if (handle.empty()) return false;
  const bool first = !victim_;
  if (first) victim_ = protocol::ShapeHandle{std::string(handle)};
  if (victim_->text != handle) return false;
  step.instance->kill(step.process);  // at once: what it was about to take is not taken
  return first;
}

}  // namespace holdfast::scenarios
