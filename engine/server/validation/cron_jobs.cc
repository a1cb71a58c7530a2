// Source: Kubernetes v1.32 pkg/apis/batch/validation.
#include <algorithm>

#include "engine/api/cron_schedule.h"
#include "engine/api/time_zone.h"
#include "engine/server/validation/jobs.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");

bool is_zone_part(std::string_view part) {
  constexpr size_t kPartMax = 14;
  if (part.empty() || part.size() > kPartMax || part == "." || part == ".." || part.starts_with('-')) return false;
  return std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || contains(".-_+", std::string_view(&c, 1));
  });
}

void check_time_zone(const Str& zone, const Path& at, Findings& findings) {
  if (zone.empty()) return findings.invalid(at, zone, "timeZone must be nil or non-empty string");
  const auto parts = split(zone, '/');
  if (!std::all_of(parts.begin(), parts.end(), is_zone_part)) return findings.invalid(at, zone, str_cat("unknown time zone ", zone));
  if (lower(zone) == "local")
    findings.invalid(at, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  if (zone != "Local" && !api::is_time_zone(zone)) findings.invalid(at, zone, str_cat("unknown time zone ", zone));
}

void check_schedule(const batchv1::CronJobSpec& spec, const batchv1::CronJobSpec* old, Findings& findings) {
  const Path at = kSpec.child("schedule");
  if (spec.schedule.empty()) return findings.required(at);
  if (const auto parsed = api::CronSchedule::parse(spec.schedule); !parsed) findings.invalid(at, spec.schedule, parsed.status().message());
  if (!contains(spec.schedule, "TZ")) return;
  const bool had_zone = old && contains(old->schedule, "TZ");
  if (!had_zone)
    findings.invalid(at, spec.schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  else if (spec.time_zone)
    findings.invalid(at, spec.schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
}

void check_spec(const batchv1::CronJobSpec& spec, const batchv1::CronJobSpec* old, Findings& findings) {
  const auto count = [&](const auto& value, std::string_view name) {
    if (value) findings.non_negative(*value, kSpec.child(name));
  };
  check_schedule(spec, old, findings);
  count(spec.starting_deadline_seconds, "startingDeadlineSeconds");
  if (spec.time_zone && !(old && old->time_zone == spec.time_zone)) check_time_zone(*spec.time_zone, kSpec.child("timeZone"), findings);
  findings.one_of(spec.concurrency_policy, kSpec.child("concurrencyPolicy"), {"Allow", "Forbid", "Replace"});
  const auto& job = *spec.job_template.spec;
  const PodRules rules = old ? PodRules::replacing(*old->job_template.spec->template_->spec) : PodRules();
  const Path tmpl = kSpec.child("jobTemplate.spec");
  check_job_spec(job, rules, tmpl, findings);
  if (job.selector) findings.invalid(tmpl.child("selector"), Shown::object(*job.selector), "`selector` will be auto-generated");
  if (job.manual_selector.value_or(false)) findings.not_supported(tmpl.child("manualSelector"), true, {"nil", "false"});
  count(spec.successful_jobs_history_limit, "successfulJobsHistoryLimit");
  count(spec.failed_jobs_history_limit, "failedJobsHistoryLimit");
}

void check_create(const batchv1::CronJob& cron, Findings& findings) {
  constexpr size_t kNameMax = 52;
  check_object_meta(*cron.metadata, true, name_is_subdomain, findings);
  check_spec(*cron.spec, nullptr, findings);
  if (cron.metadata->name.size() > kNameMax)
    findings.invalid(Path("metadata.name"), cron.metadata->name, "must be no more than 52 characters");
}

void check_update(const batchv1::CronJob& cron, const batchv1::CronJob& old, Findings& findings) {
  check_object_meta_update(*cron.metadata, *old.metadata, findings);
  check_spec(*cron.spec, old.spec.get(), findings);
}

void check_status(const batchv1::CronJob&, const batchv1::CronJob&, Findings&) {}

}  // namespace

CheckRow cron_job_row() { return check_row<batchv1::CronJob, check_create, check_update, check_status>(); }

}  // namespace orrery::server
