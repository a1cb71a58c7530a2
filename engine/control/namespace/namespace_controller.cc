#include "engine/control/namespace/namespace_controller.h"

#include "engine/control/common/write_fresh.h"
#include "engine/control/namespace/namespace_conditions.h"

namespace orrery::control {
namespace {

const Str kFinalizer = Str::literal("kubernetes");
/// Writes under way when a namespace begins to be deleted are waited for.
constexpr Duration kGrace = Duration::seconds(5);

Status finalize(const api::Object& ns, WriteLog& log) {
  return write_fresh(ns, "finalize", log, [](api::Object& object) {
    auto& spec = object.mut<corev1::Namespace>().spec.mut();
    return spec.finalizers.erase_if([](const Str& finalizer) { return finalizer == kFinalizer; }) >
           0;
  });
}

Status mark_as_terminating(const api::Object& ns, WriteLog& log) {
  return write_fresh(ns, "status", log, [](api::Object& object) {
    auto& status = object.mut<corev1::Namespace>().status.mut();
    if (status.phase == "Terminating") return false;
    status.phase = "Terminating";
    return true;
  });
}

}  // namespace

NamespaceController::NamespaceController(const Env& env, const NamespaceOptions& options)
    : Reconciler(env, "namespace-controller", options) {
  add_informer({&kind_of<corev1::Namespace>(), {}, {}, {}});
}

void NamespaceController::on_change(const Ctx&, size_t, const Change& change) {
  if (change.after && change.after.meta().deletion_timestamp)
    enqueue_after(change.after.meta().name, kGrace);
}

NamespaceInputs NamespaceController::gather(const Ctx& ctx, const Str& key) {
  if (!informer(0).find({}, key)) return {};
  return {key, env().api->served_kinds(), ctx.now};
}

Status NamespaceController::sync(const NamespaceInputs& in, WriteLog& log) {
  if (in.name.empty()) return Status();
  const ApiResponse& read =
      log.call([&] { return get_request(kind_of<corev1::Namespace>(), {}, in.name); });
  if (read.status.code() == Code::kNotFound) return Status();
  if (!read.status) return read.status;
  api::Object ns = read.object;
  if (!ns.meta().deletion_timestamp) return Status();
  ORRERY_TRY(mark_as_terminating(ns, log));
  if (ns.get<corev1::Namespace>().spec->finalizers.empty()) return Status();
  const NamespaceContent content =
      delete_content(in.name, in.kinds, ns.meta().deletion_timestamp->time(), in.now, log);
  if (log.pending()) return Status();
  auto& status = ns.mut<corev1::Namespace>().status.mut();
  status.phase = "Terminating";
  if (set_conditions(status, content, in.now)) {
    // Whether it can be said does not decide what is to be done.
    log.call([&] { return update_request(ns, "status"); });
    if (log.pending()) return Status();
  }
  if (!content.failures.empty()) return Status(Code::kInternal, content.failures[0]);
  if (content.wait_seconds > 0) {
    log.requeue_after(Duration::seconds(content.wait_seconds / 2 + 1));
    return Status();
  }
  return finalize(ns, log);
}

}  // namespace orrery::control
