#include "engine/server/connect/pod_options.h"

#include <charconv>

#include "engine/api/names.h"
#include "engine/server/connect/url.h"

namespace orrery::server {
namespace {

constexpr std::string_view kNegative = "must be greater than or equal to 0";
constexpr std::string_view kNotPositive = "must be greater than 0";

template <typename Number>
Status read_number(const Query& query, std::string_view name, Opt<Number>* out) {
  if (!query.has(name)) return Status::ok();
  const std::string& text = query.get(name);
  Number number = 0;
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const auto [end, error] =
      std::from_chars(text.data() + (plus ? 1 : 0), text.data() + text.size(), number);
  const std::string_view why = error == std::errc::result_out_of_range ? "value out of range"
                                                                       : "invalid syntax";
  if (error != std::errc() || end != text.data() + text.size())
    return bad_request(str_cat("strconv.ParseInt: parsing ", api::quoted(text), ": ", why));
  *out = number;
  return Status::ok();
}

Status read_time(const Query& query, std::string_view name, Opt<api::Timestamp>* out) {
  const std::string& text = query.get(name);
  if (text.empty()) return Status::ok();
  auto time = api::parse_time(text);
  if (!time.is_ok())
    return bad_request(str_cat("parsing time ", api::quoted(text),
                               " as \"2006-01-02T15:04:05Z07:00\": cannot parse ",
                               api::quoted(text), " as \"2006\""));
  *out = *time;
  return Status::ok();
}

FieldError invalid_number(std::string_view field, int64_t number, std::string_view why) {
  return FieldError::invalid(std::string(field), str_cat(number), why);
}

std::vector<std::string> container_names(const corev1::Pod& pod) {
  std::vector<std::string> names;
  for (const auto& container : pod.spec->init_containers) names.push_back(container.name.str());
  for (const auto& container : pod.spec->containers) names.push_back(container.name.str());
  for (const auto& container : pod.spec->ephemeral_containers) names.push_back(container.name.str());
  return names;
}

}  // namespace

Result<corev1::PodLogOptions> read_log_options(const Query& query) {
  corev1::PodLogOptions options;
  options.container = Str(query.get("container"));
  options.follow = query.flag("follow");
  options.previous = query.flag("previous");
  options.timestamps = query.flag("timestamps");
  options.insecure_skip_tls_verify_backend = query.flag("insecureSkipTLSVerifyBackend");
  ORRERY_TRY(read_number(query, "sinceSeconds", &options.since_seconds));
  ORRERY_TRY(read_number(query, "tailLines", &options.tail_lines));
  ORRERY_TRY(read_number(query, "limitBytes", &options.limit_bytes));
  ORRERY_TRY(read_time(query, "sinceTime", &options.since_time));
  return options;
}

FieldErrors check_log_options(const corev1::PodLogOptions& options) {
  FieldErrors errors;
  if (options.tail_lines && *options.tail_lines < 0)
    errors.push_back(invalid_number("tailLines", *options.tail_lines, kNegative));
  if (options.limit_bytes && *options.limit_bytes < 1)
    errors.push_back(invalid_number("limitBytes", *options.limit_bytes, kNotPositive));
  if (options.since_seconds && options.since_time) {
    errors.push_back(FieldError::forbidden(
        "[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (options.since_seconds && *options.since_seconds < 1) {
    errors.push_back(invalid_number("sinceSeconds", *options.since_seconds, kNotPositive));
  }
  return errors;
}

std::string kubelet_log_query(const corev1::PodLogOptions& options) {
  std::vector<std::pair<std::string, std::string>> values;
  if (options.follow) values.emplace_back("follow", "true");
  if (options.previous) values.emplace_back("previous", "true");
  if (options.timestamps) values.emplace_back("timestamps", "true");
  if (options.since_seconds) values.emplace_back("sinceSeconds", str_cat(*options.since_seconds));
  if (options.since_time) values.emplace_back("sinceTime", api::format_time(*options.since_time));
  if (options.tail_lines) values.emplace_back("tailLines", str_cat(*options.tail_lines));
  if (options.limit_bytes) values.emplace_back("limitBytes", str_cat(*options.limit_bytes));
  return encode_query(std::move(values));
}

corev1::PodExecOptions read_exec_options(const Query& query) {
  corev1::PodExecOptions options;
  options.stdin = query.flag("stdin");
  options.stdout = query.flag("stdout");
  options.stderr = query.flag("stderr");
  options.tty = query.flag("tty");
  options.container = Str(query.get("container"));
  for (const std::string& word : query.all("command")) options.command.push_back(Str(word));
  return options;
}

std::string kubelet_exec_query(const corev1::PodExecOptions& options) {
  std::vector<std::pair<std::string, std::string>> values;
  if (options.stdin) values.emplace_back("input", "1");
  if (options.stdout) values.emplace_back("output", "1");
  if (options.stderr) values.emplace_back("error", "1");
  if (options.tty) values.emplace_back("tty", "1");
  for (const Str& word : options.command) values.emplace_back("command", word.str());
  return encode_query(std::move(values));
}

Result<std::string> kubelet_port_query(const Query& query) {
  std::string ports;
  for (const std::string& text : query.all("ports")) {
    int32_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size())
      return bad_request(str_cat("cannot convert to []int32: strconv.ParseUint: parsing ", api::quoted(text), ": invalid syntax"));
    ports += str_cat(ports.empty() ? "" : ",", port);
  }
  if (ports.empty()) return std::string();
  return encode_query({{"port", ports}});
}

Result<std::string> choose_container(const corev1::Pod& pod, const std::string& asked) {
  const std::string name = pod.metadata->name.str();
  const std::vector<std::string> names = container_names(pod);
  if (!asked.empty()) {
    for (const std::string& one : names)
      if (one == asked) return asked;
    return bad_request(str_cat("container ", asked, " is not valid for pod ", name));
  }
  if (pod.spec->containers.size() == 1) return pod.spec->containers[0].name.str();
  const std::string missing = str_cat("a container name must be specified for pod ", name);
  if (pod.spec->containers.empty()) return bad_request(missing);
  return bad_request(str_cat(missing, ", choose one of: [", api::join(names, " "), "]"));
}

}  // namespace orrery::server
