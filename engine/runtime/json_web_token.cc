#include "engine/runtime/json_web_token.h"

#include "engine/api/base64.h"

namespace orrery {

std::string base64url_encode(std::string_view bytes) {
  std::string text = api::base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  standard.append((4 - standard.size() % 4) % 4, '=');
  std::string bytes;
  if (!api::base64_decode(standard, &bytes)) return std::nullopt;
  return bytes;
}

Result<Str> signed_token(const api::Json& claims, const TokenSigner& signer) {
  api::Json header = api::Json::object();
  header.set("alg", signer.algorithm());
  header.set("kid", signer.key_id());
  const std::string text =
      str_cat(base64url_encode(header.dump_sorted()), ".", base64url_encode(claims.dump_sorted()));
  ORRERY_ASSIGN(const std::string signature, signer.sign(text));
  return Str(str_cat(text, ".", base64url_encode(signature)));
}

}  // namespace orrery
