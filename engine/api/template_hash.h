#pragma once

#include <string>

#include "engine/api/gen/corev1.h"

namespace orrery::api {

/// The text of which a pod template's hash is made: every field in schema order, also unset ones,
/// as the reference prints structures. Source: Kubernetes v1.32 pkg/util/hash (format), and
/// facts on the printed form of each kind of field.
std::string template_dump(const corev1::PodTemplateSpec& tmpl);
/// The same of any structure.
std::string go_dump(const TypeDesc& type, const void* object);

/// The value of the label pod-template-hash, and the end of a ReplicaSet's name: FNV-1a (32 bits)
/// over the dump and the collision count, printed in decimal and made safe.
std::string template_hash(const corev1::PodTemplateSpec& tmpl, Opt<int32_t> collision_count);

/// Each byte b becomes "bcdfghjklmnpqrstvwxz2456789"[b mod 27]: no vowels, no words.
std::string safe_encode(std::string_view text);
uint32_t fnv1a32(std::string_view bytes, uint32_t seed = 2166136261u);

}  // namespace orrery::api
