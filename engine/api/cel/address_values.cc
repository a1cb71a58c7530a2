// IP addresses and networks. Source: Kubernetes v1.32 apiserver/pkg/cel/library/{ip,cidr}.go.
#include "engine/api/cel/functions.h"
#include "engine/api/ip.h"
#include "engine/api/names.h"

namespace orrery::api::cel {
namespace {

// Go's net/netip takes no leading zeros.
bool has_leading_zero(std::string_view text) {
  if (text.find('.') == text.npos) return false;
  for (size_t i = text.rfind(':') == text.npos ? 0 : text.rfind(':') + 1; i + 1 < text.size(); ++i) {
    const bool begins = i == 0 || text[i - 1] == '.' || text[i - 1] == ':';
    if (begins && text[i] == '0' && text[i + 1] != '.') return true;
  }
  return false;
}

Result<IpAddress> read_ip(std::string_view text) {
  const auto ip = parse_ip(text);
  if (!ip || has_leading_zero(text)) {
    const std::string_view why = ip ? "IPv4 field has octet with leading zero" : "unable to parse IP";
    return bad_request(str_cat("IP Address ", quoted(text), " parse error during conversion from string: ParseAddr(", quoted(text), "): ", why));
  }
  if (ip->is_v4 && text.find(':') != text.npos) return bad_request(str_cat("IPv4-mapped IPv6 address ", quoted(text), " is not allowed"));
  return *ip;
}

Result<IpNetwork> read_cidr(std::string_view text) {
  const auto network = parse_cidr(text);
  if (network && network->address.is_v4 && text.find(':') != text.npos)
    return bad_request(str_cat("IPv4-mapped IPv6 address ", quoted(text), " is not allowed"));
  if (network && !has_leading_zero(text.substr(0, text.find('/')))) return *network;
  const std::string_view why = text.find('/') == text.npos ? "no '/'" : "unable to parse IP";
  return bad_request(str_cat("network address parse error during conversion from string: netip.ParsePrefix(", quoted(text), "): ", why));
}

class IpValue final : public Opaque {
 public:
  explicit IpValue(IpAddress ip) : ip_(ip) {}
  const IpAddress& ip() const { return ip_; }
  std::string_view type_name() const override { return "net.IP"; }
  std::string to_string() const override { return ip_.to_string(); }
  bool equals(const Opaque& other) const override { return ip_ == static_cast<const IpValue&>(other).ip_; }
  Result<Value> call(std::string_view name, const std::vector<Value>& args) const override {
    if (args.size() != 1) return no_overload(name);
    if (name == "family") return Value::integer(ip_.is_v4 ? 4 : 6);
    if (name == "isUnspecified") return Value::flag(ip_.is_unspecified());
    if (name == "isLoopback") return Value::flag(ip_.is_loopback());
    if (name == "isLinkLocalMulticast") return Value::flag(ip_.is_link_local_multicast());
    if (name == "isLinkLocalUnicast") return Value::flag(ip_.is_link_local_unicast());
    if (name == "isGlobalUnicast") return Value::flag(ip_.is_global_unicast());
    return no_overload(name);
  }

 private:
  IpAddress ip_;
};

class CidrValue final : public Opaque {
 public:
  explicit CidrValue(IpNetwork network) : network_(network) {}
  std::string_view type_name() const override { return "net.CIDR"; }
  std::string to_string() const override { return str_cat(network_.address.to_string(), "/", network_.prefix); }
  bool equals(const Opaque& other) const override {
    const IpNetwork& that = static_cast<const CidrValue&>(other).network_;
    return network_.address == that.address && network_.prefix == that.prefix;
  }
  Result<Value> call(std::string_view name, const std::vector<Value>& args) const override {
    if (args.size() == 2 && name == "containsIP") return contains_ip(args[1]);
    if (args.size() == 2 && name == "containsCIDR") return contains_cidr(args[1]);
    if (args.size() != 1) return no_overload(name);
    if (name == "ip") return Value::of_opaque(std::make_shared<IpValue>(network_.address));
    if (name == "masked") return Value::of_opaque(std::make_shared<CidrValue>(network_.masked()));
    if (name == "prefixLength") return Value::integer(network_.prefix);
    return no_overload(name);
  }

 private:
  Result<Value> contains_ip(const Value& value) const {
    if (value.is_string()) {
      ORRERY_ASSIGN(IpAddress ip, read_ip(value.string()));
      return Value::flag(network_.contains(ip));
    }
    if (value.type_name() != "net.IP") return no_overload("containsIP");
    return Value::flag(network_.contains(static_cast<const IpValue&>(*value.opaque).ip()));
  }
  Result<Value> contains_cidr(const Value& value) const {
    IpNetwork other;
    if (value.is_string()) {
      ORRERY_ASSIGN(IpNetwork read, read_cidr(value.string()));
      other = read;
    } else if (value.type_name() == "net.CIDR") {
      other = static_cast<const CidrValue&>(*value.opaque).network_;
    } else {
      return no_overload("containsCIDR");
    }
    return Value::flag(network_.contains(other.address) && network_.prefix <= other.prefix);
  }

  IpNetwork network_;
};

}  // namespace

Result<Value> ip_value(const Value& text) {
  if (!text.is_string()) return no_overload("ip");
  ORRERY_ASSIGN(IpAddress ip, read_ip(text.string()));
  return Value::of_opaque(std::make_shared<IpValue>(ip));
}

Result<Value> cidr_value(const Value& text) {
  if (!text.is_string()) return no_overload("cidr");
  ORRERY_ASSIGN(IpNetwork network, read_cidr(text.string()));
  return Value::of_opaque(std::make_shared<CidrValue>(network));
}

Result<Value> ip_is_canonical(const Value& text) {
  if (!text.is_string()) return no_overload("ip.isCanonical");
  ORRERY_ASSIGN(IpAddress ip, read_ip(text.string()));
  return Value::flag(ip.to_string() == text.string());
}

}  // namespace orrery::api::cel
