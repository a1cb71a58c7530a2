#include "engine/control/cronjob/cronjob_sync.h"

#include <algorithm>
#include <utility>

#include "engine/api/names.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/job/job_status.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kScheduledTimestamp = "batch.kubernetes.io/cronjob-scheduled-timestamp";

const batchv1::JobStatus& status_of(const api::Object& job) {
  return *job.get<batchv1::Job>().status;
}

bool succeeded(const batchv1::JobStatus& status) {
  return std::any_of(status.conditions.begin(), status.conditions.end(), [](const auto& condition) {
    return condition.type == "Complete" && condition.status == "True";
  });
}

bool started_before(const api::Object& a, const api::Object& b) {
  const auto& x = status_of(a).start_time;
  const auto& y = status_of(b).start_time;
  if (x.has_value() != y.has_value()) return x.has_value();
  if (!(x == y)) return *x < *y;
  return a.meta().name < b.meta().name;
}

ApiRequest get_job(const corev1::ObjectReference& ref) {
  return get_request(kind_of<batchv1::Job>(), ref.namespace_, ref.name);
}

corev1::ObjectReference reference_to(const api::Object& job) {
  corev1::ObjectReference ref;
  ref.api_version = job.kind()->api_version;
  ref.kind = job.kind()->kind;
  ref.namespace_ = job.meta().namespace_;
  ref.name = job.meta().name;
  ref.uid = job.meta().uid;
  ref.resource_version = job.meta().resource_version;
  return ref;
}

}  // namespace

CronJobSync::CronJobSync(const CronJobInputs& in, WriteLog& log)
    : in_(in), log_(log), copy_(in.cron_job), current_(&copy_) {}

Status CronJobSync::run() {
  clean_up();
  const Result<Wait> wait = sync();
  if (log_.pending()) return Status();
  if (write_status_) ORRERY_TRY(log_.call([&] { return update_request(copy_, "status"); }).status);
  if (wait && *wait) log_.requeue_after(**wait);
  return wait.status();
}

void CronJobSync::clean_up() {
  const auto& spec = *cron_job().spec;
  std::vector<api::Object> complete, failed;
  for (const api::Object& job : in_.jobs) {
    const auto* end = job_end(status_of(job));
    if (end) (end->type == "Complete" ? complete : failed).push_back(job);
  }
  const Opt<int32_t> complete_kept = spec.successful_jobs_history_limit;
  const Opt<int32_t> failed_kept = spec.failed_jobs_history_limit;
  if (complete_kept) remove_oldest(std::move(complete), *complete_kept);
  if (failed_kept) remove_oldest(std::move(failed), *failed_kept);
}

void CronJobSync::remove_oldest(std::vector<api::Object> jobs, int32_t kept) {
  std::sort(jobs.begin(), jobs.end(), started_before);
  const int64_t surplus = static_cast<int64_t>(jobs.size()) - kept;
  for (int64_t i = 0; i < surplus; ++i) write_status_ |= delete_job(jobs[static_cast<size_t>(i)]);
}

bool CronJobSync::delete_job(const api::Object& job) {
  const auto& meta = job.meta();
  const Status deleted =
      log_.call([&] {
            ApiDeleteOptions options;
            options.propagation_policy = "Background";
            return delete_request(*job.kind(), meta.namespace_, meta.name, options);
          })
          .status;
  if (!deleted) {
    report("Warning", "FailedDelete", [&] { return str_cat("Deleted job: ", deleted.message()); });
    return false;
  }
  deactivate(meta.uid);
  report("Normal", "SuccessfulDelete", [&] { return str_cat("Deleted job ", meta.name); });
  return true;
}

bool CronJobSync::is_active(const Str& uid) const {
  const auto& active = cron_job().status->active;
  return std::any_of(active.begin(), active.end(), [&](const auto& ref) { return ref.uid == uid; });
}

void CronJobSync::deactivate(const Str& uid) {
  List<corev1::ObjectReference> kept;
  for (const auto& ref : cron_job().status->active)
    if (ref.uid != uid) kept.push_back(ref);
  mut_status().active = std::move(kept);
}

Result<CronJobSync::Wait> CronJobSync::sync() {
  ORRERY_TRY(look_at_jobs());
  ORRERY_TRY(drop_missing_jobs());
  if (cron_job().metadata->deletion_timestamp) return Wait();
  const auto schedule = checked_schedule();
  if (!schedule) return Wait();
  const DueStart due = due_start(cron_job(), in_.now, *schedule, /*with_deadline=*/true);
  if (!due.error) {
    report("Warning", "InvalidSchedule", [&] {
      return str_cat("invalid schedule: ", cron_job().spec->schedule, " : ", due.error.message());
    });
    return Wait();
  }
  if (due.start && due.missed == MissedStarts::kMany)
    report("Warning", "TooManyMissedTimes",
           "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
           "clock skew");
  if (due.start && may_start(*due.start)) {
    if (cron_job().spec->concurrency_policy == "Replace") ORRERY_TRY(replace_active());
    ORRERY_ASSIGN(const bool started, start_job(*due.start));
    if (!started) return Wait();
  }
  return Wait(time_to_next_start(cron_job(), in_.now, *schedule));
}

Status CronJobSync::look_at_jobs() {
  for (const api::Object& job : in_.jobs) {
    const auto& status = status_of(job);
    const auto* end = job_end(status);
    const bool active = is_active(job.meta().uid);
    if (!active && !end) {
      ORRERY_TRY(look_at_stray(job));
    } else if (active && end) {
      deactivate(job.meta().uid);
      report("Normal", "SawCompletedJob", [&] {
        return str_cat("Saw completed job: ", job.meta().name, ", condition: ", end->type);
      });
      write_status_ = true;
    }
    if (succeeded(status)) take_success(status);
  }
  return Status();
}

/// It runs and is not listed as active: does the newest state of the CronJob know it?
Status CronJobSync::look_at_stray(const api::Object& job) {
  const auto& meta = in_.cron_job.meta();
  const ApiResponse& read =
      log_.call([&] { return get_request(*in_.cron_job.kind(), meta.namespace_, meta.name); });
  if (!read.status) return read.status;
  const auto& active = read.object.get<batchv1::CronJob>().status->active;
  const bool known = std::any_of(active.begin(), active.end(),
                                 [&](const auto& ref) { return ref.uid == job.meta().uid; });
  if (known) {
    fresh_ = read.object;
    current_ = &fresh_;
    return Status();
  }
  report("Warning", "UnexpectedJob", [&] {
    return str_cat("Saw a job that the controller did not create or forgot: ", job.meta().name);
  });
  return Status();
}

void CronJobSync::take_success(const batchv1::JobStatus& status) {
  const Opt<api::Timestamp> last = cron_job().status->last_successful_time;
  const Opt<api::Timestamp>& done = status.completion_time;
  if (last && !(done && *last < *done)) return;
  mut_status().last_successful_time = done;
  write_status_ = true;
}

Status CronJobSync::drop_missing_jobs() {
  const List<corev1::ObjectReference> active = cron_job().status->active;
  for (const auto& ref : active) {
    const bool cached = std::any_of(in_.jobs.begin(), in_.jobs.end(),
                                    [&](const auto& job) { return job.meta().uid == ref.uid; });
    if (cached) continue;
    const Status& found = log_.call([&] { return get_job(ref); }).status;
    if (found) continue;
    if (found.code() != Code::kNotFound) return found;
    report("Normal", "MissingJob", [&] { return str_cat("Active job went missing: ", ref.name); });
    deactivate(ref.uid);
    write_status_ = true;
  }
  return Status();
}

/// None: it is suspended, or something has to be mended before it can run.
std::optional<api::CronSchedule> CronJobSync::checked_schedule() {
  const auto& spec = *cron_job().spec;
  if (spec.time_zone)
    if (const auto zone = api::TimeZone::find(*spec.time_zone); !zone) {
      report("Warning", "UnknownTimeZone", [&] {
        return str_cat("invalid timeZone: ", api::quoted(*spec.time_zone), ": ",
                       zone.status().message());
      });
      return std::nullopt;
    }
  if (spec.suspend.value_or(false)) return std::nullopt;
  if (schedule_has_zone(spec))
    report("Warning", "UnsupportedSchedule", [&] {
      return str_cat("CRON_TZ or TZ used in schedule ", api::quoted(spec.schedule),
                     " is not officially supported, see https://kubernetes.io/docs/concepts/"
                     "workloads/controllers/cron-jobs/ for more details");
    });
  auto schedule = schedule_of(spec);
  if (schedule) return std::move(*schedule);
  report("Warning", "UnparseableSchedule", [&] {
    return str_cat("unparseable schedule: ", api::quoted(spec.schedule), " : ",
                   schedule.status().message());
  });
  return std::nullopt;
}

bool CronJobSync::may_start(Time start) {
  const auto& spec = *cron_job().spec;
  const auto& status = *cron_job().status;
  if (spec.starting_deadline_seconds &&
      start + Duration::seconds(*spec.starting_deadline_seconds) < in_.now) {
    report("Warning", "MissSchedule", [&] {
      return str_cat("Missed scheduled time to start a job: ", api::format_time_rfc1123z(start));
    });
    return false;
  }
  const Str name = job_name(start), ns = cron_job().metadata->namespace_;
  const bool active = std::any_of(status.active.begin(), status.active.end(), [&](const auto& ref) {
    return ref.name == name && ref.namespace_ == ns;
  });
  if (active || status.last_schedule_time == api::Timestamp(start)) return false;
  if (spec.concurrency_policy != "Forbid" || status.active.empty()) return true;
  report("Normal", "JobAlreadyActive",
         "Not starting job because prior execution is running and concurrency policy is Forbid");
  return false;
}

Status CronJobSync::replace_active() {
  const List<corev1::ObjectReference> active = cron_job().status->active;
  for (const auto& ref : active) {
    const ApiResponse& read = log_.call([&] { return get_job(ref); });
    if (!read.status) {
      report("Warning", "FailedGet", [&] { return str_cat("Get job: ", read.status.message()); });
      return read.status;
    }
    if (!delete_job(read.object))
      return internal_error(str_cat("could not replace job ", ref.namespace_, '/', ref.name));
    write_status_ = true;
  }
  return Status();
}

Str CronJobSync::job_name(Time start) const {
  return str_cat(cron_job().metadata->name, '-', start.unix_seconds() / 60);
}

Result<api::Object> CronJobSync::make_job(Time start) const {
  const auto& from = cron_job().spec->job_template;
  batchv1::Job job;
  auto& meta = job.metadata.mut();
  meta.labels = from.metadata->labels;
  meta.annotations = from.metadata->annotations;
  ORRERY_ASSIGN(const std::string at, zoned_time(*cron_job().spec, start));
  meta.annotations.set(kScheduledTimestamp, at);
  meta.name = job_name(start);
  meta.creation_timestamp = start;
  meta.owner_references.push_back(controller_reference(*current_));
  job.spec = from.spec;
  return api::Object::of(std::move(job));
}

Result<bool> CronJobSync::start_job(Time start) {
  ORRERY_ASSIGN(const api::Object job, make_job(start));
  const ApiResponse& made = log_.call([&] {
    ApiRequest request = create_request(job);
    request.ns = in_.cron_job.meta().namespace_;
    return request;
  });
  if (made.status.code() == Code::kAlreadyExists)
    // What the reference says here: it reads the Job without a namespace.
    return bad_request("an empty namespace may not be set when a resource name is provided");
  if (!made.status) {
    if (!namespace_terminating(made))
      report("Warning", "FailedCreate",
             [&] { return str_cat("Error creating job: ", made.status.message()); });
    return made.status;
  }
  report("Normal", "SuccessfulCreate",
         [&] { return str_cat("Created job ", made.object.meta().name); });
  auto& status = mut_status();
  status.active.push_back(reference_to(made.object));
  status.last_schedule_time = api::Timestamp(start);
  write_status_ = true;
  return true;
}

}  // namespace orrery::control
