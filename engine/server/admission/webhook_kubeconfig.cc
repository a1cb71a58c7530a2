// Credentials for webhooks, from a kubeconfig file.
#include <algorithm>

#include "engine/api/base64.h"
#include "engine/api/fields.h"
#include "engine/api/yaml.h"
#include "engine/base/ascii.h"
#include "engine/server/admission/settings.h"

namespace orrery::server {
namespace {

using api::Fields;
using api::Json;

// The text of a member, or of the file that its companion names.
std::string text_or_file(Fields& fields, std::string_view data_name, std::string_view file_name,
                         bool encoded, const FileReader& read) {
  std::string data = fields.text(data_name, "", "itself");
  const std::string path = fields.text(file_name, "", "a file with it");
  if (!data.empty()) {
    std::string decoded;
    if (encoded && !api::base64_decode(data, &decoded)) fields.fail(data_name, "must be base64");
    return encoded ? decoded : data;
  }
  if (path.empty()) return "";
  const size_t slash = fields.file().rfind('/');
  const bool relative = !path.starts_with('/') && slash != std::string::npos;
  auto content = read(relative ? fields.file().substr(0, slash + 1) + path : path);
  if (!content) {
    fields.fail(file_name, content.status().message());
    return "";
  }
  return std::move(*content);
}

WebhookCredential read_user(const Json& json, const std::string& path, Fields& parent,
                            const FileReader& read) {
  Fields f(json, path, parent.file());
  WebhookCredential out;
  out.host = f.text("name", "", "a host: name.namespace.svc, host:port, *.namespace.svc or *");
  if (out.host.empty()) f.fail("name", "is required");
  Fields user(f.any("user", "how to show who asks"), f.path_of("user"), f.file());
  const std::string given = text_or_file(user, "token", "tokenFile", false, read);
  const std::string token(trimmed(given, " \t\r\n"));
  const std::string name = user.text("username", "", "for basic authentication"),
                    password = user.text("password", "", "with it");
  if (!token.empty()) out.authorization = str_cat("Bearer ", token);
  if (token.empty() && !name.empty())
    out.authorization = str_cat("Basic ", api::base64_encode(str_cat(name, ":", password)));
  out.certificate_pem =
      text_or_file(user, "client-certificate-data", "client-certificate", true, read);
  out.key_pem = text_or_file(user, "client-key-data", "client-key", true, read);
  if (out.certificate_pem.empty() != out.key_pem.empty())
    user.fail("", "a client certificate needs its key and the reverse");
  f.absorb(user.done());
  parent.absorb(f.done());
  return out;
}

const WebhookCredential* find_host(const std::vector<WebhookCredential>& all,
                                   std::string_view host) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.host == host; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

Result<std::vector<WebhookCredential>> parse_webhook_kubeconfig(std::string_view text,
                                                                const std::string& file,
                                                                const FileReader& read) {
  ORRERY_ASSIGN(const Json json, api::parse_yaml_document(text, file));
  std::vector<WebhookCredential> out;
  Fields root(json, "", file);
  root.text("apiVersion", "v1", "of this format", {"v1"});
  root.text("kind", "Config", "of this format", {"Config"});
  for (const char* unused : {"clusters", "contexts", "current-context", "preferences"})
    root.any(unused, "not used for webhooks");
  root.each("users", "by host", [&](const Json& item, const std::string& path) {
    out.push_back(read_user(item, path, root, read));
  });
  ORRERY_TRY(root.done());
  return out;
}

// The host with its port, the host, then ever shorter ends of it.
const WebhookCredential* credential_for(const std::vector<WebhookCredential>& all,
                                        const std::string& host, int port) {
  if (all.empty()) return nullptr;
  if (const auto* found = find_host(all, str_cat(host, ":", port))) return found;
  if (const auto* found = find_host(all, host)) return found;
  for (size_t dot = host.find('.'); dot != std::string::npos; dot = host.find('.', dot + 1))
    if (const auto* found = find_host(all, "*" + host.substr(dot))) return found;
  return find_host(all, "*");
}

}  // namespace orrery::server
