// Bearer tokens of every sort, with signatures that are taken for good: claims are all that is looked at.
#include <cstdint>
#include <string_view>

#include "engine/api/gen/corev1.h"
#include "engine/base/check.h"
#include "engine/runtime/json_web_token.h"
#include "engine/server/auth/bootstrap_token.h"
#include "engine/server/auth/service_account_token.h"

namespace {

using namespace orrery;

class Believer final : public TokenSigner {
 public:
  std::string algorithm() const override { return "RS256"; }
  std::string key_id() const override { return "k"; }
  Result<std::string> sign(std::string_view) const override { return std::string("s"); }
  bool verify(std::string_view, std::string_view, std::string_view, std::string_view) const override { return true; }
  std::vector<PublicKey> public_keys() const override { return {}; }
};

/// Whoever is asked for is there, with the uid u.
class Everybody final : public server::ObjectReader {
 public:
  api::Object find(const api::KindDesc& kind, std::string_view ns, std::string_view name) const override {
    api::Object object = api::Object::make(*kind.type);
    object.mut_meta().name = Str(name);
    object.mut_meta().namespace_ = Str(ns);
    object.mut_meta().uid = "u";
    return object;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Believer signer;
  const Everybody objects;
  const Time now = Time::from_unix_seconds(1'700'000'000);
  // As a token, and as claims of a token whose form is right.
  const std::string wrapped = str_cat(base64url_encode(R"({"alg":"RS256","kid":"k"})"), ".", base64url_encode(text), ".cw");
  for (const std::string_view token : {text, std::string_view(wrapped)}) {
    static_cast<void>(server::is_service_account_token(token, {"i"}));
    const auto verified = server::verify_token(token, {"a"}, signer, objects, now);
    if (verified.is_ok()) CHECK(verified->user.name.view().starts_with("system:serviceaccount:"));
    CHECK(!server::verify_legacy_token(token, signer, objects, now).is_ok()) << "no secret has it";
    CHECK(!server::bootstrap_token_user(token, objects, now)) << "no secret has this type";
  }
  if (const auto bytes = base64url_decode(text)) CHECK(base64url_decode(base64url_encode(*bytes)) == bytes);
  return 0;
}
