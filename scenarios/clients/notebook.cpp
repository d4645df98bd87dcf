#include "scenarios/clients/notebook.hpp"

namespace holdfast::scenarios {

void Notebook::note(const oracle::Exchange& exchange) {
  if (!exchange.response || exchange.origin) return;
  const protocol::Response& response = *exchange.response;
  const oracle::ClientState& state = exchange.state;
  if (response.status == 409 && state.handle && state.phase != oracle::ClientPhase::initial)
    known_[exchange.spec->name].dead.push_back({*state.handle, state.offset, state.offset, {}});
  if (response.status != 200 || state.phase == oracle::ClientPhase::live) return;
  const std::string* handle = response.header("electric-handle");
  const std::string* tag = response.header("etag");
  const std::string* offset = response.header("electric-offset");
  const auto to = offset == nullptr ? std::nullopt : protocol::LogOffset::parse(*offset);
  if (handle == nullptr || tag == nullptr || !to) return;  // the oracle has objected
  Known& known = known_[exchange.spec->name];
  ServedPage page{{*handle}, state.offset, *to, *tag};
  if (known.pages.size() < k_most_pages)
    known.pages.push_back(std::move(page));
  else
    known.pages[known.noted % k_most_pages] = std::move(page);
  known.noted++;
}

const ServedPage* Notebook::page(const oracle::ShapeSpec& spec, std::uint64_t pick) const {
  const auto known = known_.find(spec.name);
  if (known == known_.end() || known->second.pages.empty()) return nullptr;
  return &known->second.pages[pick % known->second.pages.size()];
}

const ServedPage* Notebook::dead_page(const oracle::ShapeSpec& spec, std::uint64_t pick) const {
  const auto known = known_.find(spec.name);
  if (known == known_.end() || known->second.dead.empty()) return nullptr;
  return &known->second.dead[pick % known->second.dead.size()];
}

}  // namespace holdfast::scenarios
