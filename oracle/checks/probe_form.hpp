// The form of an answer to a probe: its status, the headers that every answer has, and those and
// the body that its kind has (http-api.md §2, §3, §8, §9, §18.2, §20, §21, §29). Stateless.
#pragma once

#include "core/protocol/http.hpp"
#include "oracle/client/client_view.hpp"
#include "oracle/probe.hpp"

namespace holdfast::oracle {

void check_probe_form(const Probe& probe, const protocol::Response& response, const Object& object);

}  // namespace holdfast::oracle
