#include "oracle/probe.hpp"

#include <array>

namespace holdfast::oracle {
namespace {

constexpr std::array<std::string_view, k_probe_kinds> k_names = {
    "now",           "follow_now",       "head",
    "post",          "not_modified",     "middle",
    "out_of_bounds", "unknown_handle",   "other_shape",
    "dead_handle",   "dead_handle_live", "expired_handle",
    "wrong_delete",  "unknown_delete",   "bad_parameters",
    "preflight",     "health",           "unknown_route"};

}  // namespace

std::string_view name_of(ProbeKind kind) {
  return k_names[static_cast<std::size_t>(kind)];
}

std::span<const std::string_view> names_of(ProbeKind) {
  return k_names;
}

bool reads_a_shape(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::wrong_delete:
    case ProbeKind::unknown_delete:
    case ProbeKind::bad_parameters:
    case ProbeKind::preflight:
    case ProbeKind::health:
    case ProbeKind::unknown_route:
      return false;
    default:
      return true;
  }
}

}  // namespace holdfast::oracle
