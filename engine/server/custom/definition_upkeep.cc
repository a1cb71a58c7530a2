#include "engine/server/custom/definition_upkeep.h"

#include <algorithm>
#include <set>

#include "engine/api/names.h"
#include "engine/api/semantic.h"

namespace orrery::server {
namespace {

using apiextensionsv1::CustomResourceDefinition;
using apiextensionsv1::CustomResourceDefinitionCondition;
using apiextensionsv1::CustomResourceDefinitionNames;
using Conditions = List<CustomResourceDefinitionCondition>;

bool is_true(const CustomResourceDefinition& definition, std::string_view type) {
  for (const auto& condition : definition.status->conditions)
    if (condition.type == type) return condition.status == "True";
  return false;
}

bool set_condition(CustomResourceDefinition& definition, std::string_view type, std::string_view status, std::string_view reason,
                   std::string_view message, Time now) {
  Conditions& conditions = definition.status.mut().conditions;
  CustomResourceDefinitionCondition wanted;
  wanted.type = Str(type);
  wanted.status = Str(status);
  wanted.reason = Str(reason);
  wanted.message = Str(message);
  wanted.last_transition_time = api::Timestamp::whole_seconds(now);
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& known = conditions[i];
    if (known.type != wanted.type) continue;
    if (known.status == wanted.status && known.reason == wanted.reason && known.message == wanted.message) return false;
    if (known.status == wanted.status) wanted.last_transition_time = known.last_transition_time;
    conditions.mut(i) = std::move(wanted);
    return true;
  }
  conditions.push_back(std::move(wanted));
  return true;
}

/// Names that the other definitions of a group have got.
struct TakenNames {
  std::set<std::string, std::less<>> resources, kinds;
};

TakenNames taken_by_others(const CustomResourceDefinition& definition, const std::vector<const CustomResourceDefinition*>& others) {
  TakenNames taken;
  for (const CustomResourceDefinition* other : others) {
    if (other->metadata->name == definition.metadata->name || other->spec->group != definition.spec->group) continue;
    const auto& names = other->status->accepted_names;
    for (const Str& name : {names.plural, names.singular}) taken.resources.insert(name.str());
    for (const Str& name : names.short_names) taken.resources.insert(name.str());
    for (const Str& name : {names.kind, names.list_kind}) taken.kinds.insert(name.str());
  }
  return taken;
}

struct Refusal {
  std::string_view reason;
  std::string message;
};

// Accepts one name after the other; those that are taken stay what they were.
Refusal accept_names(const CustomResourceDefinition& definition, const TakenNames& taken, CustomResourceDefinitionNames& accepted) {
  const auto& asked = definition.spec->names;
  std::vector<std::string> messages;
  std::string_view reason;
  const auto refuse = [&](std::string_view why, const std::string& name) {
    reason = why;
    messages.push_back(str_cat(api::quoted(name), " is already in use"));
  };
  const auto take = [&](const Str& from, Str& to, const auto& used, std::string_view why) {
    if (!from.empty() && used.contains(from.view())) refuse(why, from.str());
    else to = from;
  };
  take(asked.plural, accepted.plural, taken.resources, "PluralConflict");
  take(asked.singular, accepted.singular, taken.resources, "SingularConflict");
  bool short_taken = false;
  std::string clashes;
  for (const Str& name : asked.short_names) {
    if (!taken.resources.contains(name.view())) continue;
    short_taken = true;
    refuse("ShortNamesConflict", name.str());
  }
  if (!short_taken) accepted.short_names = asked.short_names;
  take(asked.kind, accepted.kind, taken.kinds, "KindConflict");
  take(asked.list_kind, accepted.list_kind, taken.kinds, "ListKindConflict");
  accepted.categories = asked.categories;
  return {reason, api::join(messages, ", ")};
}

}  // namespace

std::optional<CustomResourceDefinition> with_settled_status(const CustomResourceDefinition& definition,
                                                            const std::vector<const CustomResourceDefinition*>& others, Time now) {
  if (definition.metadata->deletion_timestamp) return std::nullopt;
  CustomResourceDefinition fresh = definition;
  const Refusal refusal = accept_names(definition, taken_by_others(definition, others), fresh.status.mut().accepted_names);
  if (refusal.reason.empty()) {
    set_condition(fresh, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now);
    if (!is_true(definition, "Established"))
      set_condition(fresh, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now);
  } else {
    set_condition(fresh, "NamesAccepted", "False", refusal.reason, refusal.message, now);
    if (!is_true(definition, "Established"))
      set_condition(fresh, "Established", "False", "NotAccepted", "not all names are accepted", now);
  }
  if (api::semantic_equal(*fresh.status, *definition.status)) return std::nullopt;
  return fresh;
}

bool awaits_cleanup(const CustomResourceDefinition& definition) {
  const auto& finalizers = definition.metadata->finalizers;
  return definition.metadata->deletion_timestamp &&
         std::any_of(finalizers.begin(), finalizers.end(), [](const Str& f) { return f == kCleanupFinalizer; });
}

void begin_termination(CustomResourceDefinition& definition, Time now) {
  auto& meta = definition.metadata.mut();
  meta.deletion_timestamp = api::Timestamp::whole_seconds(now);
  if (!awaits_cleanup(definition)) meta.finalizers.push_back(Str(kCleanupFinalizer));
  set_condition(definition, "Terminating", "True", "InstanceDeletionPending",
                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon", now);
}

bool mark_cleanup(CustomResourceDefinition& definition, Time now) {
  return set_condition(definition, "Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress", now);
}

void end_cleanup(CustomResourceDefinition& definition) {
  definition.metadata.mut().finalizers.erase_if([](const Str& f) { return f == kCleanupFinalizer; });
}

}  // namespace orrery::server
