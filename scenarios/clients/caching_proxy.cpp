#include "scenarios/clients/caching_proxy.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace holdfast::scenarios {
namespace {

/// Of the copies that are asked for: so many are still there.
constexpr unsigned k_kept_percent = 85;
/// Of those past their time: so many are given once more before they are revalidated.
constexpr unsigned k_stale_percent = 50;

/// The order of parameters makes no other URL: the official client sorts them.
std::string url_of(const protocol::Request& request) {
  auto parameters = request.query;
  std::sort(parameters.begin(), parameters.end());
  std::string url = request.path;
  for (const auto& [name, value] : parameters) url += '\n' + name + '=' + value;
  return url;
}

/// The seconds of a directive such as `max-age=60`.
std::optional<Duration> seconds_of(std::string_view control, std::string_view directive) {
  for (std::size_t at = control.find(directive); at != std::string_view::npos;
       at = control.find(directive, at + 1)) {
    const bool whole = at == 0 || control[at - 1] == ' ' || control[at - 1] == ',';
    std::int64_t seconds = 0;
    const char* const digits = control.data() + at + directive.size();
    const auto [end, error] = std::from_chars(digits, control.data() + control.size(), seconds);
    if (whole && error == std::errc{}) return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

}  // namespace

/// Fetches a copy's successor after the copy was given; nobody waits for it.
class CachingProxy::Revalidation : public runtime::Process {
 public:
  Revalidation(CachingProxy& proxy, std::string key, protocol::Request request)
      : proxy_(proxy), key_(std::move(key)), request_(std::move(request)) {}

  void run() {
    const std::string* const tag = proxy_.stored_.at(key_).response.header("etag");
    const std::string before = tag == nullptr ? std::string() : *tag;
    const Network::Answer answer =
        proxy_.from_engine(*this, key_, request_, {oracle::Oracle::k_request_deadline});
    const std::string* const now = answer.response ? answer.response->header("etag") : nullptr;
    proxy_.counters_.count(ClientTrouble::stale_answer, now != nullptr && *now != before);
    exit(runtime::ExitReason::normal());
  }

 protected:
  void init() override { cast<&Revalidation::run>(runtime::Ref<Revalidation>{self()}); }

 private:
  CachingProxy& proxy_;
  std::string key_;
  protocol::Request request_;
};

/// Says for its life that a key is being fetched; wakes who waited.
class CachingProxy::UnderWay {
 public:
  UnderWay(CachingProxy& proxy, const std::string& key) : proxy_(proxy), key_(key) {
    first_ = proxy_.under_way_.try_emplace(key_).second;
  }
  ~UnderWay() {
    if (!first_) return;
    auto waiting = proxy_.under_way_.extract(key_);
    for (const runtime::Wakeup& wakeup : waiting.mapped()) wakeup.fire();
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  CachingProxy& proxy_;
  const std::string& key_;
  bool first_ = false;
};

std::optional<CachingProxy::Lifetime> CachingProxy::lifetime_of(
    const protocol::Response& response) {
  const std::string* const control = response.header("cache-control");
  if (control == nullptr) return std::nullopt;
  for (const char* forbidding : {"no-store", "no-cache", "private"})
    if (control->find(forbidding) != std::string::npos) return std::nullopt;
  auto fresh = seconds_of(*control, "s-maxage=");
  if (!fresh) fresh = seconds_of(*control, "max-age=");
  if (!fresh) return std::nullopt;
  const bool strict = control->find("must-revalidate") != std::string::npos;
  return Lifetime{*fresh, strict ? Duration{0}
                                 : seconds_of(*control, "stale-while-revalidate=")
                                       .value_or(Duration{0})};
}

Network::Answer CachingProxy::fetch(runtime::Process& client, protocol::Request request,
                                    Network::Terms terms) {
  const std::string key = url_of(request);
  const Instant begin = client.now();
  if (auto answer = from_cache(client, key, request)) return std::move(*answer);
  if (under_way_.contains(key)) {
    const Duration limit = std::min(k_lock_timeout, terms.patience.value_or(k_lock_timeout));
    runtime::suspend("proxy.wait", begin + limit, [&](runtime::Wakeup wakeup) {
      under_way_.at(key).push_back(std::move(wakeup));
    });
    if (auto answer = from_cache(client, key, request)) return std::move(*answer);
    if (terms.patience) {
      const Duration waited = client.now() - begin;
      if (waited >= *terms.patience) return {.given_up = true};
      *terms.patience -= waited;
    }
  }
  counters_.count(ClientTrouble::caching_proxy, false);
  return from_engine(client, key, std::move(request), terms);
}

std::optional<Network::Answer> CachingProxy::from_cache(runtime::Process& client,
                                                        const std::string& key,
                                                        const protocol::Request& request) {
  const auto found = stored_.find(key);
  if (found == stored_.end() || client.draw("proxy.kept") % 100 >= k_kept_percent)
    return std::nullopt;
  const Stored& stored = found->second;
  const Duration age = client.now() - stored.origin.answered;
  if (age < stored.lifetime.fresh) return replay(client, stored);
  const bool again = age < stored.lifetime.fresh + stored.lifetime.stale &&
                     client.draw("proxy.stale") % 100 < k_stale_percent;
  if (!again || under_way_.contains(key)) return std::nullopt;
  world_.spawn_root<Revalidation>(
      {.role = "revalidation", .key = std::to_string(client.draw("proxy.name"))}, std::ref(*this),
      key, request);
  return replay(client, stored);
}

Network::Answer CachingProxy::replay(runtime::Process& client, const Stored& stored) {
  counters_.count(ClientTrouble::caching_proxy, true);
  if (stored.response.status == 409)
    counters_.count(ClientTrouble::replayed_conflict, stored.first != client.self());
  Network::Answer answer{.response = stored.response, .origin = stored.origin};
  const Duration age = client.now() - stored.origin.answered;
  answer.response->headers.emplace_back(
      "age", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()));
  return answer;
}

Network::Answer CachingProxy::from_engine(runtime::Process& client, const std::string& key,
                                          protocol::Request request, Network::Terms terms) {
  const UnderWay under_way(*this, key);
  const auto copy = stored_.find(key);
  const std::string* const tag =
      copy == stored_.end() ? nullptr : copy->second.response.header("etag");
  if (tag != nullptr) request.headers.emplace_back("if-none-match", *tag);
  const bool revalidating = tag != nullptr;
  const Instant sent = client.now();
  Network::Answer answer = network_.fetch(client, std::move(request), terms);
  if (!answer.response) return answer;
  const oracle::Origin origin{sent, client.now()};
  if (revalidating) counters_.count(ClientTrouble::revalidation, answer.response->status == 304);
  if (answer.response->status == 304) {
    // Nobody takes copies away, and whoever revalidated it before has only made it younger.
    Stored& held = stored_.at(key);
    held.origin = origin;
    if (const auto lifetime = lifetime_of(*answer.response)) held.lifetime = *lifetime;
    return replay(client, held);
  }
  if (const auto lifetime = lifetime_of(*answer.response))
    stored_.insert_or_assign(key, Stored{*answer.response, origin, *lifetime, client.self()});
  return answer;
}

}  // namespace holdfast::scenarios
