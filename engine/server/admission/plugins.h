#pragma once

#include <string_view>
#include <vector>

#include "engine/server/admission/chain.h"
#include "engine/server/options.h"

namespace orrery::server {

/// The plugins that are on by default in kube-apiserver v1.32, with what --enable-admission-plugins
/// adds and --disable-admission-plugins takes away, in kube-apiserver's order. Names of plugins
/// that are not there are ignored. What the storage of some kinds checks by who asks comes last.
AdmissionChain admission_chain(const ServerOptions& options);

/// The plugins that are there, whether on by default or not.
std::vector<std::string_view> admission_plugin_names();

}  // namespace orrery::server
