#include "realmode/http/forwards.h"

#include <utility>

namespace orrery::realmode {

Forwards::Forwards(ForwardHost* host, std::unique_ptr<TlsClient> unverified,
                   std::unique_ptr<TlsClient> kubelets)
    : host_(host),
      unverified_(std::move(unverified)),
      kubelets_(std::move(kubelets)),
      resolver_([host] { host->poller().wake(); }) {}

void Forwards::begin(uint64_t exchange, HttpForward what) {
  auto forward = std::make_unique<Forward>(host_, exchange, std::move(what));
  Forward* raw = forward.get();
  forwards_[exchange] = std::move(forward);
  raw->start();
}

void Forwards::take_input(uint64_t exchange, std::string_view bytes) {
  forwards_.at(exchange)->take_input(bytes);
}

void Forwards::client_has(uint64_t exchange, size_t bytes) {
  const auto found = forwards_.find(exchange);
  if (found != forwards_.end()) found->second->client_has(bytes);
}

void Forwards::client_gone(uint64_t exchange) {
  const auto found = forwards_.find(exchange);
  if (found == forwards_.end()) return;
  Forward* forward = found->second.get();
  orphans_[forward] = std::move(found->second);
  forwards_.erase(found);
  forward->client_gone();
}

void Forwards::over(uint64_t exchange, Forward* forward) {
  if (const auto found = forwards_.find(exchange); found != forwards_.end()) {
    dead_.push_back(std::move(found->second));
    forwards_.erase(found);
  } else if (const auto orphan = orphans_.find(forward); orphan != orphans_.end()) {
    dead_.push_back(std::move(orphan->second));
    orphans_.erase(orphan);
  }
}

void Forwards::resolve(Forward* forward, const std::string& host) {
  resolver_.ask(forward->exchange(), host);
}

const TlsClient& Forwards::tls_client(HttpForward::Peer peer) const {
  return peer == HttpForward::Peer::kUnverified ? *unverified_ : *kubelets_;
}

void Forwards::take_addresses() {
  for (const Resolver::Answer& answer : resolver_.collect()) {
    const auto found = forwards_.find(answer.id);
    if (found != forwards_.end()) found->second->on_address(answer.address, answer.error);
  }
}

void Forwards::tick() {
  // A forward that has waited too long leaves the tables.
  std::vector<Forward*> all;
  for (const auto& [exchange, forward] : forwards_) all.push_back(forward.get());
  for (const auto& [forward, owned] : orphans_) all.push_back(forward);
  for (Forward* forward : all) forward->on_tick();
}

void Forwards::reap() { dead_.clear(); }

}  // namespace orrery::realmode
