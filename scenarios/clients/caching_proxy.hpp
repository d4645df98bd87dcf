// A shared cache between clients and engine, such as nginx or a CDN (http-api.md §25): keyed by the
// whole URL, it keeps what `cache-control` lets it keep, and may answer with it for as long as that
// lets it. A copy past its time is revalidated by its tag, perhaps after it was given once more;
// who asks what is being fetched waits for that. Whether it still has a copy is up to chance.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/http.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/runtime.hpp"
#include "scenarios/clients/trouble.hpp"
#include "scenarios/world/network.hpp"

namespace holdfast::scenarios {

class CachingProxy {
 public:
  /// Who waits for another's fetch for so long asks by himself (nginx: proxy_cache_lock_timeout).
  static constexpr Duration k_lock_timeout = std::chrono::seconds(5);

  /// `world` is where its own fetches run.
  CachingProxy(Network& network, runtime::Runtime& world, ClientTroubleCounters& counters)
      : network_(network), world_(world), counters_(counters) {}

  /// As Network::fetch. SUSPENDS the calling process of the world.
  Network::Answer fetch(runtime::Process& client, protocol::Request request, Network::Terms terms);

 private:
  /// How long an answer may be given again, by its `cache-control`.
  struct Lifetime {
    Duration fresh{};
    Duration stale{};  ///< and so much longer while it is revalidated
  };
  struct Stored {
    protocol::Response response;
    oracle::Origin origin;
    Lifetime lifetime;
    runtime::ProcessId first;  ///< to whom it was given first
  };
  class Revalidation;
  class UnderWay;

  static std::optional<Lifetime> lifetime_of(const protocol::Response& response);
  std::optional<Network::Answer> from_cache(runtime::Process& client, const std::string& key,
                                            const protocol::Request& request);
  Network::Answer replay(runtime::Process& client, const Stored& stored);
  /// Asks the engine, with the tag of the copy at hand, if there is one.
  Network::Answer from_engine(runtime::Process& client, const std::string& key,
                              protocol::Request request, Network::Terms terms);

  Network& network_;
  runtime::Runtime& world_;
  ClientTroubleCounters& counters_;
  std::map<std::string, Stored> stored_;
  /// Who waits for the fetch of this key that is under way.
  std::map<std::string, std::vector<runtime::Wakeup>> under_way_;
};

}  // namespace holdfast::scenarios
