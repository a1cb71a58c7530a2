#include "engine/control/endpoints/endpoint_subsets.h"

#include <algorithm>
#include <boost/uuid/detail/md5.hpp>
#include <cmath>
#include <map>
#include <tuple>

#include "engine/api/template_hash.h"

namespace orrery::control {
namespace {

using Address = corev1::EndpointAddress;
using Port = corev1::EndpointPort;
using AddressKey = std::pair<Str, Str>;       // IP and UID
using Readiness = std::map<AddressKey, bool>;  // of the addresses that offer a port

constexpr int32_t kNoPort = -1;

AddressKey key_of(const Address& address) { return {address.ip, address.target_ref ? address.target_ref->uid : Str()}; }

std::tuple<Str, int32_t, Str> key_of(const Port& port) { return {port.name, port.port, port.protocol}; }

std::string md5_of(const std::string& text) {
  boost::uuids::detail::md5 hash;
  hash.process_bytes(text.data(), text.size());
  boost::uuids::detail::md5::digest_type digest;
  hash.get_digest(digest);
  std::string bytes;  // the words' highest first
  for (const unsigned int word : digest)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xff);
  return bytes;
}

template <typename T>
void sort_by_hash(std::vector<T>& values) {
  std::vector<std::pair<std::string, T>> keyed;
  for (T& value : values) keyed.emplace_back(md5_of(api::go_dump(T::descriptor(), &value)), std::move(value));
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < keyed.size(); ++i) values[i] = std::move(keyed[i].second);
}

template <typename T>
List<T> list_of(std::vector<T> values) {
  List<T> out;
  for (T& value : values) out.push_back(std::move(value));
  return out;
}

void cut(List<Address>& addresses, size_t count) {
  while (addresses.size() > count) addresses.erase(addresses.size() - 1);
}

}  // namespace

List<corev1::EndpointSubset> repack(const std::vector<OneEndpoint>& endpoints) {
  std::map<AddressKey, Address> addresses;
  struct Offer {
    Port port;
    size_t source;
    Readiness ready;
  };
  std::vector<Offer> ports;
  for (const OneEndpoint& one : endpoints) {
    Port none;
    none.port = kNoPort;
    const std::vector<Port>& offered = one.ports.empty() ? std::vector<Port>{none} : one.ports;
    for (const Port& port : offered) {
      const AddressKey key = key_of(one.address);
      addresses.emplace(key, one.address);
      const auto found = std::find_if(ports.begin(), ports.end(), [&](const Offer& known) {
        return key_of(known.port) == key_of(port) && known.port.app_protocol == port.app_protocol &&
               (!port.app_protocol || known.source == one.source);
      });
      Readiness& ready = found == ports.end() ? ports.emplace_back(Offer{port, one.source, {}}).ready : found->ready;
      // What is not ready in one place is not ready.
      const auto [at, fresh] = ready.emplace(key, one.ready);
      if (!fresh) at->second = at->second && one.ready;
    }
  }
  std::map<Readiness, std::vector<Port>> sets;
  for (Offer& offer : ports) sets[offer.ready].push_back(std::move(offer.port));
  std::vector<corev1::EndpointSubset> subsets;
  for (auto& [readiness, offered] : sets) {
    corev1::EndpointSubset subset;
    for (const auto& [key, ready] : readiness) (ready ? subset.addresses : subset.not_ready_addresses).push_back(addresses.at(key));
    std::erase_if(offered, [](const Port& port) { return port.port == kNoPort; });
    sort_by_hash(offered);
    subset.ports = list_of(std::move(offered));
    subsets.push_back(std::move(subset));
  }
  sort_by_hash(subsets);
  return list_of(std::move(subsets));
}

size_t address_count(const List<corev1::EndpointSubset>& subsets) {
  size_t count = 0;
  for (const auto& subset : subsets) count += subset.addresses.size() + subset.not_ready_addresses.size();
  return count;
}

bool truncate(List<corev1::EndpointSubset>& subsets) {
  if (address_count(subsets) <= kAddressesMax) return false;
  size_t ready = 0, others = 0;
  for (const auto& subset : subsets) {
    ready += subset.addresses.size();
    others += subset.not_ready_addresses.size();
  }
  const bool cuts_ready = ready > kAddressesMax;
  const size_t room = cuts_ready ? kAddressesMax : kAddressesMax - ready;
  const size_t all = cuts_ready ? ready : others;
  size_t left = room;
  for (size_t i = 0; i < subsets.size(); ++i) {
    corev1::EndpointSubset& subset = subsets.mut(i);
    List<Address>& addresses = cuts_ready ? subset.addresses : subset.not_ready_addresses;
    const double share = static_cast<double>(addresses.size()) / static_cast<double>(all) * static_cast<double>(room);
    cut(addresses, std::min(left, static_cast<size_t>(std::ceil(share))));
    left -= addresses.size();
    if (cuts_ready) subset.not_ready_addresses = {};
  }
  return true;
}

}  // namespace orrery::control
